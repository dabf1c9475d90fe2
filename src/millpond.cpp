// SPDX-License-Identifier: MIT
//
// The library, compiled once, for programs that define MILLPOND_COMPILED (in CMake: that link
// millpond::compiled).
#if !defined(MILLPOND_COMPILED)
#error "to be compiled with MILLPOND_COMPILED, as all files that use it"
#endif

#include <millpond/detail/definitions.hpp>
