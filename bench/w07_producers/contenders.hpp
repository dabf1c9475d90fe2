// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_W07_PRODUCERS_CONTENDERS_HPP
#define MILLPOND_BENCH_W07_PRODUCERS_CONTENDERS_HPP

// W7: four threads issue a million empty tasks between them, all to one pool, drop their results,
// and wait until all of them have run. Time a task: what producers in each other's way cost.

#include <millpond/millpond.hpp>

#include <cstdint>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/limit.hpp"
#include "support/pools.hpp"
#include "support/tally.hpp"
#include "support/workload.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#endif

namespace bench::w07 {

inline constexpr std::int64_t kTasks = 1'000'000;
inline constexpr std::int64_t kProducers = 4;

struct Empty {
  void operator()() const { Tally::count(); }
};

// Calls produce(its share of the tasks) in every producer.
template <class Produce>
void produce_all(std::int64_t tasks, Produce produce) {
  std::vector<std::jthread> producers;
  for (std::int64_t i = 0; i < kProducers; ++i) {
    producers.emplace_back(produce, tasks / kProducers);
  }
}

inline void millpond_apply_async(benchmark::State& state) {
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    millpond::ThreadPool pool(state.range(1));
    produce_all(state.range(0), [&](std::int64_t share) {
      for (std::int64_t i = 0; i < share; ++i) {
        pool.apply_async(Empty{});
      }
    });
    pool.close();
    pool.join();
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

#ifdef MILLPOND_BENCH_TBB
// A task group and a slot in the arena for each producer.
inline void tbb_task_group(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(1) + kProducers);
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads, static_cast<unsigned>(kProducers));
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    produce_all(state.range(0), [&](std::int64_t share) {
      arena.execute([&] {
        tbb::task_group group;
        for (std::int64_t i = 0; i < share; ++i) {
          group.run(Empty{});
        }
        group.wait();
      });
    });
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}
#endif

template <class Pool>
void post(benchmark::State& state) {
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    Pool pool(static_cast<int>(state.range(1)));
    produce_all(state.range(0), [&](std::int64_t share) {
      for (std::int64_t i = 0; i < share; ++i) {
        pool.post(Empty{});
      }
    });
    pool.join();
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

// One thread, nobody in its way.
inline void limit(benchmark::State& state) {
  for (auto _ : state) {
    const std::int64_t before = Tally::total();
    LimitQueue<void (*)()> queue;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      queue.append([] { Tally::count(); });
      queue.pop()();
    }
    if (!check(state, Tally::total() - before, state.range(0))) {
      return;
    }
  }
  report_time_a_task(state, state.range(0));
}

}  // namespace bench::w07

#endif  // MILLPOND_BENCH_W07_PRODUCERS_CONTENDERS_HPP
