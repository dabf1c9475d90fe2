// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_SUPPORT_WORK_HPP
#define MILLPOND_BENCH_SUPPORT_WORK_HPP

// Work that takes a while, always the same number of instructions: what a clock would measure
// while the thread has no core is no work. And what many such tasks must have answered.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/workload.hpp"

namespace bench {

// Each step waits for the one before: four cycles, at 3.6 GHz.
inline constexpr std::int64_t kStepsAMicrosecond = 900;

// Not inlined, so that no contender's compiler knows better than another's.
[[gnu::noinline]] inline std::uint64_t work(std::uint64_t seed, std::int64_t steps) {
  for (std::int64_t i = 0; i < steps; ++i) {
    seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
  }
  return seed;
}

// Tasks of different length. Task i writes its answer to answers()[i].
class WorkList {
 public:
  explicit WorkList(const std::vector<std::int64_t>& steps)
      : steps_(steps), answers_(steps.size()), expected_(steps.size()) {
    for (std::size_t i = 0; i < size(); ++i) {
      const bool known = i >= kSeeds && steps_[i] == steps_[i - kSeeds];
      expected_[i] = known ? expected_[i - kSeeds] : answer(i);
    }
  }

  std::size_t size() const { return steps_.size(); }

  void do_task(std::size_t i) { answers_[i] = answer(i); }

  // False, and the benchmark an error, unless each task was done since the last check.
  bool check_and_clear(benchmark::State& state) {
    std::int64_t right = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      right += answers_[i] == expected_[i] ? 1 : 0;
      answers_[i] = 0;
    }
    return check(state, right, static_cast<std::int64_t>(size()));
  }

 private:
  static constexpr std::size_t kSeeds = 64;  // so few that the answers are soon known

  std::uint64_t answer(std::size_t i) const { return work(i % kSeeds, steps_[i]); }

  std::vector<std::int64_t> steps_;
  std::vector<std::uint64_t> answers_;
  std::vector<std::uint64_t> expected_;
};

}  // namespace bench

#endif  // MILLPOND_BENCH_SUPPORT_WORK_HPP
