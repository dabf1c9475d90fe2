// SPDX-License-Identifier: MIT
//
// AsyncResult as a handle: shared by threads, compared, hashed, empty; deadlines of every clock;
// and what it says to the callback that runs before it is ready.
#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"
#include "../support/thread_watch.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

static_assert(std::is_nothrow_default_constructible_v<AsyncResult<int>>);
static_assert(std::is_nothrow_copy_constructible_v<AsyncResult<int>>);
static_assert(std::is_nothrow_move_constructible_v<AsyncResult<int>>);
static_assert(std::is_nothrow_move_assignable_v<AsyncResult<int>>);
static_assert(std::is_copy_assignable_v<AsyncResult<void>>);
static_assert(sizeof(AsyncResult<std::string>) == sizeof(void*));
static_assert(noexcept(std::hash<AsyncResult<int>>()(AsyncResult<int>())));
static_assert(noexcept(std::declval<const AsyncResult<int>&>().valid()));
static_assert(noexcept(AsyncResult<int>() == AsyncResult<int>()));

class ResultHandles : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, ResultHandles, worker_counts(),
                         ::testing::PrintToStringParamName());

// Shared by threads

constexpr int kThreads = 4;

// Runs `call(thread)` in several threads.
template <class Call>
void in_threads(Call call) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&call, thread] { call(thread); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ResultHandles, OneMayBeWaitedForByManyThreadsInEveryWay) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] {
    gate->wait();
    return std::string("value");
  });
  std::thread opener([gate] { gate->open(); });
  in_threads([&result](int thread) {
    switch (thread % 4) {
      case 0:
        EXPECT_EQ(result.get(), "value");
        break;
      case 1:
        result.wait();
        EXPECT_TRUE(result.ready());
        break;
      case 2:
        EXPECT_EQ(result.exception(), nullptr);
        EXPECT_TRUE(result.successful());
        break;
      default:
        while (!result.wait(1us)) {
        }
        EXPECT_EQ(result.get(0s), "value");
    }
  });
  opener.join();
}

TEST_P(ResultHandles, OneErrorMayBeCaughtByManyThreads) {
  const auto result = pool_.apply_async([]() -> int { throw std::runtime_error("bad"); });
  in_threads([&result](int) {
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(message_of<std::runtime_error>([&] { return result.get(); }), "bad");
      EXPECT_TRUE(holds<std::runtime_error>(result.exception()));
      EXPECT_FALSE(result.successful());
    }
  });
}

TEST_P(ResultHandles, AreCopiedAndDroppedByManyThreadsWhileTheTaskEnds) {
  InstanceCounter counter;
  for (int round = 0; round < 50; ++round) {
    auto result = pool_.apply_async([&counter] { return Counted(counter, 5); });
    {
      const AsyncResult<Counted> shared = result;
      result = {};
      in_threads([&shared](int thread) {
        AsyncResult<Counted> mine = shared;
        for (int i = 0; i < 10; ++i) {
          const AsyncResult<Counted> copy = mine;
          mine = copy;
        }
        if (thread == 0) {
          EXPECT_EQ(mine.get().value(), 5);
        }
      });
    }
  }
  pool_.close();
  pool_.join();
  EXPECT_TRUE(counter.balanced());
}

TEST_P(ResultHandles, TellProgressToManyThreadsWhileAMapRuns) {
  constexpr std::size_t kItems = 200;
  const auto result = pool_.map_async([](int n) { return n; }, std::vector<int>(kItems), 1);
  in_threads([&](int) {
    std::size_t last = 0;
    while (!result.ready()) {
      const std::size_t now = result.completed();
      EXPECT_GE(now, last);
      EXPECT_LE(now, kItems);
      last = now;
    }
    EXPECT_EQ(result.completed(), kItems);
    EXPECT_EQ(result.total(), kItems);
    EXPECT_FALSE(result.running());
  });
}

TEST_P(ResultHandles, ShowWhatTheTaskDidBefore) {
  // Unprotected: that the result is ready says that the write has happened.
  for (int round = 0; round < 100; ++round) {
    int written = 0;
    const auto result = pool_.apply_async([&written] { written = 7; });
    while (!result.ready()) std::this_thread::yield();
    EXPECT_EQ(written, 7);
  }
}

// Identity

TEST_P(ResultHandles, AreKeysOfHashMaps) {
  std::unordered_map<AsyncResult<int>, int> expected;
  for (int n = 0; n < 100; ++n) {
    expected.emplace(pool_.apply_async([n] { return n; }), n);
  }
  ASSERT_EQ(expected.size(), 100U);
  for (const auto& [result, n] : expected) EXPECT_EQ(result.get(), n);
}

TEST_P(ResultHandles, HashDifferentlyAsARule) {
  std::vector<AsyncResult<int>> results;
  std::set<std::size_t> hashes;
  for (int n = 0; n < 100; ++n) {
    results.push_back(pool_.apply_async([n] { return n; }));
    hashes.insert(std::hash<AsyncResult<int>>()(results.back()));
  }
  EXPECT_GT(hashes.size(), 90U);
}

TEST_P(ResultHandles, KeepTheirHashForLife) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] { gate->wait(); });
  const std::size_t hash = std::hash<AsyncResult<void>>()(result);
  gate->open();
  result.wait();
  EXPECT_EQ(std::hash<AsyncResult<void>>()(result), hash);
  const AsyncResult<void> copy = result;
  EXPECT_EQ(std::hash<AsyncResult<void>>()(copy), hash);
}

TEST_P(ResultHandles, AreEqualIfTheyReferToTheSameAndNotIfTheResultsAreAlike) {
  auto first = pool_.apply_async([] { return 1; });
  const auto second = pool_.apply_async([] { return 1; });
  EXPECT_FALSE(first == second);
  EXPECT_TRUE(first != second);
  EXPECT_FALSE(first == AsyncResult<int>());
  const AsyncResult<int> copy = first;
  const AsyncResult<int> moved = std::move(first);
  EXPECT_TRUE(copy == moved);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): it refers to nothing now
  EXPECT_TRUE(first == AsyncResult<int>());
}

TEST_P(ResultHandles, MayBeSwappedAndAssignedToThemselves) {
  auto first = pool_.apply_async([] { return 1; });
  auto second = pool_.apply_async([] { return 2; });
  std::swap(first, second);
  EXPECT_EQ(first.get(), 2);
  EXPECT_EQ(second.get(), 1);
  const AsyncResult<int>& same = first;
  first = same;
  EXPECT_EQ(first.get(), 2);
}

// Handles that refer to nothing

template <class R>
void expect_every_call_to_be_refused() {
  const AsyncResult<R> empty;
  EXPECT_FALSE(empty.valid());
  EXPECT_TRUE(empty == AsyncResult<R>());
  EXPECT_EQ(std::hash<AsyncResult<R>>()(empty), std::hash<AsyncResult<R>>()(AsyncResult<R>()));
  EXPECT_THROW(static_cast<void>(empty.get()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.get(1h)), ValueError);
  EXPECT_THROW(static_cast<void>(AsyncResult<R>().get()), ValueError);
  EXPECT_THROW(static_cast<void>(AsyncResult<R>().get(-1s)), ValueError);
  EXPECT_THROW(empty.wait(), ValueError);
  EXPECT_THROW(static_cast<void>(empty.wait(1h)), ValueError);
  EXPECT_THROW(static_cast<void>(empty.wait_until(steady_clock::now() + 1h)), ValueError);
  EXPECT_THROW(static_cast<void>(empty.wait_until(system_clock::now() - 1h)), ValueError);
  EXPECT_THROW(static_cast<void>(empty.ready()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.running()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.successful()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.exception()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.completed()), ValueError);
  EXPECT_THROW(static_cast<void>(empty.total()), ValueError);
}

TEST(EmptyResultHandle, RefusesEveryCallWithValueError) {
  expect_every_call_to_be_refused<int>();
  expect_every_call_to_be_refused<void>();
  expect_every_call_to_be_refused<int&>();
  expect_every_call_to_be_refused<MoveOnly>();
  expect_every_call_to_be_refused<std::vector<int>>();
}

TEST(EmptyResultHandle, MayBeCopiedAndMoved) {
  AsyncResult<int> empty;
  const AsyncResult<int> copy = empty;
  AsyncResult<int> moved = std::move(empty);
  moved = copy;
  EXPECT_FALSE(moved.valid());
}

// Deadlines of every clock

TEST_P(ResultHandles, WaitUntilAPastMomentOnlyLooks) {
  const auto gate = std::make_shared<Gate>();
  const OpenAtExit open(*gate);
  const auto result = pool_.apply_async([gate] { gate->wait(); });
  EXPECT_FALSE(result.wait_until(steady_clock::now() - 1h));
  EXPECT_FALSE(result.wait_until(system_clock::now() - 1h));
  EXPECT_FALSE(result.wait_until(steady_clock::time_point()));
  EXPECT_FALSE(result.wait_until(std::chrono::sys_days()));
  EXPECT_FALSE(result.wait_until(steady_clock::time_point::min()));
  EXPECT_FALSE(result.wait_until(system_clock::time_point::min()));
  gate->open();
  result.wait();
  EXPECT_TRUE(result.wait_until(steady_clock::now() - 1h));
  EXPECT_TRUE(result.wait_until(system_clock::time_point::min()));
}

TEST_P(ResultHandles, WaitUntilAFutureMomentWaitsForTheResult) {
  const auto wait_until = [this](auto moment) {
    const auto gate = std::make_shared<Gate>();
    const auto result = pool_.apply_async([gate] { gate->wait(); });
    std::thread opener([gate] { gate->open(); });
    const bool ready = result.wait_until(moment);
    opener.join();
    return ready;
  };
  EXPECT_TRUE(wait_until(steady_clock::now() + 1h));
  EXPECT_TRUE(wait_until(system_clock::now() + 1h));
  EXPECT_TRUE(
      wait_until(std::chrono::ceil<std::chrono::days>(system_clock::now()) + std::chrono::days(1)));
  EXPECT_TRUE(wait_until(steady_clock::time_point::max()));
  EXPECT_TRUE(wait_until(system_clock::time_point::max()));
}

TEST_P(ResultHandles, WaitUntilAMomentThatPassesMeanwhileGivesUp) {
  const auto gate = std::make_shared<Gate>();
  const OpenAtExit open(*gate);
  const auto result = pool_.apply_async([gate] { gate->wait(); });
  EXPECT_FALSE(result.wait_until(steady_clock::now() + 2ms));
  EXPECT_FALSE(result.wait_until(system_clock::now() + 2ms));
}

// A clock that somebody sets: it goes on by a second each time it is looked at.
struct JumpyClock {
  using rep = std::int64_t;
  using period = std::milli;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<JumpyClock>;
  [[maybe_unused]] static constexpr bool is_steady = false;
  static time_point now() noexcept { return time_point(std::chrono::seconds(looks++)); }
  static std::atomic<int> looks;
};
std::atomic<int> JumpyClock::looks = 0;

TEST_P(ResultHandles, WaitUntilAMomentOfAClockThatIsSetLooksAtTheClockAgain) {
  const auto gate = std::make_shared<Gate>();
  const OpenAtExit open(*gate);
  const auto result = pool_.apply_async([gate] { gate->wait(); });
  const auto start = JumpyClock::now();
  EXPECT_FALSE(result.wait_until(start + 1ms));
  EXPECT_GE(JumpyClock::now(), start + 1ms);
}

TEST_P(ResultHandles, TimedWaitsTakeAnyDuration) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] {
    gate->wait();
    return 1;
  });
  using Seconds = std::chrono::duration<double>;
  EXPECT_FALSE(result.wait(Seconds(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_FALSE(result.wait(Seconds(-std::numeric_limits<double>::infinity())));
  EXPECT_FALSE(result.wait(std::chrono::hours::min()));
  EXPECT_FALSE(result.wait(Seconds(1e-12)));
  EXPECT_THROW(static_cast<void>(result.get(std::chrono::years::min())), TimeoutError);
  std::thread opener([gate] { gate->open(); });
  EXPECT_TRUE(result.wait(Seconds(std::numeric_limits<double>::infinity())));
  EXPECT_EQ(result.get(std::chrono::years::max()), 1);
  EXPECT_TRUE(result.wait(std::chrono::duration<std::uint64_t>::max()));
  opener.join();
}

TEST_P(ResultHandles, SeveralTimedWaitersGiveUpWhileOthersWaitOn) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] {
    gate->wait();
    return 1;
  });
  EventCount gave_up;
  std::thread opener([&] {
    gave_up.wait_until(2);
    gate->open();
  });
  in_threads([&](int thread) {
    if (thread % 2 == 0) {
      EXPECT_FALSE(result.wait(1ms));
      gave_up.add();
    }
    EXPECT_EQ(result.get(), 1);
  });
  opener.join();
}

// In the result's own callback

// Runs `look(result)` in the callback of a task that returns 7.
template <class Look>
void in_own_callback(ThreadPool& pool, Look look) {
  const auto assigned = std::make_shared<Gate>();
  const auto result = std::make_shared<AsyncResult<int>>();
  *result =
      pool.apply_async([] { return 7; }, std::tuple(), {.callback = [assigned, result, look](int) {
                         assigned->wait();
                         look(*result);
                       }});
  assigned->open();
  result->wait();
  EXPECT_TRUE(result->successful());
  *result = {};  // the callback no longer owns its own result
}

TEST_P(ResultHandles, GiveTheValueToTheOwnCallbackThoughNotReady) {
  in_own_callback(pool_, [](const AsyncResult<int>& result) {
    EXPECT_FALSE(result.ready());
    EXPECT_EQ(result.get(), 7);
    EXPECT_EQ(result.get(), 7);
    EXPECT_EQ(result.get(0s), 7);
    EXPECT_EQ(result.get(1h), 7);
    EXPECT_EQ(result.exception(), nullptr);
    EXPECT_FALSE(result.ready());
  });
}

TEST_P(ResultHandles, SayToTheOwnCallbackThatTheyAreNotReadyWithoutBlocking) {
  in_own_callback(pool_, [](const AsyncResult<int>& result) {
    EXPECT_TRUE(result.running());
    result.wait();
    EXPECT_FALSE(result.wait(0s));
    EXPECT_FALSE(result.wait(24h));
    EXPECT_FALSE(result.wait_until(steady_clock::now() + 24h));
    EXPECT_FALSE(result.wait_until(system_clock::now() + 24h));
    EXPECT_THROW(static_cast<void>(result.successful()), ValueError);
  });
}

TEST_P(ResultHandles, KeepOthersWaitingWhileTheOwnCallbackRuns) {
  const auto in_callback = std::make_shared<Gate>();
  const auto may_end = std::make_shared<Gate>();
  const OpenAtExit open(*may_end);
  const auto result = pool_.apply_async([] { return 7; }, std::tuple(), {.callback = [=](int) {
                                          in_callback->open();
                                          may_end->wait();
                                        }});
  in_callback->wait();
  EXPECT_FALSE(result.ready());
  EXPECT_TRUE(result.running());
  EXPECT_THROW(static_cast<void>(result.get(0s)), TimeoutError);
  EXPECT_THROW(static_cast<void>(result.get(1ms)), TimeoutError);
  EXPECT_THROW(static_cast<void>(result.successful()), ValueError);
  may_end->open();
  EXPECT_EQ(result.get(), 7);
  EXPECT_FALSE(result.running());
}

}  // namespace
}  // namespace millpond::test
