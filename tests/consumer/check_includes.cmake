# SPDX-License-Identifier: MIT
#
# cmake -P check_includes.cmake -- <header> <compiler> <flag>...
#
# What would slow down every file of a user is not included, not even by what the header includes:
# <iostream> also adds an initializer to each object file.
cmake_minimum_required(VERSION 3.24)

set(header "${CMAKE_ARGV4}")
set(command "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE 5 ${last})
  list(APPEND command "${CMAKE_ARGV${i}}")
endforeach()

execute_process(COMMAND ${command} --version OUTPUT_VARIABLE version ERROR_QUIET)
if(NOT version MATCHES "clang|Free Software")
  message("SKIPPED: only GCC and Clang list what is included with -M")
  return()
endif()

execute_process(
  COMMAND ${command} -x c++ -M ${header} OUTPUT_VARIABLE included COMMAND_ERROR_IS_FATAL ANY
)
if(NOT included MATCHES "/millpond/detail/platform/config.hpp")
  message(FATAL_ERROR "No list of headers: ${included}")
endif()
foreach(name IN ITEMS iostream regex)
  if(included MATCHES "[^ \n]+/${name}[ \n]")
    message(FATAL_ERROR "${header} includes ${CMAKE_MATCH_0}")
  endif()
endforeach()
