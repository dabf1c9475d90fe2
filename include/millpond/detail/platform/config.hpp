// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_CONFIG_HPP
#define MILLPOND_DETAIL_PLATFORM_CONFIG_HPP

/// Every `#if` on platform, compiler or feature lives here; the other headers only read the macros.

#include <millpond/version.hpp>

#include <version>

#if !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#error "millpond needs exceptions"
#endif

#if defined(__linux__)
#define MILLPOND_OS_LINUX 1
#else
#define MILLPOND_OS_LINUX 0
#endif

/// fork() and pthread_atfork().
#if defined(__unix__) || defined(__APPLE__)
#define MILLPOND_HAS_FORK 1
#else
#define MILLPOND_HAS_FORK 0
#endif

/// sched_getaffinity() tells which processors this process may use.
#define MILLPOND_HAS_SCHED_AFFINITY MILLPOND_OS_LINUX

/// Sets the calling thread's name; names of at most 15 characters.
#if defined(__linux__)
#define MILLPOND_SET_THREAD_NAME(name) pthread_setname_np(pthread_self(), name)
#elif defined(__APPLE__)
#define MILLPOND_SET_THREAD_NAME(name) pthread_setname_np(name)
#endif

/// <stop_token>: libc++ has it from version 20 on, before that with -fexperimental-library.
#if !defined(MILLPOND_HAS_STOP_TOKEN)
#if defined(__cpp_lib_jthread)
#define MILLPOND_HAS_STOP_TOKEN 1
#else
#define MILLPOND_HAS_STOP_TOKEN 0
#endif
#endif

/// A sanitizer watches memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MILLPOND_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define MILLPOND_IS_SANITIZED 1
#endif
#endif
#if !defined(MILLPOND_IS_SANITIZED)
#define MILLPOND_IS_SANITIZED 0
#endif

/// When a thread ends its plain thread_local variables are zero again before the destructors of the
/// others run: GCC emulates them there.
#if defined(__MINGW32__) && !defined(__clang__)
#define MILLPOND_LOSES_THREAD_LOCALS 1
#else
#define MILLPOND_LOSES_THREAD_LOCALS 0
#endif

/// Memory of jobs is used again (detail/engine/job_memory.hpp), but not where a sanitizer watches
/// it, nor where a thread that ends would lose it.
#if !defined(MILLPOND_RECYCLES_MEMORY)
#define MILLPOND_RECYCLES_MEMORY (!MILLPOND_IS_SANITIZED && !MILLPOND_LOSES_THREAD_LOCALS)
#endif

/// The library is compiled once, by src/millpond.cpp, and these headers only declare it. Else they
/// define it as well: MILLPOND_INLINE is in front of what is defined in the one or the other.
#if defined(MILLPOND_COMPILED)
#define MILLPOND_IS_COMPILED 1
#define MILLPOND_INLINE
#else
#define MILLPOND_IS_COMPILED 0
#define MILLPOND_INLINE inline
#endif

/// The inline namespace of everything: v0_1, and a suffix for each option that changes what the
/// classes are made of. So translation units with different options may be linked together: to the
/// linker each option has a library of its own. An option that changes a layout belongs here.
#if MILLPOND_HAS_STOP_TOKEN
#define MILLPOND_ABI_STOP
#else
#define MILLPOND_ABI_STOP _nostop
#endif
#if MILLPOND_RECYCLES_MEMORY
#define MILLPOND_ABI_MEMORY
#else
#define MILLPOND_ABI_MEMORY _malloc
#endif
#if !defined(MILLPOND_SYNC_HEADER)
#define MILLPOND_ABI_SYNC
#else
#define MILLPOND_ABI_SYNC _sync
#endif
#if MILLPOND_IS_COMPILED
#define MILLPOND_ABI_COMPILED _compiled
#else
#define MILLPOND_ABI_COMPILED
#endif
#define MILLPOND_JOIN_ABI(major, minor, stop, memory, sync, compiled) \
  v##major##_##minor##stop##memory##sync##compiled
#define MILLPOND_NAME_ABI(major, minor, stop, memory, sync, compiled) \
  MILLPOND_JOIN_ABI(major, minor, stop, memory, sync, compiled)
#define MILLPOND_ABI                                                                   \
  MILLPOND_NAME_ABI(MILLPOND_VERSION_MAJOR, MILLPOND_VERSION_MINOR, MILLPOND_ABI_STOP, \
                    MILLPOND_ABI_MEMORY, MILLPOND_ABI_SYNC, MILLPOND_ABI_COMPILED)

#if defined(__x86_64__) || defined(__i386__)
#define MILLPOND_PAUSE() __builtin_ia32_pause()
#elif defined(_M_X64) || defined(_M_IX86)
#include <intrin.h>
#define MILLPOND_PAUSE() _mm_pause()
#elif defined(_M_ARM64)
#include <intrin.h>
#define MILLPOND_PAUSE() __yield()
#elif defined(__aarch64__)
#define MILLPOND_PAUSE() __asm__ __volatile__("yield" ::: "memory")
#else
#define MILLPOND_PAUSE() static_cast<void>(0)
#endif

/// Fetches what is at an address, which need not be valid, to be written soon.
#if defined(__GNUC__)
#define MILLPOND_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define MILLPOND_PREFETCH(address) static_cast<void>(address)
#endif

/// A type, variable or function that is the same one in all modules of a process whose loader finds
/// it, whatever -fvisibility says: what is thrown and caught, what a thread knows of itself.
#if defined(__GNUC__) && !defined(_WIN32)
#define MILLPOND_VISIBLE __attribute__((visibility("default")))
#else
#define MILLPOND_VISIBLE
#endif

/// A function off the hot path, to be kept out of those on it.
#if defined(__GNUC__)
#define MILLPOND_COLD __attribute__((cold))
#else
#define MILLPOND_COLD
#endif

/// In front of a declaration that calls a standard function which MSVC deprecates.
#if defined(_MSC_VER)
#define MILLPOND_ALLOW_DEPRECATED __pragma(warning(suppress : 4996))
#else
#define MILLPOND_ALLOW_DEPRECATED
#endif

#if defined(_MSC_VER)
#define MILLPOND_NO_UNIQUE_ADDRESS [[msvc::no_unique_address]]
#else
#define MILLPOND_NO_UNIQUE_ADDRESS [[no_unique_address]]
#endif

#endif  // MILLPOND_DETAIL_PLATFORM_CONFIG_HPP
