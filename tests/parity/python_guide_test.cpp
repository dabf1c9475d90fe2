// SPDX-License-Identifier: MIT
//
// What a well-known guide to Python's ThreadPool shows: its usage patterns, its exception handling,
// its common errors and its answers to common questions, as they look here. Mistakes that Python
// finds at run time and C++ at compile time are among the compile-fail tests.
#include <millpond/millpond.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

class Guide : public WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, Guide, worker_counts(), ::testing::PrintToStringParamName());

// Usage patterns

TEST_P(Guide, PatternMapAndIterateResults) {
  ThreadPool pool(workers());
  int expected = 0;
  for (const auto& [value, tripled] :
       pool.map([](int n) { return std::pair(n, 3 * n); }, std::views::iota(0, 10))) {
    EXPECT_EQ(value, expected);
    EXPECT_EQ(tripled, 3 * expected);
    ++expected;
  }
  EXPECT_EQ(expected, 10);
}

TEST_P(Guide, PatternApplyAsyncAndForget) {
  int done = 0;
  ThreadPool pool(workers());
  pool.apply_async([&done](int value) { done = value; }, 1);
  pool.close();
  pool.join();
  EXPECT_EQ(done, 1);
}

TEST_P(Guide, PatternMapAsyncAndForget) {
  std::atomic<int> sum = 0;
  ThreadPool pool(workers());
  pool.map_async([&sum](int value) { sum += value; }, std::views::iota(0, 10));
  pool.close();
  pool.join();
  EXPECT_EQ(sum, 45);
}

TEST_P(Guide, PatternImapUnorderedAndUseAsCompleted) {
  ThreadPool pool(workers());
  std::set<int> seen;
  for (const int value : pool.imap_unordered([](int n) { return n; }, std::views::iota(0, 10))) {
    seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 10U);
}

TEST_P(Guide, PatternImapUnorderedAndWaitForFirst) {
  // The first result is there although the other tasks would never end by themselves; the pool's
  // end abandons those that have not started.
  Gate others_may_end;
  std::atomic<int> started = 0;
  {
    ThreadPool pool(workers());
    const OpenAtExit open_at_exit(others_may_end);
    auto iterator = pool.imap_unordered(
        [&](int n) {
          ++started;
          if (n != 0) others_may_end.wait();
          return n;
        },
        std::views::iota(0, 10000));
    EXPECT_EQ(iterator.next(), 0);
  }
  EXPECT_LT(started, 10000);
}

// A port scanner: several arguments through starmap, results put beside their items.

TEST_P(Guide, PortScanner) {
  const auto is_open = [](const std::string& host, int port) {
    return host == "python.org" && (port == 80 || port == 443);
  };
  std::vector<std::tuple<std::string, int>> arguments;
  for (int port = 0; port < 1024; ++port) arguments.emplace_back("python.org", port);
  ThreadPool pool(workers());
  const std::vector<bool> open = pool.starmap(is_open, arguments);
  std::vector<int> open_ports;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (open[i]) open_ports.push_back(std::get<int>(arguments[i]));
  }
  EXPECT_EQ(open_ports, (std::vector{80, 443}));
}

// Shutting down

TEST_P(Guide, LeavingTheScopeTerminates) {
  // Like the end of Python's with block: what has not started is abandoned, not finished.
  std::atomic<int> calls = 0;
  AsyncResult<void> issued;
  Gate may_end;
  {
    ThreadPool pool(workers());
    const OpenAtExit open_at_exit(may_end);
    issued = pool.map_async(
        [&](int) {
          ++calls;
          may_end.wait();
        },
        std::views::iota(0, 10000), 1);
    pool.terminate();
  }
  EXPECT_THROW(issued.get(), TerminatedError);
  EXPECT_LE(calls, workers());
}

// Exception handling

TEST_P(Guide, AnInitializerThatThrowsBreaksNothingButTheConstructor) {
  // Python's pool respawns its workers for ever.
  EXPECT_EQ(message_of<std::runtime_error>([] {
              ThreadPool pool(workers(),
                              [] { throw std::runtime_error("Something bad happened!"); });
              pool.apply([] {});
            }),
            "Something bad happened!");
}

TEST_P(Guide, ATaskMayHandleItsOwnException) {
  ThreadPool pool(workers());
  const auto result = pool.apply_async([]() -> std::string {
    try {
      throw std::runtime_error("Something bad happened!");
    } catch (const std::runtime_error&) {
      return "Unable to get the result";
    }
  });
  EXPECT_EQ(result.get(), "Unable to get the result");
  EXPECT_TRUE(result.successful());
}

TEST_P(Guide, TheCallerMayHandleATasksException) {
  const auto task = []() -> std::string { throw std::runtime_error("Something bad happened!"); };
  const std::string message = "Something bad happened!";
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<std::runtime_error>([&] { return pool.apply(task); }), message);
  const auto result = pool.apply_async(task);
  EXPECT_EQ(message_of<std::runtime_error>([&] { return result.get(); }), message);
  result.wait();
  EXPECT_FALSE(result.successful());
}

TEST_P(Guide, OneFailingItemFailsAMap) {
  const auto task = [](int value) {
    if (value == 2) throw std::runtime_error("Something bad happened!");
    return value;
  };
  const std::string message = "Something bad happened!";
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<std::runtime_error>([&] { return pool.map(task, std::views::iota(0, 5)); }),
            message);
  EXPECT_EQ(message_of<std::runtime_error>(
                [&] { return pool.map_async(task, std::views::iota(0, 5)).get(); }),
            message);
}

TEST_P(Guide, OneFailingItemOfAnImapFailsWhereItIsRead) {
  ThreadPool pool(workers());
  auto iterator = pool.imap(
      [](int value) {
        if (value == 2) throw std::runtime_error("Something bad happened!");
        return value;
      },
      std::views::iota(0, 5));
  EXPECT_EQ(iterator.next(), 0);
  EXPECT_EQ(iterator.next(), 1);
  EXPECT_EQ(message_of<std::runtime_error>([&] { return iterator.next(); }),
            "Something bad happened!");
  EXPECT_EQ(iterator.next(), 3);
}

TEST_P(Guide, ACallbackThatThrowsBreaksNothing) {
  // In Python everybody who waits for this result waits for ever.
  ThreadPool pool(workers());
  const auto result = pool.apply_async(
      [] { return 22; }, std::tuple(),
      {.callback = [](const int&) { throw std::runtime_error("Something bad happened!"); }});
  result.wait();
  EXPECT_FALSE(result.successful());
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

// Common errors. 1 to 4 do not compile.

TEST_P(Guide, Error5TasksDoNotFailSilently) {
  std::vector<std::string> reports;
  {
    ThreadPool pool(PoolOptions{.processes = workers(),
                                .on_unobserved_error = [&](const std::exception_ptr& error) {
                                  reports.push_back(message_of<std::runtime_error>(error));
                                }});
    pool.apply_async([] { throw std::runtime_error("Something bad happened"); }).wait();
    pool.close();
    pool.join();
  }
  EXPECT_EQ(reports, std::vector<std::string>{"Something bad happened"});
}

TEST_P(Guide, Error6JoiningARunningPool) {
  ThreadPool pool(workers());
  const auto result = pool.apply_async([] { return std::string("all done"); });
  EXPECT_EQ(message_of<ValueError>([&] { pool.join(); }), "Pool is still running");
  EXPECT_EQ(result.get(), "all done");
}

TEST_P(Guide, Error7IssuingTasksToAClosedPool) {
  ThreadPool pool(workers());
  const auto result = pool.apply_async([] { return std::string("all done"); });
  pool.close();
  pool.join();
  EXPECT_EQ(message_of<ValueError>([&] { pool.apply_async([] {}); }), "Pool not running");
  EXPECT_EQ(result.get(), "all done");
}

// Common questions

TEST_P(Guide, StoppingRunningTasksSafely) {
  std::atomic<bool> stop = false;
  std::atomic<int> stopped = 0;
  EventCount running;
  ThreadPool pool(workers());
  const auto task = [&running, &stopped](int, std::atomic<bool>& event) {
    running.add();
    while (!event) std::this_thread::yield();
    ++stopped;
  };
  std::vector<std::tuple<int, std::reference_wrapper<std::atomic<bool>>>> items;
  for (int i = 0; i < workers(); ++i) items.emplace_back(i, std::ref(stop));
  const auto result = pool.starmap_async(task, items, 1);
  running.wait_until(pool.size());
  EXPECT_FALSE(result.ready());
  stop = true;
  result.wait();
  EXPECT_EQ(stopped, workers());
}

TEST_P(Guide, WaitingForAllTasksOfSeveralBatches) {
  std::atomic<int> done = 0;
  ThreadPool pool(workers());
  std::vector<AsyncResult<void>> batches;
  for (int batch = 0; batch < 3; ++batch) {
    batches.push_back(pool.map_async([&done](int) { ++done; }, std::views::iota(0, 10)));
  }
  for (const AsyncResult<void>& batch : batches) batch.wait();
  EXPECT_EQ(done, 30);
}

// A little queue that tasks and the main thread share.
class ResultQueue {
 public:
  void put(int value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(value);
    filled_.add();
  }
  int get() {
    filled_.wait_until(1);
    const std::lock_guard lock(mutex_);
    const int value = values_.front();
    values_.pop_front();
    return value;
  }

 private:
  std::mutex mutex_;
  std::deque<int> values_;
  EventCount filled_;
};

TEST_P(Guide, GettingTheFirstResultThroughAQueue) {
  ResultQueue queue;
  Gate others_may_end;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(others_may_end);
  pool.map_async(
      [&](int n) {
        if (n != 0) others_may_end.wait();
        queue.put(n);
      },
      std::views::iota(0, 30), 1);
  EXPECT_EQ(queue.get(), 0);
}

TEST_P(Guide, FollowUpTasksIssuedByHand) {
  ThreadPool pool(workers());
  int followed_up = 0;
  for (const int value : pool.map([](int n) { return n; }, std::views::iota(0, 10))) {
    if (value > 5) followed_up += pool.apply_async([](int n) { return n; }, value).get();
  }
  EXPECT_EQ(followed_up, 6 + 7 + 8 + 9);
}

TEST_P(Guide, FollowUpTasksIssuedByACallback) {
  std::atomic<int> followed_up = 0;
  ThreadPool pool(workers());
  const auto follow_up = [&](const std::vector<int>& values) {
    for (const int value : values) {
      if (value > 5) pool.apply_async([&followed_up](int n) { followed_up += n; }, value);
    }
  };
  const auto result =
      pool.map_async([](int n) { return n; }, std::views::iota(0, 10), {.callback = follow_up});
  result.wait();  // The callback has issued its tasks by now.
  pool.close();
  pool.join();
  EXPECT_EQ(followed_up, 6 + 7 + 8 + 9);
}

TEST_P(Guide, ProgressShownByACallbackATask) {
  std::string progress;
  ThreadPool pool(workers());
  for (int i = 0; i < 20; ++i) {
    pool.apply_async([] {}, std::tuple(), {.callback = [&progress] { progress += '.'; }});
  }
  pool.close();
  pool.join();
  EXPECT_EQ(progress, std::string(20, '.'));
}

TEST_P(Guide, HeterogeneousTasksShareAPool) {
  ThreadPool pool(workers());
  const auto number = pool.apply_async([] { return 1; });
  const auto text = pool.apply_async([](std::string s) { return s + "!"; }, std::string("done"));
  const auto nothing = pool.apply_async([] {});
  EXPECT_EQ(number.get(), 1);
  EXPECT_EQ(text.get(), "done!");
  nothing.get();
}

TEST_P(Guide, APoolATypeOfTaskMakesAPipeline) {
  ThreadPool readers(workers());
  ThreadPool parsers(workers());
  int sum = 0;
  for (const int value : parsers.imap(
           [](const std::string& text) { return std::stoi(text); },
           readers.imap([](int n) { return std::to_string(n); }, std::views::iota(0, 50)))) {
    sum += value;
  }
  EXPECT_EQ(sum, 1225);
}

}  // namespace
}  // namespace millpond::test
