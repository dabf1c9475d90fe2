// SPDX-License-Identifier: MIT
//
// What once hung, was lost or overflowed, and its brothers; docs/design/defects.md has the table.
// Most would hang again: the test runner ends them.

#include <millpond/millpond.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include <gtest/gtest.h>

#include "../support/at_the_end.hpp"
#include "../support/gate.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

int one() { return 1; }
int same(int item) { return item; }
auto endless() { return std::views::iota(0); }

class Defects : public WithWorkers {};
INSTANTIATE_TEST_SUITE_P(Workers, Defects, worker_counts(), ::testing::PrintToStringParamName());

// --- A claimed entry that still stands in the queue --------------------------------------------

#ifdef __cpp_lib_jthread

TEST_P(Defects, StopCallbacksOfACancelledMapMayWaitForNewWork) {
  if (workers() == 1) GTEST_SKIP() << "the only worker is in the map";
  ThreadPool pool(workers());
  Gate running;
  std::atomic<int> got{0};
  const auto map = pool.map_async(
      [&](const std::stop_token& token, int) {
        const std::stop_callback stop(token, [&] { got += pool.apply_async(one).get(); });
        running.open();
        while (!token.stop_requested()) std::this_thread::yield();
      },
      std::vector<int>(100), 1);
  running.wait();
  EXPECT_TRUE(map.cancel());
  EXPECT_THROW(map.get(), CancelledError);
  EXPECT_GE(got, 1);
}

// The destructor of a pool waits for all that is claimed. So stop callbacks come after it is given
// up.
TEST_P(Defects, StopCallbacksOfACancelledMapMayDestroyThePool) {
  auto pool = std::make_unique<ThreadPool>(workers());
  Gate running;
  std::stop_token kept;
  const auto map = pool->map_async(
      [&](const std::stop_token& token, int item) {
        if (item == 0) {
          kept = token;
          running.open();
        }
        while (!token.stop_requested()) std::this_thread::yield();
      },
      std::views::iota(0, 100), 1);
  running.wait();
  const std::stop_callback stop(kept, [&] { pool.reset(); });
  EXPECT_TRUE(map.cancel());
  EXPECT_EQ(pool, nullptr);
  EXPECT_TRUE(map.ready());
}

#endif

// --- A wait that does not help itself on a terminated pool -------------------------------------

// Held workers; then something whose capture calls `end` when terminate() gives it up; then an
// imap.
template <class End>
void terminate_with_an_imap_behind(int workers, End end) {
  ThreadPool pool(workers);
  BusyWorkers busy(pool);
  std::optional<ImapIterator<int>> items;
  pool.apply_async([capture = at_the_end([&] { end(*items); })] {});
  items.emplace(pool.imap(same, endless()));
  pool.terminate();
  EXPECT_EQ(items->next(), std::nullopt);
}

TEST_P(Defects, ADestructorMayReadAnImapThatTerminateGivesUpNext) {
  terminate_with_an_imap_behind(
      workers(), [](ImapIterator<int>& items) { EXPECT_THROW(items.next(), TerminatedError); });
}

TEST_P(Defects, ADestructorMayWaitForAThreadThatReadsAnImapThatTerminateGivesUpNext) {
  terminate_with_an_imap_behind(workers(), [](ImapIterator<int>& items) {
    std::thread([&] { EXPECT_THROW(items.next(), TerminatedError); }).join();
  });
}

TEST_P(Defects, ATaskThatTerminateWaitsForMayReadAnImap) {
  ThreadPool pool(workers());
  Gate queued;
  EventCount read;
  const auto reader = pool.apply_async([&] {
    queued.wait();
    auto items = pool.imap(same, endless(), {.buffersize = 1});
    EXPECT_THROW(
        {
          while (items.next()) read.add();
        },
        TerminatedError);
  });
  BusyWorkers others(pool, pool.size() - 1);
  pool.apply_async([capture = at_the_end([&] { reader.wait(); })] {});
  queued.open();
  read.wait_until(100);
  pool.terminate();
  EXPECT_TRUE(reader.ready());
}

// --- Helping where another could -----------------------------------------------------------------

// What the task waits for first waits for the task. A free worker takes one of them.
TEST_P(Defects, ATaskThatWaitsForTheFirstOfSeveralLeavesThemToAFreeWorker) {
  if (workers() == 1) GTEST_SKIP() << "no other worker is free";
  for (int round = 0; round != 20; ++round) {
    ThreadPool pool(workers());
    Gate issued;
    AsyncResult<int> outer, other, last;
    outer = pool.apply_async([&] {
      issued.wait();
      return static_cast<int>(wait({other, last}, ReturnWhen::first_completed).done.size());
    });
    other = pool.apply_async([&] {
      issued.wait();
      return outer.get() + 1;
    });
    last = pool.apply_async(one);
    issued.open();
    EXPECT_EQ(outer.get(), 1);
    EXPECT_EQ(other.get(), 2);
  }
}

// The free worker takes something else, which waits for the task, and then nobody is free.
TEST_P(Defects, ATaskThatWaitsForTheFirstOfSeveralRunsOneOnceNoWorkerIsFree) {
  if (workers() == 1) GTEST_SKIP() << "no other worker is free";
  for (int round = 0; round != 20; ++round) {
    Gate done;  // the task at the gate may outlive everything but the pool
    ThreadPool pool(workers());
    BusyWorkers busy(pool, pool.size() - 2);
    const auto outer = pool.apply_async([&] {
      pool.apply_async([&] {
        done.wait();  // unknown to the pool
      });
      const auto first = pool.apply_async(one);
      const auto second = pool.apply_async(one);
      const auto found = wait({first, second}, ReturnWhen::first_completed);
      done.open();
      return found.done.size();
    });
    EXPECT_GE(outer.get(), 1U);
  }
}

// If each result is compared with all others this takes minutes.
TEST_P(Defects, AsCompletedInATaskTakesTimeInProportionToTheResults) {
  constexpr int kResults = 300'000;
  ThreadPool pool(workers());
  BusyWorkers others(pool, pool.size() - 1);
  const int sum = pool.apply_async([&] {
                        std::vector<AsyncResult<int>> results;
                        for (int i = 0; i != kResults; ++i) {
                          results.push_back(pool.apply_async(one));
                        }
                        int seen = 0;
                        for (AsyncResult<int>& result : as_completed(results)) {
                          seen += result.get();
                        }
                        return seen;
                      })
                      .get();
  EXPECT_EQ(sum, kResults);
}

// --- An error that nobody is told ----------------------------------------------------------------

// An imap whose input waits for `go` and fails, in the hands of `use`.
template <class Use>
void with_input_that_fails(ThreadPool& pool, Gate& reading, Gate& go, Use use) {
  use(pool.imap(same, std::views::iota(0) | std::views::transform([&](int item) -> int {
                        reading.open();
                        go.wait();
                        if (item == 0) throw std::runtime_error("disk");
                        return item;
                      })));
}

TEST_P(Defects, AnInputErrorAfterTheIteratorWasDroppedIsReported) {
  EventCount told;
  Gate reading, go;
  ThreadPool pool({.processes = workers(), .on_unobserved_error = [&](std::exception_ptr error) {
                     EXPECT_EQ(message_of<std::runtime_error>(error), "disk");
                     told.add();
                   }});
  with_input_that_fails(pool, reading, go, [&](const ImapIterator<int>&) { reading.wait(); });
  go.open();
  pool.close();
  pool.join();
  EXPECT_EQ(told.count(), 1U);
}

TEST_P(Defects, AnInputErrorAfterTerminateIsReported) {
  EventCount told;
  Gate reading, go;
  ThreadPool pool({.processes = workers(), .on_unobserved_error = [&](std::exception_ptr error) {
                     EXPECT_EQ(message_of<std::runtime_error>(error), "disk");
                     told.add();
                   }});
  with_input_that_fails(pool, reading, go, [&](ImapIterator<int> items) {
    reading.wait();
    pool.terminate();
    go.open();
    EXPECT_THROW(items.next(), TerminatedError);
    EXPECT_EQ(items.next(), std::nullopt);
  });
  pool.join();
  EXPECT_EQ(told.count(), 1U);
}

TEST_P(Defects, AnInputErrorAfterTerminateDoesNotHideThatItemsBeforeItWereGivenUp) {
  Gate reading, go;
  ThreadPool pool(workers());
  auto items = pool.imap([](int) { ADD_FAILURE() << "an item that was given up"; },
                         std::views::iota(0) | std::views::transform([&](int item) -> int {
                           if (item == 1) throw std::runtime_error("disk");
                           reading.open();
                           go.wait();
                           return item;
                         }),
                         2);
  reading.wait();
  pool.terminate();
  go.open();
  EXPECT_THROW(items.next(), TerminatedError);
  EXPECT_EQ(items.next(), std::nullopt);
}

// --- Code of the user's that runs on top of the same ---------------------------------------------

constexpr std::size_t kLong = 100'000;  // a stack of 8 MB has no room for so many calls of ours

TEST_P(Defects, AChainOfDoneCallbacksThatCancelTheNextResultMayBeLong) {
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  std::vector<AsyncResult<int>> results;
  for (std::size_t i = 0; i != kLong; ++i) results.push_back(pool.apply_async(one));
  std::size_t called = 0;
  for (std::size_t i = 0; i != kLong; ++i) {
    results[i].add_done_callback([&, i](const AsyncResult<int>& result) {
      EXPECT_TRUE(result == results[i]);
      ++called;
      if (i + 1 != kLong) {
        EXPECT_TRUE(results[i + 1].cancel());
        EXPECT_TRUE(results[i + 1].ready());
      }
    });
  }
  EXPECT_TRUE(results[0].cancel());
  EXPECT_EQ(called, kLong);
}

TEST_P(Defects, AChainOfDoneCallbacksThatAddTheNextToAReadyResultMayBeLong) {
  ThreadPool pool(workers());
  const auto ready = pool.apply_async(one);
  ready.wait();
  std::size_t called = 0;
  const std::function<void()> add_next = [&] {
    ready.add_done_callback([&](const AsyncResult<int>&) {
      if (++called != 10 * kLong) add_next();
    });
  };
  add_next();
  EXPECT_EQ(called, 10 * kLong);
}

// Each in its order, also where they are too deep to run at once.
TEST_P(Defects, DoneCallbacksTooDeepToRunAtOnceKeepTheirOrder) {
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  std::vector<AsyncResult<int>> results;
  for (std::size_t i = 0; i != 200; ++i) results.push_back(pool.apply_async(one));
  std::vector<int> of_the_last;
  for (std::size_t i = 0; i != 200; ++i) {
    for (int n = 0; n != 3; ++n) {
      results[i].add_done_callback([&, i, n](const AsyncResult<int>&) {
        if (i + 1 != results.size()) {
          results[i + 1].cancel();
        } else {
          of_the_last.push_back(n);
        }
      });
    }
  }
  results[0].cancel();
  EXPECT_EQ(of_the_last, (std::vector<int>{0, 1, 2}));
}

}  // namespace
}  // namespace millpond::test
