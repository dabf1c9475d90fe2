# SPDX-License-Identifier: MIT
#
# millpond::module, for `import millpond;`. Only for projects that build it themselves: a module is
# compiled with its user's compiler and flags, so there is nothing to install.
if(CMAKE_VERSION VERSION_LESS 3.28)
  message(FATAL_ERROR "MILLPOND_MODULE needs CMake 3.28 or later; this is ${CMAKE_VERSION}")
endif()
if(NOT CMAKE_GENERATOR MATCHES "Ninja|Visual Studio")
  message(FATAL_ERROR "MILLPOND_MODULE needs Ninja or Visual Studio, not ${CMAKE_GENERATOR}")
endif()
foreach(compiler IN ITEMS "Clang 17" "GNU 14" "MSVC 19.36")
  string(REPLACE " " ";" compiler "${compiler}")
  list(GET compiler 0 id)
  list(GET compiler 1 version)
  if(CMAKE_CXX_COMPILER_ID STREQUAL id AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS version)
    message(FATAL_ERROR "MILLPOND_MODULE needs ${id} ${version} or later, as modules do; "
                        "this is ${CMAKE_CXX_COMPILER_VERSION}")
  endif()
endforeach()

add_library(millpond_module)
add_library(millpond::module ALIAS millpond_module)
target_sources(
  millpond_module
  PUBLIC
    FILE_SET CXX_MODULES
    BASE_DIRS ${PROJECT_SOURCE_DIR}/modules
    FILES ${PROJECT_SOURCE_DIR}/modules/millpond.cppm
)
target_link_libraries(millpond_module PUBLIC millpond::millpond)
