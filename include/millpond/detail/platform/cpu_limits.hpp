// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_CPU_LIMITS_HPP
#define MILLPOND_DETAIL_PLATFORM_CPU_LIMITS_HPP

#include <millpond/detail/platform/cgroup.hpp>
#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <thread>

#if MILLPOND_HAS_SCHED_AFFINITY
#include <cerrno>
#include <sched.h>
#endif

namespace millpond::inline MILLPOND_ABI {

namespace detail {

/// The CPUs in the calling thread's affinity mask; kNoCpuLimit if unknown.
MILLPOND_COLD inline std::size_t affinity_cpu_limit() noexcept {
#if MILLPOND_HAS_SCHED_AFFINITY
  // The kernel answers EINVAL to a mask smaller than its own, whose size it does not tell.
  constexpr std::size_t kLargestMask = std::size_t{1} << 20;  // CPUs
  for (std::size_t size = CPU_SETSIZE; size <= kLargestMask; size *= 2) {
    cpu_set_t* const mask = CPU_ALLOC(size);
    if (mask == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(size);
    const bool known = sched_getaffinity(0, bytes, mask) == 0;
    const bool too_small = !known && errno == EINVAL;
    const int cpus = known ? CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    if (cpus > 0) return static_cast<std::size_t>(cpus);
    if (!too_small) break;
  }
#endif
  return kNoCpuLimit;
}

}  // namespace detail

MILLPOND_INLINE std::size_t cpu_count() noexcept {
  MILLPOND_ALLOW_DEPRECATED
  if (const char* const wish = std::getenv("MILLPOND_CPU_COUNT")) {
    const std::uint64_t count = detail::parse_positive(wish);
    if (count != 0 && count <= SIZE_MAX) return static_cast<std::size_t>(count);
  }

  std::size_t count = std::thread::hardware_concurrency();
  count = count == 0 ? detail::kNoCpuLimit : count;
  const auto at_most = [&](std::size_t limit) { count = limit < count ? limit : count; };
  at_most(detail::affinity_cpu_limit());
#if MILLPOND_OS_LINUX
  at_most(detail::cgroup_cpu_limit());
#endif
  return count == detail::kNoCpuLimit ? 1 : count;
}

}  // namespace millpond::inline MILLPOND_ABI

#endif  // MILLPOND_DETAIL_PLATFORM_CPU_LIMITS_HPP
