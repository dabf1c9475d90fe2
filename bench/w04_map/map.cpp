// SPDX-License-Identifier: MIT
//
// W4: a trivial function over ten million ints, into a vector that did not exist before. That is
// what map() returns, so every contender fills a fresh vector; much of the time goes into the
// system's first touch of its pages. The contenders called "touched" fill one vector over and over
// instead, which shows what remains without that. map_into fills fresh memory that nobody has
// filled before it.
//
// W4c: the same over 200,000 ints, a call that is over before a worker has got up.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/tbb_workers.hpp"
#include "support/workload.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#endif

namespace {

constexpr std::int64_t kItems = 10'000'000;
constexpr std::int64_t kFewItems = 200'000;  // W4c

// A lambda, so that every contender's compiler sees through it.
constexpr auto trivial = [](int i) { return 3 * i + 1; };

std::vector<int> make_items(const benchmark::State& state) {
  std::vector<int> items(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i] = static_cast<int>(i % 1000);
  }
  return items;
}

// Sizes, and every result.
void check_results(benchmark::State& state, const std::vector<int>& items,
                   const std::vector<int>& results) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < items.size() && i < results.size(); ++i) {
    right += results[i] == trivial(items[i]) ? 1 : 0;
  }
  if (bench::check(state, results.size(), items.size())) {
    bench::check(state, right, static_cast<std::int64_t>(items.size()));
  }
}

void millpond_map(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  const std::vector<int> items = make_items(state);
  std::vector<int> results;
  for (auto _ : state) {
    results = pool.map(trivial, items);
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}

void millpond_map_into(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  const std::vector<int> items = make_items(state);
  std::unique_ptr<int[]> results;
  for (auto _ : state) {
    auto fresh = std::make_unique_for_overwrite<int[]>(items.size());
    pool.map_into(std::span(fresh.get(), items.size()), trivial, items);
    results = std::move(fresh);
  }
  check_results(state, items, std::vector<int>(results.get(), results.get() + items.size()));
  bench::report_time_a_task(state, state.range(0));
}

void millpond_map_into_touched(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  const std::vector<int> items = make_items(state);
  std::vector<int> results(items.size());
  for (auto _ : state) {
    pool.map_into(results, trivial, items);
    benchmark::ClobberMemory();
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}

#ifdef MILLPOND_BENCH_TBB
void fill_by_tbb(const std::vector<int>& items, std::vector<int>& results) {
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, items.size()), [&](const auto& range) {
    for (std::size_t i = range.begin(); i != range.end(); ++i) {
      results[i] = trivial(items[i]);
    }
  });
}

void tbb_parallel_for(benchmark::State& state) {
  bench::TbbWorkers workers(static_cast<int>(state.range(1)), bench::TbbCaller::one_of_them);
  const std::vector<int> items = make_items(state);
  std::vector<int> results;
  for (auto _ : state) {
    std::vector<int> fresh(items.size());
    workers.arena().execute([&] { fill_by_tbb(items, fresh); });
    results = std::move(fresh);
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}

void tbb_parallel_for_touched(benchmark::State& state) {
  bench::TbbWorkers workers(static_cast<int>(state.range(1)), bench::TbbCaller::one_of_them);
  const std::vector<int> items = make_items(state);
  std::vector<int> results(items.size());
  for (auto _ : state) {
    workers.arena().execute([&] { fill_by_tbb(items, results); });
    benchmark::ClobberMemory();
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}
#endif

#ifdef MILLPOND_BENCH_OPENMP
void fill_by_openmp(const std::vector<int>& items, std::vector<int>& results,
                    std::int64_t workers) {
#pragma omp parallel for schedule(static) num_threads(static_cast<int>(workers))
  for (std::size_t i = 0; i < items.size(); ++i) {
    results[i] = trivial(items[i]);
  }
}

void openmp_for(benchmark::State& state) {
  const std::vector<int> items = make_items(state);
  std::vector<int> results;
  for (auto _ : state) {
    std::vector<int> fresh(items.size());
    fill_by_openmp(items, fresh, state.range(1));
    results = std::move(fresh);
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}

void openmp_for_touched(benchmark::State& state) {
  const std::vector<int> items = make_items(state);
  std::vector<int> results(items.size());
  for (auto _ : state) {
    fill_by_openmp(items, results, state.range(1));
    benchmark::ClobberMemory();
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}
#endif

// A task for each of as many blocks as Python would make, four a worker.
template <class Pool>
void post_blocks(benchmark::State& state) {
  Pool pool(static_cast<int>(state.range(1)));
  const std::vector<int> items = make_items(state);
  std::vector<int> results;
  for (auto _ : state) {
    std::vector<int> fresh(items.size());
    const std::size_t blocks = 4 * static_cast<std::size_t>(state.range(1));
    const std::size_t length = (items.size() + blocks - 1) / blocks;
    std::latch done(static_cast<std::ptrdiff_t>(blocks));
    for (std::size_t block = 0; block < blocks; ++block) {
      pool.post([&, begin = std::min(block * length, items.size()),
                 end = std::min((block + 1) * length, items.size())] {
        for (std::size_t i = begin; i < end; ++i) {
          fresh[i] = trivial(items[i]);
        }
        done.count_down();
      });
    }
    done.wait();
    results = std::move(fresh);
  }
  pool.join();
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}

void fill_serially(const std::vector<int>& items, std::vector<int>& results) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    results[i] = trivial(items[i]);
  }
}

void serial_loop(benchmark::State& state) {
  const std::vector<int> items = make_items(state);
  std::vector<int> results;
  for (auto _ : state) {
    std::vector<int> fresh(items.size());
    fill_serially(items, fresh);
    results = std::move(fresh);
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}

void serial_loop_touched(benchmark::State& state) {
  const std::vector<int> items = make_items(state);
  std::vector<int> results(items.size());
  for (auto _ : state) {
    fill_serially(items, results);
    benchmark::ClobberMemory();
  }
  check_results(state, items, results);
  bench::report_time_a_task(state, state.range(0));
}

// Threads that do nothing else, and are the first to touch the memory that they fill.
void limit(benchmark::State& state) {
  const std::vector<int> items = make_items(state);
  const auto threads = static_cast<std::size_t>(state.range(1));
  std::unique_ptr<int[]> results;
  for (auto _ : state) {
    auto fresh = std::make_unique_for_overwrite<int[]>(items.size());
    {
      std::vector<std::jthread> running;
      for (std::size_t thread = 0; thread < threads; ++thread) {
        running.emplace_back([&, begin = items.size() * thread / threads,
                              end = items.size() * (thread + 1) / threads] {
          for (std::size_t i = begin; i < end; ++i) {
            fresh[i] = trivial(items[i]);
          }
        });
      }
    }
    results = std::move(fresh);
  }
  check_results(state, items, std::vector<int>(results.get(), results.get() + items.size()));
  bench::report_time_a_task(state, state.range(0));
}

void many_and_few_with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kItems);
  bench::tasks_and_workers(benchmark, kFewItems);
}

void many_and_few(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_alone(benchmark, kItems);
  bench::tasks_alone(benchmark, kFewItems);
}

BENCHMARK(millpond_map)->Apply(many_and_few_with_workers);
BENCHMARK(millpond_map_into)->Apply(many_and_few_with_workers);
BENCHMARK(millpond_map_into_touched)->Apply(many_and_few_with_workers);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(tbb_parallel_for)->Apply(many_and_few_with_workers);
BENCHMARK(tbb_parallel_for_touched)->Apply(many_and_few_with_workers);
#endif
#ifdef MILLPOND_BENCH_OPENMP
BENCHMARK(openmp_for)->Apply(many_and_few_with_workers);
BENCHMARK(openmp_for_touched)->Apply(many_and_few_with_workers);
#endif
const bool kPools = bench::for_each_pool([]<class Pool>(const char* name) {
  benchmark::RegisterBenchmark(name, post_blocks<Pool>)->Apply(many_and_few_with_workers);
});
BENCHMARK(serial_loop)->Apply(many_and_few);
BENCHMARK(serial_loop_touched)->Apply(many_and_few);
BENCHMARK(limit)->Apply([](auto* b) { bench::tasks_and_workers(b, kItems); });

}  // namespace
