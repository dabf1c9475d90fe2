# SPDX-License-Identifier: MIT
#
# cmake -DSOURCE_DIR=<repository> -DWORK_DIR=<folder> -DCXX_COMPILER=<compiler>
#   [-DFEATURES=compiled] -P vcpkg_port.cmake
#
# Runs the port's portfile.cmake without vcpkg: the source is this repository, and the functions of
# vcpkg that it calls are stubs, below, that do what matters of them here. The result, a tree in
# WORK_DIR/installed that a consumer can use, has to have what vcpkg demands of a header-only port.
cmake_minimum_required(VERSION 3.24)

set(CURRENT_PORT_DIR ${SOURCE_DIR}/packaging/vcpkg/ports/millpond)
set(CURRENT_PACKAGES_DIR ${WORK_DIR}/installed)
file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR})

file(READ ${CURRENT_PORT_DIR}/vcpkg.json manifest)
string(JSON PORT GET "${manifest}" name)
string(JSON VERSION GET "${manifest}" version)
file(READ ${SOURCE_DIR}/include/millpond/version.hpp header)
if(NOT header MATCHES "MILLPOND_VERSION \"${VERSION}\"")
  message(FATAL_ERROR "vcpkg.json has version ${VERSION}, which is not that of version.hpp")
endif()

# Stub: the repository as it is; nothing is downloaded, and SHA512 is not looked at.
function(vcpkg_from_github)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "OUT_SOURCE_PATH;REPO;REF;SHA512;HEAD_REF" "")
  if(NOT arg_REF STREQUAL "v${VERSION}")
    message(FATAL_ERROR "REF is ${arg_REF}")
  endif()
  set(${arg_OUT_SOURCE_PATH} ${SOURCE_DIR} PARENT_SCOPE)
endfunction()

# Stub: of one feature.
function(vcpkg_check_features)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "OUT_FEATURE_OPTIONS" "FEATURES")
  list(POP_FRONT arg_FEATURES feature variable)
  set(value OFF)
  if(feature IN_LIST FEATURES)
    set(value ON)
  endif()
  set(${variable} ${value} PARENT_SCOPE)
  set(${arg_OUT_FEATURE_OPTIONS} -D${variable}=${value} PARENT_SCOPE)
endfunction()

# Stub: no toolchain file, no triplet.
function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  execute_process(
    COMMAND
      ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${WORK_DIR}/build ${arg_OPTIONS}
      -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}
    COMMAND_ERROR_IS_FATAL ANY
  )
endfunction()

function(vcpkg_cmake_install)
  execute_process(
    COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR}/build --target install COMMAND_ERROR_IS_FATAL ANY
  )
endfunction()

# Stub: moves the package to share/<port> and corrects its notion of the prefix, one folder up.
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
  set(package ${CURRENT_PACKAGES_DIR}/share/${PORT})
  file(RENAME ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH} ${package})
  file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/share/cmake ${CURRENT_PACKAGES_DIR}/lib/cmake)
  foreach(file IN ITEMS Config Targets)
    file(READ ${package}/millpond${file}.cmake text)
    string(REPLACE "LIST_DIR}/../../../" "LIST_DIR}/../../" text "${text}")
    string(REPLACE "LIST_FILE}\" PATH" "LIST_FILE}\" ABSOLUTE" text "${text}") # one PATH less
    file(WRITE ${package}/millpond${file}.cmake "${text}")
  endforeach()
endfunction()

# Stub: the file already names its prefix relative to where it lies.
function(vcpkg_fixup_pkgconfig)
  file(GLOB files ${CURRENT_PACKAGES_DIR}/*/pkgconfig/*.pc)
  foreach(file IN LISTS files)
    file(STRINGS ${file} absolute REGEX "=/|${WORK_DIR}")
    if(absolute)
      message(FATAL_ERROR "${file} cannot be moved: ${absolute}")
    endif()
  endforeach()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  file(
    INSTALL ${arg_FILE_LIST} DESTINATION ${CURRENT_PACKAGES_DIR}/share/${PORT} RENAME copyright
  )
endfunction()

include(${CURRENT_PORT_DIR}/portfile.cmake)

foreach(file IN ITEMS include/millpond/millpond.hpp share/millpond/copyright share/millpond/usage)
  if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/${file})
    message(FATAL_ERROR "The port does not install ${file}")
  endif()
endforeach()
if(FEATURES STREQUAL "compiled")
  file(GLOB library ${CURRENT_PACKAGES_DIR}/lib/*millpond*)
  if(NOT library)
    message(FATAL_ERROR "The port does not install the library")
  endif()
  return()
endif()
foreach(folder IN ITEMS bin lib debug)
  if(EXISTS ${CURRENT_PACKAGES_DIR}/${folder})
    message(FATAL_ERROR "A header-only port has no ${folder}/")
  endif()
endforeach()
