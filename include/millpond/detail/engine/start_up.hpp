// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_START_UP_HPP
#define MILLPOND_DETAIL_ENGINE_START_UP_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Where the thread that constructs a pool waits until all workers have run the initializer. It is
/// on that thread's stack, so no worker touches it after it has let go of the pool's mutex.
class StartUp {
 public:
  StartUp(mutex& pool_mutex, const std::function<void()>& initializer) noexcept
      : mutex_(pool_mutex), initializer_(initializer) {}
  StartUp(const StartUp&) = delete;
  StartUp& operator=(const StartUp&) = delete;

  /// On each worker, once.
  void initialize() noexcept {
    std::exception_ptr error;
    try {
      initializer_();
    } catch (...) {
      error = std::current_exception();
    }
    const lock_guard lock(mutex_);
    ++initialized_;
    if (error && !error_) error_ = std::move(error);
    condition_.notify_one();
  }

  /// Returns once so many workers have: the first error of an initializer, or null.
  std::exception_ptr wait(std::size_t workers) noexcept {
    unique_lock lock(mutex_);
    condition_.wait(lock, [&] { return initialized_ == workers; });
    return error_;
  }

 private:
  mutex& mutex_;
  const std::function<void()>& initializer_;
  std::size_t initialized_ = 0;
  std::exception_ptr error_;
  condition_variable condition_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_START_UP_HPP
