# SPDX-License-Identifier: MIT
#
# 32-bit x86 on Linux: Debian's cross compiler; a 64-bit kernel runs the programs as they are.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_C_COMPILER i686-linux-gnu-gcc) # GoogleTest asks for one
set(CMAKE_CXX_COMPILER i686-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH /usr/i686-linux-gnu)
# No emulator: the dynamic linker, which is not where programs look for it.
set(CMAKE_CROSSCOMPILING_EMULATOR
    /usr/i686-linux-gnu/lib/ld-linux.so.2 --library-path /usr/i686-linux-gnu/lib
)
include(${CMAKE_CURRENT_LIST_DIR}/find_only_in_target.cmake)
