// SPDX-License-Identifier: MIT
//
// Tasks and callbacks that issue work to their own pool and wait for it: to any depth, with any
// number of workers, one included, and without running work of strangers meanwhile.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

int square(int n) { return n * n; }

class Nesting : public WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, Nesting, worker_counts(), ::testing::PrintToStringParamName());

// Depth

int apply_down(ThreadPool& pool, int depth) {
  return depth == 0 ? 0 : 1 + pool.apply([&] { return apply_down(pool, depth - 1); });
}

TEST_P(Nesting, ApplyGoesToAnyDepth) {
  ThreadPool pool(workers());
  EXPECT_EQ(apply_down(pool, 100), 100);
}

int get_down(ThreadPool& pool, int depth) {
  if (depth == 0) return 0;
  const auto below = pool.apply_async([&pool, depth] { return get_down(pool, depth - 1); });
  return 1 + below.get();
}

TEST_P(Nesting, GetGoesToAnyDepth) {
  ThreadPool pool(workers());
  EXPECT_EQ(get_down(pool, 100), 100);
}

int map_down(ThreadPool& pool, int depth) {
  if (depth == 0) return 1;
  const std::vector<int> below =
      pool.map([&](int) { return map_down(pool, depth - 1); }, std::vector<int>(2), 1);
  return std::accumulate(below.begin(), below.end(), 0);
}

TEST_P(Nesting, MapGoesToAnyDepth) {
  ThreadPool pool(workers());
  EXPECT_EQ(map_down(pool, 7), 128);
}

int imap_down(ThreadPool& pool, int depth) {
  if (depth == 0) return 1;
  int sum = 0;
  for (const int leaves :
       pool.imap([&pool, depth](int) { return imap_down(pool, depth - 1); }, std::vector<int>(2))) {
    sum += leaves;
  }
  return sum;
}

TEST_P(Nesting, ImapGoesToAnyDepth) {
  ThreadPool pool(workers());
  EXPECT_EQ(imap_down(pool, 6), 64);
}

int fib(ThreadPool& pool, int n) {
  if (n < 2) return n;
  const auto left = pool.apply_async([&pool, n] { return fib(pool, n - 1); });
  const auto right = pool.apply_async([&pool, n] { return fib(pool, n - 2); });
  return left.get() + right.get();
}

TEST_P(Nesting, RecursionWithTwoTasksACallEnds) {
  ThreadPool pool(workers());
  EXPECT_EQ(fib(pool, 15), 610);
  EXPECT_EQ(pool.apply([&pool] { return fib(pool, 12); }), 144);
}

TEST_P(Nesting, WaitingInTheOppositeOrderEnds) {
  // The last issued is waited for first, so that its turn has not come when it is wanted.
  ThreadPool pool(workers());
  const auto sum = pool.apply([&pool] {
    std::vector<AsyncResult<int>> results;
    for (int n = 0; n < 50; ++n) results.push_back(pool.apply_async(square, n));
    int total = 0;
    for (auto result = results.rbegin(); result != results.rend(); ++result) total += result->get();
    return total;
  });
  EXPECT_EQ(sum, 40425);
}

// Every way to wait

TEST_P(Nesting, EveryCallWorksInsideATask) {
  ThreadPool pool(workers());
  const auto multiply = [](int a, int b) { return a * b; };
  const std::vector<int> items{1, 2, 3};
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  const std::vector squares{1, 4, 9};
  const std::vector products{2, 12};
  const auto sorted = [](ImapIterator<int> iterator) {
    std::vector<int> results;
    for (auto&& result : iterator) results.push_back(result);
    std::sort(results.begin(), results.end());
    return results;
  };
  pool.apply([&] {
    EXPECT_EQ(pool.apply(square, 3), 9);
    EXPECT_EQ(pool.apply_async(square, 3).get(), 9);
    EXPECT_EQ(pool.map(square, items), squares);
    EXPECT_EQ(pool.map(square, items, 1), squares);
    EXPECT_EQ(pool.map_async(square, items, 2).get(), squares);
    EXPECT_EQ(pool.starmap(multiply, pairs), products);
    EXPECT_EQ(pool.starmap_async(multiply, pairs).get(), products);
    EXPECT_EQ(sorted(pool.imap(square, items)), squares);
    EXPECT_EQ(sorted(pool.imap(square, items, 2)), squares);
    EXPECT_EQ(sorted(pool.imap_unordered(square, items)), squares);
    EXPECT_EQ(sorted(pool.istarmap(multiply, pairs)), products);
    EXPECT_EQ(sorted(pool.istarmap_unordered(multiply, pairs, 2)), products);
  });
}

TEST_P(Nesting, EveryWayToWaitRunsTheWork) {
  ThreadPool pool(workers());
  pool.apply([&pool] {
    const auto issue = [&pool] { return pool.apply_async(square, 3); };
    EXPECT_EQ(issue().get(1h), 9);
    EXPECT_EQ(issue().exception(), nullptr);
    const auto waited = issue();
    waited.wait();
    EXPECT_TRUE(waited.ready());
    EXPECT_TRUE(issue().wait(1h));
    EXPECT_TRUE(issue().wait_until(std::chrono::steady_clock::now() + 1h));
    auto iterator = pool.imap(square, std::vector{3});
    EXPECT_EQ(iterator.next(1h), 9);
    EXPECT_EQ(iterator.next(1h), std::nullopt);
  });
}

TEST_P(Nesting, ZeroTimeoutsOnlyLook) {
  ThreadPool pool(workers());
  pool.apply([&pool] {
    const BusyWorkers busy(pool, pool.size() - 1);  // The rest of the workers.
    bool ran = false;
    const auto child = pool.apply_async([&ran] { ran = true; });
    EXPECT_THROW(child.get(0s), TimeoutError);
    EXPECT_THROW(child.get(-1s), TimeoutError);
    EXPECT_FALSE(child.wait(0s));
    EXPECT_FALSE(child.wait_until(std::chrono::steady_clock::time_point::min()));
    EXPECT_FALSE(child.ready());
    EXPECT_FALSE(ran);
    auto iterator = pool.imap(square, std::vector{3});
    EXPECT_THROW(static_cast<void>(iterator.next(0s)), TimeoutError);
    child.get();
    EXPECT_TRUE(ran);
    EXPECT_EQ(iterator.next(), 9);
  });
}

TEST_P(Nesting, ErrorsComeUpThroughEveryLevel) {
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<std::runtime_error>([&] {
              pool.apply([&] {
                pool.map(
                    [&](int n) {
                      pool.apply_async([n] {
                            if (n == 2) throw std::runtime_error("at the bottom");
                          })
                          .get();
                    },
                    std::vector{1, 2, 3}, 1);
              });
            }),
            "at the bottom");
}

TEST_P(Nesting, InfiniteInputInsideATaskIsReadAsFarAsAsked) {
  ThreadPool pool(workers());
  const int sum = pool.apply([&pool] {
    int total = 0;
    auto iterator = pool.imap([](int n) { return n; }, std::views::iota(0));
    for (int i = 0; i < 100; ++i) total += iterator.next().value();
    return total;
  });
  EXPECT_EQ(sum, 4950);
}

TEST_P(Nesting, InputThatItselfUsesThePoolIsRead) {
  ThreadPool pool(workers());
  auto input = Generated<int>([&pool, next = 0]() mutable -> std::optional<int> {
    const int item = pool.apply([&next] { return next++; });
    return item < 20 ? std::optional(item) : std::nullopt;
  });
  auto iterator = pool.imap(square, std::move(input));
  for (int n = 0; n < 20; ++n) EXPECT_EQ(iterator.next(), n * n);
  EXPECT_EQ(iterator.next(), std::nullopt);
}

// Who runs what

TEST(NestingOnOneWorker, TheWaitingWorkerRunsTheWorkItself) {
  ThreadPool pool(1);
  pool.apply([&pool] {
    const auto here = std::this_thread::get_id();
    const auto thread = [] { return std::this_thread::get_id(); };
    EXPECT_EQ(pool.apply(thread), here);
    EXPECT_EQ(pool.apply_async(thread).get(), here);
    for (const auto& id : pool.map([&](int) { return thread(); }, std::vector<int>(10))) {
      EXPECT_EQ(id, here);
    }
    EXPECT_EQ(pool.imap([&](int) { return thread(); }, std::vector<int>(1)).next(), here);
  });
}

TEST(NestingOnOneWorker, StrangersWorkIsNotRunMeanwhile) {
  // Every stranger locks a mutex that the waiting task holds: running one there would never end.
  std::mutex mutex;
  int strangers = 0;
  bool waiting = false;
  int ran_meanwhile = 0;
  const auto stranger = [&] {
    if (waiting) {
      ++ran_meanwhile;
      return;
    }
    const std::lock_guard lock(mutex);
    ++strangers;
  };
  Gate queued;
  ThreadPool pool(1);
  const OpenAtExit open_at_exit(queued);
  const auto parent = pool.apply_async([&] {
    queued.wait();  // Strangers stand in the queue before all that follows.
    const std::lock_guard lock(mutex);
    waiting = true;
    EXPECT_EQ(pool.apply(square, 2), 4);
    EXPECT_EQ(pool.apply_async(square, 3).get(), 9);
    EXPECT_EQ(pool.map(square, std::vector{1, 2, 3}, 1), (std::vector{1, 4, 9}));
    EXPECT_EQ(pool.map_async(square, std::vector{1, 2, 3}, 1).get(), (std::vector{1, 4, 9}));
    auto iterator = pool.imap(square, std::vector{4, 5});
    EXPECT_EQ(iterator.next(), 16);
    EXPECT_EQ(iterator.next(), 25);
    EXPECT_EQ(iterator.next(), std::nullopt);
    waiting = false;
  });
  for (int i = 0; i < 10; ++i) {
    pool.apply_async(stranger);
    pool.map_async([&](int) { stranger(); }, std::vector<int>(3), 1);
  }
  queued.open();
  parent.get();
  pool.close();
  pool.join();
  EXPECT_EQ(ran_meanwhile, 0);
  EXPECT_EQ(strangers, 40);
}

TEST_P(Nesting, StrangersWorkIsNotRunByAWorkerThatWaits) {
  // The same with any number of workers: no parent starts inside another parent.
  static thread_local int parents_on_this_thread = 0;
  std::atomic<int> intruders = 0;
  ThreadPool pool(workers());
  std::vector<AsyncResult<void>> parents;
  for (int i = 0; i < 200; ++i) {
    parents.push_back(pool.apply_async([&] {
      if (parents_on_this_thread++ > 0) ++intruders;
      EXPECT_EQ(pool.apply_async(square, 2).get(), 4);
      EXPECT_EQ(pool.map(square, std::vector{1, 2}, 1), (std::vector{1, 4}));
      --parents_on_this_thread;
    }));
  }
  for (const AsyncResult<void>& parent : parents) parent.get();
  EXPECT_EQ(intruders, 0);
}

TEST(NestingOnOneWorker, WaitingForAnImapItemRunsThatItemOnly) {
  ThreadPool pool(1);
  pool.apply([&pool] {
    std::vector<int> ran;
    auto iterator = pool.imap(
        [&ran](int n) {
          ran.push_back(n);
          return n;
        },
        std::vector{0, 1, 2, 3});
    EXPECT_TRUE(ran.empty());
    EXPECT_EQ(iterator.next(), 0);
    EXPECT_EQ(ran, std::vector{0});
    EXPECT_EQ(iterator.next(), 1);
    EXPECT_EQ(ran, (std::vector{0, 1}));
  });
}

TEST(NestingOnOneWorker, WaitingForAnUnorderedImapItemRunsOneItemOnly) {
  ThreadPool pool(1);
  pool.apply([&pool] {
    int ran = 0;
    auto iterator = pool.imap_unordered(
        [&ran](int n) {
          ++ran;
          return n;
        },
        std::vector{0, 1, 2, 3});
    EXPECT_TRUE(iterator.next().has_value());
    EXPECT_EQ(ran, 1);
    EXPECT_TRUE(iterator.next().has_value());
    EXPECT_EQ(ran, 2);
  });
}

TEST(NestingOnTwoWorkers, AWaitingWorkerSleepsWhileAnotherRunsTheWork) {
  Gate child_started;
  Gate child_may_end;
  ThreadPool pool(2);
  const OpenAtExit open_at_exit(child_may_end);
  const auto parent = pool.apply_async([&] {
    const auto child = pool.apply_async([&] {
      child_started.open();
      child_may_end.wait();
      return this_worker::index();
    });
    child_started.wait();  // The other worker has it.
    return std::pair(this_worker::index(), child.get());
  });
  child_started.wait();
  child_may_end.open();
  const auto [own, childs] = parent.get();
  EXPECT_NE(own, childs);
}

TEST(NestingOnTwoWorkers, OthersHelpWithANestedMap) {
  // Two items of a nested map that need each other: the second worker must take one of them.
  Rendezvous together(2);
  ThreadPool pool(2);
  pool.apply(
      [&] { pool.map([&together](int) { together.arrive_and_wait(); }, std::vector<int>(2), 1); });
}

TEST_P(Nesting, ManyParentsAtOnceEnd) {
  // More parents than workers, each waiting for children that stand behind all parents.
  ThreadPool pool(workers());
  const auto parent = [&pool](int n) {
    const auto first = pool.apply_async(square, n);
    const std::vector<int> second = pool.map(square, std::vector{n, n});
    return first.get() + second[0] + second[1];
  };
  const std::vector<int> sums = pool.map(parent, std::views::iota(0, 100), 1);
  for (int n = 0; n < 100; ++n) EXPECT_EQ(sums[static_cast<std::size_t>(n)], 3 * n * n);
}

// Callbacks

TEST_P(Nesting, CallbacksMayWaitForWork) {
  std::vector<int> results;
  ThreadPool pool(workers());
  pool.apply_async(square, std::tuple(2),
                   {.callback =
                        [&](const int& n) {
                          results.push_back(n);
                          results.push_back(pool.apply(square, 3));
                          results.push_back(pool.apply_async(square, 4).get());
                          results.push_back(pool.map(square, std::vector{5, 6})[1]);
                          results.push_back(pool.imap(square, {7}).next().value());
                        }})
      .get();
  EXPECT_EQ(results, (std::vector{4, 9, 16, 36, 49}));
}

TEST_P(Nesting, CallbacksMayWaitForWorkWhileAllWorkersAreHeld) {
  // Nobody else could run it: the callback thread runs the work itself.
  int result = 0;
  Gate callback_may_begin;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(callback_may_begin);
  const auto outer = pool.apply_async([] {}, std::tuple(), {.callback = [&] {
                                        callback_may_begin.wait();
                                        result = pool.apply_async(square, 3).get();
                                      }});
  const BusyWorkers busy(pool);
  callback_may_begin.open();
  outer.get();
  EXPECT_EQ(result, 9);
}

TEST_P(Nesting, CallbacksMayWaitForAResultWhoseOwnCallbackIsDue) {
  std::vector<std::string> order;
  AsyncResult<int> second;
  Gate first_began;
  Gate second_done;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(second_done);
  const auto first =
      pool.apply_async([] {}, std::tuple(), {.callback = [&] {
                         first_began.open();
                         second_done.wait();  // Its callback is due, but this one is running.
                         order.emplace_back("first begins");
                         EXPECT_EQ(second.get(), 9);
                         EXPECT_TRUE(second.ready());
                         order.emplace_back("first ends");
                       }});
  first_began.wait();
  second = pool.apply_async(square, std::tuple(3),
                            {.callback = [&order](const int&) { order.emplace_back("second"); }});
  visit_every_worker(pool);
  second_done.open();
  first.get();
  EXPECT_EQ(order, (std::vector<std::string>{"first begins", "second", "first ends"}));
}

TEST(NestingInCallbacks, ACallbackMayWaitForATaskThatWaitsForAnotherCallback) {
  // The task runs on a worker, so the callback thread only waits; what the task waits for becomes
  // ready only when the callback thread has run another callback meanwhile.
  Gate task_started;
  Gate callback_waits;
  int inner_calls = 0;
  int seen = 0;
  ThreadPool pool(2);
  const OpenAtExit open_at_exit(callback_waits);
  const auto task = pool.apply_async([&] {
    task_started.open();
    callback_waits.wait();
    return pool.apply_async(square, std::tuple(3), {.callback = [&](const int&) { ++inner_calls; }})
        .get();
  });
  task_started.wait();
  pool.apply_async([] {}, std::tuple(),
                   {.callback =
                        [&] {
                          callback_waits.open();
                          seen = task.get();
                        }})
      .get();
  EXPECT_EQ(seen, 9);
  EXPECT_EQ(inner_calls, 1);
}

TEST_P(Nesting, TasksMayWaitForResultsWithCallbacks) {
  int calls = 0;
  ThreadPool pool(workers());
  const int sum = pool.apply([&] {
    const auto one =
        pool.apply_async(square, std::tuple(3), {.callback = [&](const int&) { ++calls; }});
    const auto many = pool.map_async(square, std::vector{1, 2},
                                     {.callback = [&](const std::vector<int>&) { ++calls; }});
    return one.get() + many.get()[1];
  });
  EXPECT_EQ(sum, 13);
  EXPECT_EQ(calls, 2);
}

TEST_P(Nesting, CallbackChainsGoOn) {
  // Each callback issues the next task, and waits for none.
  int last = 0;
  Gate done;
  std::function<void(int)> issue;
  ThreadPool pool(workers());
  issue = [&](int n) {
    pool.apply_async([n] { return n + 1; }, std::tuple(), {.callback = [&](const int& next) {
                       last = next;
                       if (next == 50) {
                         done.open();
                       } else {
                         issue(next);
                       }
                     }});
  };
  issue(0);
  done.wait();
  EXPECT_EQ(last, 50);
}

// Several pools

TEST_P(Nesting, PoolsMayBeChained) {
  ThreadPool inner(workers());
  ThreadPool outer(workers());
  const std::vector<int> results = outer.map(
      [&inner](int n) { return inner.apply(square, n) + inner.apply_async(square, n).get(); },
      std::vector{1, 2, 3}, 1);
  EXPECT_EQ(results, (std::vector{2, 8, 18}));
}

TEST_P(Nesting, PoolsMayLiveInsideTasks) {
  ThreadPool outer(workers());
  const std::vector<int> sums = outer.map(
      [](int n) {
        ThreadPool inner(2);
        const std::vector<int> results = inner.map(square, std::vector<int>(10, n));
        return std::accumulate(results.begin(), results.end(), 0);
      },
      std::vector{1, 2, 3}, 1);
  EXPECT_EQ(sums, (std::vector{10, 40, 90}));
}

// Closing

TEST_P(Nesting, NestedWorkAcceptedBeforeCloseIsFinished) {
  std::atomic<int> calls = 0;
  ThreadPool pool(workers());
  pool.apply([&] {
    for (int i = 0; i < 20; ++i) pool.apply_async([&calls] { ++calls; });
    pool.close();
  });
  pool.join();
  EXPECT_EQ(calls, 20);
}

}  // namespace
}  // namespace millpond::test
