// SPDX-License-Identifier: MIT
//
// W13: W1, W2 and W7 with 1 to 64 workers, to see where one mutex begins to cost. And the mutex
// itself, with nothing of a pool around it: "contended" is what lock, append, unlock; lock, pop,
// unlock cost when as many threads do it to one queue.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/limit.hpp"
#include "support/pools.hpp"
#include "support/workload.hpp"
#include "w01_empty_tasks/contenders.hpp"
#include "w02_results/contenders.hpp"
#include "w07_producers/contenders.hpp"

namespace {

constexpr std::int64_t kTasks = 1'000'000;

void contended(benchmark::State& state) {
  const std::int64_t share = state.range(0) / state.range(1);
  for (auto _ : state) {
    bench::LimitQueue<std::int64_t> queue;
    std::atomic<std::int64_t> popped = 0;
    {
      std::vector<std::jthread> threads;
      for (std::int64_t i = 0; i < state.range(1); ++i) {
        threads.emplace_back([&] {
          std::int64_t mine = 0;
          for (std::int64_t k = 0; k < share; ++k) {
            queue.append(1);
            mine += queue.pop();
          }
          popped += mine;
        });
      }
    }
    if (!bench::check(state, popped.load(), share * state.range(1))) {
      return;
    }
  }
  bench::report_time_a_task(state, share * state.range(1));
}

void add(const std::string& name, void (*contender)(benchmark::State&), std::int64_t tasks) {
  bench::tasks_and_workers(benchmark::RegisterBenchmark(name.c_str(), contender), tasks,
                           {1, 2, 4, 8, 16, 64});
}

const bool kAdded = [] {
  namespace w01 = bench::w01;
  namespace w02 = bench::w02;
  namespace w07 = bench::w07;
  add("w01/millpond_apply_async", w01::millpond_apply_async, w01::kTasks);
  add("w02/millpond_apply_async", w02::millpond_apply_async, w02::kTasks);
  add("w07/millpond_apply_async", w07::millpond_apply_async, w07::kTasks);
#ifdef MILLPOND_BENCH_TBB
  add("w01/tbb_task_group", w01::tbb_task_group, w01::kTasks);
  add("w07/tbb_task_group", w07::tbb_task_group, w07::kTasks);
#endif
  bench::for_each_pool([]<class Pool>(const std::string& name) {
    add("w01/" + name, w01::post<Pool>, w01::kTasks);
    add("w02/" + name, w02::submit<Pool>, w02::kTasks);
    add("w07/" + name, w07::post<Pool>, w07::kTasks);
  });
  add("contended", contended, kTasks);
  return true;
}();

}  // namespace
