// SPDX-License-Identifier: MIT
//
// The callback and error_callback of asynchronous calls. Callbacks that wait for other work are
// the subject of nesting_test.
#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

int square(int n) { return n * n; }

// State that callbacks write to comes before the pool in every test, so that it outlives them.
class Callbacks : public WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, Callbacks, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Callbacks, ReceiveTheResult) {
  int seen = 0;
  ThreadPool pool(workers());
  const auto result =
      pool.apply_async(square, std::tuple(3), {.callback = [&seen](const int& n) { seen = n; }});
  result.wait();
  EXPECT_EQ(seen, 9);  // No gate needed: a result is ready only when its callback has returned.
}

TEST_P(Callbacks, ReceiveTheVeryObjectThatGetReturns) {
  const std::string* seen = nullptr;
  ThreadPool pool(workers());
  const auto result =
      pool.apply_async([] { return std::string("value"); }, std::tuple(),
                       {.callback = [&seen](const std::string& value) { seen = &value; }});
  EXPECT_EQ(&result.get(), seen);
}

TEST_P(Callbacks, ReceiveAllResultsOfAMapAtOnce) {
  std::vector<std::vector<int>> seen;
  ThreadPool pool(workers());
  const auto result = pool.map_async(
      square, std::vector{1, 2, 3},
      {.chunksize = 1, .callback = [&seen](const std::vector<int>& all) { seen.push_back(all); }});
  EXPECT_EQ(result.get(), (std::vector{1, 4, 9}));
  EXPECT_EQ(seen, (std::vector<std::vector<int>>{{1, 4, 9}}));
}

TEST_P(Callbacks, ReceiveTheEmptyVectorForAnEmptyMap) {
  std::vector<std::size_t> sizes;
  ThreadPool pool(workers());
  const auto result = pool.map_async(
      square, std::vector<int>{},
      {.callback = [&sizes](const std::vector<int>& all) { sizes.push_back(all.size()); }});
  EXPECT_TRUE(result.get().empty());
  EXPECT_EQ(sizes, std::vector<std::size_t>{0});
}

TEST_P(Callbacks, ReceiveNothingFromVoidFunctions) {
  int calls = 0;
  ThreadPool pool(workers());
  pool.apply_async([] {}, std::tuple(), {.callback = [&calls] { ++calls; }}).get();
  pool.map_async([](int) {}, std::vector{1, 2}, {.callback = [&calls] { ++calls; }}).get();
  EXPECT_EQ(calls, 2);
}

TEST_P(Callbacks, ReceiveResultsOfEveryKind) {
  int value = 0;
  std::vector<bool> bits;
  int* target = nullptr;
  int referred = 0;
  ThreadPool pool(workers());
  pool.apply_async([] { return std::make_unique<int>(5); }, std::tuple(),
                   {.callback = [&](const std::unique_ptr<int>& p) { value = *p; }})
      .wait();
  pool.map_async([](int n) { return n > 1; }, {1, 2},
                 {.callback = [&](const std::vector<bool>& all) { bits = all; }})
      .wait();
  pool.apply_async([&referred]() -> int& { return referred; }, std::tuple(),
                   {.callback = [&](int& n) { target = &n; }})
      .wait();
  EXPECT_EQ(value, 5);
  EXPECT_EQ(bits, (std::vector<bool>{false, true}));
  EXPECT_EQ(target, &referred);
}

TEST_P(Callbacks, ReceiveTheErrorInstead) {
  int results = 0;
  std::vector<std::exception_ptr> errors;
  ThreadPool pool(workers());
  const auto result = pool.apply_async(
      []() -> int { throw std::out_of_range("too far"); }, std::tuple(),
      {.callback = [&results](const int&) { ++results; },
       .error_callback = [&errors](const std::exception_ptr& error) { errors.push_back(error); }});
  result.wait();
  EXPECT_EQ(results, 0);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(message_of<std::out_of_range>(errors[0]), "too far");
  EXPECT_EQ(errors[0], result.exception());
}

TEST_P(Callbacks, ReceiveOneErrorOfAMap) {
  int results = 0;
  std::vector<std::exception_ptr> errors;
  ThreadPool pool(workers());
  const auto result = pool.map_async(
      [](int n) -> int { throw std::runtime_error(std::to_string(n)); }, std::vector{1, 2, 3, 4},
      {.chunksize = 1,
       .callback = [&results](const std::vector<int>&) { ++results; },
       .error_callback = [&errors](const std::exception_ptr& error) { errors.push_back(error); }});
  result.wait();
  EXPECT_EQ(results, 0);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0], result.exception());
}

TEST_P(Callbacks, AreCalledForTheOutcomeOnly) {
  int results = 0;
  int errors = 0;
  ThreadPool pool(workers());
  const ApplyOptions<int> options{.callback = [&results](const int&) { ++results; },
                                  .error_callback = [&errors](std::exception_ptr) { ++errors; }};
  pool.apply_async([] { return 1; }, std::tuple(), options).wait();
  EXPECT_EQ(results, 1);
  EXPECT_EQ(errors, 0);
  pool.apply_async([]() -> int { throw 1; }, std::tuple(), options).wait();
  EXPECT_EQ(results, 1);
  EXPECT_EQ(errors, 1);
}

TEST_P(Callbacks, MayBeEmptyFunctions) {
  ThreadPool pool(workers());
  EXPECT_EQ(pool.apply_async(square, std::tuple(2), {.callback = nullptr}).get(), 4);
  const auto bad = pool.apply_async(
      [] { throw 1; }, std::tuple(),
      {.callback = {}, .error_callback = std::function<void(std::exception_ptr)>()});
  EXPECT_THROW(bad.get(), int);
}

// When and where

TEST_P(Callbacks, ReturnBeforeTheResultIsReady) {
  Gate entered;
  Gate may_return;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(may_return);
  const auto result = pool.apply_async(square, std::tuple(2), {.callback = [&](const int&) {
                                         entered.open();
                                         may_return.wait();
                                       }});
  entered.wait();
  EXPECT_FALSE(result.ready());
  EXPECT_FALSE(result.wait(0s));
  EXPECT_FALSE(result.wait(1ms));
  EXPECT_THROW(static_cast<void>(result.get(0s)), TimeoutError);
  may_return.open();
  EXPECT_EQ(result.get(), 4);
}

TEST_P(Callbacks, ReturnBeforeAFailedResultIsReady) {
  Gate entered;
  Gate may_return;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(may_return);
  const auto result = pool.apply_async([] { throw std::runtime_error("bad"); }, std::tuple(),
                                       {.error_callback = [&](const std::exception_ptr&) {
                                         entered.open();
                                         may_return.wait();
                                       }});
  entered.wait();
  EXPECT_FALSE(result.ready());
  may_return.open();
  EXPECT_EQ(message_of<std::runtime_error>([&] { result.get(); }), "bad");
}

TEST_P(Callbacks, RunOneAtATimeOnOneThreadOfTheirOwn) {
  std::atomic<int> running = 0;
  std::atomic<int> overlaps = 0;
  std::set<std::thread::id> callback_threads;  // Written by callbacks only: one at a time.
  int on_workers = 0;
  ThreadPool pool(workers());
  const auto note = [&] {
    if (running++ != 0) ++overlaps;
    callback_threads.insert(std::this_thread::get_id());
    if (this_worker::index()) ++on_workers;
    --running;
  };
  std::vector<AsyncResult<void>> results;
  for (int i = 0; i < 200; ++i) {
    if (i % 2 == 0) {
      results.push_back(pool.apply_async([] {}, std::tuple(), {.callback = note}));
    } else {
      results.push_back(
          pool.apply_async([] { throw 1; }, std::tuple(),
                           {.error_callback = [&note](const std::exception_ptr&) { note(); }}));
    }
  }
  for (const auto& result : results) result.wait();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(on_workers, 0);
  EXPECT_EQ(callback_threads.size(), 1U);
  EXPECT_FALSE(callback_threads.contains(std::this_thread::get_id()));
}

TEST_P(Callbacks, DoNotKeepWorkersFromWorking) {
  Gate entered;
  Gate may_return;
  ThreadPool pool(workers());
  const OpenAtExit open_at_exit(may_return);
  const auto held = pool.apply_async([] {}, std::tuple(), {.callback = [&] {
                                       entered.open();
                                       may_return.wait();
                                     }});
  entered.wait();
  visit_every_worker(pool);
  EXPECT_EQ(pool.map(square, std::vector{1, 2, 3}), (std::vector{1, 4, 9}));
  EXPECT_FALSE(held.ready());
  may_return.open();
  held.get();
}

TEST(CallbackOrder, IsTheOrderOfCompletion) {
  constexpr int kTasks = 100;
  std::vector<int> order;
  ThreadPool pool(1);  // One worker completes in order of issue.
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < kTasks; ++i) {
    results.push_back(
        pool.apply_async([i] { return i; }, std::tuple(),
                         {.callback = [&order](const int& n) { order.push_back(n); }}));
  }
  for (const auto& result : results) result.wait();
  std::vector<int> expected(kTasks);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST(CallbackOrder, IsNotTheOrderOfIssue) {
  std::vector<int> order;
  Gate second_called_back;
  ThreadPool pool(2);
  const auto note = [&](const int& n) {
    order.push_back(n);
    if (n == 2) second_called_back.open();
  };
  const auto first = pool.apply_async(
      [&second_called_back] {
        second_called_back.wait();
        return 1;
      },
      std::tuple(), {.callback = note});
  const auto second = pool.apply_async([] { return 2; }, std::tuple(), {.callback = note});
  first.wait();
  second.wait();
  EXPECT_EQ(order, (std::vector{2, 1}));
}

// Throwing

TEST_P(Callbacks, ThatThrowMakeTheResultAnError) {
  int errors = 0;
  ThreadPool pool(workers());
  const auto result = pool.apply_async(
      square, std::tuple(2),
      {.callback = [](const int&) { throw std::runtime_error("from the callback"); },
       .error_callback = [&errors](const std::exception_ptr&) { ++errors; }});
  EXPECT_EQ(message_of<std::runtime_error>([&] { return result.get(); }), "from the callback");
  EXPECT_FALSE(result.successful());
  EXPECT_EQ(message_of<std::runtime_error>(result.exception()), "from the callback");
  EXPECT_EQ(errors, 0);  // One callback a job, at most.
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(Callbacks, ThatThrowMakeAMapsResultAnError) {
  ThreadPool pool(workers());
  const auto result = pool.map_async(
      square, std::vector{1, 2},
      {.callback = [](const std::vector<int>&) { throw std::runtime_error("from the callback"); }});
  EXPECT_EQ(message_of<std::runtime_error>([&] { return result.get(); }), "from the callback");
  const auto empty = pool.map_async(
      square, std::vector<int>{},
      {.callback = [](const std::vector<int>&) { throw std::runtime_error("from the callback"); }});
  EXPECT_EQ(message_of<std::runtime_error>([&] { return empty.get(); }), "from the callback");
}

TEST_P(Callbacks, ForErrorsThatThrowLeaveTheOriginalError) {
  std::vector<std::exception_ptr> unobserved;
  {
    ThreadPool pool(PoolOptions{
        .processes = workers(),
        .on_unobserved_error = [&](std::exception_ptr error) { unobserved.push_back(error); }});
    const auto result = pool.apply_async([] { throw std::out_of_range("original"); }, std::tuple(),
                                         {.error_callback = [](const std::exception_ptr&) {
                                           throw std::runtime_error("from the error_callback");
                                         }});
    EXPECT_EQ(message_of<std::out_of_range>([&] { result.get(); }), "original");
    EXPECT_EQ(pool.apply(square, 3), 9);
    pool.close();
    pool.join();
  }
  ASSERT_EQ(unobserved.size(), 1U);
  EXPECT_EQ(message_of<std::runtime_error>(unobserved[0]), "from the error_callback");
}

TEST_P(Callbacks, GoOnAfterOneHasThrown) {
  std::vector<int> seen;
  ThreadPool pool(workers());
  const auto bad =
      pool.apply_async(square, std::tuple(2), {.callback = [](const int&) { throw 1; }});
  EXPECT_THROW(static_cast<void>(bad.get()), int);
  const auto good =
      pool.apply_async(square, std::tuple(3), {.callback = [&](const int& n) { seen = {n}; }});
  EXPECT_EQ(good.get(), 9);
  EXPECT_EQ(seen, std::vector{9});
}

// What callbacks may do

TEST_P(Callbacks, MayGetTheirOwnResult) {
  int got = 0;
  AsyncResult<int> result;
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  result = pool.apply_async(square, std::tuple(3),
                            {.callback = [&](const int&) { got = result.get(); }});
  busy.release();
  EXPECT_EQ(result.get(), 9);
  EXPECT_EQ(got, 9);
}

TEST_P(Callbacks, ForErrorsMayGetTheirOwnResult) {
  std::string got;
  AsyncResult<int> result;
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  result = pool.apply_async([]() -> int { throw std::runtime_error("bad"); }, std::tuple(),
                            {.error_callback = [&](const std::exception_ptr&) {
                              got = message_of<std::runtime_error>([&] { return result.get(); });
                            }});
  busy.release();
  result.wait();
  EXPECT_EQ(got, "bad");
}

TEST_P(Callbacks, MayIssueWork) {
  EventCount followed_up;
  ThreadPool pool(workers());
  pool.map_async(
          square, std::vector{1, 2, 3},
          {.callback =
               [&](const std::vector<int>& all) {
                 for (const int n : all) {
                   pool.apply_async(
                       [&followed_up](int m) { followed_up.add(static_cast<std::size_t>(m)); }, n);
                 }
               }})
      .wait();
  followed_up.wait_until(14);
  EXPECT_EQ(followed_up.count(), 14U);
}

TEST_P(Callbacks, MayCloseThePool) {
  ThreadPool pool(workers());
  pool.apply_async([] {}, std::tuple(), {.callback = [&pool] { pool.close(); }}).get();
  EXPECT_EQ(pool.state(), State::close);
  pool.join();
}

// Ends of pools

TEST_P(Callbacks, AreFinishedBeforeJoinReturns) {
  int seen = 0;
  ThreadPool pool(workers());
  for (int i = 0; i < 100; ++i) {
    pool.apply_async([] {}, std::tuple(), {.callback = [&seen] { ++seen; }});
  }
  pool.close();
  pool.join();
  EXPECT_EQ(seen, 100);
}

TEST_P(Callbacks, HearOfTerminatedWorkBeforeItsResultIsReady) {
  std::vector<std::exception_ptr> errors;
  ThreadPool pool(workers());
  const BusyWorkers busy(pool);
  const auto abandoned = pool.apply_async(
      [] {}, std::tuple(),
      {.error_callback = [&](std::exception_ptr error) { errors.push_back(std::move(error)); }});
  pool.terminate();
  EXPECT_THROW(abandoned.get(), TerminatedError);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(holds<TerminatedError>(errors[0]));
}

TEST_P(Callbacks, HearOfATerminatedMapOnce) {
  int errors = 0;
  ThreadPool pool(workers());
  const BusyWorkers busy(pool);
  const auto abandoned =
      pool.map_async(square, std::vector{1, 2, 3},
                     {.chunksize = 1, .error_callback = [&](std::exception_ptr) { ++errors; }});
  pool.terminate();
  EXPECT_THROW(static_cast<void>(abandoned.get()), TerminatedError);
  EXPECT_EQ(errors, 1);
}

// Lifetime

TEST_P(Callbacks, AreDestroyedBeforeTheResultIsReady) {
  ThreadPool pool(workers());
  const auto issue = [&pool](bool fail, std::weak_ptr<int>& callback, std::weak_ptr<int>& error) {
    const auto a = std::make_shared<int>(1);
    const auto b = std::make_shared<int>(2);
    callback = a;
    error = b;
    return pool.apply_async(
        [fail] {
          if (fail) throw std::runtime_error("bad");
        },
        std::tuple(),
        {.callback = [a] { EXPECT_EQ(*a, 1); },
         .error_callback = [b](const std::exception_ptr&) { EXPECT_EQ(*b, 2); }});
  };
  for (const bool fail : {false, true}) {
    std::weak_ptr<int> callback;
    std::weak_ptr<int> error;
    const auto result = issue(fail, callback, error);
    result.wait();
    EXPECT_TRUE(callback.expired()) << "fail " << fail;
    EXPECT_TRUE(error.expired()) << "fail " << fail;
    EXPECT_EQ(result.exception() != nullptr, fail);
  }
}

}  // namespace
}  // namespace millpond::test
