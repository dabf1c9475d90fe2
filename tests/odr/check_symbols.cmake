# SPDX-License-Identifier: MIT
#
# cmake -DNM=<nm> -P check_symbols.cmake -- <library> <version> [<library> <version>]...
#
# Every symbol in namespace millpond that a library defines or uses is in its version's namespace.
cmake_minimum_required(VERSION 3.24)

math(EXPR last "${CMAKE_ARGC} - 2")
foreach(i RANGE 5 ${last} 2)
  math(EXPR next "${i} + 1")
  set(library "${CMAKE_ARGV${i}}")
  set(version "${CMAKE_ARGV${next}}")
  execute_process(COMMAND ${NM} -C "${library}" OUTPUT_VARIABLE all COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "millpond::${version}::" "" others "${all}")
  if(others STREQUAL all)
    message(FATAL_ERROR "${library} has nothing of millpond::${version}")
  endif()
  if(others MATCHES "[^\n]*millpond::[^\n]*")
    message(FATAL_ERROR "${library} has more than millpond::${version}: ${CMAKE_MATCH_0}")
  endif()
endforeach()
