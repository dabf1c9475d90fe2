# SPDX-License-Identifier: MIT
#
# Linux with musl: Zig's Clang and libc++. Programs are static and run as they are. The Python
# package `ziglang` brings all of it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER python3 -m ziglang cc) # GoogleTest asks for one
set(CMAKE_C_COMPILER_TARGET x86_64-linux-musl)
set(CMAKE_CXX_COMPILER python3 -m ziglang c++)
set(CMAKE_CXX_COMPILER_TARGET x86_64-linux-musl)
include(${CMAKE_CURRENT_LIST_DIR}/find_only_in_target.cmake)
