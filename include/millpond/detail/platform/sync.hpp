// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_SYNC_HPP
#define MILLPOND_DETAIL_PLATFORM_SYNC_HPP

/// The one place that names the primitives of synchronisation, the clock, and the constants of
/// time. A test build may define MILLPOND_SYNC_HEADER to a header that declares the same names, to
/// run the whole library on instrumented ones.
///
/// Durations and the clock come with <thread> and <mutex>, whose functions take them. <chrono>,
/// with its calendars and streams, would add 50 ms to each file that uses the library.

#ifdef MILLPOND_SYNC_HEADER
#include MILLPOND_SYNC_HEADER
#else

#include <millpond/cpu_count.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/tuning.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#if MILLPOND_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace millpond::inline MILLPOND_ABI::detail {

using mutex = std::mutex;
using condition_variable = std::condition_variable;
using thread = std::thread;
template <class T>
using atomic = std::atomic<T>;
using lock_guard = std::lock_guard<mutex>;
using unique_lock = std::unique_lock<mutex>;

using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

namespace this_thread = std::this_thread;

using steady_clock = std::chrono::steady_clock;

#if MILLPOND_HAS_STOP_TOKEN
using stop_source = std::stop_source;
using stop_token = std::stop_token;
#endif

/// A short wait for what another thread is about to do, bounded by the clock: what a pause takes
/// differs by a factor of forty between processors.
class Spin {
 public:
  explicit Spin(std::chrono::nanoseconds time) noexcept
      : end_(steady_clock::now() + time), yield_(end_ - time + tuning::kYieldTime) {}

  /// Waits a moment; now and then lets others have the processor, in case whoever we wait for needs
  /// it. False if the time is over.
  bool go_on() noexcept {
    const auto now = steady_clock::now();
    if (now >= end_) return false;
    if (now < yield_) {
      MILLPOND_PAUSE();
    } else {
      std::this_thread::yield();
      yield_ = steady_clock::now() + tuning::kYieldTime;
    }
    return true;
  }

 private:
  const steady_clock::time_point end_;
  steady_clock::time_point yield_;
};

/// A number of the calling thread, the same one in all modules of the program. Any bits of it tell
/// threads apart.
inline std::size_t thread_number() noexcept {
  static constinit thread_local std::size_t number = 0;
  if (number == 0) {
    // An address in most libraries, at a distance from others' that is a multiple of a power of
    // two.
    const std::size_t id = std::hash<std::thread::id>()(std::this_thread::get_id());
    number = static_cast<std::size_t>((id * std::uint64_t{0x9E3779B97F4A7C15}) >> 40) | 1 << 16;
  }
  return number;
}

/// Whether to look for what another thread is about to do before sleeping: not if the threads of
/// this process share one CPU, as that thread needs it.
inline bool spinning_pays() noexcept {
  static constinit std::atomic<signed char> known{-1};  // no guard, which fork() may copy locked
  signed char pays = known.load(std::memory_order_relaxed);
  if (pays < 0) known.store(pays = cpu_count() > 1 ? 1 : 0, std::memory_order_relaxed);
  return pays != 0;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif
#endif  // MILLPOND_DETAIL_PLATFORM_SYNC_HPP
