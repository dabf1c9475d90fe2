// SPDX-License-Identifier: MIT
//
// The order in which work starts: what one thread issues, first in, first started, whatever the
// kind of work; and who runs the chunks of a map.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/thread_watch.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

// ---- One worker: everything starts in the order of issue ----

class FifoOrder : public ::testing::Test {
 protected:
  // One way to issue the items n and n + 1, which note that they run.
  using Issue = std::function<void(int n)>;

  auto noting() {
    return [this](int n) {
      order_.push_back(n);
      return n;
    };
  }
  auto noting_pairs() {
    return [this](int a, int b) {
      order_.push_back(a + b);
      return a;
    };
  }
  static std::vector<std::pair<int, int>> pairs(int n) { return {{n, 0}, {n, 1}}; }

  std::vector<Issue> kinds() {
    return {
        [this](int n) {
          pool_.apply_async(noting(), n);
          pool_.apply_async(noting(), n + 1);
        },
        [this](int n) {
          pool_.apply_async(noting(), std::tuple(n), {.callback = [](int) {}});
          pool_.apply_async(noting(), std::tuple(n + 1), {});
        },
        [this](int n) { pool_.map_async(noting(), std::vector{n, n + 1}); },
        [this](int n) { pool_.map_async(noting(), {n, n + 1}, 1); },
        [this](int n) { pool_.map_async(noting(), {n, n + 1}, 2); },
        [this](int n) { pool_.starmap_async(noting_pairs(), pairs(n)); },
        [this](int n) { imaps_.push_back(pool_.imap(noting(), {n, n + 1})); },
        [this](int n) { imaps_.push_back(pool_.imap(noting(), {n, n + 1}, 2)); },
        [this](int n) { imaps_.push_back(pool_.imap_unordered(noting(), {n, n + 1})); },
        [this](int n) { imaps_.push_back(pool_.istarmap(noting_pairs(), pairs(n))); },
        [this](int n) { imaps_.push_back(pool_.istarmap_unordered(noting_pairs(), pairs(n))); },
    };
  }
  // Issues one of each kind while the worker is held, and checks what then runs.
  void expect_order(const std::vector<Issue>& kinds) {
    order_.clear();
    std::vector<int> expected;
    {
      BusyWorkers busy(pool_);
      int n = 0;
      for (const Issue& issue : kinds) {
        issue(n);
        expected.push_back(n++);
        expected.push_back(n++);
      }
    }
    visit_every_worker(pool_);
    imaps_.clear();
    EXPECT_EQ(order_, expected);
  }

  std::vector<int> those_between(int begin, int end) const {
    std::vector<int> those;
    std::ranges::copy_if(order_, std::back_inserter(those),
                         [=](int n) { return begin <= n && n < end; });
    return those;
  }

  std::vector<int> order_;  // the one worker's
  std::vector<ImapIterator<int>> imaps_;
  ThreadPool pool_{1};
};

TEST_F(FifoOrder, HoldsAcrossAllKindsOfCalls) {
  std::vector<Issue> all = kinds();
  expect_order(all);
  std::ranges::reverse(all);
  expect_order(all);
}

TEST_F(FifoOrder, HoldsBetweenEachTwoKinds) {
  const std::vector<Issue> all = kinds();
  for (const Issue& first : all) {
    for (const Issue& second : all) expect_order({first, second, first});
  }
}

// Several threads issue at the same time: the work of each starts in its own order.
TEST_F(FifoOrder, HoldsForEachIssuingThread) {
  constexpr int kThreads = 6;
  constexpr int kEach = 100;
  {
    const BusyWorkers busy(pool_);
    std::vector<std::thread> issuing;
    for (int thread = 0; thread != kThreads; ++thread) {
      issuing.emplace_back([this, thread] {
        for (int i = 0; i != kEach; ++i) {
          const int n = thread * kEach + i;
          if (i % 3 == 0) {
            pool_.map_async(noting(), {n}, 1);
          } else {
            pool_.apply_async(noting(), n);
          }
        }
      });
    }
    for (std::thread& thread : issuing) thread.join();
  }
  pool_.close();
  pool_.join();
  ASSERT_EQ(order_.size(), static_cast<std::size_t>(kThreads * kEach));
  for (int thread = 0; thread != kThreads; ++thread) {
    EXPECT_TRUE(std::ranges::is_sorted(those_between(thread * kEach, (thread + 1) * kEach)));
  }
}

TEST_F(FifoOrder, HoldsForWorkThatTasksIssue) {
  {
    const BusyWorkers busy(pool_);
    pool_.apply_async([this] {
      order_.push_back(0);
      pool_.apply_async(noting(), 3);
      pool_.map_async(noting(), {4, 5}, 1);
    });
    pool_.map_async(noting(), {1, 2}, 1);
  }
  visit_every_worker(pool_);
  visit_every_worker(pool_);
  pool_.close();
  pool_.join();
  EXPECT_EQ(those_between(0, 3), (std::vector{0, 1, 2}));
  EXPECT_EQ(those_between(3, 6), (std::vector{3, 4, 5}));
}

// ---- Several workers ----

TEST(FifoOrderOfTwoWorkers, WorkStartsOnlyWhenAllWorkBeforeItHasStarted) {
  // Each worker that is let go from one item takes the first that has not started.
  constexpr int kChunks = 4;
  ThreadPool pool(2);
  std::array<Gate, kChunks> may_end;
  EventCount started;
  std::mutex mutex;
  std::vector<int> order;
  const auto note = [&](int n) {
    {
      const std::lock_guard lock(mutex);
      order.push_back(n);
    }
    started.add();
  };
  {
    BusyWorkers busy(pool);
    pool.map_async(
        [&](int n) {
          note(n);
          may_end.at(static_cast<std::size_t>(n)).wait();
        },
        {0, 1, 2, 3}, 1);
    pool.apply_async(note, 4);
  }
  started.wait_until(2);
  may_end[0].open();
  started.wait_until(3);
  may_end[1].open();
  started.wait_until(4);
  {
    const std::lock_guard lock(mutex);
    std::sort(order.begin(), order.begin() + 2);  // the two workers began at the same time
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
  }
  may_end[2].open();
  may_end[3].open();
  started.wait_until(5);
  pool.close();
  pool.join();
  EXPECT_EQ(order.back(), 4);
}

// ---- Who runs the chunks of a map ----

class Sharing : public WithWorkers {
 protected:
  // As many items as there are workers.
  static std::vector<int> items() { return std::vector<int>(static_cast<std::size_t>(workers())); }
  static std::vector<std::tuple<int>> tuples() {
    return std::vector<std::tuple<int>>(static_cast<std::size_t>(workers()));
  }

  // Returns when all workers are in it at the same time.
  auto meet() {
    return [this](int) { meeting_.arrive_and_wait(); };
  }

  Rendezvous meeting_{static_cast<std::size_t>(workers())};
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, Sharing, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Sharing, AMapOfAsManyChunksAsWorkersIsRunByAllOfThem) { pool_.map(meet(), items(), 1); }

TEST_P(Sharing, AMapOfAsManyItemsAsWorkersIsCutUpByDefault) { pool_.map(meet(), items()); }

TEST_P(Sharing, AMapOfManyItemsIsCutUpByDefault) {
  const std::size_t size = 1000;
  std::atomic<int> calls = 0;
  pool_.map(
      [&](int) {
        // Each worker's first call waits for the other workers'.
        if (++calls <= workers()) meeting_.arrive_and_wait();
      },
      std::vector<int>(size));
  EXPECT_EQ(calls, 1000);
}

TEST_P(Sharing, AnAsyncMapIsRunByAllWorkers) { pool_.map_async(meet(), items(), 1).get(); }

TEST_P(Sharing, AMapOfSinglePassInputIsRunByAllWorkers) {
  pool_.map(meet(), counting(workers()), 1);
}

TEST_P(Sharing, AStarmapIsRunByAllWorkers) { pool_.starmap(meet(), tuples(), 1); }

TEST_P(Sharing, AnAsyncStarmapIsRunByAllWorkers) { pool_.starmap_async(meet(), tuples(), 1).get(); }

TEST_P(Sharing, AnImapIsRunByAllWorkers) {
  auto iterator = pool_.imap(meet(), items());
  while (iterator.next()) {
  }
}

TEST_P(Sharing, AnUnorderedImapIsRunByAllWorkers) {
  auto iterator = pool_.imap_unordered(meet(), items(), {.buffersize = workers()});
  while (iterator.next()) {
  }
}

TEST_P(Sharing, ATasksOwnMapIsRunByAllWorkersWithItsOwnAmongThem) {
  pool_.apply([this] { pool_.map(meet(), items(), 1); });
}

TEST_P(Sharing, ATasksOwnAsyncMapIsRunByAllWorkersOnceItWaits) {
  pool_.apply([this] { pool_.map_async(meet(), items(), 1).get(); });
}

TEST_P(Sharing, TwoMapsAreBothFinishedByWhoeverIsFree) {
  std::atomic<int> calls = 0;
  const auto count = [&calls](int) { ++calls; };
  const auto first = pool_.map_async(count, std::vector<int>(300), 1);
  const auto second = pool_.map_async(count, std::vector<int>(300), 1);
  second.wait();
  first.wait();
  EXPECT_EQ(calls, 600);
}

TEST_P(Sharing, AMapUsesTheWorkersThatAreFree) {
  if (workers() == 1) GTEST_SKIP() << "needs a second worker";
  const BusyWorkers busy(pool_, 1);
  Rendezvous others(static_cast<std::size_t>(workers() - 1));
  pool_.map([&others](int) { others.arrive_and_wait(); },
            std::vector<int>(static_cast<std::size_t>(workers() - 1)), 1);
}

TEST_P(Sharing, AChunkIsRunByOneThread) {
  constexpr int kChunk = 10;
  std::vector<int> items(200);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<int>(i);
  const std::vector<std::thread::id> threads =
      pool_.map([](int) { return std::this_thread::get_id(); }, items, kChunk);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    EXPECT_EQ(threads[i], threads[i - i % kChunk]);
  }
}

}  // namespace
}  // namespace millpond::test
