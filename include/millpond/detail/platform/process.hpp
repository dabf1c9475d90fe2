// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_PROCESS_HPP
#define MILLPOND_DETAIL_PLATFORM_PROCESS_HPP

#include <millpond/detail/platform/config.hpp>

#include <atomic>
#include <cstdint>

#if MILLPOND_HAS_FORK
#include <pthread.h>
#include <unistd.h>
#endif

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

  /// Has the mutex locked while the process is copied: then it is free in the child, and what it
  /// guards is whole.
  template <auto kMutex>
  static void hold_during_fork() noexcept {
    pthread_atfork([] { kMutex().lock(); }, [] { kMutex().unlock(); }, [] { kMutex().unlock(); });
  }

 private:
  MILLPOND_COLD static Id find_out() noexcept {
    static const bool will_be_told = pthread_atfork(nullptr, nullptr, [] { note(); }) == 0;
    if (will_be_told) note();
    return static_cast<Id>(getpid());
  }
  static void note() noexcept {
    known_.store(static_cast<Id>(getpid()), std::memory_order_relaxed);
  }

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
