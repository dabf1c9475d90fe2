// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_W02_RESULTS_CONTENDERS_HPP
#define MILLPOND_BENCH_W02_RESULTS_CONTENDERS_HPP

// W2: one thread issues 200,000 tasks, keeps their results, and then gets them all in order. Time
// a task: what issuing, running and handing back a result costs.

#include <millpond/millpond.hpp>

#include <cstddef>
#include <cstdint>
#include <future>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/limit.hpp"
#include "support/pools.hpp"
#include "support/workload.hpp"

namespace bench::w02 {

inline constexpr std::int64_t kTasks = 200'000;

inline constexpr auto twice = [](std::int64_t i) { return 2 * i; };

inline std::int64_t expected_sum(std::int64_t tasks) { return tasks * (tasks - 1); }

inline void millpond_apply_async(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  for (auto _ : state) {
    std::vector<millpond::AsyncResult<std::int64_t>> results;
    results.reserve(static_cast<std::size_t>(state.range(0)));
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      results.push_back(pool.apply_async(twice, i));
    }
    std::int64_t sum = 0;
    for (const auto& result : results) {
      sum += result.get();
    }
    if (!check(state, sum, expected_sum(state.range(0)))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

template <class Pool>
void submit(benchmark::State& state) {
  Pool pool(static_cast<int>(state.range(1)));
  for (auto _ : state) {
    std::vector<std::future<std::int64_t>> results;
    results.reserve(static_cast<std::size_t>(state.range(0)));
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      results.push_back(pool.submit([i] { return twice(i); }));
    }
    std::int64_t sum = 0;
    for (auto& result : results) {
      sum += result.get();
    }
    if (!check(state, sum, expected_sum(state.range(0)))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

struct LimitTask {
  std::int64_t i;
  std::int64_t* result;
};

inline void limit(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<std::int64_t> results(static_cast<std::size_t>(state.range(0)));
    LimitQueue<LimitTask> queue;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      queue.append({i, &results[static_cast<std::size_t>(i)]});
      const LimitTask task = queue.pop();
      *task.result = twice(task.i);
    }
    std::int64_t sum = 0;
    for (const std::int64_t result : results) {
      sum += result;
    }
    if (!check(state, sum, expected_sum(state.range(0)))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

}  // namespace bench::w02

#endif  // MILLPOND_BENCH_W02_RESULTS_CONTENDERS_HPP
