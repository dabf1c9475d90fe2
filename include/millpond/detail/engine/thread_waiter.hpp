// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_THREAD_WAITER_HPP
#define MILLPOND_DETAIL_ENGINE_THREAD_WAITER_HPP

#include <millpond/detail/engine/waiters.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/sync.hpp>

namespace millpond::inline MILLPOND_ABI::detail {

/// A thread that sleeps until its result is ready. Lives on that thread's stack.
class ThreadWaiter final : public Waiter {
 public:
  void notify() noexcept override {
    // Under the mutex: the sleeper may return and destroy *this as soon as we let go of it.
    const lock_guard lock(mutex_);
    notified_ = true;
    condition_.notify_one();
  }

  void wait() {
    unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return notified_; });
  }

  /// As long as this is held notify() does not return.
  [[nodiscard]] unique_lock hold() { return unique_lock(mutex_); }

  /// False if the deadline came first.
  bool wait_until(Deadline::Clock::time_point when) {
    unique_lock lock(mutex_);
    return condition_.wait_until(lock, when, [this] { return notified_; });
  }

 private:
  mutex mutex_;
  condition_variable condition_;
  bool notified_ = false;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_THREAD_WAITER_HPP
