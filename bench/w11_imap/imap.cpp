// SPDX-License-Identifier: MIT

#include <cstdint>

#include <benchmark/benchmark.h>

#include "support/limit.hpp"
#include "support/workload.hpp"
#include "w11_imap/contenders.hpp"

namespace {

using namespace bench::w11;

constexpr std::int64_t kTasks = 1'000'000;

// A pool is made and destroyed in every iteration, some 0.1 ms of it.
template <class SumBy>
void measure(benchmark::State& state, SumBy sum_by) {
  for (auto _ : state) {
    const std::int64_t sum = sum_by(state.range(1), state.range(2), state.range(0));
    if (!bench::check(state, sum, expected_sum(state.range(0)))) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

void millpond_imap(benchmark::State& state) { measure(state, sum_by_millpond<Yield::in_order>); }

void millpond_imap_unordered(benchmark::State& state) {
  measure(state, sum_by_millpond<Yield::as_done>);
}

#ifdef MILLPOND_BENCH_TBB
void tbb_pipeline(benchmark::State& state) { measure(state, sum_by_tbb<Yield::in_order>); }

void tbb_pipeline_unordered(benchmark::State& state) { measure(state, sum_by_tbb<Yield::as_done>); }
#endif

// The queue's part of it, at chunksize 1.
void limit(benchmark::State& state) {
  for (auto _ : state) {
    bench::LimitQueue<std::int64_t> queue;
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      queue.append(i);
      sum += twice(queue.pop());
    }
    if (!bench::check(state, sum, expected_sum(state.range(0)))) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

void with_workers(benchmark::internal::Benchmark* benchmark) {
  with_chunksizes(benchmark, {kTasks}, {1, 2, 8});
}

BENCHMARK(millpond_imap)->Apply(with_workers);
BENCHMARK(millpond_imap_unordered)->Apply(with_workers);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(tbb_pipeline)->Apply(with_workers);
BENCHMARK(tbb_pipeline_unordered)->Apply(with_workers);
#endif
BENCHMARK(limit)->Apply([](auto* b) { bench::tasks_alone(b, kTasks); });

}  // namespace
