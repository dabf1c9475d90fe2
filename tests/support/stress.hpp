// SPDX-License-Identifier: MIT
//
// Randomness that can be repeated, and rounds that know when to stop.
//
// Each test prints its seed. MILLPOND_STRESS_SEED repeats it, MILLPOND_STRESS_SECONDS makes every
// test take that long.
#ifndef MILLPOND_TESTS_SUPPORT_STRESS_HPP
#define MILLPOND_TESTS_SUPPORT_STRESS_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "steps.hpp"

namespace millpond::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // One of low, ..., high.
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool one_in(int n) { return between(1, n) == 1; }
  // A seed for somebody else's numbers, such as another thread's.
  std::uint64_t split() { return engine_(); }

  // Lets a random and mostly short while pass: threads meet where they did not meet before. No
  // test relies on how long it takes.
  void dawdle(int most = 200) {
    const int steps = between(0, most);
    for (int i = 0; i < steps; ++i) {
      if (one_in(50)) std::this_thread::yield();
    }
  }

 private:
  std::mt19937_64 engine_;
};

inline int some_workers(Random& random) {
  constexpr std::array kCounts{1, 2, 3, 8};
  return kCounts.at(static_cast<std::size_t>(random.between(0, 3)));
}

// How long Rounds go on and what they begin with, unless it is said elsewhere.
struct RoundsDefaults {
  std::uint64_t seed = 0;
  double seconds = 1.0;
};
inline RoundsDefaults& default_rounds() {
  static RoundsDefaults defaults = [] {
    RoundsDefaults result;
    if (const char* text = std::getenv("MILLPOND_STRESS_SEED")) {
      result.seed = std::stoull(text);
    } else {
      result.seed = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
    }
    if (const char* text = std::getenv("MILLPOND_STRESS_SECONDS")) result.seconds = std::stod(text);
    return result;
  }();
  return defaults;
}

// Of the round under way, for a watchdog.
inline std::atomic<std::uint64_t> current_round_seed{0};

// for (Rounds rounds; rounds.next();) { Random random(rounds.seed()); ... }
//
// Ends when its time is up, after one round at least and `most` rounds at most. The first round's
// seed is the one given: a failed round's seed repeats that round first.
class Rounds {
 public:
  explicit Rounds(int most = 1'000'000)
      : Rounds(default_rounds().seed, default_rounds().seconds, most) {}
  Rounds(std::uint64_t seed, double seconds, int most = 1'000'000)
      : most_(most), first_seed_(seed) {
    end_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    std::cout << "MILLPOND_STRESS_SEED=" << first_seed_ << std::endl;
  }
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;
  ~Rounds() { std::cout << "rounds: " << round_ << std::endl; }

  // Stops as well when something has failed, and says in which round.
  bool next() {
    if (::testing::Test::HasFailure()) {
      std::cout << "failed in round " << round_ << ", seed " << seed() << std::endl;
      return false;
    }
    if (round_ == most_ || (round_ > 0 && Clock::now() >= end_)) return false;
    ++round_;
    current_round_seed.store(seed(), std::memory_order_relaxed);
    progress.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  [[nodiscard]] int round() const { return round_; }
  [[nodiscard]] std::uint64_t seed() const {
    return first_seed_ + static_cast<std::uint64_t>(round_ - 1) * 0x9E3779B97F4A7C15U;
  }

 private:
  using Clock = std::chrono::steady_clock;

  int most_;
  int round_ = 0;
  std::uint64_t first_seed_;
  Clock::time_point end_ = Clock::now();
};

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_STRESS_HPP
