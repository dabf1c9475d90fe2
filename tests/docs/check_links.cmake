# SPDX-License-Identifier: MIT
#
# cmake -DPAGES=<list of Markdown files> -P check_links.cmake
#
# What a page links to within the repository exists.
cmake_minimum_required(VERSION 3.24)

set(links 0)
foreach(page IN LISTS PAGES)
  cmake_path(GET page PARENT_PATH folder)
  file(READ "${page}" text)

  # Code is full of what looks like links.
  set(prose "")
  while(text MATCHES "\n```")
    string(FIND "${text}" "\n```" start)
    string(SUBSTRING "${text}" 0 ${start} before)
    string(APPEND prose "${before}")
    math(EXPR start "${start} + 4")
    string(SUBSTRING "${text}" ${start} -1 text)
    string(FIND "${text}" "\n```" end)
    math(EXPR end "${end} + 4")
    string(SUBSTRING "${text}" ${end} -1 text)
  endwhile()
  set(text "${prose}${text}")

  # A link is the text between "](" and ")"; brackets upset CMake's lists.
  string(REPLACE "](" "\n<link>" text "${text}")
  string(REGEX MATCHALL "<link>[^)\n]+\\)" found "${text}")
  foreach(link IN LISTS found)
    string(REGEX REPLACE "^<link>([^)#]*).*$" "\\1" target "${link}")
    if(target STREQUAL "" OR target MATCHES "^[a-z]+:")
      continue()
    endif()
    math(EXPR links "${links} + 1")
    if(NOT EXISTS "${folder}/${target}")
      message(SEND_ERROR "${page}: ${target} does not exist")
    endif()
  endforeach()
endforeach()

message(STATUS "${links} links followed")
if(links EQUAL 0)
  message(FATAL_ERROR "No links found")
endif()
