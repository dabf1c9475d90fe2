// SPDX-License-Identifier: MIT
//
// W9: 1,024 workers for 1,024 tasks that sleep for 230 ms: what a pool is for whose tasks wait for
// networks and disks. The time is that until everything is destroyed again, "done" that until the
// last sleeper has woken.

#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <latch>
#include <ranges>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/workload.hpp"

namespace {

constexpr std::int64_t kSleepers = 1'024;
constexpr std::chrono::milliseconds kSleep(230);

using Clock = std::chrono::steady_clock;

// What the tasks do, and who waits for all of them.
class Sleepers {
 public:
  explicit Sleepers(const benchmark::State& state) : done_(state.range(0)) {}

  void sleep() {
    std::this_thread::sleep_for(kSleep);
    ++woken_;
    done_.count_down();
  }

  void wait() { done_.wait(); }

  // By whoever makes the workers, when nobody sleeps any more.
  void all_done() { done_at_ = Clock::now(); }

  std::int64_t woken() const { return woken_; }
  double seconds_until_done() const {
    return std::chrono::duration<double>(done_at_ - started_at_).count();
  }

 private:
  Clock::time_point started_at_ = Clock::now();
  Clock::time_point done_at_;
  std::atomic<std::int64_t> woken_ = 0;
  std::latch done_;
};

// `run` makes the workers, has state.range(0) tasks sleep, tells all_done(), destroys the workers.
template <class Run>
void measure(benchmark::State& state, Run run) {
  double seconds = 0;
  for (auto _ : state) {
    Sleepers sleepers(state);
    run(sleepers);
    seconds += sleepers.seconds_until_done();
    if (!bench::check(state, sleepers.woken(), state.range(0))) {
      return;
    }
  }
  state.counters["done"] = benchmark::Counter(seconds, benchmark::Counter::kAvgIterations);
}

void millpond_map(benchmark::State& state) {
  measure(state, [&](Sleepers& sleepers) {
    millpond::ThreadPool pool(state.range(1));
    pool.map([&](std::int64_t) { sleepers.sleep(); },
             std::views::iota(std::int64_t{0}, state.range(0)), 1);
    sleepers.all_done();
  });
}

// oneTBB's threads stay for whatever comes next (and OpenMP's below): nothing is destroyed.
template <class Pool>
void post(benchmark::State& state) {
  measure(state, [&](Sleepers& sleepers) {
    Pool pool(static_cast<int>(state.range(1)));
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      pool.post([&] { sleepers.sleep(); });
    }
    sleepers.wait();
    sleepers.all_done();
    pool.join();
  });
}

void std_async(benchmark::State& state) {
  measure(state, [&](Sleepers& sleepers) {
    std::vector<std::future<void>> results;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      results.push_back(std::async(std::launch::async, [&] { sleepers.sleep(); }));
    }
    sleepers.wait();
    sleepers.all_done();
  });
}

#ifdef MILLPOND_BENCH_OPENMP
void openmp_for(benchmark::State& state) {
  measure(state, [&](Sleepers& sleepers) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(static_cast<int>(state.range(1)))
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      sleepers.sleep();
    }
    sleepers.all_done();
  });
}
#endif

void raw_threads(benchmark::State& state) {
  measure(state, [&](Sleepers& sleepers) {
    std::vector<std::jthread> threads;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      threads.emplace_back([&] { sleepers.sleep(); });
    }
    sleepers.wait();
    sleepers.all_done();
  });
}

// Once: oneTBB and OpenMP would keep the threads of one iteration for the next.
void with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kSleepers, {kSleepers});
  benchmark->Iterations(1);
}

void without_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_alone(benchmark, kSleepers);
  benchmark->Iterations(1);
}

BENCHMARK(millpond_map)->Apply(with_workers);
const bool kPools = bench::for_each_pool([]<class Pool>(const char* name) {
  benchmark::RegisterBenchmark(name, post<Pool>)->Apply(with_workers);
});
#ifdef MILLPOND_BENCH_OPENMP
BENCHMARK(openmp_for)->Apply(with_workers);
#endif
BENCHMARK(std_async)->Apply(without_workers);
BENCHMARK(raw_threads)->Apply(without_workers);

}  // namespace
