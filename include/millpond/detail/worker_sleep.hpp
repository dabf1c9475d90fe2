// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_WORKER_SLEEP_HPP
#define MILLPOND_DETAIL_WORKER_SLEEP_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/sync.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI::detail {

/// Where a pool's workers sleep, and who is about to wake: one at a time is on its way.
///
/// Thread safety: members called ..._locked need the pool's mutex; notify_one() does not.
class WorkerSleep {
 public:
  /// Until notified; also returns for no reason.
  void sleep_locked(unique_lock& lock) noexcept {
    ++sleepers_;
    condition_.wait(lock);
    --sleepers_;
    waking_ = false;
  }
  std::size_t sleepers_locked() const noexcept { return sleepers_; }

  /// Whether a worker sleeps and none is on its way.
  bool may_wake_locked() const noexcept { return sleepers_ != 0 && !waking_; }
  /// If so, true, and the caller calls notify_one(), best after unlocking.
  [[nodiscard]] bool begin_wake_locked() noexcept {
    if (!may_wake_locked()) return false;
    waking_ = true;
    return true;
  }
  void notify_one() noexcept { condition_.notify_one(); }

  /// Whether a worker looks at the queue without the mutex. It will take the mutex and look again
  /// before it sleeps, so that a single new job needs nobody else to be woken.
  bool any_spins_locked() const noexcept { return spinning_; }
  void set_spinning_locked(bool spinning) noexcept { spinning_ = spinning; }

 private:
  condition_variable condition_;
  std::size_t sleepers_ = 0;
  bool waking_ = false;  // a notified worker has not yet come back from sleep_locked()
  bool spinning_ = false;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_WORKER_SLEEP_HPP
