// SPDX-License-Identifier: MIT

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/workload.hpp"
#include "w02_results/contenders.hpp"

namespace {

using namespace bench::w02;

void with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kTasks);
}

BENCHMARK(millpond_apply_async)->Apply(with_workers);
const bool kPools = bench::for_each_pool([]<class Pool>(const char* name) {
  benchmark::RegisterBenchmark(name, submit<Pool>)->Apply(with_workers);
});
BENCHMARK(limit)->Apply([](auto* b) { bench::tasks_alone(b, kTasks); });

}  // namespace
