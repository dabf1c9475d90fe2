// SPDX-License-Identifier: MIT
//
// The memory of W1: a million tasks are issued while the only worker is held up, so that all of
// them are queued at once. "bytes" is what the process grew by, a task.

#include "support/memory.hpp"

#include <millpond/millpond.hpp>

#include <cstdint>
#include <latch>

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/tally.hpp"
#include "support/workload.hpp"
#include "w01_empty_tasks/contenders.hpp"

namespace {

using bench::w01::Empty;
using bench::w01::kTasks;

// `post` issues one task, `join` waits for all.
template <class Pool, class Post, class Join>
void measure(benchmark::State& state, Pool& pool, Post post, Join join) {
  std::latch open(1);
  const std::int64_t before = bench::Tally::total();
  post(pool, [&open] { open.wait(); });
  const bench::MemoryGrowth growth;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    post(pool, Empty{});
  }
  const std::int64_t bytes = growth.peak_bytes();
  open.count_down();
  join(pool);
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(state.range(0));
  bench::check(state, bench::Tally::total() - before, state.range(0));
}

void millpond_queued(benchmark::State& state) {
  for (auto _ : state) {
    millpond::ThreadPool pool(1);
    measure(
        state, pool, [](auto& p, auto task) { p.apply_async(task); },
        [](auto& p) {
          p.close();
          p.join();
        });
  }
}

template <class Pool>
void queued(benchmark::State& state) {
  for (auto _ : state) {
    Pool pool(1);
    measure(state, pool, [](auto& p, auto task) { p.post(task); }, [](auto& p) { p.join(); });
  }
}

void once(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kTasks, {1});
  benchmark->Iterations(1);
}

BENCHMARK(millpond_queued)->Apply(once);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(queued<bench::TbbPool>)->Name("tbb_queued")->Apply(once);
#endif
#ifdef MILLPOND_BENCH_ASIO
BENCHMARK(queued<bench::AsioPool>)->Name("asio_queued")->Apply(once);
#endif
#ifdef MILLPOND_BENCH_BS
BENCHMARK(queued<bench::BsPool>)->Name("bs_queued")->Apply(once);
#endif
#ifdef MILLPOND_BENCH_TASKFLOW
BENCHMARK(queued<bench::TaskflowPool>)->Name("taskflow_queued")->Apply(once);
#endif
// Eigen's queues are of fixed size.

}  // namespace
