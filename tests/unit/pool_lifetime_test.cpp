// SPDX-License-Identifier: MIT
//
// How pools begin and end: constructors that fail, pools dropped in odd places, results that
// outlive them, join() from everywhere, and what the workers are called.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/thread_watch.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

#if defined(__linux__)
#include <cstdio>
#include <cstdlib>
#include <grp.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace millpond {
namespace {

using test::BusyWorkers;
using test::Counted;
using test::EventCount;
using test::Gate;
using test::InstanceCounter;
using test::message_of;
using test::Rendezvous;
using namespace std::chrono_literals;

class PoolLifetime : public test::WithWorkers {
 protected:
  static std::size_t worker_count() { return static_cast<std::size_t>(workers()); }
};

INSTANTIATE_TEST_SUITE_P(Workers, PoolLifetime, test::worker_counts(),
                         ::testing::PrintToStringParamName());

// --- Constructors that fail --------------------------------------------------------------------

// Waits until a scope's threads are all gone: one that stays runs the test out of time.
class NoThreadsLeft {
 public:
  NoThreadsLeft() : before_(test::settled_thread_count()) {}
  NoThreadsLeft(const NoThreadsLeft&) = delete;
  NoThreadsLeft& operator=(const NoThreadsLeft&) = delete;
  ~NoThreadsLeft() { test::wait_for_thread_count(before_); }

 private:
  std::size_t before_;
};

TEST_P(PoolLifetime, ConstructorThrowsWhatAnInitializerThrewInOneWorker) {
  for (int unlucky = 0; unlucky < workers(); ++unlucky) {
    const NoThreadsLeft check;
    InstanceCounter counter;
    std::atomic<int> runs{0};
    EXPECT_EQ(message_of<std::runtime_error>([&] {
                const ThreadPool pool(workers(), [&, token = Counted(counter)] {
                  if (runs++ == unlucky) throw std::runtime_error("no luck");
                });
              }),
              "no luck");
    EXPECT_GE(runs, unlucky + 1);
    EXPECT_LE(runs, workers());
    EXPECT_TRUE(counter.balanced());
  }
}

TEST_P(PoolLifetime, ConstructorThrowsWhenEveryInitializerThrows) {
  const NoThreadsLeft check;
  std::atomic<int> runs{0};
  EXPECT_EQ(message_of<std::runtime_error>([&] {
              const ThreadPool pool({.processes = workers(), .initializer = [&] {
                                       ++runs;
                                       throw std::runtime_error("never again");
                                     }});
            }),
            "never again");
  EXPECT_GE(runs, 1);
  EXPECT_LE(runs, workers()) << "a worker whose initializer threw is not started again";
}

TEST_P(PoolLifetime, ConstructorThrowsWhileTheOtherWorkersAreStillInitializing) {
  const NoThreadsLeft check;
  Rendezvous everybody(worker_count());
  std::atomic<int> runs{0}, ended{0};
  EXPECT_EQ(message_of<std::runtime_error>([&] {
              const ThreadPool pool(workers(), [&] {
                everybody.arrive_and_wait();
                if (runs++ == 0) throw std::runtime_error("first");
                ++ended;
              });
            }),
            "first");
  EXPECT_EQ(ended, workers() - 1) << "the constructor waits for those it started";
}

TEST_P(PoolLifetime, ConstructorThrowsAnExceptionOfAnyType) {
  const NoThreadsLeft check;
  struct NotAnException {
    int value;
  };
  try {
    const ThreadPool pool(workers(), [] { throw NotAnException{42}; });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const NotAnException& error) {
    EXPECT_EQ(error.value, 42);
  }
}

TEST_P(PoolLifetime, AFailedConstructorGivesItsArgumentsUp) {
  InstanceCounter counter;
  {
    const Counted argument(counter, 5);
    EXPECT_THROW(
        ThreadPool(workers(), [](const Counted& given) { throw given.value(); }, argument), int);
    EXPECT_EQ(counter.alive(), 1);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(PoolConstructor, ABadNumberOfWorkersStartsNothing) {
  const NoThreadsLeft check;
  bool ran = false;
  for (const int processes : {0, -1, -1000}) {
    EXPECT_EQ(message_of<ValueError>([&] { ThreadPool(processes, [&] { ran = true; }); }),
              "Number of processes must be at least 1");
    EXPECT_EQ(message_of<ValueError>([&] { ThreadPool(PoolOptions{.processes = processes}); }),
              "Number of processes must be at least 1");
  }
  EXPECT_FALSE(ran);
}

#if defined(__linux__)

// The following run in child processes, which the limits they set do not outlive.

constexpr int kNoLimitsHere = 77;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::_Exit(1);
}

bool thread_can_be_started() {
  const std::size_t before = test::thread_count();
  try {
    std::thread([] {}).join();
  } catch (const std::system_error&) {
    return false;
  }
  test::wait_for_thread_count(before);
  return true;
}

void limit_threads(rlim_t limit) {
  rlimit limits{};
  require(::getrlimit(RLIMIT_NPROC, &limits) == 0, "getrlimit");
  limits.rlim_cur = limit;
  require(::setrlimit(RLIMIT_NPROC, &limits) == 0, "setrlimit");
}

// The limit under which this process, which has one thread, can start no other.
rlim_t limit_of_one_thread() {
  if (::geteuid() == 0) {  // no limit binds root
    // A user of this process's own: the limit is on all of a user's threads, and another test may
    // be doing the same beside us.
    const auto nobody_else = static_cast<unsigned>(100'000 + ::getpid());
    if (::setgroups(0, nullptr) != 0 || ::setgid(nobody_else) != 0 || ::setuid(nobody_else) != 0) {
      std::_Exit(kNoLimitsHere);
    }
  }
  // The threads of the user's other processes count as well, so it has to be found out.
  constexpr rlim_t kMost = 100'000;
  rlim_t limit = 1;
  for (; limit < kMost; ++limit) {
    limit_threads(limit);
    if (thread_can_be_started()) break;
  }
  limit_threads(limit - 1);
  if (limit == kMost || thread_can_be_started()) std::_Exit(kNoLimitsHere);
  return limit - 1;
}

template <class Body>
void run_in_a_child(Body body) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers do not survive a thread that does not start";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    body(limit_of_one_thread());
    std::_Exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kNoLimitsHere) GTEST_SKIP() << "no limit on threads holds here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(PoolConstructor, ThrowsWhenOneOfItsThreadsCannotBeStarted) {
  run_in_a_child([](rlim_t one_thread) {
    constexpr rlim_t kWanted = 12;
    const std::size_t before = test::thread_count();
    for (rlim_t possible = 0; possible < kWanted; ++possible) {
      limit_threads(one_thread + possible);
      InstanceCounter counter;
      std::atomic<rlim_t> runs{0};
      bool thrown = false;
      try {
        const ThreadPool pool(kWanted, [&, token = Counted(counter)] { ++runs; });
      } catch (const std::system_error&) {
        thrown = true;
      }
      require(thrown, "a pool was made of fewer threads than asked for");
      require(runs <= possible, "an initializer ran too often");
      require(counter.balanced(), "the initializer leaked");
      test::wait_for_thread_count(before);
    }
    limit_threads(one_thread + kWanted);
    ThreadPool pool(kWanted);
    require(pool.apply([] { return 6 * 7; }) == 42, "the pool does not work");
  });
}

TEST(CallbackThread, ThatCannotBeStartedIsTheCallsError) {
  run_in_a_child([](rlim_t one_thread) {
    limit_threads(one_thread + 2);
    std::atomic<int> ran{0}, called{0};
    ThreadPool pool(2);
    const auto task = [&] { ++ran; };
    const auto function = [&](int) { ++ran; };
    const auto callback = [&] { ++called; };
    for (int i = 0; i < 3; ++i) {
      bool thrown = false;
      try {
        pool.apply_async(task, std::tuple{}, {.callback = callback});
      } catch (const std::system_error&) {
        thrown = true;
      }
      require(thrown, "a call with a callback was accepted without a thread to run it");
      thrown = false;
      try {
        pool.map_async(function, std::vector<int>(10), {.callback = callback});
      } catch (const std::system_error&) {
        thrown = true;
      }
      require(thrown, "a map with a callback was accepted without a thread to run it");
    }
    require(pool.apply([] { return 1; }) == 1, "the pool does not go on");
    test::visit_every_worker(pool);
    require(ran == 0 && called == 0, "a refused call ran");

    limit_threads(one_thread + 3);
    pool.apply_async(task, std::tuple{}, {.callback = callback}).get();
    require(ran == 1 && called == 1, "the call does not work when there is a thread for it");
    pool.close();
    pool.join();
  });
}

#endif  // defined(__linux__)

// --- Pools dropped in odd places ---------------------------------------------------------------

TEST_P(PoolLifetime, TheLastReferenceMayBeDroppedInsideATask) {
  const NoThreadsLeft check;
  Gate started, alone;
  auto pool = std::make_shared<ThreadPool>(workers());
  const AsyncResult<int> result = pool->apply_async([&, observed = std::weak_ptr(pool)] {
    std::shared_ptr<ThreadPool> mine = observed.lock();
    started.open();
    alone.wait();
    EXPECT_EQ(mine.use_count(), 1);
    mine.reset();
    return 11;
  });
  started.wait();
  pool.reset();
  alone.open();
  EXPECT_EQ(result.get(), 11);
}

TEST_P(PoolLifetime, APoolDroppedInsideATaskAbandonsItsQueueAndWaitsForRunningTasks) {
  const NoThreadsLeft check;
  Gate start, finish, dropping;
  EventCount running;
  std::atomic<int> ended{0};
  auto pool = std::make_unique<ThreadPool>(workers());
  const AsyncResult<bool> dropper = pool->apply_async([&] {
    running.add();
    start.wait();
    dropping.open();
    pool.reset();
    return ended == workers() - 1;
  });
  std::vector<AsyncResult<int>> others;
  for (int i = 1; i < workers(); ++i) {
    others.push_back(pool->apply_async([&, i] {
      running.add();
      finish.wait();
      ++ended;
      return i;
    }));
  }
  running.wait_until(worker_count());
  InstanceCounter counter;
  const AsyncResult<void> queued = pool->apply_async([token = Counted(counter)] {});
  start.open();
  dropping.wait();
  EXPECT_THROW(queued.get(), TerminatedError);
  EXPECT_TRUE(counter.balanced()) << "a callable goes before its result is ready";
  finish.open();
  EXPECT_TRUE(dropper.get()) << "the destructor returned while a task was running";
  for (int i = 1; i < workers(); ++i) {
    EXPECT_EQ(others.at(static_cast<std::size_t>(i) - 1).get(), i);
  }
}

TEST_P(PoolLifetime, TheLastReferenceMayBeDroppedInsideACallback) {
  const NoThreadsLeft check;
  Gate handed_over;
  auto pool = std::make_shared<ThreadPool>(workers());
  const AsyncResult<int> result =
      pool->apply_async([] { return 1; }, std::tuple{}, {.callback = [&](const int&) {
                          handed_over.wait();
                          pool.reset();
                        }});
  handed_over.open();
  EXPECT_EQ(result.get(), 1);
  EXPECT_EQ(pool, nullptr);
}

TEST_P(PoolLifetime, TheLastReferenceMayBeDroppedInsideAnErrorCallback) {
  const NoThreadsLeft check;
  auto pool = std::make_unique<ThreadPool>(workers());
  Gate constructed;
  const AsyncResult<int> result =
      pool->apply_async([]() -> int { throw std::runtime_error("boom"); }, std::tuple{},
                        {.error_callback = [&](const std::exception_ptr&) {
                          constructed.wait();
                          pool.reset();
                        }});
  constructed.open();
  EXPECT_EQ(message_of<std::runtime_error>([&] { return result.get(); }), "boom");
}

TEST_P(PoolLifetime, ATerminatedTasksErrorCallbackMayDropThePool) {
  const NoThreadsLeft check;
  Gate finish, dropped;
  auto pool = std::make_unique<ThreadPool>(workers());
  std::optional<BusyWorkers> busy(std::in_place, *pool);
  const AsyncResult<int> result = pool->apply_async(
      [] { return 1; }, std::tuple{}, {.error_callback = [&](const std::exception_ptr&) {
        finish.wait();
        pool.reset();
        dropped.open();
      }});
  pool->terminate();
  busy.reset();
  finish.open();
  EXPECT_THROW(result.get(), TerminatedError);
  dropped.wait();
}

TEST_P(PoolLifetime, ATasksCaptureMayOwnThePool) {
  const NoThreadsLeft check;
  auto pool = std::make_shared<ThreadPool>(workers());
  Gate go;
  const AsyncResult<int> result = pool->apply_async([&go, pool] {
    go.wait();
    return pool.use_count() > 0 ? 3 : 4;
  });
  pool.reset();
  go.open();  // the worker destroys the callable, and with it the pool
  EXPECT_EQ(result.get(), 3);
}

TEST_P(PoolLifetime, ATasksArgumentMayOwnThePool) {
  const NoThreadsLeft check;
  auto pool = std::make_unique<ThreadPool>(workers());
  ThreadPool& alias = *pool;
  const AsyncResult<int> result = alias.apply_async(
      [](const std::unique_ptr<ThreadPool>& mine) { return mine ? 3 : 4; }, std::move(pool));
  EXPECT_EQ(result.get(), 3);
}

TEST_P(PoolLifetime, AMapsFunctionMayOwnThePool) {
  const NoThreadsLeft check;
  auto pool = std::make_shared<ThreadPool>(workers());
  Gate go;
  const AsyncResult<std::vector<int>> result = pool->map_async(
      [&go, pool](int item) {
        go.wait();
        return item;
      },
      std::vector<int>{1, 2, 3}, {.chunksize = 3});
  pool.reset();
  go.open();
  EXPECT_EQ(result.get(), (std::vector<int>{1, 2, 3}));
}

TEST_P(PoolLifetime, AnImapsFunctionMayOwnThePool) {
  const NoThreadsLeft check;
  auto pool = std::make_shared<ThreadPool>(workers());
  std::optional<ImapIterator<int>> items(
      pool->imap([pool](int item) { return item; }, std::vector<int>{1, 2, 3}));
  pool.reset();
  for (int item = 1; item <= 3; ++item) EXPECT_EQ(items->next(), item);
  EXPECT_EQ(items->next(), std::nullopt);
  items.reset();
}

TEST_P(PoolLifetime, AResultMayOwnThePool) {
  const NoThreadsLeft check;
  auto pool = std::make_shared<ThreadPool>(workers());
  AsyncResult<std::shared_ptr<ThreadPool>> result = pool->apply_async([pool] { return pool; });
  pool.reset();
  result.wait();
  result = {};  // drops the pool, unless the worker was the last to let go
}

TEST_P(PoolLifetime, ACallbacksCaptureMayOwnThePool) {
  const NoThreadsLeft check;
  auto pool = std::make_shared<ThreadPool>(workers());
  std::atomic<int> called{0};
  const AsyncResult<int> result =
      pool->apply_async([] { return 3; }, std::tuple{},
                        {.callback = [&called, pool](const int& value) { called += value; },
                         .error_callback = [pool](const std::exception_ptr&) {}});
  pool.reset();
  EXPECT_EQ(result.get(), 3);
  EXPECT_EQ(called, 3);
}

// Destroyed last of a task's captures: lets the running tasks end, then drops the pool.
struct OwnerInACapture {
  Gate* gate;
  std::shared_ptr<ThreadPool> pool;

  OwnerInACapture(Gate& g, std::shared_ptr<ThreadPool> p) : gate(&g), pool(std::move(p)) {}
  OwnerInACapture(OwnerInACapture&&) noexcept = default;
  ~OwnerInACapture() {
    if (pool) gate->open();
  }
};

TEST_P(PoolLifetime, TerminateMayDestroyACaptureThatOwnsThePool) {
  const NoThreadsLeft check;
  Gate finish;
  EventCount running;
  auto pool = std::make_shared<ThreadPool>(workers());
  for (int i = 0; i < workers(); ++i) {
    pool->apply_async([&] {
      running.add();
      finish.wait();
    });
  }
  running.wait_until(worker_count());
  ThreadPool& alias = *pool;
  std::vector<AsyncResult<void>> queued;
  queued.push_back(alias.apply_async([] {}));
  queued.push_back(alias.apply_async([owner = OwnerInACapture(finish, std::move(pool))] {}));
  queued.push_back(alias.apply_async([] {}));
  alias.terminate();  // and the pool is gone
  for (const AsyncResult<void>& result : queued) EXPECT_THROW(result.get(), TerminatedError);
}

TEST_P(PoolLifetime, TerminateInATaskMayDestroyACaptureThatOwnsThePool) {
  const NoThreadsLeft check;
  Gate finish, go;
  EventCount running;
  auto pool = std::make_shared<ThreadPool>(workers());
  ThreadPool& alias = *pool;
  const AsyncResult<int> terminator = alias.apply_async([&] {
    running.add();
    go.wait();
    alias.terminate();
    return 5;
  });
  for (int i = 1; i < workers(); ++i) {
    alias.apply_async([&] {
      running.add();
      finish.wait();
    });
  }
  running.wait_until(worker_count());
  const AsyncResult<void> queued =
      alias.apply_async([owner = OwnerInACapture(finish, std::move(pool))] {});
  go.open();
  EXPECT_EQ(terminator.get(), 5);
  EXPECT_THROW(queued.get(), TerminatedError);
}

TEST_P(PoolLifetime, AnAbandonedMapMayOwnThePool) {
  const NoThreadsLeft check;
  Gate finish;
  EventCount running;
  auto pool = std::make_shared<ThreadPool>(workers());
  for (int i = 0; i < workers(); ++i) {
    pool->apply_async([&] {
      running.add();
      finish.wait();
    });
  }
  running.wait_until(worker_count());
  ThreadPool& alias = *pool;
  const AsyncResult<std::vector<int>> result =
      alias.map_async([owner = OwnerInACapture(finish, std::move(pool))](int item) { return item; },
                      std::vector<int>{1, 2, 3});
  alias.terminate();
  EXPECT_THROW(result.get(), TerminatedError);
}

TEST_P(PoolLifetime, AnAbandonedImapMayOwnThePool) {
  const NoThreadsLeft check;
  Gate finish;
  EventCount running;
  auto pool = std::make_shared<ThreadPool>(workers());
  for (int i = 0; i < workers(); ++i) {
    pool->apply_async([&] {
      running.add();
      finish.wait();
    });
  }
  running.wait_until(worker_count());
  ThreadPool& alias = *pool;
  std::optional<ImapIterator<int>> items(
      alias.imap([owner = OwnerInACapture(finish, std::move(pool))](int item) { return item; },
                 std::vector<int>{1, 2, 3}));
  alias.terminate();
  EXPECT_THROW(items->next(), TerminatedError);
  EXPECT_EQ(items->next(), std::nullopt);
  items.reset();
}

TEST_P(PoolLifetime, WhatTheInitializerCapturesMayDropThePool) {
  struct Holder {
    std::unique_ptr<ThreadPool> pool;
  };
  for (const bool in_task : {false, true}) {
    const NoThreadsLeft check;
    auto holder = std::make_shared<Holder>();
    Holder& alias = *holder;
    auto pool = std::make_unique<ThreadPool>(workers(), [holder] { EXPECT_TRUE(holder); });
    alias.pool = std::move(pool);
    const std::weak_ptr<Holder> alive = holder;
    holder.reset();
    const auto drop = [alive] {
      // Whether the pool still keeps its initializer is its own business.
      if (const std::shared_ptr<Holder> found = alive.lock()) found->pool.reset();
    };
    if (!in_task) {
      drop();
    } else if (const std::shared_ptr<Holder> found = alive.lock()) {
      const AsyncResult<void> result = found->pool->apply_async(drop);
      result.wait();
    }
    test::poll_until([&] { return alive.expired(); });
  }
}

TEST_P(PoolLifetime, APoolMayBeOwnedByATaskOfAnother) {
  const NoThreadsLeft check;
  ThreadPool outer(workers());
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 2 * workers(); ++i) {
    results.push_back(outer.apply_async([i] {
      ThreadPool inner(2);
      const int value = inner.apply([i] { return i; });
      inner.close();
      inner.join();  // none of its own threads
      return value;
    }));
  }
  for (int i = 0; i < 2 * workers(); ++i) {
    EXPECT_EQ(results.at(static_cast<std::size_t>(i)).get(), i);
  }
}

// --- The destructor ----------------------------------------------------------------------------

TEST_P(PoolLifetime, DestructorWaitsForRunningTasksAndAbandonsTheRest) {
  const NoThreadsLeft check;
  Gate finish;
  EventCount running;
  std::atomic<int> ended{0}, strays{0};
  std::vector<AsyncResult<int>> under_way, queued;
  std::thread opener;
  {
    ThreadPool pool(workers());
    for (int i = 0; i < workers(); ++i) {
      under_way.push_back(pool.apply_async([&, i] {
        running.add();
        finish.wait();
        ++ended;
        return i;
      }));
    }
    running.wait_until(worker_count());
    for (int i = 0; i < 10; ++i) queued.push_back(pool.apply_async([&] { return ++strays; }));
    opener = std::thread([&] {
      for (const AsyncResult<int>& result : queued) result.wait();
      EXPECT_EQ(ended, 0);
      finish.open();
    });
  }
  EXPECT_EQ(ended, workers());
  opener.join();
  for (int i = 0; i < workers(); ++i) {
    EXPECT_EQ(under_way.at(static_cast<std::size_t>(i)).get(), i);
  }
  for (const AsyncResult<int>& result : queued) EXPECT_THROW(result.get(), TerminatedError);
  EXPECT_EQ(strays, 0);
}

TEST_P(PoolLifetime, AnIdlePoolCanBeDestroyedInAnyState) {
  for (int state = 0; state < 5; ++state) {
    const NoThreadsLeft check;
    ThreadPool pool(workers());
    if (state == 1) pool.close();
    if (state == 2) pool.terminate();
    if (state == 3) {
      pool.close();
      pool.join();
    }
    if (state == 4) {
      pool.terminate();
      pool.join();
    }
  }
}

TEST_P(PoolLifetime, JoinLeavesNoThreads) {
  const NoThreadsLeft check;
  ThreadPool pool(workers());
  pool.apply_async([] {}, std::tuple{}, {.callback = [] {}}).get();
  const std::size_t before = test::thread_count();
  if (test::kSeesThreads) {
    EXPECT_GE(before, worker_count() + 2) << "workers, callback thread, this one";
  }
  pool.close();
  pool.join();
  if (test::kSeesThreads) test::wait_for_thread_count(before - worker_count() - 1);
}

// --- What outlives the pool --------------------------------------------------------------------

TEST_P(PoolLifetime, ResultsOutliveThePool) {
  AsyncResult<std::string> value;
  AsyncResult<void> error, abandoned;
  {
    ThreadPool pool(workers());
    value = pool.apply_async([] { return std::string(100, 'x'); });
    error = pool.apply_async([] { throw std::runtime_error("boom"); });
    value.wait();
    error.wait();
    const BusyWorkers busy(pool);
    abandoned = pool.apply_async([] {});
    pool.terminate();
  }
  EXPECT_TRUE(value.ready());
  EXPECT_TRUE(value.successful());
  const AsyncResult<std::string> copy = value;
  EXPECT_EQ(copy, value);
  EXPECT_EQ(copy.get(), std::string(100, 'x'));
  EXPECT_EQ(&copy.get(), &value.get());
  EXPECT_EQ(std::move(value).get(), std::string(100, 'x'));
  EXPECT_FALSE(error.successful());
  EXPECT_EQ(error.exception(), error.exception());
  EXPECT_EQ(message_of<std::runtime_error>([&] { error.get(); }), "boom");
  EXPECT_TRUE(abandoned.wait(0s));
  EXPECT_THROW(abandoned.get(), TerminatedError);
  EXPECT_THROW(abandoned.get(1h), TerminatedError);
}

TEST_P(PoolLifetime, IteratorsOutliveThePool) {
  InstanceCounter counter;
  std::optional<ImapIterator<Counted>> done, abandoned;
  {
    EventCount ran;
    ThreadPool pool(workers());
    const auto make = [&](int item) {
      ran.add();
      return Counted(counter, item);
    };
    done = pool.imap(make, std::vector<int>{0, 1, 2, 3}, {.chunksize = 1, .buffersize = 10});
    ran.wait_until(4);
    test::visit_every_worker(pool);
    const BusyWorkers busy(pool);
    abandoned = pool.imap_unordered(make, std::vector<int>{0, 1, 2, 3});
    pool.terminate();
  }
  for (int item = 0; item < 4; ++item) {
    const std::optional<Counted> value = done->next(1h);
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(value->value(), item);
  }
  EXPECT_THROW(abandoned->next(), TerminatedError);
  EXPECT_EQ(abandoned->next(), std::nullopt);
  done.reset();
  abandoned.reset();
  EXPECT_TRUE(counter.balanced());
}

TEST_P(PoolLifetime, AnUnreadIteratorMayBeDroppedAfterThePool) {
  InstanceCounter counter;
  {
    std::optional<ImapIterator<Counted>> items;
    EventCount ran;
    ThreadPool pool(workers());
    items = pool.imap(
        [&](int item) {
          ran.add();
          return Counted(counter, item);
        },
        std::vector<int>(100, 1));
    ran.wait_until(1);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(PoolLifetime, NothingIsLeftOfAPoolWhoseResultsWereAllDropped) {
  InstanceCounter counter;
  {
    ThreadPool pool(workers());
    for (int i = 0; i < 100; ++i) {
      pool.apply_async([token = Counted(counter)] { return token; });
      pool.map_async([token = Counted(counter)](const Counted& item) { return item; },
                     std::vector<Counted>(5, Counted(counter)));
      pool.imap([token = Counted(counter)](const Counted& item) { return item; },
                std::vector<Counted>(5, Counted(counter)));
    }
  }
  EXPECT_TRUE(counter.balanced()) << counter.alive();
}

TEST_P(PoolLifetime, AHandleMayBeDroppedWhileItsTaskRuns) {
  Gate go;
  EventCount running;
  InstanceCounter counter;
  {
    ThreadPool pool(workers());
    for (int i = 0; i < workers(); ++i) {
      pool.apply_async([&, token = Counted(counter)] {
        running.add();
        go.wait();
        return token;
      });  // the handle goes here
    }
    running.wait_until(worker_count());
    go.open();
    pool.close();
    pool.join();
    EXPECT_TRUE(counter.balanced()) << "join() left " << counter.alive();
  }
}

// --- close, terminate, join --------------------------------------------------------------------

TEST_P(PoolLifetime, EndsAreIdempotent) {
  ThreadPool pool(workers());
  EXPECT_EQ(pool.state(), State::run);
  pool.close();
  pool.close();
  EXPECT_EQ(pool.state(), State::close);
  pool.join();
  pool.join();
  EXPECT_EQ(pool.state(), State::close);
  pool.terminate();
  pool.terminate();
  EXPECT_EQ(pool.state(), State::terminate);
  pool.close();
  EXPECT_EQ(pool.state(), State::terminate) << "close() does not take terminate() back";
  pool.join();
  EXPECT_EQ(pool.size(), worker_count());
}

TEST_P(PoolLifetime, JoinOfARunningPoolIsRefused) {
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<ValueError>([&] { pool.join(); }), "Pool is still running");
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(PoolLifetime, ManyThreadsMayJoinAtOnce) {
  for (const bool terminated : {false, true}) {
    Gate finish;
    std::atomic<int> ended{0};
    ThreadPool pool(workers());
    std::vector<AsyncResult<void>> results;
    for (int i = 0; i < 3 * workers(); ++i) {
      results.push_back(pool.apply_async([&] {
        finish.wait();
        ++ended;
      }));
    }
    terminated ? pool.terminate() : pool.close();
    std::vector<std::thread> joiners;
    for (int i = 0; i < 5; ++i) {
      joiners.emplace_back([&] {
        pool.join();
        for (const AsyncResult<void>& result : results) EXPECT_TRUE(result.ready());
        if (!terminated) {
          EXPECT_EQ(ended, 3 * workers());
        }
      });
    }
    finish.open();
    for (std::thread& joiner : joiners) joiner.join();
  }
}

TEST_P(PoolLifetime, EndsMayBeCalledFromManyThreadsAtOnce) {
  for (int round = 0; round < 20; ++round) {
    auto pool = std::make_unique<ThreadPool>(workers());
    std::vector<AsyncResult<void>> results;
    for (int i = 0; i < 20; ++i) results.push_back(pool->apply_async([] {}));
    Rendezvous together(4);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        together.arrive_and_wait();
        i % 2 == 0 ? pool->close() : pool->terminate();
        pool->join();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const AsyncResult<void>& result : results) EXPECT_TRUE(result.ready());
    EXPECT_EQ(pool->state(), State::terminate);
  }
}

TEST_P(PoolLifetime, JoinReturnsWhenAnotherThreadHasAbandonedEverything) {
  // Its destruction, by terminate(), takes until the gate opens.
  struct SlowToDie {
    Gate* dying;
    Gate* may_die;
    SlowToDie(Gate& d, Gate& m) : dying(&d), may_die(&m) {}
    SlowToDie(SlowToDie&& other) noexcept
        : dying(std::exchange(other.dying, nullptr)), may_die(other.may_die) {}
    ~SlowToDie() {
      if (dying == nullptr) return;
      dying->open();
      may_die->wait();
    }
  };
  Gate dying, may_die;
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const AsyncResult<void> first = pool.apply_async([slow = SlowToDie(dying, may_die)] {});
  const AsyncResult<void> second = pool.apply_async([] {});
  std::thread terminator([&] { pool.terminate(); });
  dying.wait();
  busy.release();
  std::atomic<test::ThreadId> id{0};
  Gate joining;
  std::thread joiner([&] {
    id = test::this_thread_id();
    joining.open();
    pool.join();
    EXPECT_TRUE(first.ready());
    EXPECT_TRUE(second.ready());
  });
  joining.wait();
  test::wait_until_asleep(id);
  may_die.open();
  joiner.join();
  terminator.join();
}

TEST_P(PoolLifetime, ATaskMayCloseItsPool) {
  ThreadPool pool(workers());
  const AsyncResult<int> result = pool.apply_async([&] {
    pool.close();
    pool.close();
    EXPECT_EQ(message_of<ValueError>([&] { pool.apply_async([] {}); }), "Pool not running");
    return 1;
  });
  EXPECT_EQ(result.get(), 1);
  EXPECT_EQ(pool.state(), State::close);
  pool.join();
}

TEST_P(PoolLifetime, ATaskMayTerminateItsPool) {
  Gate go, finish;
  EventCount running;
  ThreadPool pool(workers());
  const AsyncResult<int> result = pool.apply_async([&] {
    running.add();
    go.wait();
    pool.terminate();
    pool.terminate();
    return 1;
  });
  for (int i = 1; i < workers(); ++i) {
    pool.apply_async([&] {
      running.add();
      finish.wait();
    });
  }
  running.wait_until(worker_count());
  const AsyncResult<void> queued = pool.apply_async([] {});
  go.open();
  EXPECT_EQ(result.get(), 1) << "a running task keeps its result";
  EXPECT_THROW(queued.get(), TerminatedError);
  finish.open();
  pool.join();
}

TEST_P(PoolLifetime, ACallbackMayCloseAndTerminateItsPool) {
  for (const bool terminated : {false, true}) {
    ThreadPool pool(workers());
    const AsyncResult<int> result =
        pool.apply_async([] { return 1; }, std::tuple{}, {.callback = [&](const int&) {
                           terminated ? pool.terminate() : pool.close();
                           terminated ? pool.terminate() : pool.close();
                         }});
    EXPECT_EQ(result.get(), 1);
    EXPECT_EQ(pool.state(), terminated ? State::terminate : State::close);
    pool.join();
  }
}

// Everything that runs on the pool's own threads, each refused to join it.
TEST_P(PoolLifetime, JoinFromThePoolsOwnThreadsIsRefused) {
  for (const bool terminated : {false, true}) {
    SCOPED_TRACE(terminated ? "terminated" : "closed");
    Gate ended;
    EventCount running, refused;
    ThreadPool pool(workers());
    const auto try_to_join = [&] {
      ended.wait();
      try {
        pool.join();
        ADD_FAILURE() << "joined itself";
      } catch (const ValueError&) {
        refused.add();
      }
    };
    const AsyncResult<void> called =
        pool.apply_async([] {}, std::tuple{}, {.callback = [&] { try_to_join(); }});
    std::vector<AsyncResult<void>> tasks;
    test::visit_every_worker(pool);  // the task above has left its worker
    for (int i = 0; i < workers(); ++i) {
      tasks.push_back(pool.apply_async([&] {
        running.add();
        try_to_join();
      }));
    }
    running.wait_until(worker_count());
    terminated ? pool.terminate() : pool.close();
    ended.open();
    for (const AsyncResult<void>& task : tasks) task.get();
    called.get();
    EXPECT_EQ(refused.count(), worker_count() + 1);
    pool.join();
  }
}

TEST_P(PoolLifetime, JoinFromAnErrorCallbackOrAnIteratorsInputIsRefused) {
  std::atomic<int> refused{0};
  ThreadPool pool(workers());
  const auto try_to_join = [&] {
    pool.close();
    EXPECT_THROW(pool.join(), ValueError);
    ++refused;
  };
  const AsyncResult<void> failed =
      pool.apply_async([] { throw std::runtime_error("boom"); }, std::tuple{},
                       {.error_callback = [&](const std::exception_ptr&) { try_to_join(); }});
  failed.wait();
  EXPECT_EQ(refused, 1);

  int next = 0;
  ThreadPool other(workers());
  ImapIterator<int> items =
      other.imap([](int item) { return item; }, test::Generated<int>([&]() -> std::optional<int> {
                   other.close();
                   EXPECT_THROW(other.join(), ValueError);
                   if (next == 2) return std::nullopt;
                   return next++;
                 }));
  EXPECT_EQ(items.next(), 0);
  EXPECT_EQ(items.next(), 1);
  EXPECT_EQ(items.next(), std::nullopt);
}

TEST_P(PoolLifetime, ATaskWaitsForWorkAcceptedBeforeCloseThoughThePoolIsClosed) {
  ThreadPool pool(workers());
  const AsyncResult<int> result = pool.apply_async([&] {
    const AsyncResult<int> inner = pool.apply_async([] { return 2; });
    pool.close();
    return inner.get() + 1;
  });
  EXPECT_EQ(result.get(), 3);
  pool.join();
}

// --- Workers -----------------------------------------------------------------------------------

TEST_P(PoolLifetime, EveryWorkerHasAnIndexOfItsOwn) {
  EXPECT_EQ(this_worker::index(), std::nullopt);
  Rendezvous everybody(worker_count());
  ThreadPool pool(workers());
  const std::vector<std::size_t> indices = pool.map(
      [&](int) {
        everybody.arrive_and_wait();
        return this_worker::index().value();
      },
      std::vector<int>(worker_count()), 1);
  EXPECT_EQ(std::set<std::size_t>(indices.begin(), indices.end()).size(), worker_count());
  for (const std::size_t index : indices) EXPECT_LT(index, worker_count());
  EXPECT_EQ(this_worker::index(), std::nullopt);
}

TEST_P(PoolLifetime, InitializersKnowTheirWorkersIndex) {
  std::mutex mutex;
  std::set<std::size_t> indices;
  const ThreadPool pool(workers(), [&] {
    const std::lock_guard lock(mutex);
    indices.insert(this_worker::index().value());
  });
  EXPECT_EQ(indices.size(), worker_count());
  EXPECT_EQ(*indices.rbegin(), worker_count() - 1);
}

TEST_P(PoolLifetime, ACallbackDoesNotRunOnAWorker) {
  ThreadPool pool(workers());
  std::optional<std::size_t> index = 0;
  pool.apply_async([] {}, std::tuple{}, {.callback = [&] { index = this_worker::index(); }}).get();
  EXPECT_EQ(index, std::nullopt);
}

TEST_P(PoolLifetime, AWorkersIndexIsThatInItsOwnPool) {
  ThreadPool outer(workers());
  const bool held = outer.apply([] {
    const std::optional<std::size_t> before = this_worker::index();
    ThreadPool inner(1);
    const std::optional<std::size_t> inside = inner.apply([] { return this_worker::index(); });
    return inside == 0U && this_worker::index() == before && before.has_value();
  });
  EXPECT_TRUE(held);
}

std::set<std::string> names_of_workers(ThreadPool& pool) {
  Rendezvous everybody(pool.size());
  const std::vector<std::string> names = pool.map(
      [&](int) {
        everybody.arrive_and_wait();
        return test::this_thread_name();
      },
      std::vector<int>(pool.size()), 1);
  return {names.begin(), names.end()};
}

TEST_P(PoolLifetime, WorkersAreCalledByPrefixAndIndex) {
  if (!test::kSeesThreads) GTEST_SKIP() << "thread names cannot be seen here";
  ThreadPool pool({.processes = workers(), .thread_name_prefix = "mill"});
  std::set<std::string> expected;
  for (int i = 0; i < workers(); ++i) expected.insert("mill-" + std::to_string(i));
  EXPECT_EQ(names_of_workers(pool), expected);
}

TEST_P(PoolLifetime, InitializersAlreadySeeTheThreadsName) {
  if (!test::kSeesThreads) GTEST_SKIP() << "thread names cannot be seen here";
  std::atomic<int> right{0};
  const ThreadPool pool({.processes = workers(),
                         .initializer =
                             [&] {
                               if (test::this_thread_name() ==
                                   "pond-" + std::to_string(this_worker::index().value())) {
                                 ++right;
                               }
                             },
                         .thread_name_prefix = "pond"});
  EXPECT_EQ(right, workers());
}

TEST(WorkerNames, ALongPrefixIsCutAndTheIndexKept) {
  if (!test::kSeesThreads) GTEST_SKIP() << "thread names cannot be seen here";
  for (const std::string prefix :
       {"exactly-14-lon", "a-prefix-of-more-than-fifteen-characters",
        "as long as nobody would ever want to have it but then somebody does want that"}) {
    ThreadPool pool({.processes = 12, .thread_name_prefix = prefix});
    std::set<std::string> expected;
    for (int i = 0; i < 12; ++i) {
      const std::string suffix = "-" + std::to_string(i);
      expected.insert(prefix.substr(0, 15 - suffix.size()) + suffix);
    }
    EXPECT_EQ(names_of_workers(pool), expected);
  }
}

// --- Initializers ------------------------------------------------------------------------------

TEST_P(PoolLifetime, TheConstructorReturnsWhenEveryWorkerHasRunItsInitializer) {
  std::atomic<int> runs{0};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const ThreadPool pool(workers(), [&] {
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    ++runs;
  });
  EXPECT_EQ(runs, workers());
  EXPECT_EQ(threads.size(), worker_count());
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

thread_local int initialized = 0;

TEST_P(PoolLifetime, EveryWorkerRunsItsInitializerOnceBeforeItsFirstTask) {
  ThreadPool pool(
      workers(), [](int amount, const std::string& text) { initialized += amount + (text == "x"); },
      41, "x");
  const std::vector<int> seen =
      pool.map([](int) { return initialized; }, std::vector<int>(1000), 1);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 42), 1000);
  EXPECT_EQ(initialized, 0);
}

TEST_P(PoolLifetime, EveryInitializerGetsTheSameArguments) {
  InstanceCounter counter;
  {
    std::atomic<int> sum{0};
    int changed = 0;
    std::mutex mutex;
    const ThreadPool pool(
        workers(),
        [&](const Counted& value, const std::unique_ptr<int>& owned, int& by_reference) {
          sum += value.value() + *owned;
          const std::lock_guard lock(mutex);
          ++by_reference;
        },
        Counted(counter, 2), std::make_unique<int>(3), std::ref(changed));
    EXPECT_EQ(sum, 5 * workers());
    EXPECT_EQ(changed, workers());
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(PoolLifetime, AnInitializersResultIsIgnored) {
  ThreadPool pool(workers(), [] { return 42; });
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(PoolLifetime, WorkersStayTheSame) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  ThreadPool pool(workers());
  for (int round = 0; round < 50; ++round) {
    try {
      pool.map(
          [&](int item) {
            const std::lock_guard lock(mutex);
            threads.insert(std::this_thread::get_id());
            if (item % 7 == 0) throw std::runtime_error("no reason to go");
          },
          std::vector<int>(20, round), 1);
    } catch (const std::runtime_error&) {
      EXPECT_EQ(round % 7, 0);
    }
  }
  EXPECT_LE(threads.size(), worker_count());
}

}  // namespace
}  // namespace millpond
