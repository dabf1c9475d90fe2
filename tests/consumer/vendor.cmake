# SPDX-License-Identifier: MIT
#
# cmake -DSOURCE_DIR=<repository> -DPROJECT_DIR=<folder> -P vendor.cmake
#
# Makes PROJECT_DIR the consumer's project with millpond in third_party/, and of it no more than a
# user needs.
cmake_minimum_required(VERSION 3.24)

file(REMOVE_RECURSE ${PROJECT_DIR})
foreach(file IN ITEMS CMakeLists.txt conanfile.txt main.cpp mixed.cpp)
  file(COPY ${SOURCE_DIR}/tests/consumer/${file} DESTINATION ${PROJECT_DIR})
endforeach()
foreach(item IN ITEMS CMakeLists.txt LICENSE cmake include single_include src)
  file(COPY ${SOURCE_DIR}/${item} DESTINATION ${PROJECT_DIR}/third_party/millpond)
endforeach()
