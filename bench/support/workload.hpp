// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_SUPPORT_WORKLOAD_HPP
#define MILLPOND_BENCH_SUPPORT_WORKLOAD_HPP

// What the workloads have in common: how they are registered, and how they check their answers.
//
// A workload is a folder, its contenders are benchmarks of one program. All of them do the same
// work on the same input and are checked by the same code. bench/run.py compares them: a process
// for each contender, in rounds, so that a machine that changes its mind meanwhile changes it about
// everybody. It tells contenders apart by name: millpond's begin with "millpond", what the work
// costs without any pool is "limit".

#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace bench {

// The clock on the wall decides; the processor time beside it is that of all threads, so that their
// quotient is the number of cores that were at work.
inline void timed(benchmark::internal::Benchmark* benchmark) {
  benchmark->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
}

// Arguments by name, and time a task as the counter "task".
inline void tasks_and_workers(benchmark::internal::Benchmark* benchmark, std::int64_t tasks,
                              const std::vector<std::int64_t>& worker_counts = {1, 2, 8}) {
  timed(benchmark);
  benchmark->ArgNames({"tasks", "workers"});
  for (const std::int64_t workers : worker_counts) {
    benchmark->Args({tasks, workers});
  }
}

// The same for contenders that have no workers: the serial loop, the limit.
inline void tasks_alone(benchmark::internal::Benchmark* benchmark, std::int64_t tasks) {
  timed(benchmark);
  benchmark->ArgNames({"tasks"})->Args({tasks});
}

// Seconds a task, which the console prints as nanoseconds ("task=31.4n").
inline void report_time_a_task(benchmark::State& state, std::int64_t tasks) {
  state.counters["task"] =
      benchmark::Counter(static_cast<double>(tasks), benchmark::Counter::kIsIterationInvariantRate |
                                                         benchmark::Counter::kInvert);
}

// False, and the benchmark an error, if the answer is wrong.
template <class T>
bool check(benchmark::State& state, const T& answer, const T& expected) {
  if (answer == expected) {
    return true;
  }
  const std::string message =
      "wrong answer: " + std::to_string(answer) + " instead of " + std::to_string(expected);
  state.SkipWithError(message.c_str());
  return false;
}

}  // namespace bench

#endif  // MILLPOND_BENCH_SUPPORT_WORKLOAD_HPP
