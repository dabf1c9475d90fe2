// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_W11_IMAP_CONTENDERS_HPP
#define MILLPOND_BENCH_W11_IMAP_CONTENDERS_HPP

// W11: a cheap function over a long input of which only a window may be in memory, results taken
// one by one while the input is still being read, in order or as they come. A contender is a
// function (workers, chunksize, tasks) -> sum of the results.

#include <millpond/millpond.hpp>

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/tbb_workers.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/parallel_pipeline.h>
#endif

namespace bench::w11 {

enum class Yield { in_order, as_done };

inline constexpr auto twice = [](std::int64_t i) { return 2 * i; };

inline std::int64_t expected_sum(std::int64_t tasks) { return tasks * (tasks - 1); }

template <Yield kYield>
std::int64_t sum_by_millpond(std::int64_t workers, std::int64_t chunksize, std::int64_t tasks) {
  millpond::ThreadPool pool(workers);
  const auto input = std::views::iota(std::int64_t{0}, tasks);
  auto results = kYield == Yield::in_order ? pool.imap(twice, input, chunksize)
                                           : pool.imap_unordered(twice, input, chunksize);
  std::int64_t sum = 0;
  for (const std::int64_t result : results) {
    sum += result;
  }
  return sum;
}

#ifdef MILLPOND_BENCH_TBB
// Chunks of one item go through the pipeline as plain numbers, others as vectors.
template <class Chunk, class MakeChunk, class DoChunk, class AddChunk>
void run_tbb_pipeline(std::int64_t workers, Yield yield, MakeChunk make_chunk, DoChunk do_chunk,
                      AddChunk add_chunk) {
  const auto sink = yield == Yield::in_order ? tbb::filter_mode::serial_in_order
                                             : tbb::filter_mode::serial_out_of_order;
  tbb::parallel_pipeline(
      static_cast<std::size_t>(4 * workers),
      tbb::make_filter<void, Chunk>(tbb::filter_mode::serial_in_order, make_chunk) &
          tbb::make_filter<Chunk, Chunk>(tbb::filter_mode::parallel, do_chunk) &
          tbb::make_filter<Chunk, void>(sink, add_chunk));
}

template <Yield kYield>
std::int64_t sum_by_tbb(std::int64_t workers, std::int64_t chunksize, std::int64_t tasks) {
  using Item = std::int64_t;
  using Chunk = std::vector<Item>;
  TbbWorkers tbb_workers(static_cast<int>(workers), TbbCaller::one_of_them);
  Item next = 0;
  Item sum = 0;
  const auto make_item = [&](tbb::flow_control& control) -> Item {
    if (next == tasks) {
      control.stop();
      return 0;
    }
    return next++;
  };
  const auto make_chunk = [&](tbb::flow_control& control) {
    Chunk chunk;
    if (next == tasks) {
      control.stop();
      return chunk;
    }
    chunk.reserve(static_cast<std::size_t>(chunksize));
    while (static_cast<Item>(chunk.size()) < chunksize && next < tasks) {
      chunk.push_back(next++);
    }
    return chunk;
  };
  const auto do_chunk = [](Chunk chunk) {
    for (Item& item : chunk) {
      item = twice(item);
    }
    return chunk;
  };
  const auto add_item = [&](Item item) { sum += item; };
  const auto add_chunk = [&](const Chunk& chunk) {
    for (const Item item : chunk) {
      sum += item;
    }
  };
  tbb_workers.arena().execute([&] {
    if (chunksize == 1) {
      run_tbb_pipeline<Item>(workers, kYield, make_item, twice, add_item);
    } else {
      run_tbb_pipeline<Chunk>(workers, kYield, make_chunk, do_chunk, add_chunk);
    }
  });
  return sum;
}
#endif

// Arguments {tasks, workers, chunksize}.
inline void with_chunksizes(benchmark::internal::Benchmark* benchmark,
                            const std::vector<std::int64_t>& task_counts,
                            const std::vector<std::int64_t>& worker_counts) {
  timed(benchmark);
  benchmark->ArgNames({"tasks", "workers", "chunksize"});
  benchmark->ArgsProduct({task_counts, worker_counts, {1, 64}});
}

}  // namespace bench::w11

#endif  // MILLPOND_BENCH_W11_IMAP_CONTENDERS_HPP
