# SPDX-License-Identifier: MIT
#
# millpond_warnings: the warnings under which this repository's own programs compile.
add_library(millpond_warnings INTERFACE)
if(MSVC)
  target_compile_options(millpond_warnings INTERFACE /W4 /WX /permissive-)
else()
  target_compile_options(
    millpond_warnings
    INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  )
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # std::invoke of a pointer to member function whose value the optimizer does not know: GCC 12
    # takes the branch for virtual functions for granted, even if the class has none.
    target_compile_options(millpond_warnings INTERFACE -Wno-array-bounds)
  endif()
endif()
