// SPDX-License-Identifier: MIT
//
// W5: 100,000 items of 2 us of work, each a task of its own. Ideal is the serial loop's time
// divided by the number of cores at work.

#include <millpond/millpond.hpp>

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/pools.hpp"
#include "support/tbb_workers.hpp"
#include "support/work.hpp"
#include "support/workload.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_group.h>
#endif

namespace {

constexpr std::int64_t kTasks = 100'000;
constexpr std::int64_t kMicroseconds = 2;

// The same for every call of a benchmark's function.
bench::WorkList& work_list(const benchmark::State& state) {
  static bench::WorkList list(std::vector<std::int64_t>(static_cast<std::size_t>(state.range(0)),
                                                        kMicroseconds * bench::kStepsAMicrosecond));
  return list;
}

// `do_all` does each task of the list once.
template <class DoAll>
void measure(benchmark::State& state, DoAll do_all) {
  bench::WorkList& list = work_list(state);
  for (auto _ : state) {
    do_all(list);
    if (!list.check_and_clear(state)) {
      return;
    }
  }
  bench::report_time_a_task(state, state.range(0));
}

void millpond_map_chunksize_1(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure(state, [&](bench::WorkList& list) {
    pool.map([&](std::size_t i) { list.do_task(i); }, std::views::iota(std::size_t{0}, list.size()),
             1);
  });
}

void millpond_apply_async(benchmark::State& state) {
  measure(state, [&](bench::WorkList& list) {
    millpond::ThreadPool pool(state.range(1));
    for (std::size_t i = 0; i < list.size(); ++i) {
      pool.apply_async([&list, i] { list.do_task(i); });
    }
    pool.close();
    pool.join();
  });
}

#ifdef MILLPOND_BENCH_TBB
void tbb_parallel_for_grain_1(benchmark::State& state) {
  bench::TbbWorkers workers(static_cast<int>(state.range(1)), bench::TbbCaller::one_of_them);
  measure(state, [&](bench::WorkList& list) {
    workers.arena().execute([&] {
      tbb::parallel_for(
          tbb::blocked_range<std::size_t>(0, list.size(), 1),
          [&](const auto& range) {
            for (std::size_t i = range.begin(); i != range.end(); ++i) {
              list.do_task(i);
            }
          },
          tbb::simple_partitioner());
    });
  });
}

void tbb_task_group(benchmark::State& state) {
  bench::TbbWorkers workers(static_cast<int>(state.range(1)));
  measure(state, [&](bench::WorkList& list) {
    workers.arena().execute([&] {
      tbb::task_group group;
      for (std::size_t i = 0; i < list.size(); ++i) {
        group.run([&list, i] { list.do_task(i); });
      }
      group.wait();
    });
  });
}
#endif

template <class Pool>
void post(benchmark::State& state) {
  measure(state, [&](bench::WorkList& list) {
    Pool pool(static_cast<int>(state.range(1)));
    for (std::size_t i = 0; i < list.size(); ++i) {
      pool.post([&list, i] { list.do_task(i); });
    }
    pool.join();
  });
}

#ifdef MILLPOND_BENCH_OPENMP
void openmp_dynamic_1(benchmark::State& state) {
  measure(state, [&](bench::WorkList& list) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(static_cast<int>(state.range(1)))
    for (std::size_t i = 0; i < list.size(); ++i) {
      list.do_task(i);
    }
  });
}
#endif

void serial_loop(benchmark::State& state) {
  measure(state, [](bench::WorkList& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      list.do_task(i);
    }
  });
}

void with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kTasks);
}

BENCHMARK(millpond_map_chunksize_1)->Apply(with_workers);
BENCHMARK(millpond_apply_async)->Apply(with_workers);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(tbb_parallel_for_grain_1)->Apply(with_workers);
BENCHMARK(tbb_task_group)->Apply(with_workers);
#endif
const bool kPools = bench::for_each_pool([]<class Pool>(const char* name) {
  benchmark::RegisterBenchmark(name, post<Pool>)->Apply(with_workers);
});
#ifdef MILLPOND_BENCH_OPENMP
BENCHMARK(openmp_dynamic_1)->Apply(with_workers);
#endif
BENCHMARK(serial_loop)->Apply([](auto* b) { bench::tasks_alone(b, kTasks); });

}  // namespace
