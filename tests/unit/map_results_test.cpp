// SPDX-License-Identifier: MIT
//
// MapResults: where a map's results wait for each other.
#include <millpond/detail/jobs/map_results.hpp>
#include <millpond/millpond.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using detail::is_filled_in_place;
using detail::MapResults;

struct DefaultThrows {
  DefaultThrows() noexcept(false) {}
};
struct NotAssignable {
  NotAssignable() noexcept = default;
  NotAssignable(const NotAssignable&) = default;
  NotAssignable& operator=(const NotAssignable&) = delete;
};

static_assert(is_filled_in_place<int>);
static_assert(is_filled_in_place<const char*>);
static_assert(is_filled_in_place<std::string>);
static_assert(is_filled_in_place<std::unique_ptr<int>>);
static_assert(is_filled_in_place<std::optional<MoveOnly>>);
static_assert(!is_filled_in_place<bool>, "neighbours in a vector<bool> share bytes");
static_assert(!is_filled_in_place<MoveOnly>, "it has no default");
static_assert(!is_filled_in_place<Counted>, "it has no default");
static_assert(!is_filled_in_place<DefaultThrows>);
static_assert(!is_filled_in_place<NotAssignable>);

TEST(IsFilledInPlace, IsFalseOfProxies) {
  // A default-made reference to a bit refers to nothing: assigning to it writes nowhere good.
  EXPECT_FALSE(is_filled_in_place<std::vector<bool>::reference>);
}

template <class R>
class MapResultsOf : public ::testing::Test {};

template <class R>
R make(int n) {
  return R(n);
}
template <>
std::string make<std::string>(int n) {
  return std::to_string(n);
}
template <>
bool make<bool>(int n) {
  return n % 3 == 0;
}
template <>
std::unique_ptr<int> make<std::unique_ptr<int>>(int n) {
  return std::make_unique<int>(n);
}

template <class R>
bool is(const R& result, int n) {
  return result == make<R>(n);
}
template <>
bool is(const std::unique_ptr<int>& result, int n) {
  return *result == n;
}
template <>
bool is(const MoveOnly& result, int n) {
  return result.value() == n;
}
template <>
bool is(const NoDefault& result, int n) {
  return result.value() == n;
}

using Types =
    ::testing::Types<int, double, bool, std::string, std::unique_ptr<int>, MoveOnly, NoDefault>;
TYPED_TEST_SUITE(MapResultsOf, Types, );

TYPED_TEST(MapResultsOf, AreInTheOrderOfTheIndicesWhateverTheOrderOfSetting) {
  constexpr int kCount = 10;
  MapResults<TypeParam> results(kCount);
  for (const int n : {3, 9, 0, 1, 2, 8, 7, 4, 6, 5}) {
    results.set(static_cast<std::size_t>(n), [n] { return make<TypeParam>(n); });
  }
  const std::vector<TypeParam> taken = results.take();
  ASSERT_EQ(taken.size(), static_cast<std::size_t>(kCount));
  for (int n = 0; n < kCount; ++n)
    EXPECT_TRUE(is<TypeParam>(taken[static_cast<std::size_t>(n)], n));
}

TYPED_TEST(MapResultsOf, MayBeNone) {
  MapResults<TypeParam> results(0);
  EXPECT_TRUE(results.take().empty());
}

TYPED_TEST(MapResultsOf, MayBeSetFromManyThreadsAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kCount = 400;
  MapResults<TypeParam> results(kCount);
  Rendezvous start(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      start.arrive_and_wait();
      // Neighbours belong to different threads.
      for (int n = thread; n < kCount; n += kThreads) {
        results.set(static_cast<std::size_t>(n), [n] { return make<TypeParam>(n); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<TypeParam> taken = results.take();
  for (int n = 0; n < kCount; ++n) {
    ASSERT_TRUE(is<TypeParam>(taken[static_cast<std::size_t>(n)], n)) << n;
  }
}

TEST(LargeMapResults, HaveTheirMemoryTouchedBeforeTheyAreFilled) {
  if (MILLPOND_IS_SANITIZED != 0) GTEST_SKIP() << "off in sanitizer builds";
  constexpr std::size_t kCount = 2'000'000;
  std::size_t touched = 0;
  const auto touch = [&](std::byte* memory, std::size_t size) {
    std::fill_n(memory, size, std::byte{0x5a});
    touched += size;
  };
  MapResults<int> results(kCount, touch);
  EXPECT_EQ(touched, kCount * sizeof(int));
  results.set(7, [] { return 8; });
  const std::vector<int> taken = results.take();
  EXPECT_EQ(taken.size(), kCount);
  EXPECT_EQ(taken[6], 0);
  EXPECT_EQ(taken[7], 8);
  MapResults<int> small(1000, touch);
  MapResults<std::string> of_strings(1000, touch);
  EXPECT_EQ(touched, kCount * sizeof(int));
}

// The issuing thread does it itself rather than wait for workers.
TEST(LargeMapResults, DoNotKeepAnIssuingCallWaitingForBusyWorkers) {
  ThreadPool pool(2);
  BusyWorkers busy(pool, pool.size());
  const AsyncResult<std::vector<int>> result =
      pool.map_async([](int n) { return n + 1; }, std::views::iota(0, 2'000'000));
  EXPECT_FALSE(result.ready());
  busy.release();
  EXPECT_EQ(result.get()[1'234'567], 1'234'568);
}

TEST(MapResultsOfNothing, OnlyMakeTheCall) {
  int calls = 0;
  MapResults<void> results(2);
  results.set(0, [&calls] { ++calls; });
  results.set(1, [&calls] { return ++calls; });
  static_assert(std::is_void_v<decltype(results.take())>);
  results.take();
  EXPECT_EQ(calls, 2);
}

TEST(MapResultsTest, TakeReferencesByValue) {
  const std::string text = "text";
  MapResults<std::string> results(1);
  results.set(0, [&text]() -> const std::string& { return text; });
  EXPECT_EQ(results.take(), std::vector<std::string>{"text"});
  EXPECT_EQ(text, "text");
}

TEST(MapResultsTest, LetTheCallsExceptionOutAndStaySettable) {
  MapResults<int> in_place(1);
  EXPECT_THROW(in_place.set(0, []() -> int { throw 5; }), int);
  in_place.set(0, [] { return 1; });
  EXPECT_EQ(in_place.take(), std::vector{1});

  MapResults<NoDefault> in_slots(1);
  EXPECT_THROW(in_slots.set(0, []() -> NoDefault { throw 5; }), int);
  in_slots.set(0, [] { return NoDefault(1); });
  EXPECT_EQ(in_slots.take().front().value(), 1);
}

TEST(MapResultsTest, AreNotCopied) {
  InstanceCounter counter;
  {
    MapResults<Counted> results(3);
    for (int n = 0; n < 3; ++n) {
      results.set(static_cast<std::size_t>(n), [&counter, n] { return Counted(counter, n); });
    }
    const std::vector<Counted> taken = results.take();
    EXPECT_EQ(taken.back().value(), 2);
    EXPECT_EQ(counter.copies(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(MapResultsTest, ThatNobodyTakesAreDestroyed) {
  InstanceCounter counter;
  {
    MapResults<Counted> results(3);
    results.set(1, [&counter] { return Counted(counter); });
    EXPECT_EQ(counter.alive(), 1);
  }
  EXPECT_TRUE(counter.balanced());
}

}  // namespace
}  // namespace millpond::test
