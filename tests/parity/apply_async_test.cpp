// SPDX-License-Identifier: MIT
//
// ThreadPool::apply_async: one call in a worker, not waited for. Its results are the subject of
// async_result_test, its callbacks of callbacks_test.
#include <millpond/millpond.hpp>

#include <cstddef>
#include <functional>
#include <memory>
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
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

int add(int a, int b) { return a + b; }

class ApplyAsync : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, ApplyAsync, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(ApplyAsync, ReturnsBeforeTheTaskIsDone) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async([gate] {
    gate->wait();
    return 1;
  });
  EXPECT_FALSE(result.ready());
  gate->open();
  EXPECT_EQ(result.get(), 1);
}

TEST_P(ApplyAsync, DeliversTheResult) {
  EXPECT_EQ(pool_.apply_async(add, 2, 3).get(), 5);
  EXPECT_EQ(pool_.apply_async([] { return std::string("text"); }).get(), "text");
}

TEST_P(ApplyAsync, HasAResultOfTheFunctionsType) {
  const auto as_is = [](std::vector<int>& v) -> int& { return v.front(); };
  static_assert(std::is_same_v<decltype(pool_.apply_async(add, 1, 2)), AsyncResult<int>>);
  static_assert(std::is_same_v<decltype(pool_.apply_async([] {})), AsyncResult<void>>);
  static_assert(
      std::is_same_v<decltype(pool_.apply_async([] { return true; })), AsyncResult<bool>>);

  std::vector<int> values{1};
  auto reference = pool_.apply_async(as_is, std::ref(values));
  static_assert(std::is_same_v<decltype(reference), AsyncResult<int&>>);
  EXPECT_EQ(&reference.get(), &values.front());
}

TEST_P(ApplyAsync, RunsTheTaskInAWorkerThread) {
  const auto result =
      pool_.apply_async([] { return std::pair(std::this_thread::get_id(), this_worker::index()); });
  EXPECT_NE(result.get().first, std::this_thread::get_id());
  ASSERT_TRUE(result.get().second.has_value());
  EXPECT_LT(*result.get().second, pool_.size());
}

TEST_P(ApplyAsync, RunsAsManyTasksAtOnceAsThereAreWorkers) {
  // Each task holds its worker until all have started.
  Rendezvous together(pool_.size());
  std::vector<AsyncResult<void>> results;
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    results.push_back(pool_.apply_async([&together] { together.arrive_and_wait(); }));
  }
  for (auto& result : results) result.get();
}

TEST_P(ApplyAsync, ATaskIssuedByABusyWorkerIsRunByAnIdleOne) {
  if (workers() == 1) GTEST_SKIP() << "needs a second worker";
  Gate child_ran;
  const auto parent = pool_.apply_async([&] {
    const auto child = pool_.apply_async([&child_ran] { child_ran.open(); });
    child_ran.wait();  // Not through the result, so that this worker cannot run the child itself.
  });
  parent.get();
}

TEST_P(ApplyAsync, CopiesLvalueArguments) {
  BusyWorkers busy(pool_);
  std::string text = "before";
  const auto result = pool_.apply_async([](const std::string& s) { return s; }, text);
  text = "after";
  busy.release();
  EXPECT_EQ(result.get(), "before");
}

TEST_P(ApplyAsync, CopiesAnLvalueCallable) {
  BusyWorkers busy(pool_);
  struct Answer {
    int value;
    int operator()() const { return value; }
  };
  Answer answer{1};
  const auto result = pool_.apply_async(answer);
  answer.value = 2;
  busy.release();
  EXPECT_EQ(result.get(), 1);
}

TEST_P(ApplyAsync, MovesRvalueArgumentsWithoutCopying) {
  InstanceCounter counter;
  const auto value = [](Counted argument) { return argument.value(); };
  EXPECT_EQ(pool_.apply_async(value, Counted(counter, 5)).get(), 5);
  EXPECT_EQ(counter.copies(), 0);
}

TEST_P(ApplyAsync, CopiesAnLvalueArgumentOnce) {
  InstanceCounter counter;
  const Counted original(counter, 5);
  const auto value = [](const Counted& argument) { return argument.value(); };
  EXPECT_EQ(pool_.apply_async(value, original).get(), 5);
  EXPECT_EQ(counter.copies(), 1);
}

TEST_P(ApplyAsync, TakesMoveOnlyCallablesAndArguments) {
  auto callable = [p = std::make_unique<int>(1)](std::unique_ptr<int> q) { return *p + *q; };
  EXPECT_EQ(pool_.apply_async(std::move(callable), std::make_unique<int>(2)).get(), 3);
}

TEST_P(ApplyAsync, PassesAReferenceForStdRef) {
  int counter = 0;
  pool_.apply_async([](int& n) { ++n; }, std::ref(counter)).get();
  EXPECT_EQ(counter, 1);
}

TEST_P(ApplyAsync, DecaysArraysAndStringLiterals) {
  const auto length = [](const char* s) { return std::string(s).size(); };
  EXPECT_EQ(pool_.apply_async(length, "four").get(), 4U);
}

struct Account {
  int balance = 10;
  int deposit(int amount) { return balance += amount; }
};

TEST_P(ApplyAsync, CallsMemberFunctions) {
  Account account;
  EXPECT_EQ(pool_.apply_async(&Account::deposit, &account, 5).get(), 15);
  EXPECT_EQ(pool_.apply_async(&Account::deposit, std::ref(account), 5).get(), 20);
  EXPECT_EQ(account.balance, 20);
}

// Arguments in a tuple, options behind them.

TEST_P(ApplyAsync, UnpacksATupleThatOptionsFollow) {
  Gate called;
  int seen = 0;
  const auto result = pool_.apply_async(add, std::tuple(2, 3), {.callback = [&](const int& sum) {
                                          seen = sum;
                                          called.open();
                                        }});
  EXPECT_EQ(result.get(), 5);
  called.wait();
  EXPECT_EQ(seen, 5);
}

TEST_P(ApplyAsync, UnpacksATupleThatEmptyOptionsFollow) {
  EXPECT_EQ(pool_.apply_async(add, std::tuple(2, 3), {}).get(), 5);
  EXPECT_EQ(pool_.apply_async([] { return 1; }, std::tuple(), {}).get(), 1);
}

TEST_P(ApplyAsync, KeepsATupleWithoutOptionsAsOneArgument) {
  const auto sum = [](std::tuple<int, int> t) { return std::get<0>(t) + std::get<1>(t); };
  EXPECT_EQ(pool_.apply_async(sum, std::tuple(2, 3)).get(), 5);
}

TEST_P(ApplyAsync, TakesANamedOptionsObject) {
  int seen = 0;
  const ApplyOptions<int> options{.callback = [&seen](const int& sum) { seen = sum; }};
  EXPECT_EQ(pool_.apply_async(add, std::tuple(2, 3), options).get(), 5);
  EXPECT_EQ(seen, 5);  // The callback has returned before the result becomes ready.
}

TEST_P(ApplyAsync, MovesOutOfAnRvalueTuple) {
  const auto value = [](std::unique_ptr<int> p) { return *p; };
  EXPECT_EQ(pool_.apply_async(value, std::tuple(std::make_unique<int>(9)), {}).get(), 9);
}

TEST_P(ApplyAsync, CopiesAnLvalueTuple) {
  const std::tuple arguments(2, 3);
  EXPECT_EQ(pool_.apply_async(add, arguments, {}).get(), 5);
}

TEST(ApplyAsyncOrder, StartsTasksInTheOrderOfIssue) {
  constexpr int kTasks = 200;
  std::vector<int> order;
  ThreadPool pool(1);
  for (int i = 0; i < kTasks; ++i) {
    pool.apply_async([&order, i] { order.push_back(i); });
  }
  pool.close();
  pool.join();
  ASSERT_EQ(order.size(), static_cast<std::size_t>(kTasks));
  for (int i = 0; i < kTasks; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(ApplyAsyncOrder, IsFirstInFirstStartedAcrossKindsOfWork) {
  std::vector<int> order;
  ThreadPool pool(1);
  BusyWorkers busy(pool);
  const auto note = [&order](int n) { order.push_back(n); };
  pool.apply_async(note, 1);
  pool.map_async(note, std::vector{2, 3});
  auto iterator = pool.imap(note, std::vector{4}, {.buffersize = 1});
  pool.apply_async(note, 5);
  busy.release();
  pool.close();
  pool.join();
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace millpond::test
