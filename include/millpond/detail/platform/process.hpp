// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_PROCESS_HPP
#define MILLPOND_DETAIL_PLATFORM_PROCESS_HPP

#include <millpond/detail/platform/config.hpp>

#include <atomic>
#include <cstdint>

namespace millpond::inline MILLPOND_ABI::detail {

/// Which process this is. A child of fork() has a copy of all that its parent has, without the
/// parent's threads: what was made in the parent is told from what was made here by the process
/// that it notes.
///
/// The number of the process is looked up once, and again in a child, so that asking costs a load.
/// It is the same in all modules. std::atomic and not the seam's: nobody waits for it, and it
/// changes only where there is a single thread.
class Process {
 public:
  using Id = std::int32_t;

#if MILLPOND_HAS_FORK
  static Id id() noexcept {
    const Id known = known_.load(std::memory_order_relaxed);
    return known != 0 ? known : find_out();
  }
  static bool is_this(Id id) noexcept {
    return id == known_.load(std::memory_order_relaxed) || id == find_out();
  }

  /// Has the mutex locked by the thread that forks while it does. More than once does no harm.
  template <auto kMutex>
  static void hold_during_fork() noexcept {
    static constinit thread_local int times = 0;
    hold_during_fork(
        [] {
          if (times++ == 0) kMutex().lock();
        },
        [] {
          if (--times == 0) kMutex().unlock();
        });
  }

 private:
  MILLPOND_COLD static Id find_out() noexcept;
  static void note() noexcept;
  MILLPOND_COLD static void hold_during_fork(void (*lock)(), void (*unlock)()) noexcept;

  static inline constinit std::atomic<Id> known_{0};
#else
  static constexpr Id id() noexcept { return 0; }
  static constexpr bool is_this(Id) noexcept { return true; }
  template <auto kMutex>
  static void hold_during_fork() noexcept {}
#endif
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_PLATFORM_PROCESS_HPP
