// SPDX-License-Identifier: MIT
#ifndef MILLPOND_CPU_COUNT_HPP
#define MILLPOND_CPU_COUNT_HPP

#include <millpond/detail/platform/config.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI {

/// How many threads can run at the same time here: the smallest of
///   - the machine's hardware threads,
///   - the CPUs that the calling thread may run on (on Linux; threads it starts inherit them),
///   - the CPU quota of this process's control groups, rounded up (on Linux, v1 and v2).
/// A limit that cannot be found out does not count. Never 0.
///
/// If the environment variable MILLPOND_CPU_COUNT is a positive decimal number, it is the answer;
/// any other value of it is ignored.
///
/// Asks the system every time, because affinity and quota can change; expect some 100 us. Safe to
/// call from any thread, as long as none changes the environment meanwhile.
MILLPOND_COLD std::size_t cpu_count() noexcept;

}  // namespace millpond::inline MILLPOND_ABI

#if !MILLPOND_IS_COMPILED
#include <millpond/detail/platform/cpu_limits.hpp>
#endif

#endif  // MILLPOND_CPU_COUNT_HPP
