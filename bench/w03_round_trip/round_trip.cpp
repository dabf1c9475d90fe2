// SPDX-License-Identifier: MIT
//
// W3: one thread issues a task, gets its result, issues the next. Time a round trip: what waking a
// worker and being woken costs, or what it takes not to need it.

#include <millpond/millpond.hpp>

#include <cstdint>
#include <future>

#include <benchmark/benchmark.h>

#include "support/limit.hpp"
#include "support/pools.hpp"
#include "support/workload.hpp"

namespace {

constexpr std::int64_t kTrips = 10'000;

constexpr auto next = [](std::int64_t i) { return i + 1; };

// `call` makes one round trip: from i to i + 1.
template <class Call>
void measure(benchmark::State& state, Call call) {
  for (auto _ : state) {
    std::int64_t i = 0;
    for (std::int64_t trip = 0; trip < state.range(0); ++trip) {
      i = call(i);
    }
    if (!bench::check(state, i, state.range(0))) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

void millpond_apply_async(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure(state, [&](std::int64_t i) { return pool.apply_async(next, i).get(); });
}

void millpond_apply(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure(state, [&](std::int64_t i) { return pool.apply(next, i); });
}

template <class Pool>
void submit(benchmark::State& state) {
  Pool pool(static_cast<int>(state.range(1)));
  measure(state, [&](std::int64_t i) { return pool.submit([i] { return next(i); }).get(); });
}

// A thread for each trip.
void std_async(benchmark::State& state) {
  measure(state, [](std::int64_t i) { return std::async(std::launch::async, next, i).get(); });
}

void limit(benchmark::State& state) {
  bench::LimitQueue<std::int64_t> queue;
  measure(state, [&](std::int64_t i) {
    queue.append(i);
    return next(queue.pop());
  });
}

void with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kTrips);
}

BENCHMARK(millpond_apply_async)->Apply(with_workers);
BENCHMARK(millpond_apply)->Apply(with_workers);
const bool kPools = bench::for_each_pool([]<class Pool>(const char* name) {
  benchmark::RegisterBenchmark(name, submit<Pool>)->Apply(with_workers);
});
BENCHMARK(std_async)->Apply([](auto* b) { bench::tasks_alone(b, kTrips); });
BENCHMARK(limit)->Apply([](auto* b) { bench::tasks_alone(b, kTrips); });

}  // namespace
