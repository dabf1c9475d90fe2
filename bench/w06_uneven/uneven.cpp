// SPDX-License-Identifier: MIT
//
// W6: 10,000 items of uneven cost in random order, with whatever chunks a contender chooses by
// itself. W6s ("sorted"): the same items sorted by cost, the heavy tail last, where a chunk that is
// too large leaves one worker busy alone. Ideal is the serial loop's time divided by the number of
// cores at work.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <ranges>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/tbb_workers.hpp"
#include "support/work.hpp"
#include "support/workload.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#endif

namespace {

constexpr std::int64_t kTasks = 10'000;

enum class Order { random, sorted };

// Most items take about 1 us, the most expensive 0.7 % of them 32 us each; 2.5 us on average.
std::vector<std::int64_t> uneven_steps(std::int64_t tasks, Order order) {
  std::vector<std::int64_t> steps(static_cast<std::size_t>(tasks));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double above = 1 - static_cast<double>(i) / static_cast<double>(tasks);
    const double microseconds = std::min(0.8 * std::pow(above, -0.75), 32.0);
    steps[i] = std::lround(microseconds * bench::kStepsAMicrosecond);
  }
  if (order == Order::random) {
    std::ranges::shuffle(steps, std::mt19937_64(6));
  }
  return steps;
}

// The same for every call of a benchmark's function.
template <Order kOrder>
bench::WorkList& work_list(const benchmark::State& state) {
  static bench::WorkList list(uneven_steps(state.range(0), kOrder));
  return list;
}

// `do_all` does each task of the list once.
template <Order kOrder, class DoAll>
void measure(benchmark::State& state, DoAll do_all) {
  auto& list = work_list<kOrder>(state);
  for (auto _ : state) {
    do_all(list);
    if (!list.check_and_clear(state)) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

template <Order kOrder>
void millpond_map(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure<kOrder>(state, [&](bench::WorkList& list) {
    pool.map([&](std::size_t i) { list.do_task(i); },
             std::views::iota(std::size_t{0}, list.size()));
  });
}

[[maybe_unused]] std::size_t pythons_chunksize(std::size_t items, std::int64_t workers) {
  const std::size_t chunks = 4 * static_cast<std::size_t>(workers);
  return (items + chunks - 1) / chunks;
}

#ifdef MILLPOND_BENCH_TBB
template <Order kOrder>
void tbb_parallel_for(benchmark::State& state) {
  bench::TbbWorkers workers(static_cast<int>(state.range(1)), bench::TbbCaller::one_of_them);
  measure<kOrder>(state, [&](bench::WorkList& list) {
    workers.arena().execute([&] {
      tbb::parallel_for(tbb::blocked_range<std::size_t>(0, list.size()), [&](const auto& range) {
        for (std::size_t i = range.begin(); i != range.end(); ++i) {
          list.do_task(i);
        }
      });
    });
  });
}
#endif

// Pools that know of no chunks get those that Python makes: four a worker, all of one size.
template <class Pool, Order kOrder>
void post_pythons_chunks(benchmark::State& state) {
  measure<kOrder>(state, [&](bench::WorkList& list) {
    Pool pool(static_cast<int>(state.range(1)));
    const std::size_t chunksize = pythons_chunksize(list.size(), state.range(1));
    for (std::size_t begin = 0; begin < list.size(); begin += chunksize) {
      pool.post([&list, begin, end = std::min(begin + chunksize, list.size())] {
        for (std::size_t i = begin; i < end; ++i) {
          list.do_task(i);
        }
      });
    }
    pool.join();
  });
}

#ifdef MILLPOND_BENCH_OPENMP
template <Order kOrder>
void openmp_guided(benchmark::State& state) {
  measure<kOrder>(state, [&](bench::WorkList& list) {
#pragma omp parallel for schedule(guided) num_threads(static_cast<int>(state.range(1)))
    for (std::size_t i = 0; i < list.size(); ++i) {
      list.do_task(i);
    }
  });
}
#endif

template <Order kOrder>
void serial_loop(benchmark::State& state) {
  measure<kOrder>(state, [](bench::WorkList& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      list.do_task(i);
    }
  });
}

template <Order kOrder>
void add_all(const std::string& suffix) {
  const auto add = [&](const std::string& name, auto contender) {
    return benchmark::RegisterBenchmark((name + suffix).c_str(), contender);
  };
  const auto with_workers = [](auto* b) { bench::tasks_and_workers(b, kTasks); };

  add("millpond_map", millpond_map<kOrder>)->Apply(with_workers);
#ifdef MILLPOND_BENCH_TBB
  add("tbb_parallel_for", tbb_parallel_for<kOrder>)->Apply(with_workers);
#endif
  bench::for_each_pool([&]<class Pool>(const std::string& name) {
    add(name + "_pythons_chunks", post_pythons_chunks<Pool, kOrder>)->Apply(with_workers);
  });
#ifdef MILLPOND_BENCH_OPENMP
  add("openmp_guided", openmp_guided<kOrder>)->Apply(with_workers);
#endif
  add("serial_loop", serial_loop<kOrder>)->Apply([](auto* b) { bench::tasks_alone(b, kTasks); });
}

const bool kAdded = [] {
  add_all<Order::random>("");
  add_all<Order::sorted>("_sorted");
  return true;
}();

}  // namespace
