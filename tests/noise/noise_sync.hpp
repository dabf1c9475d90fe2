// SPDX-License-Identifier: MIT
//
// What a build with MILLPOND_SYNC_HEADER gets in place of detail/platform/sync.hpp's own names: the
// standard library's primitives, which ThreadSanitizer knows, with noise (noise.hpp) before and
// after each operation, and small constants.
#ifndef MILLPOND_TESTS_NOISE_NOISE_SYNC_HPP
#define MILLPOND_TESTS_NOISE_NOISE_SYNC_HPP

#include <millpond/detail/platform/config.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#if MILLPOND_HAS_STOP_TOKEN
#include <stop_token>
#endif

#include "noise.hpp"

namespace millpond::inline MILLPOND_ABI::detail {

using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

class mutex : public std::mutex {
 public:
  void lock() {
    noise::delay();
    std::mutex::lock();
    noise::delay();
  }
  bool try_lock() {
    noise::delay();
    return !noise::fails_weakly() && std::mutex::try_lock();
  }
  void unlock() {
    noise::delay();
    std::mutex::unlock();
    noise::delay();
  }
};

using lock_guard = std::lock_guard<mutex>;
using unique_lock = std::unique_lock<mutex>;

// A spurious wake-up comes in place of a wait, never after one: whoever sleeps stays asleep until
// somebody wakes it, so that a lost notification is a hang.
class condition_variable {
 public:
  void notify_one() noexcept {
    noise::delay();
    condition_.notify_one();
    noise::delay();
  }
  void notify_all() noexcept {
    noise::delay();
    condition_.notify_all();
    noise::delay();
  }

  void wait(unique_lock& lock) {
    if (wakes_spuriously(lock)) return;
    Inner inner(lock);
    condition_.wait(inner.lock);
  }
  template <class Done>
  void wait(unique_lock& lock, Done done) {
    while (!done()) wait(lock);
  }

  template <class Clock, class Duration>
  std::cv_status wait_until(unique_lock& lock, std::chrono::time_point<Clock, Duration> when) {
    if (wakes_spuriously(lock)) return std::cv_status::no_timeout;
    Inner inner(lock);
    return condition_.wait_until(inner.lock, when);
  }
  template <class Clock, class Duration, class Done>
  bool wait_until(unique_lock& lock, std::chrono::time_point<Clock, Duration> when, Done done) {
    while (!done()) {
      if (wait_until(lock, when) == std::cv_status::timeout) return done();
    }
    return true;
  }

 private:
  // The same lock, as the standard condition variable wants it.
  struct Inner {
    explicit Inner(unique_lock& outer) : lock(*outer.mutex(), std::adopt_lock) {}
    Inner(const Inner&) = delete;
    Inner& operator=(const Inner&) = delete;
    ~Inner() {
      lock.release();
      noise::delay();
    }
    std::unique_lock<std::mutex> lock;
  };

  static bool wakes_spuriously(unique_lock& lock) {
    noise::delay();
    if (!noise::wakes_spuriously()) return false;
    lock.unlock();
    lock.lock();
    return true;
  }

  std::condition_variable condition_;
};

class thread : public std::thread {
 public:
  thread() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, thread>)
  explicit thread(F&& f) : std::thread(start(std::forward<F>(f))) {}

 private:
  template <class F>
  static std::thread start(F&& f) {
    noise::delay();
    if (noise::thread_start_fails()) {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    std::thread started([body = std::decay_t<F>(std::forward<F>(f))]() mutable {
      test::faults_may_strike = true;
      noise::delay();
      std::invoke(body);
    });
    noise::delay();
    return started;
  }
};

template <class T>
class atomic : public std::atomic<T> {
  using Base = std::atomic<T>;

 public:
  using Base::Base;

  T operator=(T value) noexcept {
    store(value);
    return value;
  }
  operator T() const noexcept { return load(); }

  void store(T value, memory_order order = memory_order_seq_cst) noexcept {
    around([&] { Base::store(value, order); });
  }
  [[nodiscard]] T load(memory_order order = memory_order_seq_cst) const noexcept {
    return around([&] { return Base::load(order); });
  }
  T exchange(T value, memory_order order = memory_order_seq_cst) noexcept {
    return around([&] { return Base::exchange(value, order); });
  }

  bool compare_exchange_weak(T& expected, T value, memory_order success,
                             memory_order failure) noexcept {
    if (noise::fails_weakly()) {
      expected = load(failure);
      return false;
    }
    return around([&] { return Base::compare_exchange_weak(expected, value, success, failure); });
  }
  bool compare_exchange_weak(T& expected, T value,
                             memory_order order = memory_order_seq_cst) noexcept {
    return compare_exchange_weak(expected, value, order, for_failure(order));
  }
  bool compare_exchange_strong(T& expected, T value, memory_order success,
                               memory_order failure) noexcept {
    return around([&] { return Base::compare_exchange_strong(expected, value, success, failure); });
  }
  bool compare_exchange_strong(T& expected, T value,
                               memory_order order = memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, value, order, for_failure(order));
  }

  T fetch_add(T value, memory_order order = memory_order_seq_cst) noexcept
    requires std::is_integral_v<T>
  {
    return around([&] { return Base::fetch_add(value, order); });
  }
  T fetch_sub(T value, memory_order order = memory_order_seq_cst) noexcept
    requires std::is_integral_v<T>
  {
    return around([&] { return Base::fetch_sub(value, order); });
  }
  T operator++() noexcept
    requires std::is_integral_v<T>
  {
    return static_cast<T>(fetch_add(1) + 1);
  }
  T operator--() noexcept
    requires std::is_integral_v<T>
  {
    return static_cast<T>(fetch_sub(1) - 1);
  }

 private:
  static constexpr memory_order for_failure(memory_order order) noexcept {
    if (order == memory_order_acq_rel) return memory_order_acquire;
    if (order == memory_order_release) return memory_order_relaxed;
    return order;
  }
  template <class Operation>
  static auto around(Operation operation) noexcept {
    noise::delay();
    if constexpr (std::is_void_v<decltype(operation())>) {
      operation();
      noise::delay();
    } else {
      const auto result = operation();
      noise::delay();
      return result;
    }
  }
};

namespace this_thread {
using std::this_thread::get_id;
inline void yield() noexcept {
  noise::delay();
  std::this_thread::yield();
}
}  // namespace this_thread

using steady_clock = std::chrono::steady_clock;

#if MILLPOND_HAS_STOP_TOKEN
using stop_source = std::stop_source;
using stop_token = std::stop_token;
#endif

class Spin {
 public:
  explicit Spin(std::chrono::nanoseconds) noexcept {}
  bool go_on() noexcept {
    noise::delay();
    return ++looks_ != kLooks;
  }

 private:
  static constexpr int kLooks = 3;
  int looks_ = 0;
};

inline std::size_t thread_number() noexcept {
  static std::atomic<std::size_t> numbers{0};
  thread_local const std::size_t number = numbers++;
  return number;
}

inline bool spinning_pays() noexcept { return noise::coin(); }

namespace tuning {

inline constexpr std::chrono::nanoseconds kSpinTime{0};
inline constexpr std::chrono::nanoseconds kPaceTime{0};
inline constexpr std::chrono::nanoseconds kLockTime{0};
inline constexpr std::chrono::nanoseconds kLingerTime{5'000};
inline constexpr std::chrono::nanoseconds kShortWindow{1'000'000};
inline constexpr std::size_t kSharedLanes = 2;
inline constexpr std::size_t kTurnsOfOthers = 3;
inline constexpr std::size_t kSmallestRing = 2;
inline constexpr std::size_t kMemoryBatch = 2;

}  // namespace tuning

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_TESTS_NOISE_NOISE_SYNC_HPP
