// SPDX-License-Identifier: MIT
//
// What W3's speed costs while there is nothing to be fast at: the CPU time of the whole process
// during two seconds, as "cpu_seconds". "idle": the pool has worked and has nothing left to do.
// "blocked": one task waits for something that is not work, and a thread waits for that task.

#include <millpond/millpond.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <future>
#include <string>
#include <thread>

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/workload.hpp"

namespace {

constexpr std::chrono::seconds kPeriod(2);

constexpr auto nothing = [] { return 0; };

// Of all threads of this process, including what the system does for them.
double cpu_seconds() {
  std::timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void sleep_and_report(benchmark::State& state) {
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // what is spinning may calm down
  const double before = cpu_seconds();
  std::this_thread::sleep_for(kPeriod);
  state.counters["cpu_seconds"] = cpu_seconds() - before;
}

// `submit` issues a task and returns its result, to be waited for by get().
template <class Submit>
void idle(benchmark::State& state, Submit submit) {
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      if (!bench::check(state, submit(nothing).get(), 0)) {
        return;
      }
    }
    sleep_and_report(state);
  }
}

template <class Submit>
void blocked(benchmark::State& state, Submit submit) {
  for (auto _ : state) {
    std::promise<int> open;
    auto result = submit([gate = open.get_future().share()] { return gate.get(); });
    int answer = 0;
    std::thread reader([&] { answer = result.get(); });
    sleep_and_report(state);
    open.set_value(7);
    reader.join();
    bench::check(state, answer, 7);
  }
}

void millpond_idle(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  idle(state, [&](auto f) { return pool.apply_async(f); });
}

void millpond_blocked(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  blocked(state, [&](auto f) { return pool.apply_async(f); });
}

template <class Pool>
void pool_idle(benchmark::State& state) {
  Pool pool(static_cast<int>(state.range(1)));
  idle(state, [&](auto f) { return pool.submit(f); });
}

template <class Pool>
void pool_blocked(benchmark::State& state) {
  Pool pool(static_cast<int>(state.range(1)));
  blocked(state, [&](auto f) { return pool.submit(f); });
}

void once(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, 1'000, {2, 8});
  benchmark->Iterations(1);
}

BENCHMARK(millpond_idle)->Apply(once);
BENCHMARK(millpond_blocked)->Apply(once);
const bool kPools = bench::for_each_pool([]<class Pool>(const std::string& name) {
  benchmark::RegisterBenchmark((name + "_idle").c_str(), pool_idle<Pool>)->Apply(once);
  benchmark::RegisterBenchmark((name + "_blocked").c_str(), pool_blocked<Pool>)->Apply(once);
});

}  // namespace
