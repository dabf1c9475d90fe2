// SPDX-License-Identifier: MIT
//
// ThreadPool::apply: one call in a worker, waited for.
#include <millpond/millpond.hpp>

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

#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

int add(int a, int b) { return a + b; }

class Apply : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, Apply, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Apply, ReturnsWhatTheFunctionReturns) {
  EXPECT_EQ(pool_.apply([] { return 42; }), 42);
}

TEST_P(Apply, PassesAllArguments) {
  EXPECT_EQ(pool_.apply(add, 2, 3), 5);
  EXPECT_EQ(
      pool_.apply([](const std::string& s, std::size_t n, char c) { return s + std::string(n, c); },
                  std::string("ab"), 2U, 'c'),
      "abcc");
}

TEST_P(Apply, RunsTheTaskInAWorkerThread) {
  const auto [thread, index] =
      pool_.apply([] { return std::pair(std::this_thread::get_id(), this_worker::index()); });
  EXPECT_NE(thread, std::this_thread::get_id());
  ASSERT_TRUE(index.has_value());
  EXPECT_LT(*index, pool_.size());
  EXPECT_FALSE(this_worker::index().has_value());
}

TEST_P(Apply, ReturnsOnlyWhenTheTaskIsDone) {
  int plain = 0;  // Neither atomic nor locked: apply() itself orders the accesses.
  pool_.apply([&plain] { plain = 7; });
  EXPECT_EQ(plain, 7);
}

TEST_P(Apply, ForwardsItsArgumentsByReference) {
  int counter = 0;
  pool_.apply([](int& n) { ++n; }, counter);
  EXPECT_EQ(counter, 1);

  const std::string text = "where it was";
  EXPECT_EQ(pool_.apply([](const std::string& s) { return &s; }, text), &text);

  auto owned = std::make_unique<int>(5);
  EXPECT_EQ(pool_.apply([](std::unique_ptr<int> p) { return *p; }, std::move(owned)), 5);
  EXPECT_EQ(owned, nullptr);
}

TEST_P(Apply, ReturnsNothingForAVoidFunction) {
  static_assert(std::is_void_v<decltype(pool_.apply([] {}))>);
  bool ran = false;
  pool_.apply([&ran] { ran = true; });
  EXPECT_TRUE(ran);
}

TEST_P(Apply, KeepsAReferenceResult) {
  std::vector<int> values{1, 2, 3};
  const auto second = [](std::vector<int>& v) -> int& { return v[1]; };
  static_assert(std::is_same_v<decltype(pool_.apply(second, values)), int&>);
  pool_.apply(second, values) = 20;
  EXPECT_EQ(values, (std::vector{1, 20, 3}));
}

TEST_P(Apply, KeepsATupleAsOneArgument) {
  const auto sum = [](std::tuple<int, int> t) { return std::get<0>(t) + std::get<1>(t); };
  EXPECT_EQ(pool_.apply(sum, std::tuple(3, 4)), 7);
}

struct Account {
  int balance = 10;
  int deposit(int amount) { return balance += amount; }
};

TEST_P(Apply, CallsEveryKindOfCallable) {
  EXPECT_EQ(pool_.apply(&add, 1, 2), 3);

  const std::function<int(int, int)> function = add;
  EXPECT_EQ(pool_.apply(function, 1, 2), 3);

  struct Doubler {
    int operator()(int n) const { return 2 * n; }
  };
  EXPECT_EQ(pool_.apply(Doubler{}, 4), 8);

  Account account;
  EXPECT_EQ(pool_.apply(&Account::deposit, account, 5), 15);
  EXPECT_EQ(pool_.apply(&Account::deposit, &account, 5), 20);
  EXPECT_EQ(pool_.apply(&Account::balance, account), 20);

  auto counter = [n = 0]() mutable { return ++n; };
  EXPECT_EQ(pool_.apply(counter), 1);

  const auto holder = std::make_unique<int>(6);
  auto move_only = [p = std::make_unique<int>(6)] { return *p; };
  EXPECT_EQ(pool_.apply(std::move(move_only)), *holder);
}

TEST_P(Apply, RethrowsTheTasksExceptionAndThePoolGoesOn) {
  EXPECT_EQ(message_of<std::out_of_range>(
                [&] { pool_.apply([] { throw std::out_of_range("too far"); }); }),
            "too far");
  EXPECT_EQ(pool_.apply(add, 1, 1), 2);
}

TEST_P(Apply, MayBeCalledFromSeveralThreadsAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 50;
  std::vector<int> sums(kThreads, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) sums[static_cast<std::size_t>(t)] += pool_.apply(add, t, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_EQ(sums[static_cast<std::size_t>(t)], kCalls * t + kCalls * (kCalls - 1) / 2);
  }
}

TEST(ApplyOrder, RunsAfterEarlierWorkOfTheSameWorker) {
  std::vector<int> order;
  ThreadPool pool(1);
  const auto earlier = pool.apply_async([&order] { order.push_back(1); });
  pool.apply([&order] { order.push_back(2); });
  EXPECT_TRUE(earlier.ready());
  EXPECT_EQ(order, (std::vector{1, 2}));
}

}  // namespace
}  // namespace millpond::test
