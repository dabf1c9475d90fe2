# SPDX-License-Identifier: MIT
#
# cmake -DPAGES=<list of Markdown files> -DTESTS_DIR=<tests> -P check_named_tests.cmake
#
# Every test that a page names, as `Suite.Name`, exists; or, as `CallOut.Place`, the place in the
# table of unit/callouts_test.cpp.
cmake_minimum_required(VERSION 3.24)

file(GLOB_RECURSE sources "${TESTS_DIR}/*.cpp")
set(tests "")
foreach(source IN LISTS sources)
  file(READ "${source}" text)
  string(REGEX REPLACE "[ \n]+" "" text "${text}")
  string(REGEX MATCHALL "TEST(_P|_F)?\\([A-Za-z0-9_]+,[A-Za-z0-9_]+\\)" found "${text}")
  list(APPEND tests ${found})
  if(source MATCHES "callouts_test")
    string(REGEX MATCHALL "{\"[A-Za-z0-9]+\",Where::" found "${text}")
    list(TRANSFORM found REPLACE "{\"(.*)\",Where::" "CallOut.\\1")
    list(APPEND tests ${found})
  endif()
endforeach()
list(TRANSFORM tests REPLACE "TEST(_P|_F)?\\(([A-Za-z0-9_]+),([A-Za-z0-9_]+)\\)" "\\2.\\3")

set(names 0)
foreach(page IN LISTS PAGES)
  file(READ "${page}" text)
  string(REGEX MATCHALL "`[A-Z][A-Za-z0-9]+\\.[A-Z][A-Za-z0-9]+`" found "${text}")
  foreach(name IN LISTS found)
    string(REPLACE "`" "" name "${name}")
    math(EXPR names "${names} + 1")
    if(NOT name IN_LIST tests)
      message(SEND_ERROR "${page}: there is no test ${name}")
    endif()
  endforeach()
endforeach()

message(STATUS "${names} names looked up")
if(names EQUAL 0)
  message(FATAL_ERROR "No tests named")
endif()
