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
endif()
