# SPDX-License-Identifier: MIT
#
# millpond::compiled: the library compiled once instead of in each file that uses it. Built only for
# those who link it, unless MILLPOND_COMPILED says that it is to be installed.
add_library(millpond_compiled STATIC ${PROJECT_SOURCE_DIR}/src/millpond.cpp)
add_library(millpond::compiled ALIAS millpond_compiled)
target_compile_definitions(millpond_compiled PUBLIC MILLPOND_COMPILED)
target_link_libraries(millpond_compiled PUBLIC millpond)
set_target_properties(
  millpond_compiled
  PROPERTIES
    EXPORT_NAME compiled
    OUTPUT_NAME millpond
    POSITION_INDEPENDENT_CODE ON # for shared libraries that it is linked into
)
if(NOT MILLPOND_COMPILED)
  set_target_properties(millpond_compiled PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
