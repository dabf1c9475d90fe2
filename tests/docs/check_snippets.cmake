# SPDX-License-Identifier: MIT
#
# cmake -DPAGES=<list of Markdown files> -DSOURCE_DIR=<repository> -P check_snippets.cmake
#
# Every C++ or CMake block of a page is a marked region of a file that the tests compile and run. In
# the page:
#
#   <!-- snippet: examples/readme.cpp program -->
#   ```cpp
#   ...
#   ```
#
# In the program, at any indentation, which the page does not repeat:
#
#   // snippet: program
#   ...
#   // snippet end
#
# with # in place of // in files that are not C++. A block of another language in a C++ file is the
# raw string in its region: what the program prints, say.
cmake_minimum_required(VERSION 3.24)

set(snippets 0)

# The region `name` of `file`.
function(read_region file name out)
  file(READ "${SOURCE_DIR}/${file}" source)
  set(comment "#")
  if(file MATCHES "pp$")
    set(comment "//")
  endif()
  string(FIND "${source}" "${comment} snippet: ${name}\n" start)
  if(start EQUAL -1)
    message(FATAL_ERROR "${page}: ${file} has no snippet '${name}'")
  endif()
  string(SUBSTRING "${source}" ${start} -1 source)
  string(FIND "${source}" "\n" line_end)
  math(EXPR line_end "${line_end} + 1")
  string(SUBSTRING "${source}" ${line_end} -1 source)
  string(FIND "${source}" "${comment} snippet end" end)
  if(end EQUAL -1)
    message(FATAL_ERROR "${file}: snippet '${name}' has no end")
  endif()
  string(SUBSTRING "${source}" 0 ${end} region)

  # The first line's indentation goes from all lines.
  string(REGEX REPLACE "^( *)[^ ].*$" "\\1" indentation "${region}")
  string(REPLACE "\n${indentation}" "\n" region "\n${region}")
  string(STRIP "${region}" region)
  set(${out} "${region}" PARENT_SCOPE)
endfunction()

foreach(page IN LISTS PAGES)
  file(READ "${page}" rest)

  # Blocks of code without a program behind them.
  string(REPLACE " -->\n```" " -->\nsnippet```" marked "${rest}")
  foreach(language IN ITEMS cpp cmake)
    string(FIND "${marked}" "\n```${language}" unmarked)
    if(NOT unmarked EQUAL -1)
      string(SUBSTRING "${marked}" ${unmarked} 200 excerpt)
      message(SEND_ERROR "${page}: a block of code that is no snippet:${excerpt}")
    endif()
  endforeach()

  while(TRUE)
    string(FIND "${rest}" "<!-- snippet: " start)
    if(start EQUAL -1)
      break()
    endif()
    string(SUBSTRING "${rest}" ${start} -1 rest)
    if(NOT rest MATCHES "^<!-- snippet: ([^ ]+) ([^\n]+) -->\n```([a-z]+)\n")
      string(SUBSTRING "${rest}" 0 80 excerpt)
      message(FATAL_ERROR "${page}: no block follows ${excerpt}")
    endif()
    set(file "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    set(language "${CMAKE_MATCH_3}")
    string(LENGTH "${CMAKE_MATCH_0}" length)
    string(SUBSTRING "${rest}" ${length} -1 rest)
    string(FIND "${rest}" "\n```" end)
    string(SUBSTRING "${rest}" 0 ${end} block)

    read_region("${file}" "${name}" region)
    if(NOT language STREQUAL "cpp")
      string(REGEX REPLACE "^.*R\"\\(\n(.*)\n\\)\".*$" "\\1" region "${region}")
    endif()
    if(NOT block STREQUAL region)
      string(REPLACE "\n" "\n  " region "  ${region}")  # message() leaves indented text as it is
      message(SEND_ERROR "${page}: differs from '${name}' in ${file}, which is:\n${region}\n")
    endif()
    math(EXPR snippets "${snippets} + 1")
  endwhile()
endforeach()

message(STATUS "${snippets} snippets compared")
if(snippets EQUAL 0)
  message(FATAL_ERROR "No snippets found")
endif()
