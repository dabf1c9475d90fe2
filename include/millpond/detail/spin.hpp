// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_SPIN_HPP
#define MILLPOND_DETAIL_SPIN_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/sync.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI::detail {

/// Calls done() again and again for a while; returns early once it is true.
template <class Done>
void spin_until(Done done) noexcept {
  for (std::size_t pauses = 1; pauses <= tuning::kSpinPauses && !done(); ++pauses) {
    if (pauses % tuning::kPausesAYield == 0) {
      this_thread::yield();
    } else {
      pause();
    }
  }
}

/// For lock_spinning(), when the first try has failed.
template <class Lockable>
MILLPOND_COLD void lock_contended(Lockable& lockable) {
  for (int pauses = 0; spinning_pays() && pauses != tuning::kLockPauses; ++pauses) {
    pause();
    if (lockable.try_lock()) return;
  }
  lockable.lock();
}

/// Locks a mutex or a unique_lock, trying for a while before it sleeps.
template <class Lockable>
void lock_spinning(Lockable& lockable) {
  if (!lockable.try_lock()) lock_contended(lockable);
}

/// Takes a mutex by lock_spinning().
class SpinningLockGuard {
 public:
  explicit SpinningLockGuard(mutex& m) : mutex_(m) { lock_spinning(m); }
  SpinningLockGuard(const SpinningLockGuard&) = delete;
  SpinningLockGuard& operator=(const SpinningLockGuard&) = delete;
  ~SpinningLockGuard() { mutex_.unlock(); }

 private:
  mutex& mutex_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_SPIN_HPP
