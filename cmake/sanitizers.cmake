# SPDX-License-Identifier: MIT
#
# millpond_sanitizers: run-time checks in this repository's own programs, none by default.
set(MILLPOND_SANITIZE "" CACHE STRING "Sanitizers to build with: thread, or address,undefined")

add_library(millpond_sanitizers INTERFACE)
if(MILLPOND_SANITIZE)
  target_compile_options(
    millpond_sanitizers
    INTERFACE
      -fsanitize=${MILLPOND_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
  )
  target_link_options(millpond_sanitizers INTERFACE -fsanitize=${MILLPOND_SANITIZE})
endif()
