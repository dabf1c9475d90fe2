// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CONFIG_HPP
#define MILLPOND_DETAIL_CONFIG_HPP

/// Every `#if` on platform, compiler or feature lives here; the other headers only read the macros.

#include <version>

#if !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#error "millpond needs exceptions"
#endif

#if defined(__linux__)
#define MILLPOND_OS_LINUX 1
#else
#define MILLPOND_OS_LINUX 0
#endif

/// sched_getaffinity() tells which processors this process may use.
#define MILLPOND_HAS_SCHED_AFFINITY MILLPOND_OS_LINUX

/// pthread_setname_np(thread, name), names of at most 15 characters.
#define MILLPOND_HAS_PTHREAD_SETNAME MILLPOND_OS_LINUX

#if defined(_MSC_VER)
#define MILLPOND_NO_UNIQUE_ADDRESS [[msvc::no_unique_address]]
#else
#define MILLPOND_NO_UNIQUE_ADDRESS [[no_unique_address]]
#endif

#endif  // MILLPOND_DETAIL_CONFIG_HPP
