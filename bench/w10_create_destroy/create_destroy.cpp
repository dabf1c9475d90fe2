// SPDX-License-Identifier: MIT
//
// W10: makes a pool and destroys it. Time: what having a pool costs somebody who needs it once.
// oneTBB and OpenMP keep their threads and have nothing to compare.

#include <millpond/millpond.hpp>

#include <cstddef>
#include <cstdint>
#include <latch>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/workload.hpp"

namespace {

void millpond_pool(benchmark::State& state) {
  for (auto _ : state) {
    const millpond::ThreadPool pool(state.range(1));
    if (!bench::check(state, static_cast<std::int64_t>(pool.size()), state.range(1))) {
      return;
    }
  }
}

// A peer has no size() to check.
template <class Pool>
void peer_pool(benchmark::State& state) {
  for (auto _ : state) {
    Pool pool(static_cast<int>(state.range(1)));
    pool.join();
  }
}

// `body` is what each thread does.
template <class Body>
void start_threads(std::vector<std::jthread>& threads, std::int64_t count, Body body) {
  while (threads.size() < static_cast<std::size_t>(count)) {
    threads.emplace_back(body);
  }
}

// Threads that end at once. No pool can do better.
void raw_threads(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<std::jthread> threads;
    start_threads(threads, state.range(1), [] {});
  }
}

// Threads that stay until they are told to go, as a pool's must.
void raw_threads_that_stay(benchmark::State& state) {
  for (auto _ : state) {
    std::latch leave(1);
    std::vector<std::jthread> threads;
    start_threads(threads, state.range(1), [&leave] { leave.wait(); });
    leave.count_down();
  }
}

void with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, 0, {2, 64});
  benchmark->Unit(benchmark::kMicrosecond);
}

BENCHMARK(millpond_pool)->Apply(with_workers);
#ifdef MILLPOND_BENCH_ASIO
BENCHMARK(peer_pool<bench::AsioPool>)->Name("asio_pool")->Apply(with_workers);
#endif
#ifdef MILLPOND_BENCH_EIGEN
BENCHMARK(peer_pool<bench::EigenPool>)->Name("eigen_pool")->Apply(with_workers);
#endif
#ifdef MILLPOND_BENCH_BS
BENCHMARK(peer_pool<bench::BsPool>)->Name("bs_pool")->Apply(with_workers);
#endif
#ifdef MILLPOND_BENCH_TASKFLOW
BENCHMARK(peer_pool<bench::TaskflowPool>)->Name("taskflow_pool")->Apply(with_workers);
#endif
BENCHMARK(raw_threads)->Apply(with_workers);
BENCHMARK(raw_threads_that_stay)->Apply(with_workers);

}  // namespace
