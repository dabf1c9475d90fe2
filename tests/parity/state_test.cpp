// SPDX-License-Identifier: MIT
//
// A pool's life: construction, close, terminate, join, destruction, and what it says of itself.
#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/instance_counter.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<ThreadPool>);
static_assert(!std::is_copy_assignable_v<ThreadPool>);
static_assert(!std::is_move_constructible_v<ThreadPool>);
static_assert(!std::is_move_assignable_v<ThreadPool>);
static_assert(!std::is_convertible_v<int, ThreadPool>);

class PoolState : public WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, PoolState, worker_counts(), ::testing::PrintToStringParamName());

// Construction

TEST(PoolConstruction, HasAWorkerPerCpuByDefault) {
  EXPECT_GE(cpu_count(), 1U);
  EXPECT_EQ(ThreadPool().size(), cpu_count());
  EXPECT_EQ(ThreadPool(PoolOptions{}).size(), cpu_count());
}

TEST(PoolConstruction, TakesANumberOfAnyIntegralType) {
  EXPECT_EQ(ThreadPool(3).size(), 3U);
  EXPECT_EQ(ThreadPool(3U).size(), 3U);
  EXPECT_EQ(ThreadPool(3L).size(), 3U);
  EXPECT_EQ(ThreadPool(std::size_t{3}).size(), 3U);
  EXPECT_EQ(ThreadPool(static_cast<short>(3)).size(), 3U);
  EXPECT_EQ(ThreadPool(static_cast<unsigned char>(3)).size(), 3U);
  EXPECT_EQ(ThreadPool(PoolOptions{.processes = 3}).size(), 3U);
}

TEST(PoolConstruction, RefusesLessThanOneWorker) {
  const std::string message = "Number of processes must be at least 1";
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(0); }), message);
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(-1); }), message);
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(0U); }), message);
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(std::size_t{0}); }), message);
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(std::numeric_limits<long long>::min()); }),
            message);
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(PoolOptions{.processes = 0}); }), message);
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(PoolOptions{.processes = -4}); }), message);
  EXPECT_EQ(message_of<ValueError>([] { ThreadPool pool(0, [] { FAIL() << "ran"; }); }), message);
}

thread_local int initialized_here = 0;

TEST_P(PoolState, RunsTheInitializerOnceInEveryWorkerBeforeItsFirstTask) {
  std::atomic<int> calls = 0;
  ThreadPool pool(workers(), [&calls] {
    ++calls;
    ++initialized_here;
  });
  EXPECT_EQ(calls, workers());  // The constructor has waited for all of them.
  EXPECT_EQ(initialized_here, 0);
  Rendezvous together(pool.size());
  std::vector<int> items(pool.size());
  const std::vector<int> seen = pool.map(
      [&together](int) {
        together.arrive_and_wait();  // One item a worker.
        return initialized_here;
      },
      items, 1);
  EXPECT_EQ(seen, std::vector<int>(pool.size(), 1));
  EXPECT_EQ(calls, workers());
}

TEST_P(PoolState, PassesInitargsToTheInitializer) {
  std::mutex mutex;
  std::vector<std::string> seen;
  int shared = 0;
  std::string text = "text";
  ThreadPool pool(
      workers(),
      [&](int number, const std::string& word, int& reference) {
        const std::lock_guard lock(mutex);
        seen.push_back(word + std::to_string(number));
        ++reference;
      },
      5, text, std::ref(shared));
  EXPECT_EQ(seen, std::vector<std::string>(pool.size(), "text5"));
  EXPECT_EQ(shared, workers());
}

TEST_P(PoolState, TakesTheInitializerFromOptions) {
  std::atomic<int> calls = 0;
  ThreadPool pool(PoolOptions{.processes = workers(), .initializer = [&calls] { ++calls; }});
  EXPECT_EQ(calls, workers());
}

TEST_P(PoolState, TakesAnEmptyInitializerForNone) {
  ThreadPool pool(workers(), std::function<void()>());
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(PoolState, LetsTheInitializersExceptionOut) {
  InstanceCounter counter;
  {
    const Counted captured(counter);
    std::atomic<int> calls = 0;
    EXPECT_EQ(message_of<std::runtime_error>([&] {
                ThreadPool pool(workers(), [&calls, captured] {
                  if (++calls == workers()) throw std::runtime_error("no such device");
                });
              }),
              "no such device");
    EXPECT_EQ(calls, workers());  // Nobody is respawned.
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(PoolConstruction, LetsAnInitializersExceptionOfAnyTypeOut) {
  EXPECT_THROW(ThreadPool(2, [] { throw 42; }), int);
  EXPECT_THROW(ThreadPool(PoolOptions{.processes = 2, .initializer = [] { throw 'c'; }}), char);
}

TEST_P(PoolState, NumbersItsWorkers) {
  ThreadPool pool(workers());
  Rendezvous together(pool.size());
  std::vector<int> items(pool.size());
  const auto indices = pool.map(
      [&together](int) {
        together.arrive_and_wait();
        return this_worker::index().value();
      },
      items, 1);
  std::set<std::size_t> expected;
  for (std::size_t i = 0; i < pool.size(); ++i) expected.insert(i);
  EXPECT_EQ(std::set<std::size_t>(indices.begin(), indices.end()), expected);
}

// What it says of itself

std::string printed(const ThreadPool& pool) {
  std::ostringstream stream;
  stream << pool;
  return stream.str();
}

TEST(PoolText, TellsStateAndSize) {
  ThreadPool pool(4);
  EXPECT_EQ(to_string(pool), "<millpond::ThreadPool state=RUN pool_size=4>");
  EXPECT_EQ(printed(pool), "<millpond::ThreadPool state=RUN pool_size=4>");
  pool.close();
  EXPECT_EQ(to_string(pool), "<millpond::ThreadPool state=CLOSE pool_size=4>");
  pool.join();
  EXPECT_EQ(to_string(pool), "<millpond::ThreadPool state=CLOSE pool_size=4>");
  pool.terminate();
  EXPECT_EQ(to_string(pool), "<millpond::ThreadPool state=TERMINATE pool_size=4>");
  EXPECT_EQ(printed(pool), "<millpond::ThreadPool state=TERMINATE pool_size=4>");
}

TEST_P(PoolState, GoesFromRunToCloseToTerminate) {
  ThreadPool pool(workers());
  EXPECT_EQ(pool.state(), State::run);
  EXPECT_EQ(pool.size(), static_cast<std::size_t>(workers()));
  pool.close();
  EXPECT_EQ(pool.state(), State::close);
  pool.close();
  EXPECT_EQ(pool.state(), State::close);
  pool.terminate();
  EXPECT_EQ(pool.state(), State::terminate);
  pool.terminate();
  EXPECT_EQ(pool.state(), State::terminate);
  pool.close();
  EXPECT_EQ(pool.state(), State::terminate);
  pool.join();
  EXPECT_EQ(pool.state(), State::terminate);
}

// Issuing work when not running

struct IssuingCall {
  const char* name;
  std::function<void(ThreadPool&)> issue;
};

void ignore(int) {}
void ignore_both(int, int) {}

std::vector<IssuingCall> issuing_calls() {
  const auto pairs = [] { return std::vector<std::pair<int, int>>{{1, 2}}; };
  return {
      {"apply", [](ThreadPool& pool) { pool.apply(ignore, 1); }},
      {"apply_async", [](ThreadPool& pool) { pool.apply_async(ignore, 1); }},
      {"apply_async with options",
       [](ThreadPool& pool) { pool.apply_async(ignore, std::tuple(1), {.callback = [] {}}); }},
      {"map", [](ThreadPool& pool) { pool.map(ignore, {1}); }},
      {"map of nothing", [](ThreadPool& pool) { pool.map(ignore, std::vector<int>{}); }},
      {"map_async", [](ThreadPool& pool) { pool.map_async(ignore, {1}); }},
      {"starmap", [=](ThreadPool& pool) { pool.starmap(ignore_both, pairs()); }},
      {"starmap_async", [=](ThreadPool& pool) { pool.starmap_async(ignore_both, pairs()); }},
      {"imap", [](ThreadPool& pool) { pool.imap(ignore, {1}); }},
      {"imap_unordered", [](ThreadPool& pool) { pool.imap_unordered(ignore, {1}); }},
      {"istarmap", [=](ThreadPool& pool) { pool.istarmap(ignore_both, pairs()); }},
      {"istarmap_unordered",
       [=](ThreadPool& pool) { pool.istarmap_unordered(ignore_both, pairs()); }},
  };
}

TEST_P(PoolState, RefusesWorkWhenNotRunning) {
  for (const IssuingCall& call : issuing_calls()) {
    ThreadPool pool(workers());
    EXPECT_NO_THROW(call.issue(pool)) << call.name;
    pool.close();
    EXPECT_EQ(message_of<ValueError>([&] { call.issue(pool); }), "Pool not running") << call.name;
    pool.join();
    EXPECT_EQ(message_of<ValueError>([&] { call.issue(pool); }), "Pool not running") << call.name;
    pool.terminate();
    EXPECT_EQ(message_of<ValueError>([&] { call.issue(pool); }), "Pool not running") << call.name;
  }
}

TEST_P(PoolState, RefusesWorkFromItsOwnTasksWhenClosed) {
  Gate closed;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(closed);
  const auto result = pool.apply_async([&] {
    closed.wait();
    return message_of<ValueError>([&pool] { pool.apply_async(ignore, 1); });
  });
  pool.close();
  closed.open();
  EXPECT_EQ(result.get(), "Pool not running");
}

// close and join

TEST_P(PoolState, JoinIsRefusedWhileRunning) {
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<ValueError>([&] { pool.join(); }), "Pool is still running");
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(PoolState, CloseAndJoinRunAllAcceptedWork) {
  std::atomic<int> calls = 0;
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto call = [&calls](int) { ++calls; };
  for (int i = 0; i < 100; ++i) pool.apply_async(call, i);
  const auto map_result = pool.map_async(call, std::vector<int>(100));
  const auto iterator = pool.imap(call, std::vector<int>(100));
  pool.close();
  busy.release();
  pool.join();
  EXPECT_EQ(calls, 300);
  EXPECT_TRUE(map_result.ready());
}

TEST_P(PoolState, CloseReturnsWhileTasksRun) {
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto waiting = pool.apply_async([] { return 1; });
  pool.close();
  EXPECT_FALSE(waiting.ready());
  busy.release();
  EXPECT_EQ(waiting.get(), 1);
}

TEST_P(PoolState, JoinMayBeRepeatedAndSharedByThreads) {
  std::atomic<int> calls = 0;
  ThreadPool pool(workers());
  for (int i = 0; i < 50; ++i) pool.apply_async([&calls] { ++calls; });
  pool.close();
  std::vector<std::thread> joiners;
  for (int i = 0; i < 4; ++i) {
    joiners.emplace_back([&] {
      pool.join();
      EXPECT_EQ(calls, 50);
    });
  }
  pool.join();
  EXPECT_EQ(calls, 50);
  for (std::thread& joiner : joiners) joiner.join();
  pool.join();
  pool.terminate();
  pool.join();
}

TEST_P(PoolState, JoinFromItsOwnThreadsIsRefused) {
  std::atomic<int> refusals = 0;
  Gate closed;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(closed);
  const auto try_to_join = [&] {
    closed.wait();
    try {
      pool.join();
    } catch (const ValueError&) {
      ++refusals;
    }
  };
  pool.apply_async(try_to_join);
  pool.apply_async([] {}, std::tuple(), {.callback = try_to_join});
  pool.close();
  closed.open();
  pool.join();
  EXPECT_EQ(refusals, 2);
}

TEST_P(PoolState, MayBeClosedByATask) {
  ThreadPool pool(workers());
  pool.apply([&pool] { pool.close(); });
  EXPECT_EQ(pool.state(), State::close);
  pool.join();
}

TEST_P(PoolState, MayBeTerminatedByATask) {
  ThreadPool pool(workers());
  EXPECT_EQ(pool.apply([&pool] {
    pool.terminate();
    return 1;
  }),
            1);
  EXPECT_EQ(pool.state(), State::terminate);
  pool.join();
}

TEST_P(PoolState, MayBeTerminatedByACallback) {
  ThreadPool pool(workers());
  const auto result = pool.apply_async([] { return 1; }, std::tuple(),
                                       {.callback = [&pool](const int&) { pool.terminate(); }});
  EXPECT_EQ(result.get(), 1);
  EXPECT_EQ(pool.state(), State::terminate);
  pool.join();
}

// terminate

TEST_P(PoolState, TerminateReturnsAtOnceAndRunningTasksKeepTheirResults) {
  Gate started;
  Gate may_end;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(may_end);
  const auto running = pool.apply_async([&] {
    started.open();
    may_end.wait();
    return 1;
  });
  started.wait();
  pool.terminate();
  EXPECT_FALSE(running.ready());
  may_end.open();
  EXPECT_EQ(running.get(), 1);
  pool.join();
}

TEST_P(PoolState, TerminateAbandonsQueuedWork) {
  std::atomic<int> calls = 0;
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto call = [&calls](int n) {
    ++calls;
    return n;
  };
  const auto applied = pool.apply_async(call, 1);
  const auto mapped = pool.map_async(call, std::vector{1, 2, 3});
  const auto starmapped =
      pool.starmap_async([&calls](int, int) { ++calls; }, std::vector{std::pair(1, 2)});
  auto iterator = pool.imap(call, std::vector{1, 2, 3});
  auto unordered = pool.imap_unordered(call, std::vector{1, 2, 3});
  pool.terminate();
  // Ready although all workers are still held.
  EXPECT_THROW(static_cast<void>(applied.get()), TerminatedError);
  EXPECT_THROW(static_cast<void>(mapped.get()), TerminatedError);
  EXPECT_THROW(starmapped.get(), TerminatedError);
  EXPECT_THROW(static_cast<void>(iterator.next()), TerminatedError);
  EXPECT_EQ(iterator.next(), std::nullopt);
  EXPECT_THROW(static_cast<void>(unordered.next()), TerminatedError);
  EXPECT_EQ(unordered.next(), std::nullopt);
  EXPECT_TRUE(applied.ready());
  EXPECT_FALSE(applied.successful());
  busy.release();
  pool.join();
  EXPECT_EQ(calls, 0);
}

TEST_P(PoolState, TerminateLetsTheRunningChunksOfAMapEnd) {
  std::atomic<int> calls = 0;
  EventCount started;
  Gate may_end;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(may_end);
  const auto mapped = pool.map_async(
      [&](int) {
        ++calls;
        started.add();
        may_end.wait();
      },
      std::vector<int>(100), 1);
  started.wait_until(pool.size());
  pool.terminate();
  EXPECT_FALSE(mapped.ready());
  may_end.open();
  EXPECT_THROW(mapped.get(), TerminatedError);
  EXPECT_EQ(calls, workers());
}

TEST_P(PoolState, TerminateAfterCloseAbandonsWhatIsStillQueued) {
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto queued = pool.apply_async([] {});
  pool.close();
  pool.terminate();
  EXPECT_THROW(queued.get(), TerminatedError);
  busy.release();
  pool.join();
}

TEST_P(PoolState, TerminateWakesBlockedCallers) {
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  EventCount blocked;
  std::vector<std::thread> callers;
  callers.emplace_back([&] {
    blocked.add();
    // Terminated before it is issued or before it has started: either way an error.
    EXPECT_ANY_THROW(pool.apply([] {}));
  });
  callers.emplace_back([&] {
    blocked.add();
    EXPECT_ANY_THROW(pool.map(ignore, std::vector{1, 2, 3}));
  });
  blocked.wait_until(2);
  pool.terminate();
  for (std::thread& caller : callers) caller.join();
}

TEST_P(PoolState, TerminateDestroysAbandonedCallablesBeforeResultsAreReady) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto queued = pool.apply_async([](const Counted&) {}, Counted(counter));
  pool.terminate();
  EXPECT_THROW(queued.get(), TerminatedError);
  EXPECT_TRUE(counter.balanced());
}

// The destructor

TEST_P(PoolState, DestructorTerminatesAndJoins) {
  EventCount started;
  Gate may_end;
  std::atomic<int> ended = 0;
  std::vector<AsyncResult<int>> running;
  AsyncResult<int> queued;
  std::thread opener;
  {
    ThreadPool pool(workers());
    for (int i = 0; i < workers(); ++i) {
      running.push_back(pool.apply_async([&] {
        started.add();
        may_end.wait();
        ++ended;
        return 1;
      }));
    }
    started.wait_until(pool.size());
    queued = pool.apply_async([] { return 2; });
    // Lets the running tasks end once the destructor has abandoned the queued one.
    opener = std::thread([&] {
      queued.wait();
      may_end.open();
    });
  }
  EXPECT_EQ(ended, workers());
  for (const AsyncResult<int>& result : running) EXPECT_EQ(result.get(), 1);
  EXPECT_THROW(static_cast<void>(queued.get()), TerminatedError);
  opener.join();
}

TEST_P(PoolState, LastReferenceMayBeDroppedInATask) {
  Gate outside_dropped;
  auto pool = std::make_shared<ThreadPool>(workers());
  const auto result = pool->apply_async([&outside_dropped, mine = pool]() mutable {
    outside_dropped.wait();
    mine.reset();
    return 1;
  });
  pool.reset();
  outside_dropped.open();
  EXPECT_EQ(result.get(), 1);
}

TEST_P(PoolState, LastReferenceMayBeTheTasksOwnCapture) {
  Gate outside_dropped;
  auto pool = std::make_shared<ThreadPool>(workers());
  const std::weak_ptr<ThreadPool> alive = pool;
  const auto result =
      pool->apply_async([&outside_dropped, mine = pool] { outside_dropped.wait(); });
  pool.reset();
  outside_dropped.open();
  result.get();
  EXPECT_TRUE(alive.expired());  // Captures are destroyed before the result is ready.
}

TEST_P(PoolState, LastReferenceMayBeDroppedInACallback) {
  Gate outside_dropped;
  auto pool = std::make_shared<ThreadPool>(workers());
  const auto result =
      pool->apply_async([] { return 1; }, std::tuple(),
                        {.callback = [&outside_dropped, mine = pool](const int&) mutable {
                          outside_dropped.wait();
                          mine.reset();
                        }});
  pool.reset();
  outside_dropped.open();
  EXPECT_EQ(result.get(), 1);
}

}  // namespace
}  // namespace millpond::test
