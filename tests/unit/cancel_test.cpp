// SPDX-License-Identifier: MIT
//
// AsyncResult::cancel() against work that waits, runs, is done; and against everybody else.

#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/stress.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

int one() { return 1; }

template <class Result>
bool throws_cancelled(const Result& result) {
  try {
    result.get();
    return false;
  } catch (const CancelledError&) {
    return true;
  }
}

class Cancel : public WithWorkers {
 protected:
  std::atomic<int> reported_{0};
  ThreadPool pool_{
      PoolOptions{.processes = workers(), .on_unobserved_error = [this](auto) { ++reported_; }}};
};

INSTANTIATE_TEST_SUITE_P(Workers, Cancel, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Cancel, ATaskThatWaitsNeverRuns) {
  bool ran = false;
  const auto captured = std::make_shared<int>(1);
  BusyWorkers busy(pool_, pool_.size());
  const AsyncResult<void> result = pool_.apply_async([&ran, captured] { ran = true; });
  EXPECT_FALSE(result.cancelled());
  EXPECT_TRUE(result.cancel());
  // At once, with all workers busy.
  EXPECT_TRUE(result.ready());
  EXPECT_TRUE(result.cancelled());
  EXPECT_FALSE(result.running());
  EXPECT_FALSE(result.successful());
  EXPECT_EQ(result.completed(), 1U);
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_TRUE(throws_cancelled(result));
  EXPECT_TRUE(result.cancel());
  busy.release();
  pool_.close();
  pool_.join();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(result.cancel());
}

TEST_P(Cancel, ATaskThatRunsOrIsDoneIsLeftAlone) {
  Gate started, finish;
  const AsyncResult<int> result = pool_.apply_async([&] {
    started.open();
    finish.wait();
    return 1;
  });
  started.wait();
  EXPECT_FALSE(result.cancel());
  EXPECT_FALSE(result.cancelled());
  EXPECT_TRUE(result.running());
  finish.open();
  EXPECT_EQ(result.get(), 1);
  EXPECT_FALSE(result.cancel());
  EXPECT_FALSE(result.cancelled());
}

TEST_P(Cancel, ATaskCannotCancelItself) {
  Gate issued;
  AsyncResult<bool> self;
  self = pool_.apply_async([&] {
    issued.wait();
    return self.cancel();
  });
  issued.open();
  EXPECT_FALSE(self.get());
}

TEST_P(Cancel, WakesWhoeverWaits) {
  BusyWorkers busy(pool_, pool_.size());
  const AsyncResult<int> result = pool_.apply_async(one);
  std::thread waiter([&] { EXPECT_TRUE(throws_cancelled(result)); });
  std::thread timed_waiter([&] { EXPECT_TRUE(result.wait(10min)); });
  EXPECT_TRUE(result.cancel());
  waiter.join();
  timed_waiter.join();
}

TEST_P(Cancel, TellsTheErrorCallbackBeforeItIsReady) {
  std::atomic<int> called{0}, error_called{0};
  BusyWorkers busy(pool_, pool_.size());
  AsyncResult<int> result;
  result = pool_.apply_async(one, std::tuple{},
                             {.callback = [&](const int&) { ++called; },
                              .error_callback =
                                  [&](const std::exception_ptr& error) {
                                    EXPECT_THROW(std::rethrow_exception(error), CancelledError);
                                    EXPECT_FALSE(result.ready());
                                    EXPECT_TRUE(result.cancelled());
                                    ++error_called;
                                  }});
  EXPECT_TRUE(result.cancel());
  EXPECT_TRUE(throws_cancelled(result));
  EXPECT_EQ(called, 0);
  EXPECT_EQ(error_called, 1);
}

TEST_P(Cancel, IsNoErrorThatSomebodyShouldHaveSeen) {
  {
    BusyWorkers busy(pool_, pool_.size());
    EXPECT_TRUE(pool_.apply_async(one).cancel());
    EXPECT_TRUE(pool_.map_async([](int n) { return n; }, {1, 2, 3}).cancel());
  }
  pool_.close();
  pool_.join();
  EXPECT_EQ(reported_, 0);
}

TEST_P(Cancel, AMapThatWaitsNeverRuns) {
  std::atomic<int> calls{0};
  BusyWorkers busy(pool_, pool_.size());
  const AsyncResult<void> result = pool_.map_async([&](int) { ++calls; }, std::vector<int>(100));
  EXPECT_TRUE(result.cancel());
  EXPECT_TRUE(result.ready());
  EXPECT_TRUE(result.cancelled());
  EXPECT_EQ(result.completed(), 100U);
  EXPECT_TRUE(throws_cancelled(result));
  EXPECT_TRUE(result.cancel());
  busy.release();
  pool_.apply(one);
  EXPECT_EQ(calls, 0);
}

TEST_P(Cancel, TheUnstartedChunksOfAMapAreGivenUpAndTheOthersEnd) {
  for (const std::ptrdiff_t chunksize : {1, 3}) {
    EventCount started;
    Gate finish;
    std::atomic<int> finished{0};
    const AsyncResult<void> result = pool_.map_async(
        [&](int) {
          started.add();
          finish.wait();
          ++finished;
        },
        std::vector<int>(100), chunksize);
    started.wait_until(pool_.size());
    EXPECT_TRUE(result.cancel());
    EXPECT_TRUE(result.cancel());
    EXPECT_TRUE(result.cancelled());
    EXPECT_FALSE(result.ready());
    EXPECT_TRUE(result.running());
    EXPECT_EQ(result.completed(), 100U - pool_.size() * static_cast<std::size_t>(chunksize));
    finish.open();
    EXPECT_TRUE(throws_cancelled(result));
    EXPECT_EQ(static_cast<std::size_t>(finished),
              pool_.size() * static_cast<std::size_t>(chunksize));
    EXPECT_EQ(result.completed(), 100U);
  }
}

TEST_P(Cancel, AMapWhoseChunksAllRunIsLeftAlone) {
  EventCount started;
  Gate finish;
  const AsyncResult<std::vector<int>> result = pool_.map_async(
      [&](int n) {
        started.add();
        finish.wait();
        return n;
      },
      std::vector<int>(pool_.size(), 7), 1);
  started.wait_until(pool_.size());
  EXPECT_FALSE(result.cancel());
  finish.open();
  EXPECT_THAT(result.get(), ::testing::Each(7));
  EXPECT_FALSE(result.cancelled());
}

TEST_P(Cancel, AnErrorThatCameBeforeStaysTheOutcomeOfAMap) {
  EventCount started;
  Gate finish;
  const AsyncResult<void> result = pool_.map_async(
      [&](int n) {
        if (n == 0) throw std::runtime_error("first");
        started.add();
        finish.wait();
      },
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, 1);
  started.wait_until(pool_.size());
  EXPECT_TRUE(result.cancel());
  finish.open();
  EXPECT_THROW(result.get(), std::runtime_error);
}

TEST_P(Cancel, AnEmptyMapIsDone) {
  EXPECT_FALSE(pool_.map_async([](int n) { return n; }, std::vector<int>{}).cancel());
}

TEST_P(Cancel, MayComeAfterThePool) {
  std::optional<ThreadPool> pool(std::in_place, workers());
  const AsyncResult<int> done = pool->apply_async(one);
  done.wait();
  BusyWorkers busy(*pool, pool->size());
  const AsyncResult<int> cancelled = pool->apply_async(one);
  EXPECT_TRUE(cancelled.cancel());
  const AsyncResult<int> terminated = pool->apply_async(one);
  pool->terminate();
  busy.release();
  pool.reset();
  EXPECT_FALSE(done.cancel());
  EXPECT_TRUE(cancelled.cancel());
  EXPECT_FALSE(terminated.cancel());
  EXPECT_FALSE(terminated.cancelled());
}

TEST_P(Cancel, MayDestroyThePool) {
  auto pool = std::make_shared<ThreadPool>(workers());
  Gate finish;
  EventCount started;
  for (std::size_t i = 0; i != pool->size(); ++i) {
    pool->apply_async([&] {
      started.add();
      finish.wait();
    });
  }
  started.wait_until(pool->size());
  const AsyncResult<void> last = pool->apply_async([pool] { ADD_FAILURE(); });
  const std::weak_ptr<ThreadPool> watched = pool;
  pool.reset();
  std::thread opener([&] {
    while (!watched.expired()) std::this_thread::yield();  // the destructor has begun
    finish.open();
  });
  EXPECT_TRUE(last.cancel());
  opener.join();
}

TEST(CancelOfNothing, IsAnError) {
  const AsyncResult<int> nothing;
  EXPECT_THROW(nothing.cancel(), ValueError);
  EXPECT_THROW(static_cast<void>(nothing.cancelled()), ValueError);
}

// Several threads cancel while workers take: a task runs, or all who asked were told true.
TEST_P(Cancel, RacesWithWorkersAndOtherCancellers) {
  for (Rounds rounds(100); rounds.next();) {
    constexpr std::size_t kTasks = 200;
    std::vector<std::atomic<int>> runs(kTasks);
    std::vector<AsyncResult<int>> results;
    for (std::size_t i = 0; i != kTasks; ++i) {
      results.push_back(pool_.apply_async([&runs, i] { return ++runs[i]; }));
    }
    std::vector<std::vector<char>> told(3, std::vector<char>(kTasks));
    std::vector<std::thread> cancellers;
    for (std::vector<char>& mine : told) {
      cancellers.emplace_back([&] {
        for (std::size_t i = kTasks; i-- != 0;) mine[i] = results[i].cancel() ? 1 : 0;
      });
    }
    for (std::thread& canceller : cancellers) canceller.join();
    for (std::size_t i = 0; i != kTasks; ++i) {
      results[i].wait();
      const int expected = results[i].cancelled() ? 1 : 0;
      for (const std::vector<char>& mine : told) ASSERT_EQ(mine[i], expected);
      ASSERT_EQ(runs[i], 1 - expected);
      ASSERT_EQ(throws_cancelled(results[i]), expected == 1);
    }
  }
}

TEST_P(Cancel, RacesWithAMapsWorkersAndTerminate) {
  for (Rounds rounds(100); rounds.next();) {
    Random random(rounds.seed());
    constexpr std::size_t kItems = 500;
    ThreadPool pool(workers());
    std::atomic<std::size_t> calls{0};
    const AsyncResult<void> result =
        pool.map_async([&](int) { ++calls; }, std::vector<int>(kItems), 1);
    std::thread terminator([&, dawdle = random.one_in(2)] {
      if (dawdle) std::this_thread::yield();
      pool.terminate();
    });
    random.dawdle(2000);
    const bool told = result.cancel();
    result.wait();
    terminator.join();
    ASSERT_EQ(result.cancelled(), told);
    ASSERT_EQ(result.completed(), kItems);
    if (told) {
      ASSERT_TRUE(throws_cancelled(result));
      ASSERT_LT(calls, kItems);
    }
  }
}

}  // namespace
}  // namespace millpond::test
