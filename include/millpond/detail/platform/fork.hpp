// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_FORK_HPP
#define MILLPOND_DETAIL_PLATFORM_FORK_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/process.hpp>

#if MILLPOND_HAS_FORK
#include <atomic>
#include <pthread.h>
#include <unistd.h>

namespace millpond::inline MILLPOND_ABI::detail {

inline void Process::note() noexcept {
  known_.store(static_cast<Id>(getpid()), std::memory_order_relaxed);
}

MILLPOND_INLINE Process::Id Process::find_out() noexcept {
  // Twice does no harm; a static variable's guard might, as fork() copies it as it is. acquire and
  // release are each other's partners: whoever sees it has the handler registered.
  static constinit std::atomic<bool> will_be_told{false};
  if (!will_be_told.load(std::memory_order_acquire) &&
      pthread_atfork(nullptr, nullptr, [] { note(); }) == 0) {
    will_be_told.store(true, std::memory_order_release);
  }
  if (will_be_told.load(std::memory_order_relaxed)) note();
  return static_cast<Id>(getpid());
}

inline void Process::hold_during_fork(void (*lock)(), void (*unlock)()) noexcept {
  pthread_atfork(lock, unlock, unlock);
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif
#endif  // MILLPOND_DETAIL_PLATFORM_FORK_HPP
