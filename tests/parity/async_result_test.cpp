// SPDX-License-Identifier: MIT
//
// AsyncResult: the handle that the asynchronous calls return.
#include <millpond/millpond.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

// Types

static_assert(std::is_same_v<AsyncResult<int>::value_type, int>);
static_assert(std::is_same_v<AsyncResult<std::vector<int>>::value_type, std::vector<int>>);
static_assert(std::is_same_v<AsyncResult<void>::value_type, void>);
static_assert(std::is_same_v<AsyncResult<int&>::value_type, int&>);

static_assert(std::is_same_v<decltype(std::declval<AsyncResult<int>&>().get()), const int&>);
static_assert(std::is_same_v<decltype(std::declval<const AsyncResult<int>&>().get()), const int&>);
static_assert(std::is_same_v<decltype(std::declval<AsyncResult<int>>().get()), int>);
static_assert(std::is_same_v<decltype(std::declval<AsyncResult<int>&>().get(1s)), const int&>);
static_assert(std::is_same_v<decltype(std::declval<AsyncResult<int>>().get(1s)), int>);
static_assert(std::is_void_v<decltype(std::declval<AsyncResult<void>&>().get())>);
static_assert(std::is_void_v<decltype(std::declval<AsyncResult<void>>().get())>);
static_assert(std::is_same_v<decltype(std::declval<AsyncResult<int&>&>().get()), int&>);
static_assert(std::is_same_v<decltype(std::declval<AsyncResult<int&>>().get()), int&>);

static_assert(std::is_default_constructible_v<AsyncResult<int>>);
static_assert(std::is_copy_constructible_v<AsyncResult<MoveOnly>>);
static_assert(std::is_copy_assignable_v<AsyncResult<MoveOnly>>);

class AnAsyncResult : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, AnAsyncResult, worker_counts(),
                         ::testing::PrintToStringParamName());

// get()

TEST_P(AnAsyncResult, GetWaitsForTheValue) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] {
    gate->wait();
    return std::string("value");
  });
  std::thread opener([gate] { gate->open(); });
  EXPECT_EQ(result.get(), "value");
  opener.join();
}

TEST_P(AnAsyncResult, GetMayBeRepeatedAndReturnsTheSameObject) {
  const auto result = pool_.apply_async([] { return std::string("value"); });
  const std::string& first = result.get();
  const std::string& second = result.get();
  EXPECT_EQ(&first, &second);
  EXPECT_EQ(second, "value");
}

TEST_P(AnAsyncResult, GetFromAnRvalueHandleMovesTheValueOut) {
  EXPECT_EQ(*pool_.apply_async([] { return std::make_unique<int>(5); }).get(), 5);

  auto result = pool_.apply_async([] { return MoveOnly(6); });
  const MoveOnly value = std::move(result).get();
  EXPECT_EQ(value.value(), 6);

  InstanceCounter counter;
  {
    const Counted counted = pool_.apply_async([&counter] { return Counted(counter, 7); }).get();
    EXPECT_EQ(counted.value(), 7);
    EXPECT_EQ(counter.copies(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(AnAsyncResult, GetFromSeveralThreadsGivesEachTheValue) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] {
    gate->wait();
    return 7;
  });
  std::vector<int> seen(4, 0);
  std::vector<std::thread> readers;
  for (int& value : seen) {
    readers.emplace_back([&value, result] { value = result.get(); });
  }
  gate->open();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(seen, (std::vector{7, 7, 7, 7}));
}

TEST_P(AnAsyncResult, GetRethrowsTheTasksExceptionEveryTime) {
  const auto result = pool_.apply_async([]() -> int { throw std::out_of_range("too far"); });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(message_of<std::out_of_range>([&] { return result.get(); }), "too far");
  }
  EXPECT_EQ(message_of<std::out_of_range>([&] { return AsyncResult<int>(result).get(); }),
            "too far");
}

TEST_P(AnAsyncResult, GetWithATimeoutThrowsTimeoutErrorAndMayBeRetried) {
  const auto gate = std::make_shared<Gate>();
  auto result = pool_.apply_async([gate] {
    gate->wait();
    return 1;
  });
  EXPECT_THROW(static_cast<void>(result.get(0s)), TimeoutError);
  EXPECT_THROW(static_cast<void>(result.get(-5s)), TimeoutError);
  EXPECT_THROW(static_cast<void>(result.get(1ms)), TimeoutError);
  EXPECT_THROW(static_cast<void>(result.get(1us)), TimeoutError);
  EXPECT_THROW(static_cast<void>(result.get(std::chrono::duration<double>(0.001))), TimeoutError);
  gate->open();
  EXPECT_EQ(result.get(std::chrono::duration<double>(3600.0)), 1);
  EXPECT_EQ(result.get(1h), 1);
  EXPECT_EQ(result.get(0s), 1);
  EXPECT_EQ(result.get(-1s), 1);
}

TEST_P(AnAsyncResult, GetTakesTheLongestTimeouts) {
  // A deadline of now + timeout must not overflow into the past.
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] {
    gate->wait();
    return 1;
  });
  std::thread opener([gate] { gate->open(); });
  EXPECT_EQ(result.get(std::chrono::nanoseconds::max()), 1);
  EXPECT_EQ(result.get(std::chrono::hours::max()), 1);
  opener.join();
}

// wait()

TEST_P(AnAsyncResult, WaitDoesNotThrow) {
  const auto good = pool_.apply_async([] { return 1; });
  const auto bad = pool_.apply_async([]() -> int { throw std::runtime_error("bad"); });
  good.wait();
  bad.wait();
  EXPECT_TRUE(good.ready());
  EXPECT_TRUE(bad.ready());
  EXPECT_NE(bad.exception(), nullptr);
}

TEST_P(AnAsyncResult, TimedWaitsSayWhetherItIsReady) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] { gate->wait(); });
  EXPECT_FALSE(result.wait(0s));
  EXPECT_FALSE(result.wait(-1s));
  EXPECT_FALSE(result.wait(1ms));
  EXPECT_FALSE(result.wait_until(std::chrono::steady_clock::now()));
  EXPECT_FALSE(result.wait_until(std::chrono::system_clock::now() + 1ms));
  gate->open();
  EXPECT_TRUE(result.wait(1h));
  EXPECT_TRUE(result.wait(0s));
  EXPECT_TRUE(result.wait_until(std::chrono::steady_clock::now()));
  EXPECT_TRUE(result.wait_until(std::chrono::system_clock::now() + 1h));
}

// ready(), successful(), exception()

TEST_P(AnAsyncResult, IsReadyWhenTheTaskHasFinishedWellOrBadly) {
  const auto gate = std::make_shared<Gate>();
  const auto good = pool_.apply_async([gate] { gate->wait(); });
  EXPECT_FALSE(good.ready());
  gate->open();
  good.wait();
  EXPECT_TRUE(good.ready());

  const auto bad = pool_.apply_async([] { throw 1; });
  bad.wait();
  EXPECT_TRUE(bad.ready());
  EXPECT_FALSE(bad.successful());
}

TEST_P(AnAsyncResult, SuccessfulIsAValueErrorBeforeItIsReady) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] { gate->wait(); });
  EXPECT_THROW(static_cast<void>(result.successful()), ValueError);
  gate->open();
  result.wait();
  EXPECT_TRUE(result.successful());
}

TEST_P(AnAsyncResult, ExceptionWaitsAndGivesTheTasksException) {
  const auto gate = std::make_shared<Gate>();
  const auto bad = pool_.apply_async([gate]() -> int {
    gate->wait();
    throw std::out_of_range("too far");
  });
  std::thread opener([gate] { gate->open(); });
  EXPECT_EQ(message_of<std::out_of_range>(bad.exception()), "too far");
  EXPECT_EQ(bad.exception(), bad.exception());
  opener.join();

  const auto good = pool_.apply_async([] { return 1; });
  EXPECT_EQ(good.exception(), nullptr);
  EXPECT_EQ(good.get(), 1);
}

TEST_P(AnAsyncResult, KnowsWhetherItsTaskRunsAndHowFarItIs) {
  const auto started = std::make_shared<Gate>();
  const auto may_end = std::make_shared<Gate>();
  const auto result = pool_.apply_async([=] {
    started->open();
    may_end->wait();
  });
  started->wait();
  EXPECT_TRUE(result.running());
  EXPECT_EQ(result.completed(), 0U);
  EXPECT_EQ(result.total(), 1U);
  may_end->open();
  result.wait();
  EXPECT_FALSE(result.running());
  EXPECT_EQ(result.completed(), 1U);
  EXPECT_EQ(result.total(), 1U);
}

TEST(AsyncResultProgress, CountsTheItemsOfAMap) {
  EventCount may_run;
  EventCount ran;
  ThreadPool pool(1);
  const auto result = pool.map_async(
      [&](int n) {
        may_run.wait_until(static_cast<std::size_t>(n));
        ran.add();
      },
      {1, 2, 3}, 1);
  EXPECT_EQ(result.total(), 3U);
  EXPECT_EQ(result.completed(), 0U);
  may_run.add(2);
  ran.wait_until(2);
  EXPECT_GE(result.completed(), 1U);
  EXPECT_LE(result.completed(), 2U);
  may_run.add(1);
  result.wait();
  EXPECT_EQ(result.completed(), 3U);
}

TEST(AsyncResultProgress, CountsSkippedItems) {
  ThreadPool pool(1);
  const auto result =
      pool.map_async([](int) { throw std::runtime_error("each"); }, {1, 2, 3, 4, 5}, 5);
  EXPECT_NE(result.exception(), nullptr);
  EXPECT_EQ(result.completed(), 5U);
  EXPECT_EQ(result.total(), 5U);
}

// Handles

TEST_P(AnAsyncResult, CopiesReferToOneResult) {
  const auto gate = std::make_shared<Gate>();
  const auto first = pool_.apply_async([gate] {
    gate->wait();
    return 1;
  });
  const AsyncResult<int> second = first;
  AsyncResult<int> third;
  third = second;
  EXPECT_TRUE(first == second);
  EXPECT_TRUE(first == third);
  EXPECT_FALSE(third.ready());
  gate->open();
  EXPECT_EQ(&first.get(), &third.get());
}

TEST_P(AnAsyncResult, EqualityAndHashGoByIdentity) {
  const auto first = pool_.apply_async([] { return 1; });
  const auto second = pool_.apply_async([] { return 1; });
  EXPECT_TRUE(first != second);
  const std::unordered_set<AsyncResult<int>> set{first, second, first};
  EXPECT_EQ(set.size(), 2U);
  EXPECT_TRUE(set.contains(second));
  EXPECT_EQ(std::hash<AsyncResult<int>>{}(first),
            std::hash<AsyncResult<int>>{}(AsyncResult<int>(first)));
}

TEST(AnEmptyAsyncResult, RefersToNothing) {
  AsyncResult<int> empty;
  EXPECT_FALSE(empty.valid());
  EXPECT_TRUE(empty == AsyncResult<int>());
  EXPECT_THROW(static_cast<void>(empty.get()), ValueError);
  EXPECT_THROW(static_cast<void>(AsyncResult<int>().get()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.get(0s)), ValueError);
  EXPECT_THROW(empty.wait(), ValueError);
  EXPECT_THROW(static_cast<void>(empty.wait(0s)), ValueError);
  EXPECT_THROW(static_cast<void>(empty.wait_until(std::chrono::steady_clock::now())), ValueError);
  EXPECT_THROW(static_cast<void>(empty.ready()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.successful()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.exception()), ValueError);

  AsyncResult<void> empty_void;
  EXPECT_FALSE(empty_void.valid());
  EXPECT_THROW(empty_void.get(), ValueError);
}

TEST_P(AnAsyncResult, MayBeAssignedAndEmptiedAgain) {
  AsyncResult<int> result;
  result = pool_.apply_async([] { return 1; });
  EXPECT_TRUE(result.valid());
  EXPECT_FALSE(result == AsyncResult<int>());
  EXPECT_EQ(result.get(), 1);
  result = AsyncResult<int>();
  EXPECT_FALSE(result.valid());
}

TEST_P(AnAsyncResult, MayBeDroppedAtAnyTimeWithoutBlocking) {
  const auto calls = std::make_shared<EventCount>();
  BusyWorkers busy(pool_);
  pool_.apply_async([calls] { calls->add(); });
  {
    const auto named = pool_.apply_async([calls] { calls->add(); });
    const auto copy = named;
  }
  busy.release();
  calls->wait_until(2);
}

TEST_P(AnAsyncResult, MayOutliveThePool) {
  AsyncResult<std::string> good;
  AsyncResult<int> bad;
  AsyncResult<std::vector<int>> many;
  {
    ThreadPool pool(workers());
    good = pool.apply_async([] { return std::string("value"); });
    bad = pool.apply_async([]() -> int { throw std::runtime_error("bad"); });
    many = pool.map_async([](int n) { return n; }, std::vector{1, 2});
    pool.close();
    pool.join();
  }
  EXPECT_TRUE(good.ready());
  EXPECT_EQ(good.get(), "value");
  EXPECT_EQ(message_of<std::runtime_error>([&] { return bad.get(); }), "bad");
  EXPECT_EQ(many.get(), (std::vector{1, 2}));
}

TEST_P(AnAsyncResult, DestroysItsValueWithTheLastHandle) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  auto result = pool.apply_async([&counter] { return Counted(counter); });
  auto copy = result;
  result.wait();
  pool.close();
  pool.join();
  result = {};
  EXPECT_EQ(counter.alive(), 1);
  copy = {};
  EXPECT_TRUE(counter.balanced());
}

TEST_P(AnAsyncResult, MayHoldAReference) {
  int target = 1;
  auto result = pool_.apply_async([&target]() -> int& { return target; });
  result.get() = 2;
  EXPECT_EQ(target, 2);
  EXPECT_EQ(&std::move(result).get(), &target);
}

TEST_P(AnAsyncResult, MayHoldATypeWithoutDefaultConstructor) {
  EXPECT_EQ(pool_.apply_async([] { return NoDefault(3); }).get().value(), 3);
}

}  // namespace
}  // namespace millpond::test
