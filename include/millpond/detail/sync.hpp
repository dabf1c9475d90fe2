// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_SYNC_HPP
#define MILLPOND_DETAIL_SYNC_HPP

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
#include <millpond/detail/config.hpp>
#include <millpond/detail/tuning.hpp>

#include <atomic>
#include <condition_variable>
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

/// Tells the processor that this is a spin loop; 23 ns on the machine of our measurements.
inline void pause() noexcept { MILLPOND_PAUSE(); }

/// Whether to look for what another thread is about to do before sleeping: not if the threads of
/// this process share one CPU, as that thread needs it.
inline bool spinning_pays() noexcept {
  static const bool pays = cpu_count() > 1;
  return pays;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif
#endif  // MILLPOND_DETAIL_SYNC_HPP
