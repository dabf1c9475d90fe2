// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_W01_EMPTY_TASKS_CONTENDERS_HPP
#define MILLPOND_BENCH_W01_EMPTY_TASKS_CONTENDERS_HPP

// W1: one thread issues a million tasks that do nothing (but count themselves), drops their
// results and waits until all of them have run. Time a task: what issuing and running costs.

#include <millpond/millpond.hpp>

#include <cstdint>

#include <benchmark/benchmark.h>

#include "support/limit.hpp"
#include "support/pools.hpp"
#include "support/tally.hpp"
#include "support/tbb_workers.hpp"
#include "support/workload.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/task_group.h>
#endif

namespace bench::w01 {

inline constexpr std::int64_t kTasks = 1'000'000;

struct Empty {
  void operator()() const { Tally::count(); }
};

// A pool is made and joined in every iteration, some 0.1 ms of it.
inline void millpond_apply_async(benchmark::State& state) {
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    millpond::ThreadPool pool(state.range(1));
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      pool.apply_async(Empty{});
    }
    pool.close();
    pool.join();
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

#ifdef MILLPOND_BENCH_TBB
inline void tbb_task_group(benchmark::State& state) {
  TbbWorkers workers(static_cast<int>(state.range(1)));
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    workers.arena().execute([&] {
      tbb::task_group group;
      for (std::int64_t i = 0; i < state.range(0); ++i) {
        group.run(Empty{});
      }
      group.wait();
    });
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}
#endif

#ifdef MILLPOND_BENCH_TASKFLOW
// Only a worker can have a task group: one more than the others have issues the tasks.
inline void taskflow_task_group(benchmark::State& state) {
  tf::Executor executor(static_cast<std::size_t>(state.range(1)) + 1);
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    executor
        .async([&] {
          tf::TaskGroup group = executor.task_group();
          for (std::int64_t i = 0; i < state.range(0); ++i) {
            group.silent_async(Empty{});
          }
          group.corun();
        })
        .wait();
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}
#endif

template <class Pool>
void post(benchmark::State& state) {
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    Pool pool(static_cast<int>(state.range(1)));
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      pool.post(Empty{});
    }
    pool.join();
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

#ifdef MILLPOND_BENCH_OPENMP
// The calling thread issues the tasks and is a thread more than the workers, as it is elsewhere.
inline void openmp_task(benchmark::State& state) {
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    const std::int64_t tasks = state.range(0);
#pragma omp parallel num_threads(static_cast<int>(state.range(1)) + 1)
#pragma omp single
    for (std::int64_t i = 0; i < tasks; ++i) {
#pragma omp task
      Tally::count();
    }
    if (!check(state, Tally::total() - before, tasks)) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}
#endif

inline void limit(benchmark::State& state) {
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    LimitQueue<void (*)()> queue;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      queue.append([] { Tally::count(); });
      queue.pop()();
    }
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

}  // namespace bench::w01

#endif  // MILLPOND_BENCH_W01_EMPTY_TASKS_CONTENDERS_HPP
