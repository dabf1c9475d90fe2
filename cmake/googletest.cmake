# SPDX-License-Identifier: MIT
#
# GTest::gmock_main: an installed GoogleTest if there is one that fits, else its sources.
include(FetchContent)

# An installed GoogleTest is built for this machine, with the compiler's own standard library and
# with type information; it does not fit anything else. Debian's package `googletest` has the
# sources.
if(
  CMAKE_CROSSCOMPILING
  OR CMAKE_CXX_FLAGS MATCHES "-fno-rtti"
  OR (CMAKE_CXX_FLAGS MATCHES "-stdlib=libc\\+\\+" AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
)
  set(FETCHCONTENT_TRY_FIND_PACKAGE_MODE NEVER)
  if(EXISTS /usr/src/googletest/CMakeLists.txt)
    set(FETCHCONTENT_SOURCE_DIR_GOOGLETEST /usr/src/googletest)
  endif()
endif()

set(CMAKE_POLICY_DEFAULT_CMP0077 NEW) # these are for its option()s
set(INSTALL_GTEST OFF)
set(gtest_force_shared_crt ON) # MSVC: the same run-time library as everything else

FetchContent_Declare(
  googletest
  URL https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz
  URL_HASH SHA256=8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7
  DOWNLOAD_EXTRACT_TIMESTAMP OFF
  FIND_PACKAGE_ARGS NAMES GTest
)
FetchContent_MakeAvailable(googletest)
