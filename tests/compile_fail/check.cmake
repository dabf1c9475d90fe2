# SPDX-License-Identifier: MIT
#
# cmake -P check.cmake -- <source> <compiler> <flag>...
#
# Passes if the compiler refuses the source and one of its error lines contains the sentence of
# the source's line `// expect: <sentence>`; with several such lines each must be met. A source
# that says `// expect-success` has to compile.
set(command "")
set(past_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(past_dashes)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(past_dashes TRUE)
  endif()
endforeach()
list(POP_FRONT command source)
list(GET command 0 compiler)

if(compiler MATCHES "cl(\\.exe)?$")
  list(APPEND command /nologo /Zs /EHsc)
else()
  list(APPEND command -fsyntax-only -fmessage-length=0 -fdiagnostics-color=never)
endif()
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${command} ${source}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
)
message("${output}")

file(STRINGS ${source} wanted REGEX "^// expect-success$")
if(wanted)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${source} should compile and does not")
  endif()
  return()
endif()

if(result EQUAL 0)
  message(FATAL_ERROR "${source} should not compile and does")
endif()
# Only error lines count: a note may quote a sentence that was not the complaint.
string(REGEX MATCHALL "[^\n]* error[: ][^\n]*" errors "${output}")
string(REPLACE "\\;" ";" errors "${errors}")
file(STRINGS ${source} wanted REGEX "^// expect: ")
if(NOT wanted)
  message(FATAL_ERROR "${source} has no line `// expect: <sentence>`")
endif()
foreach(line IN LISTS wanted)
  string(REPLACE "// expect: " "" sentence "${line}")
  string(FIND "${errors}" "${sentence}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "${source} is refused, but not with: ${sentence}")
  endif()
endforeach()
