# SPDX-License-Identifier: MIT
#
# A project that imports the module; with another compiler if this build's is too old for it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(compiler ${CMAKE_CXX_COMPILER})
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS}")
else()
  find_program(MILLPOND_MODULE_COMPILER NAMES clang++-21 clang++-20 clang++-19 clang++-18 clang++)
  mark_as_advanced(MILLPOND_MODULE_COMPILER)
  set(compiler ${MILLPOND_MODULE_COMPILER})
  set(flags "")
endif()

if(Python3_Interpreter_FOUND AND compiler)
  add_test(
    NAME module.import
    COMMAND
      ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/build_and_run.py ${PROJECT_SOURCE_DIR}
      ${CMAKE_CURRENT_BINARY_DIR}/module ${compiler} ${flags}
  )
  set_tests_properties(
    module.import PROPERTIES LABELS consumer TIMEOUT 300 SKIP_RETURN_CODE 77
  )
endif()

add_test(
  NAME module.is_refused_where_it_cannot_be_built
  COMMAND
    ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${CMAKE_CURRENT_BINARY_DIR}/module_refused
    -G "Unix Makefiles" -DMILLPOND_MODULE=ON -DMILLPOND_BUILD_TESTS=OFF
    -DMILLPOND_BUILD_EXAMPLES=OFF -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
)
set_tests_properties(
  module.is_refused_where_it_cannot_be_built
  PROPERTIES LABELS consumer TIMEOUT 60 PASS_REGULAR_EXPRESSION "MILLPOND_MODULE needs"
)
