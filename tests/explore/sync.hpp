// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_SYNC_HPP
#define MILLPOND_TESTS_EXPLORE_SYNC_HPP

/// What the library uses in place of <millpond/detail/platform/sync.hpp> when it is explored: the
/// same names, on the model's primitives. Constants of time and of batching are small, so that few
/// steps lead through all that the library does.

#include <millpond/detail/platform/config.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>  // std::cv_status
#include <cstddef>
#include <cstdint>
#include <mutex>  // std::defer_lock

#include "model/primitives.hpp"
#include "model/stop.hpp"

namespace millpond::inline MILLPOND_ABI::detail {

using explore::Location;
using mutex = explore::Mutex;
using thread = explore::Thread;
template <class T>
using atomic = explore::Atomic<T>;
using lock_guard = explore::LockGuard;

using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

using stop_source = explore::StopSource;
using stop_token = explore::StopToken;
template <class F>
using stop_callback = explore::StopCallback<F>;

/// The time of the model: it stands still unless all threads wait, or a timed wait ends early.
struct steady_clock {
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::steady_clock::duration;
  using rep = std::chrono::steady_clock::rep;
  using period = std::chrono::steady_clock::period;
  static constexpr bool is_steady = true;
  static time_point now() noexcept {
    return time_point(std::chrono::nanoseconds(explore::engine.now()));
  }
};

class unique_lock {
 public:
  explicit unique_lock(explore::Mutex& m, Location location = Location::current()) noexcept
      : mutex_(&m), owns_(true) {
    m.lock(location);
  }
  unique_lock(explore::Mutex& m, std::defer_lock_t) noexcept : mutex_(&m) {}
  unique_lock(const unique_lock&) = delete;
  unique_lock& operator=(const unique_lock&) = delete;
  ~unique_lock() {
    if (owns_) mutex_->unlock();
  }
  void lock(Location location = Location::current()) noexcept {
    mutex_->lock(location);
    owns_ = true;
  }
  bool try_lock(Location location = Location::current()) noexcept {
    return owns_ = mutex_->try_lock(location);
  }
  void unlock(Location location = Location::current()) noexcept {
    owns_ = false;
    mutex_->unlock(location);
  }
  bool owns_lock() const noexcept { return owns_; }
  explore::Mutex* mutex() const noexcept { return mutex_; }

 private:
  explore::Mutex* mutex_;
  bool owns_ = false;
};

class condition_variable : public explore::ConditionVariable {
 public:
  void wait(unique_lock& lock, Location location = Location::current()) noexcept {
    sleep(*lock.mutex(), location);
  }
  template <class Done>
    requires std::is_invocable_r_v<bool, Done&>
  void wait(unique_lock& lock, Done done, Location location = Location::current()) {
    while (!done()) wait(lock, location);
  }
  template <class Duration>
  std::cv_status wait_until(unique_lock& lock,
                            std::chrono::time_point<std::chrono::steady_clock, Duration> when,
                            Location location = Location::current()) noexcept {
    const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch());
    return sleep_until(*lock.mutex(), time.count(), location) ? std::cv_status::timeout
                                                              : std::cv_status::no_timeout;
  }
  template <class Duration, class Done>
  bool wait_until(unique_lock& lock,
                  std::chrono::time_point<std::chrono::steady_clock, Duration> when, Done done,
                  Location location = Location::current()) {
    while (!done()) {
      if (wait_until(lock, when, location) == std::cv_status::timeout) return done();
    }
    return true;
  }
};

namespace this_thread {
inline void yield(Location location = Location::current()) noexcept { thread::yield(location); }
inline thread::id get_id() noexcept { return thread::current_id(); }
}  // namespace this_thread

/// The time of the model stands still while a thread looks: so a spin is a number of looks.
class Spin {
 public:
  explicit Spin(std::chrono::nanoseconds) noexcept {}
  bool go_on(Location location = Location::current()) noexcept {
    if (++looks_ == kLooks) return false;
    thread::yield(location);
    return true;
  }

 private:
  static constexpr int kLooks = 3;
  int looks_ = 0;
};

inline std::size_t thread_number() noexcept { return thread::current_number(); }

/// Part of what is explored: with and without.
inline bool spinning_pays() noexcept { return explore::engine.options().spin; }

namespace tuning {
inline constexpr std::chrono::nanoseconds kSpinTime{50'000};
inline constexpr std::chrono::nanoseconds kPaceTime{0};
inline constexpr std::chrono::nanoseconds kLockTime{1'200};
inline constexpr std::chrono::nanoseconds kLingerTime{5'000};
inline constexpr std::chrono::nanoseconds kShortWindow{1'000'000};
inline constexpr std::size_t kSharedLanes = 2;
inline constexpr std::size_t kTurnsOfOthers = 3;
inline constexpr std::size_t kSmallestRing = 2;
inline constexpr std::size_t kMemoryBatch = 2;
}  // namespace tuning

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_TESTS_EXPLORE_SYNC_HPP
