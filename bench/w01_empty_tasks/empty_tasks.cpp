// SPDX-License-Identifier: MIT

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/workload.hpp"
#include "w01_empty_tasks/contenders.hpp"

namespace {

using namespace bench::w01;

void with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kTasks);
}

BENCHMARK(millpond_apply_async)->Apply(with_workers);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(tbb_task_group)->Apply(with_workers);
#endif
#ifdef MILLPOND_BENCH_TASKFLOW
BENCHMARK(taskflow_task_group)->Apply(with_workers);
#endif
const bool kPools = bench::for_each_pool([]<class Pool>(const char* name) {
  benchmark::RegisterBenchmark(name, post<Pool>)->Apply(with_workers);
});
#ifdef MILLPOND_BENCH_OPENMP
BENCHMARK(openmp_task)->Apply(with_workers);
#endif
BENCHMARK(limit)->Apply([](auto* b) { bench::tasks_alone(b, kTasks); });

}  // namespace
