// SPDX-License-Identifier: MIT
//
// ResultCallback and ErrorCallback: what a user may give as a callback.
#include <millpond/detail/calls/callback.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/instance_counter.hpp"
#include "../support/throws.hpp"

namespace millpond::test {
namespace {

using detail::ErrorCallback;
using detail::map_result_t;
using detail::ResultCallback;

static_assert(std::is_same_v<map_result_t<int>, std::vector<int>>);
static_assert(std::is_same_v<map_result_t<bool>, std::vector<bool>>);
static_assert(std::is_void_v<map_result_t<void>>);

static_assert(std::is_copy_constructible_v<ResultCallback<int>>);
static_assert(std::is_nothrow_constructible_v<ResultCallback<int>, std::nullptr_t>);

int g_seen = 0;
void see(const int& n) { g_seen = n; }
void see_error(std::exception_ptr error) { g_seen = holds<int>(error) ? 1 : 2; }
void see_nothing() { g_seen = 7; }

TEST(ResultCallbackTest, IsNoneByDefault) {
  EXPECT_FALSE(ResultCallback<int>());
  EXPECT_FALSE(ResultCallback<void>());
  EXPECT_FALSE(ErrorCallback());
  const ResultCallback<int> braces = {};
  EXPECT_FALSE(braces);
}

TEST(ResultCallbackTest, IsNoneIfMadeFromNullptr) {
  EXPECT_FALSE(ResultCallback<int>(nullptr));
  EXPECT_FALSE(ResultCallback<void>(nullptr));
  EXPECT_FALSE(ErrorCallback(nullptr));
  const ResultCallback<int> assigned = nullptr;
  EXPECT_FALSE(assigned);
  const std::nullptr_t null = nullptr;
  EXPECT_FALSE(ResultCallback<int>(null));
}

TEST(ResultCallbackTest, IsNoneIfMadeFromAnEmptyFunction) {
  EXPECT_FALSE(ResultCallback<int>(std::function<void(const int&)>()));
  EXPECT_FALSE(ResultCallback<int>(std::function<void(long)>()));
  EXPECT_FALSE(ResultCallback<void>(std::function<void()>()));
  EXPECT_FALSE(ErrorCallback(std::function<void(std::exception_ptr)>()));
  const std::function<void(const int&)> lvalue;
  EXPECT_FALSE(ResultCallback<int>(lvalue));
}

TEST(ResultCallbackTest, IsNoneIfMadeFromANullPointerToAFunction) {
  void (*const none)(const int&) = nullptr;
  EXPECT_FALSE(ResultCallback<int>(none));
  void (*const no_error)(std::exception_ptr) = nullptr;
  EXPECT_FALSE(ErrorCallback(no_error));
}

TEST(ResultCallbackTest, CallsAFunctionThatCannotBeEmpty) {
  const ResultCallback<int> callback = see;
  ASSERT_TRUE(callback);
  callback(5);
  EXPECT_EQ(g_seen, 5);
  const ResultCallback<int> pointer = &see;
  ASSERT_TRUE(pointer);
  pointer(6);
  EXPECT_EQ(g_seen, 6);
  const ResultCallback<void> nothing = see_nothing;
  ASSERT_TRUE(nothing);
  nothing();
  EXPECT_EQ(g_seen, 7);
  const ErrorCallback error = see_error;
  ASSERT_TRUE(error);
  error(std::make_exception_ptr(5));
  EXPECT_EQ(g_seen, 1);
}

TEST(ResultCallbackTest, CallsALambdaWithoutCaptures) {
  const ResultCallback<int> callback = [](const int& n) { g_seen = n; };
  ASSERT_TRUE(callback);
  callback(8);
  EXPECT_EQ(g_seen, 8);
}

TEST(ResultCallbackTest, PassesTheVeryResult) {
  const std::string result = "value";
  const std::string* seen = nullptr;
  const ResultCallback<std::string> callback = [&seen](const std::string& r) { seen = &r; };
  callback(result);
  EXPECT_EQ(seen, &result);
}

TEST(ResultCallbackTest, TakesAnythingThatTheResultConvertsTo) {
  std::vector<long> seen;
  const ResultCallback<int> by_value = [&seen](int n) { seen.push_back(n); };
  const ResultCallback<int> converted = [&seen](long n) { seen.push_back(n); };
  const ResultCallback<int> generic = [&seen](const auto& n) { seen.push_back(n); };
  const ResultCallback<int> variadic = [&seen](auto&&... ns) { (seen.push_back(ns), ...); };
  by_value(1);
  converted(2);
  generic(3);
  variadic(4);
  EXPECT_EQ(seen, (std::vector<long>{1, 2, 3, 4}));
}

TEST(ResultCallbackTest, IgnoresWhatTheFunctionReturns) {
  int calls = 0;
  const ResultCallback<int> callback = [&calls](int) { return ++calls; };
  callback(1);
  EXPECT_EQ(calls, 1);
  const ResultCallback<void> nothing = [&calls] { return ++calls; };
  nothing();
  EXPECT_EQ(calls, 2);
}

TEST(ResultCallbackTest, CallsMemberFunctions) {
  struct Result {
    void note() const { ++*notes; }
    int* notes;
  };
  int notes = 0;
  const ResultCallback<Result> callback = &Result::note;
  callback(Result{&notes});
  EXPECT_EQ(notes, 1);
}

TEST(ResultCallbackTest, TakesAReferenceResultAsItIs) {
  int target = 1;
  const ResultCallback<int&> callback = [](int& n) { n = 2; };
  callback(target);
  EXPECT_EQ(target, 2);
}

TEST(ResultCallbackTest, TakesFunctionsThatCanOnlyBeMoved) {
  int seen = 0;
  ResultCallback<int> callback = [&seen, owned = std::make_unique<int>(1)](int n) {
    seen = n + *owned;
  };
  callback(1);
  EXPECT_EQ(seen, 2);
  const ResultCallback<int> copy = callback;
  callback = nullptr;
  EXPECT_FALSE(callback);
  copy(2);
  EXPECT_EQ(seen, 3);

  const ResultCallback<void> nothing = [&seen, owned = std::make_unique<int>(9)] { seen = *owned; };
  nothing();
  EXPECT_EQ(seen, 9);
  const ErrorCallback error = [&seen, owned = std::make_unique<int>(10)](std::exception_ptr) {
    seen = *owned;
  };
  error(nullptr);
  EXPECT_EQ(seen, 10);
}

TEST(ResultCallbackTest, CallsFunctionsThatChangeThemselves) {
  std::vector<int> seen;
  const ResultCallback<int> callback = [&seen, calls = 0](int) mutable { seen.push_back(++calls); };
  callback(0);
  callback(0);
  const ResultCallback<int> moved = [&seen, calls = std::make_unique<int>(10)](int) mutable {
    seen.push_back(++*calls);
  };
  moved(0);
  EXPECT_EQ(seen, (std::vector{1, 2, 11}));
}

TEST(ResultCallbackTest, MovesAnRvalueFunctionIn) {
  InstanceCounter counter;
  {
    const ResultCallback<int> callback = [counted = Counted(counter)](int) {};
    EXPECT_EQ(counter.copies(), 0);
    EXPECT_EQ(counter.alive(), 1);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(ResultCallbackTest, LetsOutWhatTheFunctionThrows) {
  const ResultCallback<int> callback = [](int n) { throw n; };
  EXPECT_THROW(callback(5), int);
}

TEST(ResultCallbackTest, CopiesAreCallbacksOfTheSameKind) {
  int calls = 0;
  const ResultCallback<int> callback = [&calls](int) { ++calls; };
  ResultCallback<int> copy = callback;
  const ResultCallback<int> moved = std::move(copy);
  callback(0);
  moved(0);
  EXPECT_EQ(calls, 2);
  ResultCallback<int> lvalue = callback;
  const ResultCallback<int> from_lvalue = lvalue;
  from_lvalue(0);
  EXPECT_EQ(calls, 3);
  const ResultCallback<int> empty;
  const ResultCallback<int> copy_of_empty = empty;
  EXPECT_FALSE(copy_of_empty);
}

TEST(ErrorCallbackTest, ReceivesTheError) {
  const std::exception_ptr error = std::make_exception_ptr(5);
  std::exception_ptr seen;
  const ErrorCallback by_value = [&seen](std::exception_ptr e) { seen = std::move(e); };
  by_value(error);
  EXPECT_EQ(seen, error);
  seen = nullptr;
  const ErrorCallback by_reference = [&seen](const std::exception_ptr& e) { seen = e; };
  by_reference(error);
  EXPECT_EQ(seen, error);
}

TEST(Misuse, TakesAnyCallbackSoThatTheMistakeIsToldOnce) {
  const ResultCallback<detail::Misuse> callback = [](int, int) {};
  EXPECT_FALSE(callback);
}

}  // namespace
}  // namespace millpond::test
