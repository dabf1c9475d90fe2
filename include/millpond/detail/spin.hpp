// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_SPIN_HPP
#define MILLPOND_DETAIL_SPIN_HPP

#include <millpond/detail/sync.hpp>

#include <cstddef>

namespace millpond::inline v0_1::detail {

/// How long a thread looks for what it waits for before it sleeps: 46 us of pauses on the machine
/// of our measurements, where waking a sleeper on another core takes 30 to 47 us.
inline constexpr std::size_t kSpinPauses = 2000;
/// With a yield now and then, so that whoever we wait for gets the core if there is no other.
inline constexpr std::size_t kPausesAYield = 200;

/// Not on a single core: whoever we wait for needs it.
inline bool spinning_pays() noexcept {
  static const bool pays = thread::hardware_concurrency() > 1;
  return pays;
}

/// How long a thread tries to lock a mutex, which others hold for a few instructions only, before
/// it sleeps for it: 1.2 us. Being woken from that costs the 30 to 47 us.
inline constexpr int kLockPauses = 50;

/// Calls done() again and again for a while; returns early once it is true.
template <class Done>
void spin_until(Done done) noexcept {
  for (std::size_t pauses = 1; pauses <= kSpinPauses && !done(); ++pauses) {
    if (pauses % kPausesAYield == 0) {
      this_thread::yield();
    } else {
      pause();
    }
  }
}

/// Locks, trying for a while before it sleeps.
inline void lock_spinning(unique_lock& lock) {
  if (spinning_pays()) {
    for (int pauses = 0; pauses != kLockPauses; ++pauses) {
      if (lock.try_lock()) return;
      pause();
    }
  }
  lock.lock();
}

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_SPIN_HPP
