// SPDX-License-Identifier: MIT
//
// Functions that take a std::stop_token: who gets one, and who requests stop of it.

#include <millpond/millpond.hpp>

#include <gtest/gtest.h>

#ifndef __cpp_lib_jthread

TEST(StopToken, IsNotThere) { GTEST_SKIP() << "the standard library has no <stop_token>"; }

#else

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "../support/gate.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using ::testing::ElementsAre;

// A task's body that ends when it is asked to; tells when it runs.
int run_until_stopped(const std::stop_token& token, Gate& started) {
  started.open();
  while (!token.stop_requested()) std::this_thread::yield();
  return 7;
}

class StopToken : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
  Gate started_;
};

INSTANTIATE_TEST_SUITE_P(Workers, StopToken, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(StopToken, IsGivenToWhateverCannotDoWithout) {
  const auto add = [](std::stop_token token, int a, int b) {
    EXPECT_TRUE(token.stop_possible());
    EXPECT_FALSE(token.stop_requested());
    return a + b;
  };
  const auto twice = [](std::stop_token token, int n) {
    EXPECT_TRUE(token.stop_possible());
    return 2 * n;
  };
  EXPECT_EQ(pool_.apply(add, 1, 2), 3);
  EXPECT_EQ(pool_.apply_async(add, 1, 2).get(), 3);
  EXPECT_EQ(pool_.apply_async(add, std::tuple{1, 2}, {}).get(), 3);
  EXPECT_THAT(pool_.map(twice, {1, 2}), ElementsAre(2, 4));
  EXPECT_THAT(pool_.map_async(twice, {1, 2}).get(), ElementsAre(2, 4));
  std::array<int, 2> out{};
  pool_.map_into(out, twice, {1, 2});
  EXPECT_THAT(out, ElementsAre(2, 4));
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  EXPECT_THAT(pool_.starmap(add, pairs), ElementsAre(3, 7));
  EXPECT_THAT(pool_.starmap_async(add, pairs).get(), ElementsAre(3, 7));
  std::vector<int> lazy;
  for (const int n : pool_.imap(twice, {1, 2})) lazy.push_back(n);
  for (const int n : pool_.istarmap(add, pairs)) lazy.push_back(n);
  EXPECT_THAT(lazy, ElementsAre(2, 4, 3, 7));
  int sum = 0;
  for (const int n : pool_.imap_unordered(twice, {1, 2})) sum += n;
  for (const int n : pool_.istarmap_unordered(add, pairs)) sum += n;
  EXPECT_EQ(sum, 16);
}

TEST_P(StopToken, IsNotGivenToWhatCanBeCalledWithout) {
  const auto any = [](const auto&... arguments) { return sizeof...(arguments); };
  EXPECT_EQ(pool_.apply(any, 1), 1U);
  EXPECT_EQ(pool_.apply_async(any).get(), 0U);
  EXPECT_THAT(pool_.map(any, {1, 2}), ElementsAre(1U, 1U));
}

TEST_P(StopToken, ComesBeforeArgumentsOfAnyKind) {
  const auto consume = [](std::stop_token, std::unique_ptr<int> owned, int& referred) {
    referred = *owned;
    return std::string("done");
  };
  int target = 0;
  EXPECT_EQ(pool_.apply_async(consume, std::make_unique<int>(3), std::ref(target)).get(), "done");
  EXPECT_EQ(target, 3);
}

TEST_P(StopToken, IsGivenInATaskOfTheSamePoolToo) {
  const int sum = pool_.apply([&] {
    return pool_.apply([](std::stop_token token, int n) { return token.stop_possible() ? n : 0; },
                       5);
  });
  EXPECT_EQ(sum, 5);
}

TEST_P(StopToken, CancelOfARunningTaskRequestsStop) {
  const AsyncResult<int> result =
      pool_.apply_async([&](std::stop_token token) { return run_until_stopped(token, started_); });
  started_.wait();
  EXPECT_FALSE(result.cancel());
  EXPECT_EQ(result.get(), 7);
  EXPECT_FALSE(result.cancel());
}

TEST_P(StopToken, CancelOfAMapRequestsStopOfTheChunksThatRun) {
  EventCount started;
  const AsyncResult<void> result = pool_.map_async(
      [&](std::stop_token token, int) {
        started.add();
        while (!token.stop_requested()) std::this_thread::yield();
      },
      std::vector<int>(100), 1);
  started.wait_until(pool_.size());
  EXPECT_TRUE(result.cancel());
  EXPECT_THROW(result.get(), CancelledError);
}

TEST_P(StopToken, EachTaskHasItsOwn) {
  Gate other_started, finish;
  if (workers() == 1) GTEST_SKIP() << "two tasks run at once";
  const AsyncResult<int> first =
      pool_.apply_async([&](std::stop_token token) { return run_until_stopped(token, started_); });
  const AsyncResult<bool> second = pool_.apply_async([&](std::stop_token token) {
    other_started.open();
    finish.wait();
    return token.stop_requested();
  });
  started_.wait();
  other_started.wait();
  first.cancel();
  first.wait();
  finish.open();
  EXPECT_FALSE(second.get());
}

TEST_P(StopToken, TerminateRequestsStopOfAllThatRuns) {
  EventCount started;
  const auto run = [&](std::stop_token token) {
    started.add();
    while (!token.stop_requested()) std::this_thread::yield();
    return 7;
  };
  std::vector<AsyncResult<int>> results;
  for (std::size_t i = 0; i != pool_.size(); ++i) results.push_back(pool_.apply_async(run));
  started.wait_until(pool_.size());
  const AsyncResult<int> queued = pool_.apply_async(run);
  pool_.terminate();
  for (const AsyncResult<int>& result : results) EXPECT_EQ(result.get(), 7);
  EXPECT_THROW(queued.get(), TerminatedError);
}

TEST_P(StopToken, TheDestructorRequestsStop) {
  AsyncResult<int> result;
  {
    ThreadPool pool(workers());
    result =
        pool.apply_async([&](std::stop_token token) { return run_until_stopped(token, started_); });
    started_.wait();
  }
  EXPECT_EQ(result.get(), 7);
}

TEST_P(StopToken, TerminateStopsAnImapsItems) {
  auto items = pool_.imap(
      [&](std::stop_token token, int) { return run_until_stopped(token, started_); }, {1});
  started_.wait();
  pool_.terminate();
  EXPECT_EQ(items.next(), 7);
}

TEST_P(StopToken, StopCallbacksRunWithoutLocks) {
  std::atomic<bool> called{false};
  const AsyncResult<int> result = pool_.apply_async([&](std::stop_token token) {
    const std::stop_callback callback(token, [&] {
      EXPECT_EQ(pool_.state(), State::terminate);
      EXPECT_THROW(pool_.apply_async([] {}), ValueError);
      called = true;
    });
    return run_until_stopped(token, started_);
  });
  started_.wait();
  pool_.terminate();
  EXPECT_EQ(result.get(), 7);
  EXPECT_TRUE(called);
}

// Seen by AddressSanitizer if nobody else keeps the result.
TEST_P(StopToken, AStopCallbackMayDropTheHandleThatIsCancelled) {
  Gate asked;
  std::stop_token token;
  AsyncResult<int> task = pool_.apply_async([&](std::stop_token its) {
    token = std::move(its);
    started_.open();
    asked.wait();
    return 1;
  });
  started_.wait();
  {
    const std::stop_callback drops(token, [&] {
      asked.open();
      task.wait();
      task = {};
    });
    EXPECT_FALSE(task.cancel());
  }
  EXPECT_FALSE(task.valid());

  Gate items_started;
  AsyncResult<std::vector<int>> map = pool_.map_async(
      [&](std::stop_token its, int item) {
        if (item == 0) {
          token = std::move(its);
          items_started.open();
        }
        return item;
      },
      std::vector<int>{0}, 1);
  items_started.wait();
  map.wait();
  const std::stop_callback drops(token, [&] { map = {}; });
  EXPECT_FALSE(map.cancel());
  EXPECT_FALSE(map.valid());
}

TEST_P(StopToken, ADoneCallbackMayDropTheHandleThatIsCancelled) {
  const BusyWorkers busy(pool_);
  AsyncResult<std::vector<int>> map =
      pool_.map_async([](std::stop_token, int item) { return item; }, std::vector<int>{0});
  map.add_done_callback([&](AsyncResult<std::vector<int>>) { map = {}; });
  EXPECT_TRUE(map.cancel());
  EXPECT_FALSE(map.valid());
}

TEST_P(StopToken, OfAFinishedTaskMayBeKept) {
  std::stop_token kept;
  const AsyncResult<void> result =
      pool_.apply_async([&kept](std::stop_token token) { kept = std::move(token); });
  result.wait();
  pool_.terminate();
  EXPECT_FALSE(kept.stop_requested());
}

TEST_P(StopToken, IsLostWithARefusedTask) {
  pool_.close();
  EXPECT_THROW(pool_.apply_async([](std::stop_token) {}), ValueError);
  pool_.terminate();
}

TEST_P(StopToken, WorksInAPriorityPool) {
  PriorityThreadPool pool(workers());
  const AsyncResult<int> result =
      pool.apply_async([&](std::stop_token token) { return run_until_stopped(token, started_); },
                       std::tuple{}, {.priority = 3});
  started_.wait();
  result.cancel();
  EXPECT_EQ(result.get(), 7);
}

}  // namespace
}  // namespace millpond::test

#endif
