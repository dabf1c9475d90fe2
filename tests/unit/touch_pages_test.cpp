// SPDX-License-Identifier: MIT
//
// TouchPages: that every page is written to, whoever comes to help and whatever becomes of the
// pool.
#include <millpond/detail/jobs/touch_pages.hpp>
#include <millpond/errors.hpp>
#include <millpond/thread_pool.hpp>

#include <cstddef>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "../support/workers.hpp"

namespace millpond {
namespace {

using test::BusyWorkers;

constexpr std::size_t kPage = 4096;
constexpr std::byte kFresh{1};

template <class Order>
void touch(BasicThreadPool<Order>& pool, std::byte* memory, std::size_t size) {
  const detail::TouchPages touch(detail::Handles::engine_of(pool));
  touch(memory, size);
}

class TouchPages : public test::WithWorkers {
 protected:
  // Touches `size` bytes and says whether the first of each page was written to, and no other.
  template <class Pool>
  static bool touches_each_page(Pool& pool, std::size_t size) {
    std::vector<std::byte> memory(size + kPage, kFresh);
    touch(pool, memory.data(), size);
    for (std::size_t at = 0; at != memory.size(); ++at) {
      const bool is_touched = memory[at] != kFresh;
      if (is_touched != (at < size && at % kPage == 0)) return false;
    }
    return true;
  }
};

TEST_P(TouchPages, WritesToEachPageOnce) {
  ThreadPool pool(workers());
  for (const std::size_t size : {std::size_t{1}, kPage, kPage + 1, 64 * kPage, 64 * kPage + 1,
                                 640 * kPage - 1, 1000 * kPage}) {
    EXPECT_TRUE(touches_each_page(pool, size)) << size;
  }
}

TEST_P(TouchPages, TakesTurnsInAPriorityPool) {
  PriorityThreadPool pool(workers());
  EXPECT_TRUE(touches_each_page(pool, 1000 * kPage));
}

TEST_P(TouchPages, WaitsForNoWorkerThatIsBusy) {
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  EXPECT_TRUE(touches_each_page(pool, 1000 * kPage));
}

TEST_P(TouchPages, WorksOnAWorker) {
  ThreadPool pool(workers());
  EXPECT_TRUE(pool.apply_async([&] { return touches_each_page(pool, 1000 * kPage); }).get());
}

TEST_P(TouchPages, RefusesWhatTheClosedPoolRefuses) {
  ThreadPool pool(workers());
  pool.close();
  std::vector<std::byte> memory(kPage, kFresh);
  EXPECT_THROW(touch(pool, memory.data(), memory.size()), ValueError);
  EXPECT_EQ(memory[0], kFresh);
  pool.join();
}

TEST_P(TouchPages, LeavesNothingBehindThatJoinWouldWaitFor) {
  ThreadPool pool(workers());
  EXPECT_TRUE(touches_each_page(pool, 1000 * kPage));
  pool.close();
  pool.join();
}

TEST_P(TouchPages, OutlivesTermination) {
  for (int round = 0; round != 50; ++round) {
    ThreadPool pool(workers());
    std::vector<std::byte> memory(500 * kPage, kFresh);
    std::thread terminator([&] { pool.terminate(); });
    try {
      touch(pool, memory.data(), memory.size());
      for (std::size_t at = 0; at < memory.size(); at += kPage) {
        ASSERT_NE(memory[at], kFresh) << at;
      }
    } catch (const ValueError&) {  // terminated before it was issued
    }
    terminator.join();
    pool.join();
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, TouchPages, test::worker_counts());

}  // namespace
}  // namespace millpond
