# SPDX-License-Identifier: MIT
#
# How this repository's own programs are built: tests, examples and benchmarks.
include(${CMAKE_CURRENT_LIST_DIR}/warnings.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/sanitizers.cmake)

set(CMAKE_CXX_EXTENSIONS OFF)

# millpond_add_program(<name> <source>...): an executable with the project's warnings as errors and
# with the sanitizers that were asked for.
function(millpond_add_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(
    ${name}
    PRIVATE millpond::millpond millpond_warnings millpond_sanitizers
  )
endfunction()
