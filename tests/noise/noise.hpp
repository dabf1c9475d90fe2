// SPDX-License-Identifier: MIT
//
// Where the noise comes from: each primitive operation of the library asks here what else is to
// happen, and each thread draws from a generator of its own. One seed makes them all; a thread's
// draws depend on its number, not on what the others do. So a seed repeats the programs and the
// draws; only the system's own scheduling it does not repeat.
#ifndef MILLPOND_TESTS_NOISE_NOISE_HPP
#define MILLPOND_TESTS_NOISE_NOISE_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "../support/faults.hpp"

namespace millpond::noise {

// How likely each thing is, of 65,536 times. All are read and written relaxed, here and below: the
// noise must not order what the library does not order, or ThreadSanitizer would miss it.
struct Mood {
  std::uint16_t yield = 0;
  std::uint16_t spin = 0;
  std::uint16_t sleep = 0;       // some microseconds
  std::uint16_t late = 0;        // the same, of a thread that is chosen to be slow
  std::uint16_t weak = 0;        // a compare_exchange_weak or try_lock fails
  std::uint16_t spurious = 0;    // a wait on a condition returns at once
  std::uint16_t allocation = 0;  // one fails
  std::uint16_t thread = 0;      // one cannot be started
};

class Source {
 public:
  static Source& get() {
    static Source source;
    return source;
  }

  // From now on: a new mood, and new generators for all threads.
  void begin(const Mood& mood, std::uint64_t seed, std::uint32_t slow) {
    yield.store(mood.yield, std::memory_order_relaxed);
    spin.store(mood.spin, std::memory_order_relaxed);
    sleep.store(mood.sleep, std::memory_order_relaxed);
    late.store(mood.late, std::memory_order_relaxed);
    weak.store(mood.weak, std::memory_order_relaxed);
    spurious.store(mood.spurious, std::memory_order_relaxed);
    allocation.store(mood.allocation, std::memory_order_relaxed);
    thread.store(mood.thread, std::memory_order_relaxed);
    slow_thread.store(slow, std::memory_order_relaxed);
    threads.store(0, std::memory_order_relaxed);
    base_seed.store(seed, std::memory_order_relaxed);
    epoch.fetch_add(1, std::memory_order_relaxed);
  }
  void be_quiet() { begin({}, 0, 0); }

  std::atomic<std::uint16_t> yield{0}, spin{0}, sleep{0}, late{0};
  std::atomic<std::uint16_t> weak{0}, spurious{0}, allocation{0}, thread{0};
  std::atomic<std::uint32_t> slow_thread{0};  // of the numbers modulo kThreads
  std::atomic<std::uint32_t> threads{0};
  std::atomic<std::uint64_t> base_seed{0};
  std::atomic<std::uint32_t> epoch{0};
  std::atomic<std::uint64_t> faults{0};  // that have struck

  static constexpr std::uint32_t kThreads = 5;
};

// A thread's generator (xorshift64*).
class Draws {
 public:
  // Is it this time's turn?
  bool hits(const std::atomic<std::uint16_t>& likelihood) {
    const std::uint16_t value = likelihood.load(std::memory_order_relaxed);
    return value != 0 && (next() & 0xFFFFU) < value;
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((next() >> 16) % n); }

  bool is_slow() { return fresh().number_ == slow(); }

  static Draws& mine() {
    thread_local constinit Draws draws;
    return draws;
  }

 private:
  static std::uint32_t slow() { return Source::get().slow_thread.load(std::memory_order_relaxed); }
  Draws& fresh() {
    Source& source = Source::get();
    const std::uint32_t now = source.epoch.load(std::memory_order_relaxed);
    if (epoch_ != now) {
      epoch_ = now;
      const std::uint32_t number = source.threads.fetch_add(1, std::memory_order_relaxed);
      number_ = number % Source::kThreads;
      state_ = source.base_seed.load(std::memory_order_relaxed) + number * 0x9E3779B97F4A7C15U;
      state_ = (state_ ^ (state_ >> 31)) * 0xBF58476D1CE4E5B9U | 1U;
    }
    return *this;
  }
  std::uint64_t next() {
    fresh();
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return (state_ * 0x2545F4914F6CDD1DU) >> 24;
  }

  std::uint64_t state_ = 1;
  std::uint32_t number_ = 0;
  std::uint32_t epoch_ = 0;
};

// Time passes, perhaps: at every primitive operation, before it and after it.
inline void delay() noexcept {
  Source& source = Source::get();
  Draws& draws = Draws::mine();
  if (draws.hits(source.yield)) std::this_thread::yield();
  if (draws.hits(source.spin)) {
    for (std::uint32_t i = draws.below(200); i != 0; --i) {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  }
  if (draws.hits(source.sleep) || (draws.is_slow() && draws.hits(source.late))) {
    const std::chrono::microseconds time(draws.below(80));
    std::this_thread::sleep_for(time);  // the delay is the point
  }
}

inline bool fails_weakly() noexcept { return Draws::mine().hits(Source::get().weak); }
inline bool wakes_spuriously() noexcept { return Draws::mine().hits(Source::get().spurious); }
inline bool coin() noexcept { return Draws::mine().below(2) == 0; }

inline bool strikes(const std::atomic<std::uint16_t>& likelihood) noexcept {
  if (!test::faults_may_strike || !Draws::mine().hits(likelihood)) return false;
  Source::get().faults.fetch_add(1, std::memory_order_relaxed);
  return true;
}
inline bool allocation_fails() noexcept { return strikes(Source::get().allocation); }
inline bool thread_start_fails() noexcept { return strikes(Source::get().thread); }

}  // namespace millpond::noise

#endif  // MILLPOND_TESTS_NOISE_NOISE_HPP
