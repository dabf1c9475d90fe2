// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_SUPPORT_TALLY_HPP
#define MILLPOND_BENCH_SUPPORT_TALLY_HPP

// Counts tasks at next to no cost: every thread counts for itself.

#include <cstdint>
#include <deque>
#include <mutex>

namespace bench {

class Tally {
 public:
  // By the task.
  static void count() { ++mine(); }

  // All counts so far. The tasks must be known to have ended.
  static std::int64_t total() {
    const std::lock_guard lock(mutex());
    std::int64_t sum = 0;
    for (const Counter& counter : counters()) {
      sum += counter.value;
    }
    return sum;
  }

 private:
  struct alignas(64) Counter {  // a cache line each
    std::int64_t value = 0;
  };

  static std::int64_t& mine() {
    thread_local std::int64_t& value = add_counter();
    return value;
  }

  // Stays when its thread ends.
  static std::int64_t& add_counter() {
    const std::lock_guard lock(mutex());
    return counters().emplace_back().value;
  }

  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }

  static std::deque<Counter>& counters() {
    static std::deque<Counter> counters;
    return counters;
  }
};

}  // namespace bench

#endif  // MILLPOND_BENCH_SUPPORT_TALLY_HPP
