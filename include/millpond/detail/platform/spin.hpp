// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_SPIN_HPP
#define MILLPOND_DETAIL_PLATFORM_SPIN_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

namespace millpond::inline MILLPOND_ABI::detail {

/// Calls done() again and again for a while; whether it was true.
template <class Done>
bool spin_until(Done done) noexcept {
  for (Spin spin(tuning::kSpinTime);;) {
    if (done()) return true;
    if (!spin.go_on()) return false;
  }
}

/// For lock_spinning(), when the first try has failed.
template <class Lockable>
MILLPOND_COLD void lock_contended(Lockable& lockable) {
  if (spinning_pays()) {
    for (Spin spin(tuning::kLockTime); spin.go_on();) {
      if (lockable.try_lock()) return;
    }
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

#endif  // MILLPOND_DETAIL_PLATFORM_SPIN_HPP
