// SPDX-License-Identifier: MIT
//
// W12: what the extras cost. 100,000 tasks with a result, as in W2, got in order:
//
//   plain       nothing else
//   callback    each tells its result to a callback first
//   timed_get   get(timeout) instead of get(), of results that come in time
//
// 100,000 tasks that wait behind others and are
//
//   cancel      cancelled, one after another, last first
//
// and a map of 1,000 trivial items, a thousand times:
//
//   map         called from outside
//   nested_map  called from a task of the same pool

#include <millpond/millpond.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <numeric>
#include <tuple>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/tbb_workers.hpp"
#include "support/workload.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#endif

namespace {

constexpr std::int64_t kTasks = 100'000;
constexpr std::int64_t kMaps = 1'000;
constexpr std::int64_t kItems = 1'000;

constexpr auto twice = [](std::int64_t i) { return 2 * i; };

using Results = std::vector<millpond::AsyncResult<std::int64_t>>;

// `issue` issues task i to the pool, `get` gets a result.
template <class Issue, class Get>
void measure_results(benchmark::State& state, millpond::ThreadPool& pool, Issue issue, Get get) {
  for (auto _ : state) {
    Results results;
    results.reserve(static_cast<std::size_t>(state.range(0)));
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      results.push_back(issue(pool, i));
    }
    std::int64_t sum = 0;
    for (const auto& result : results) {
      sum += get(result);
    }
    if (!bench::check(state, sum, state.range(0) * (state.range(0) - 1))) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

constexpr auto issue_plain = [](millpond::ThreadPool& pool, std::int64_t i) {
  return pool.apply_async(twice, i);
};

constexpr auto get_plain = [](const auto& result) { return result.get(); };

void millpond_plain(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure_results(state, pool, issue_plain, get_plain);
}

void millpond_timed_get(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure_results(state, pool, issue_plain,
                  [](const auto& result) { return result.get(std::chrono::minutes(1)); });
}

void millpond_callback(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  std::int64_t told = 0;  // callbacks come one at a time, before their results are ready
  measure_results(
      state, pool,
      [&told](millpond::ThreadPool& p, std::int64_t i) {
        return p.apply_async(twice, std::tuple{i},
                             {.callback = [&told](const std::int64_t& result) { told += result; }});
      },
      get_plain);
  bench::check(state, told, state.iterations() * state.range(0) * (state.range(0) - 1));
}

// Only cancelling is timed.
void millpond_cancel(benchmark::State& state) {
  for (auto _ : state) {
    millpond::ThreadPool pool(state.range(1));
    std::latch finish(1);
    for (std::size_t i = 0; i < pool.size(); ++i) {
      pool.apply_async([&] { finish.wait(); });
    }
    Results results;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      results.push_back(pool.apply_async(twice, i));
    }
    std::int64_t cancelled = 0;
    const auto start = std::chrono::steady_clock::now();
    for (auto result = results.rbegin(); result != results.rend(); ++result) {
      cancelled += result->cancel() ? 1 : 0;
    }
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    finish.count_down();
    if (!bench::check(state, cancelled, state.range(0))) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

// `map_all` maps the items as often as the first argument says and returns the sum of all results.
template <class MapAll>
void measure_maps(benchmark::State& state, MapAll map_all) {
  std::vector<std::int64_t> items(static_cast<std::size_t>(kItems));
  std::iota(items.begin(), items.end(), 0);
  for (auto _ : state) {
    if (!bench::check(state, map_all(items), state.range(0) * kItems * (kItems - 1))) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

std::int64_t map_by_millpond(millpond::ThreadPool& pool, const std::vector<std::int64_t>& items,
                             std::int64_t maps) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < maps; ++i) {
    const std::vector<std::int64_t> results = pool.map(twice, items);
    sum = std::accumulate(results.begin(), results.end(), sum);
  }
  return sum;
}

void millpond_map(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure_maps(state,
               [&](const auto& items) { return map_by_millpond(pool, items, state.range(0)); });
}

void millpond_nested_map(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure_maps(state, [&](const auto& items) {
    return pool.apply([&] { return map_by_millpond(pool, items, state.range(0)); });
  });
}

#ifdef MILLPOND_BENCH_TBB
// Whoever calls oneTBB works along: outside and inside are the same.
void tbb_parallel_for(benchmark::State& state) {
  bench::TbbWorkers workers(static_cast<int>(state.range(1)), bench::TbbCaller::one_of_them);
  measure_maps(state, [&](const std::vector<std::int64_t>& items) {
    std::int64_t sum = 0;
    workers.arena().execute([&] {
      for (std::int64_t i = 0; i < state.range(0); ++i) {
        std::vector<std::int64_t> results(items.size());
        tbb::parallel_for(tbb::blocked_range<std::size_t>(0, items.size()), [&](const auto& range) {
          for (std::size_t k = range.begin(); k != range.end(); ++k) {
            results[k] = twice(items[k]);
          }
        });
        sum = std::accumulate(results.begin(), results.end(), sum);
      }
    });
    return sum;
  });
}
#endif

void tasks(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kTasks);
}

void maps(benchmark::internal::Benchmark* benchmark) { bench::tasks_and_workers(benchmark, kMaps); }

BENCHMARK(millpond_plain)->Apply(tasks);
BENCHMARK(millpond_callback)->Apply(tasks);
BENCHMARK(millpond_timed_get)->Apply(tasks);
BENCHMARK(millpond_cancel)->ArgNames({"tasks", "workers"})->Args({kTasks, 2})->UseManualTime();
BENCHMARK(millpond_map)->Apply(maps);
BENCHMARK(millpond_nested_map)->Apply(maps);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(tbb_parallel_for)->Apply(maps);
#endif

}  // namespace
