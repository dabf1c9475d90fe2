// SPDX-License-Identifier: MIT
//
// Tasks that wait for tasks that wait for tasks.

#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/stress.hpp"
#include "../support/thread_watch.hpp"
#include "../support/workers.hpp"

namespace millpond {
namespace {

using test::Random;
using test::Rounds;
using test::some_workers;

class NestingStress : public test::WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, NestingStress, test::worker_counts(),
                         ::testing::PrintToStringParamName());

// One task waits for the next, and so on. Stacks are small on some systems, and frames large under
// sanitizers.
constexpr int kDepth = test::kSanitized ? 100 : 200;

int descend(ThreadPool& pool, int depth) {
  if (depth == 0) return 0;
  return pool.apply_async([&pool, depth] { return descend(pool, depth - 1); }).get() + 1;
}

TEST_P(NestingStress, ALongChainOfWaiting) {
  ThreadPool pool(workers());
  EXPECT_EQ(descend(pool, kDepth), kDepth);
}

int descend_by_map(ThreadPool& pool, int depth) {
  if (depth == 0) return 1;
  const std::vector<int> sums = pool.map(
      [&pool, depth](int) { return descend_by_map(pool, depth - 1); }, std::vector<int>(3), 1);
  return std::accumulate(sums.begin(), sums.end(), 0);
}

TEST_P(NestingStress, MapsInMaps) {
  ThreadPool pool(workers());
  EXPECT_EQ(descend_by_map(pool, 6), 729);
}

int descend_by_imap(ThreadPool& pool, int depth) {
  if (depth == 0) return 1;
  int sum = 0;
  for (const int part : pool.imap([&pool, depth](int) { return descend_by_imap(pool, depth - 1); },
                                  std::vector<int>(3))) {
    sum += part;
  }
  return sum;
}

TEST_P(NestingStress, ImapsInImaps) {
  ThreadPool pool(workers());
  EXPECT_EQ(pool.apply([&] { return descend_by_imap(pool, 5); }), 243);
}

int fibonacci(ThreadPool& pool, int n) {
  if (n < 2) return n;
  const AsyncResult<int> first = pool.apply_async(fibonacci, std::ref(pool), n - 1);
  const AsyncResult<int> second = pool.apply_async(fibonacci, std::ref(pool), n - 2);
  return first.get() + second.get();
}

TEST_P(NestingStress, FibonacciOfTasks) {
  ThreadPool pool(workers());
  EXPECT_EQ(fibonacci(pool, 14), 377);
}

TEST_P(NestingStress, SeveralThreadsNestInOnePool) {
  for (Rounds rounds(200); rounds.next();) {
    ThreadPool pool(workers());
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] { EXPECT_EQ(fibonacci(pool, 8), 21); });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

// A task waits while it holds a lock that every other task wants: it deadlocks if the waiting
// thread helps with a stranger's work.
TEST_P(NestingStress, AWaitingTaskMayHoldALock) {
  for (Rounds rounds(200); rounds.next();) {
    std::mutex mutex;
    int counted = 0;
    ThreadPool pool(workers());
    std::vector<AsyncResult<void>> results;
    for (int i = 0; i < 20; ++i) {
      results.push_back(pool.apply_async([&, i] {
        const std::lock_guard lock(mutex);
        switch (i % 4) {
          case 0:
            counted += pool.apply_async([] { return 1; }).get();
            break;
          case 1:
            counted += pool.apply([] { return 1; });
            break;
          case 2:
            counted += pool.map([](int item) { return item; }, {1}).front();
            break;
          case 3:
            counted += pool.imap([](int item) { return item; }, {1}).next().value_or(0);
            break;
        }
      }));
    }
    for (const AsyncResult<void>& result : results) result.get();
    ASSERT_EQ(counted, 20);
  }
}

// Results that another task issued, waited for by tasks that did not issue them.
TEST_P(NestingStress, TasksWaitForEachOthersWork) {
  for (Rounds rounds(300); rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(workers());
    // Each waits for some that were issued before it: no cycles.
    std::vector<AsyncResult<int>> results;
    results.push_back(pool.apply_async([] { return 1; }));
    for (int i = 1; i < 60; ++i) {
      const AsyncResult<int> one = results.at(static_cast<std::size_t>(random.between(0, i - 1)));
      const AsyncResult<int> other = results.at(static_cast<std::size_t>(random.between(0, i - 1)));
      const bool timed = random.one_in(3);
      results.push_back(pool.apply_async([one, other, timed] {
        if (timed) {
          EXPECT_TRUE(other.wait(std::chrono::hours(1)));
        }
        return one.get() == 1 && other.get() == 1 ? 1 : 0;
      }));
    }
    if (random.one_in(3)) {
      random.dawdle(2000);
      pool.terminate();
    }
    for (const AsyncResult<int>& result : results) {
      try {
        ASSERT_EQ(result.get(), 1);
      } catch (const TerminatedError&) {
        // It was abandoned, or waited for one that was.
      }
    }
  }
}

TEST_P(NestingStress, CallbacksWaitForWorkAndForEachOther) {
  for (Rounds rounds(300); rounds.next();) {
    Random random(rounds.seed());
    std::atomic<int> sum{0};
    ThreadPool pool(workers());
    std::vector<AsyncResult<int>> results;
    for (int i = 0; i < 10; ++i) {
      results.push_back(pool.apply_async(
          [] { return 1; }, std::tuple{}, {.callback = [&](const int& value) {
            // A result whose own callback is due behind this one.
            const AsyncResult<int> inner = pool.apply_async(
                [] { return 1; }, std::tuple{}, {.callback = [&](const int& v) { sum += v; }});
            sum += value + pool.apply([] { return 1; });
            sum += inner.get();
          }}));
    }
    for (const AsyncResult<int>& result : results) ASSERT_EQ(result.get(), 1);
    ASSERT_EQ(sum, 40);
  }
}

TEST_P(NestingStress, NestedWorkMeetsTerminate) {
  for (Rounds rounds(500); rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(workers());
    std::vector<AsyncResult<int>> results;
    for (int i = 0; i < 4; ++i) {
      results.push_back(pool.apply_async([&pool] { return fibonacci(pool, 9); }));
    }
    random.dawdle(5000);
    pool.terminate();
    for (const AsyncResult<int>& result : results) {
      try {
        ASSERT_EQ(result.get(), 34);
      } catch (const TerminatedError&) {
      } catch (const ValueError& error) {
        ASSERT_STREQ(error.what(), "Pool not running");
      }
    }
  }
}

// The worker that runs the task may have taken those behind it together with it.
TEST_P(NestingStress, ATaskWaitsForTasksQueuedBehindIt) {
  for (Rounds rounds(100); rounds.next();) {
    Random random(rounds.seed());
    std::vector<AsyncResult<int>> behind;
    test::Gate issued;
    ThreadPool pool(workers());
    const AsyncResult<int> first = pool.apply_async([&] {
      issued.wait();
      int sum = 0;
      for (std::size_t i = behind.size(); i > 0; --i) sum += behind.at(i - 1).get();
      return sum;
    });
    // Deep enough for whatever is done with deep queues, and met by workers in the middle of it.
    test::BusyWorkers busy(pool, pool.size() - 1);
    for (int i = 0; i < 300; ++i) behind.push_back(pool.apply_async([] { return 1; }));
    const AsyncResult<int> second = pool.apply_async([&] {
      int sum = 0;
      for (const AsyncResult<int>& result : behind) sum += result.get();
      return sum;
    });
    issued.open();
    if (random.one_in(2)) {
      ASSERT_EQ(first.get(), 300);
      busy.release();
    } else {
      busy.release();
      ASSERT_EQ(first.get(), 300);
    }
    ASSERT_EQ(second.get(), 300);
  }
}

// A task that reads an imap runs the item it waits for, but no later one while another thread is
// at that.
TEST_P(NestingStress, AReadingTaskRunsOnlyTheItemThatItWaitsFor) {
  if (workers() == 1 || !test::kSeesThreads) GTEST_SKIP() << "another worker runs the item";
  for (const bool ordered : {true, false}) {
    test::Gate finish, read;
    test::EventCount started;
    std::atomic<test::ThreadId> reader_id{0};
    ThreadPool pool(workers());
    // The reader and one other worker are free.
    test::BusyWorkers busy(pool, pool.size() - 2);
    const AsyncResult<int> reader = pool.apply_async([&] {
      const auto work = [&](int item) {
        started.add();
        finish.wait();
        return item;
      };
      const std::vector<int> input{1, 2, 3};
      ImapIterator<int> items = ordered ? pool.imap(work, input) : pool.imap_unordered(work, input);
      started.wait_until(1);
      reader_id = test::this_thread_id();
      read.open();
      int sum = 0;
      while (const std::optional<int> item = items.next()) sum += *item;
      return sum;
    });
    read.wait();
    test::wait_until_asleep(reader_id);
    EXPECT_EQ(started.count(), 1U);
    finish.open();
    EXPECT_EQ(reader.get(), 6);
  }
}

// --- Callbacks that wait -----------------------------------------------------------------------

// A callback waits for work that runs on a worker and there waits for a result with a callback of
// its own. Only the waiting callback thread can run that one.
TEST_P(NestingStress, ACallbackWaitsForATaskThatWaitsForACallback) {
  test::Gate started;
  std::atomic<int> called{0};
  ThreadPool pool(workers());
  const AsyncResult<int> result =
      pool.apply_async([] { return 1; }, std::tuple{}, {.callback = [&](const int&) {
                         const AsyncResult<int> inner = pool.apply_async([&] {
                           started.open();
                           return pool
                               .apply_async([] { return 2; }, std::tuple{},
                                            {.callback = [&](const int&) { ++called; }})
                               .get();
                         });
                         started.wait();  // on a worker, then
                         EXPECT_EQ(inner.get(), 2);
                         EXPECT_EQ(called, 1);
                       }});
  EXPECT_EQ(result.get(), 1);
}

// The same through two workers, the second of which waits before the callback does, or after it.
TEST_P(NestingStress, ACallbackWaitsForATaskThatWaitsForATaskThatWaitsForACallback) {
  if (!test::kSeesThreads) GTEST_SKIP() << "looks at other threads";
  for (const bool callback_waits_first : {true, false}) {
    test::Gate outer_started, inner_started, inside, go_on;
    std::atomic<test::ThreadId> callback_id{0}, outer_id{0}, inner_id{0};
    std::atomic<int> called{0};
    ThreadPool pool(workers() + 2);  // for both tasks, and what is waited for last
    const AsyncResult<int> inner = pool.apply_async([&] {
      inner_id = test::this_thread_id();
      inner_started.open();
      go_on.wait();
      return pool
          .apply_async([] { return 2; }, std::tuple{}, {.callback = [&](const int&) { ++called; }})
          .get();
    });
    inner_started.wait();
    const AsyncResult<int> outer = pool.apply_async([&] {
      outer_id = test::this_thread_id();
      outer_started.open();
      return inner.get();
    });
    outer_started.wait();
    const auto wait_in_callback = [&](const int&) {
      callback_id = test::this_thread_id();
      inside.open();
      if (!callback_waits_first) test::wait_until_asleep(inner_id);
      EXPECT_EQ(outer.get(), 2);
      EXPECT_EQ(called, 1);
    };
    const AsyncResult<int> first =
        pool.apply_async([] { return 1; }, std::tuple{}, {.callback = wait_in_callback});
    inside.wait();
    test::wait_until_asleep(outer_id);
    if (callback_waits_first) test::wait_until_asleep(callback_id);
    go_on.open();
    EXPECT_EQ(first.get(), 1);
  }
}

TEST_P(NestingStress, ACallbackWaitsForAMapThatWaitsForCallbacks) {
  for (Rounds rounds(50); rounds.next();) {
    std::atomic<int> called{0};
    ThreadPool pool(workers());
    const AsyncResult<int> result = pool.apply_async(
        [] { return 1; }, std::tuple{}, {.callback = [&](const int&) {
          pool.map(
              [&](int) {
                pool.apply_async([] {}, std::tuple{}, {.callback = [&] { ++called; }}).get();
              },
              std::vector<int>(20), 1);
        }});
    ASSERT_EQ(result.get(), 1);
    ASSERT_EQ(called, 20);
  }
}

TEST_P(NestingStress, ACallbackReadsAnImapThatWaitsForCallbacks) {
  for (Rounds rounds(50); rounds.next();) {
    std::atomic<int> called{0};
    ThreadPool pool(workers());
    const AsyncResult<int> result = pool.apply_async(
        [] { return 1; }, std::tuple{}, {.callback = [&](const int&) {
          ImapIterator<int> items = pool.imap(
              [&](int item) {
                pool.apply_async([] {}, std::tuple{}, {.callback = [&] { ++called; }}).get();
                return item;
              },
              std::vector<int>(20));
          while (items.next()) {
          }
        }});
    ASSERT_EQ(result.get(), 1);
    ASSERT_EQ(called, 20);
  }
}

// A callback waits for a result that terminate() is giving up, and there the destructor of what the
// task has captured waits for another result, whose callback is due.
TEST_P(NestingStress, ACallbackWaitsForAResultThatIsGivenUpByAThreadThatWaitsForACallback) {
  for (const bool in_a_task : {true, false}) {
    struct Waits {
      Waits(AsyncResult<int> result, test::Gate& waiting)
          : awaited(std::move(result)), entered(&waiting) {}
      Waits(Waits&&) = default;
      ~Waits() {
        if (!awaited.valid()) return;
        entered->open();
        awaited.wait();
      }
      AsyncResult<int> awaited;
      test::Gate* entered;
    };
    test::Gate inside, given_up, issued, started, terminate;
    std::atomic<bool> called{false};
    AsyncResult<int> doomed;
    ThreadPool pool(workers());
    const AsyncResult<int> first =
        pool.apply_async([] { return 0; }, std::tuple{}, {.callback = [&](const int&) {
                           inside.open();
                           issued.wait();
                           given_up.wait();  // else this thread would run it
                           doomed.wait();
                           EXPECT_TRUE(called);
                         }});
    inside.wait();
    const AsyncResult<int> second = pool.apply_async(
        [] { return 1; }, std::tuple{}, {.callback = [&](const int&) { called = true; }});
    const AsyncResult<void> task = pool.apply_async([&] {
      started.open();
      terminate.wait();
      if (in_a_task) pool.terminate();
      first.wait();
    });
    test::BusyWorkers busy(pool, pool.size() - 1);
    started.wait();  // so `second` has been run
    doomed = pool.apply_async([waits = Waits(second, given_up)] { return 2; });
    issued.open();
    terminate.open();
    if (!in_a_task) pool.terminate();
    EXPECT_EQ(first.get(), 0);
    EXPECT_THROW(doomed.get(), TerminatedError);
    task.wait();
  }
}

// A waiting callback may hold a lock, too: nobody else's callback runs in its place meanwhile.
TEST_P(NestingStress, AWaitingCallbackRunsNoStrangersCallback) {
  if (workers() == 1) GTEST_SKIP() << "one worker holds what the callback waits for";
  test::Gate finish, holding;
  EXPECT_FALSE(finish.is_open());
  std::mutex mutex;
  std::vector<int> order;
  ThreadPool pool(workers());
  const AsyncResult<void> slow = pool.apply_async([&] { finish.wait(); });
  const AsyncResult<int> first =
      pool.apply_async([] { return 1; }, std::tuple{}, {.callback = [&](const int& value) {
                         const std::lock_guard lock(mutex);
                         holding.open();
                         slow.get();
                         order.push_back(value);
                       }});
  holding.wait();
  const AsyncResult<int> second =
      pool.apply_async([] { return 2; }, std::tuple{}, {.callback = [&](const int& value) {
                         const std::lock_guard lock(mutex);
                         order.push_back(value);
                       }});
  pool.apply([] {});  // `second` has been run, or is being run, by now
  finish.open();
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(second.get(), 2);
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

// Nor if somebody else waits for that one, who has nothing to do with what the first waits for.
TEST_P(NestingStress, AWaitingCallbackRunsNoCallbackThatOnlyStrangersWaitFor) {
  if (workers() == 1 || !test::kSeesThreads) GTEST_SKIP() << "two tasks run at once";
  test::Gate finish, waiting;
  std::atomic<test::ThreadId> callback_id{0}, stranger_id{0};
  std::atomic<bool> inside{false};
  ThreadPool pool(workers());
  const AsyncResult<void> slow = pool.apply_async([&] { finish.wait(); });
  const AsyncResult<int> first =
      pool.apply_async([] { return 1; }, std::tuple{}, {.callback = [&](const int&) {
                         inside = true;  // holding a lock, say
                         callback_id = test::this_thread_id();
                         waiting.open();
                         slow.get();
                         inside = false;
                       }});
  waiting.wait();
  test::Gate second_ran;
  const AsyncResult<int> stranger = pool.apply_async([&] {
    stranger_id = test::this_thread_id();
    const AsyncResult<int> second = pool.apply_async(
        [&] {
          second_ran.open();
          return 2;
        },
        std::tuple{}, {.callback = [&](const int&) {
          EXPECT_FALSE(inside) << "would want the lock that its own thread holds";
        }});
    return second.get();
  });
  second_ran.wait();
  test::wait_until_asleep(stranger_id);
  test::wait_until_asleep(callback_id);
  finish.open();
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(stranger.get(), 2);
}

// --- Imaps of imaps ----------------------------------------------------------------------------

TEST_P(NestingStress, AnImapsInputMayBeAnImapOfTheSamePool) {
  for (Rounds rounds(200); rounds.next();) {
    Random random(rounds.seed());
    const auto options = [&] {
      ImapOptions some{.chunksize = random.between(1, 3)};
      if (random.one_in(2)) some.buffersize = random.between(1, 4);
      return some;
    };
    std::vector<int> input(40);
    std::iota(input.begin(), input.end(), 0);
    const auto increment = [](int item) { return item + 1; };
    ThreadPool pool(workers());
    ImapIterator<int> items = pool.imap(
        increment, pool.imap(increment, pool.imap(increment, input, options()), options()),
        options());
    if (random.one_in(2)) {
      for (int i = 0; i < 40; ++i) ASSERT_EQ(items.next(), i + 3);
      ASSERT_EQ(items.next(), std::nullopt);
    } else {
      random.dawdle(2000);
      pool.terminate();
      int terminated = 0;
      for (int expected = 3;;) {
        try {
          const std::optional<int> item = items.next();
          if (!item) break;
          ASSERT_EQ(*item, expected++);
        } catch (const TerminatedError&) {
          ++terminated;
        }
      }
      ASSERT_LE(terminated, 1);
    }
  }
}

}  // namespace
}  // namespace millpond
