// SPDX-License-Identifier: MIT
//
// ThreadPool::map: a function over items, in parallel, waited for. What it may borrow, move and
// copy is the subject of ownership_test.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <forward_list>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

int square(int n) { return n * n; }

std::vector<int> first_integers(int count) {
  std::vector<int> items(static_cast<std::size_t>(count));
  std::iota(items.begin(), items.end(), 0);
  return items;
}

class Map : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, Map, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Map, ReturnsResultsInTheOrderOfTheItems) {
  for (const int count : {0, 1, 2, 3, 7, 8, 9, 100, 1000, 10007}) {
    const std::vector<int> items = first_integers(count);
    std::vector<int> expected;
    for (const int n : items) expected.push_back(square(n));
    EXPECT_EQ(pool_.map(square, items), expected) << count << " items";
    for (const int chunksize : {1, 2, 7, 1000, 20000}) {
      EXPECT_EQ(pool_.map(square, items, chunksize), expected)
          << count << " items in chunks of " << chunksize;
    }
  }
}

TEST_P(Map, CallsTheFunctionOncePerItem) {
  std::vector<std::atomic<int>> calls(1000);
  pool_.map([&calls](int n) { ++calls[static_cast<std::size_t>(n)]; }, first_integers(1000));
  for (const std::atomic<int>& count : calls) EXPECT_EQ(count, 1);
}

TEST_P(Map, ReturnsAVectorOfTheResultType) {
  const std::vector<int> items{1, 2};
  const auto to_text = [](int n) { return std::to_string(n); };
  static_assert(std::is_same_v<decltype(pool_.map(square, items)), std::vector<int>>);
  static_assert(std::is_same_v<decltype(pool_.map(to_text, items)), std::vector<std::string>>);
  EXPECT_EQ(pool_.map(to_text, items), (std::vector<std::string>{"1", "2"}));
}

TEST_P(Map, ReturnsNothingForAVoidFunction) {
  std::atomic<int> sum = 0;
  const auto count = [&sum](int n) { sum += n; };
  static_assert(std::is_void_v<decltype(pool_.map(count, std::vector<int>{}))>);
  pool_.map(count, first_integers(101));
  EXPECT_EQ(sum, 5050);
}

TEST_P(Map, RunsEveryItemInAWorkerThread) {
  const std::vector<std::optional<std::size_t>> indices =
      pool_.map([](int) { return this_worker::index(); }, first_integers(100), 1);
  for (const auto& index : indices) {
    ASSERT_TRUE(index.has_value());
    EXPECT_LT(*index, pool_.size());
  }
}

TEST_P(Map, UsesAllWorkersAtOnce) {
  // Each chunk holds its worker until all chunks have started.
  Rendezvous together(pool_.size());
  pool_.map([&together](int) { together.arrive_and_wait(); }, first_integers(workers()), 1);
}

TEST_P(Map, CallsOneFunctionObjectForAllItems) {
  struct Self {
    const void* operator()(int) const { return this; }
  };
  const std::vector<const void*> addresses = pool_.map(Self{}, first_integers(100), 1);
  for (const void* address : addresses) EXPECT_EQ(address, addresses.front());
}

TEST_P(Map, CallsTheFunctionAsAnLvalue) {
  struct Picky {
    int operator()(int n) & { return n; }
    int operator()(int) && { return -1; }
  };
  EXPECT_EQ(pool_.map(Picky{}, std::vector{1, 2, 3}), (std::vector{1, 2, 3}));
}

TEST_P(Map, CallsMemberFunctionsAndReadsMembers) {
  struct Point {
    int x;
    [[nodiscard]] int doubled() const { return 2 * x; }
  };
  const std::vector<Point> points{{1}, {2}};
  EXPECT_EQ(pool_.map(&Point::doubled, points), (std::vector{2, 4}));
  EXPECT_EQ(pool_.map(&Point::x, points), (std::vector{1, 2}));
}

TEST_P(Map, MayBeCalledFromSeveralThreadsAtOnce) {
  const std::vector<int> items = first_integers(500);
  const std::vector<int> expected = pool_.map(square, items);
  std::vector<std::vector<int>> results(4);
  std::vector<std::thread> threads;
  for (std::vector<int>& result : results) {
    threads.emplace_back([&] { result = pool_.map(square, items, 3); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& result : results) EXPECT_EQ(result, expected);
}

// Kinds of items.

TEST_P(Map, TakesRandomAccessRanges) {
  const std::vector expected{0, 1, 4, 9};
  const std::array<int, 4> array{0, 1, 2, 3};
  const int c_array[] = {0, 1, 2, 3};
  const std::deque<int> deque{0, 1, 2, 3};
  EXPECT_EQ(pool_.map(square, array), expected);
  EXPECT_EQ(pool_.map(square, c_array), expected);
  EXPECT_EQ(pool_.map(square, deque), expected);
  EXPECT_EQ(pool_.map(square, std::span(array)), expected);
  EXPECT_EQ(pool_.map(square, std::views::iota(0, 4)), expected);
  EXPECT_EQ(pool_.map(square, array | std::views::take(2)), (std::vector{0, 1}));
  EXPECT_EQ(pool_.map(square, array | std::views::reverse), (std::vector{9, 4, 1, 0}));
  EXPECT_EQ(pool_.map([](char c) { return c - 'a'; }, std::string("abc")), (std::vector{0, 1, 2}));
}

TEST_P(Map, TakesRangesWithoutRandomAccess) {
  const std::vector expected{0, 1, 4, 9};
  EXPECT_EQ(pool_.map(square, std::list<int>{0, 1, 2, 3}), expected);
  EXPECT_EQ(pool_.map(square, std::forward_list<int>{0, 1, 2, 3}), expected);
  EXPECT_EQ(pool_.map(square, std::set<int>{3, 2, 1, 0}), expected);

  const std::map<int, int> pairs{{1, 10}, {2, 20}};
  EXPECT_EQ(pool_.map([](const std::pair<const int, int>& p) { return p.first + p.second; }, pairs),
            (std::vector{11, 22}));

  const std::vector<int> items = first_integers(8);
  const auto even = [](int n) { return n % 2 == 0; };
  EXPECT_EQ(pool_.map(square, items | std::views::filter(even)), (std::vector{0, 4, 16, 36}));
}

TEST_P(Map, TakesSinglePassInput) {
  EXPECT_EQ(pool_.map(square, counting(4)), (std::vector{0, 1, 4, 9}));
  std::istringstream text("1 2 3");
  EXPECT_EQ(pool_.map(square, std::views::istream<int>(text)), (std::vector{1, 4, 9}));
}

TEST_P(Map, TakesARangeWithoutSize) {
  // Random access, but its length is known only when its end has been found.
  const std::vector<int> items{1, 2, 3, 0, 5};
  const auto positive = [](int n) { return n > 0; };
  EXPECT_EQ(pool_.map(square, items | std::views::take_while(positive)), (std::vector{1, 4, 9}));
}

TEST_P(Map, TakesInitializerLists) {
  EXPECT_EQ(pool_.map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
  EXPECT_EQ(pool_.map(square, {1, 2, 3}, 2), (std::vector{1, 4, 9}));
}

TEST_P(Map, TakesProxyReferences) {
  const std::vector<bool> bits{true, false, true};
  EXPECT_EQ(pool_.map([](bool b) { return b ? 1 : 0; }, bits), (std::vector{1, 0, 1}));
}

TEST_P(Map, WalksInputInTheCallerAndLetsItsExceptionsOut) {
  const auto caller = std::this_thread::get_id();
  int read_elsewhere = 0;
  int next = 0;
  Generated<int> items([&]() -> std::optional<int> {
    if (std::this_thread::get_id() != caller) ++read_elsewhere;
    if (next == 10) return std::nullopt;
    return next++;
  });
  EXPECT_EQ(pool_.map(square, items).size(), 10U);
  EXPECT_EQ(read_elsewhere, 0);

  EXPECT_THROW(pool_.map(square, counting_until_throw(0)), SayWhen);
  EXPECT_THROW(pool_.map(square, counting_until_throw(5)), SayWhen);
  EXPECT_EQ(pool_.map(square, std::vector{2}), std::vector{4});
}

TEST_P(Map, RunsNothingWhenTheInputThrows) {
  std::atomic<int> calls = 0;
  EXPECT_THROW(pool_.map([&calls](int) { ++calls; }, counting_until_throw(5), 1), SayWhen);
  visit_every_worker(pool_);
  EXPECT_EQ(calls, 0);
}

// No items.

TEST_P(Map, OfNothingReturnsAtOnceWithoutAWorker) {
  const BusyWorkers busy(pool_);
  EXPECT_TRUE(pool_.map(square, std::vector<int>{}).empty());
  EXPECT_TRUE(pool_.map(square, std::list<int>{}, 1).empty());
  EXPECT_TRUE(pool_.map(square, counting(0)).empty());
  pool_.map([](int) {}, std::vector<int>{});
}

// Options.

TEST_P(Map, TakesTheChunksizeInOptions) {
  EXPECT_EQ(pool_.map(square, std::vector{1, 2, 3}, {.chunksize = 2}), (std::vector{1, 4, 9}));
  EXPECT_EQ(pool_.map(square, {1, 2, 3}, {.chunksize = 2}), (std::vector{1, 4, 9}));
  EXPECT_EQ(pool_.map(square, std::vector{1, 2, 3}, {}), (std::vector{1, 4, 9}));
}

TEST_P(Map, TakesTheLargestChunksize) {
  EXPECT_EQ(pool_.map(square, {1, 2, 3}, std::numeric_limits<std::ptrdiff_t>::max()),
            (std::vector{1, 4, 9}));
}

TEST_P(Map, TakesAChunksizeOfAnyIntegralType) {
  const std::vector items{1, 2, 3};
  const std::vector expected{1, 4, 9};
  EXPECT_EQ(pool_.map(square, items, items.size()), expected);
  EXPECT_EQ(pool_.map(square, items, 2L), expected);
  EXPECT_EQ(pool_.map(square, items, static_cast<short>(2)), expected);
}

// How items are cut into chunks. From outside a chunk shows in three ways: it runs on one thread,
// in order, and when one of its items throws the rest of it is skipped.

// Which of `count` items ran when item `thrower` threw.
std::vector<bool> ran_when_one_throws(ThreadPool& pool, int count, int thrower,
                                      std::optional<std::ptrdiff_t> chunksize) {
  std::vector<std::atomic<bool>> ran(static_cast<std::size_t>(count));
  EXPECT_THROW(pool.map(
                   [&](int n) {
                     ran[static_cast<std::size_t>(n)] = true;
                     if (n == thrower) throw std::runtime_error("chosen");
                   },
                   std::views::iota(0, count), {.chunksize = chunksize}),
               std::runtime_error);
  return {ran.begin(), ran.end()};
}

std::vector<bool> all_but(int count, int first_skipped, int last_skipped) {
  std::vector<bool> ran(static_cast<std::size_t>(count), true);
  for (int n = first_skipped; n <= last_skipped; ++n) ran[static_cast<std::size_t>(n)] = false;
  return ran;
}

TEST_P(Map, KeepsAGivenChunksizeExactly) {
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 0, 6), all_but(20, 1, 5));
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 6, 6), all_but(20, 7, 11));
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 14, 6), all_but(20, 15, 17));
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 18, 6), all_but(20, 19, 19));
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 5, 6), all_but(20, 20, 19));
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 3, 1), all_but(20, 20, 19));
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 3, 20), all_but(20, 4, 19));
  EXPECT_EQ(ran_when_one_throws(pool_, 20, 3, 1000000), all_but(20, 4, 19));
}

TEST_P(Map, RunsAChunkOnOneThreadInOrder) {
  constexpr int kChunk = 5;
  constexpr int kItems = 100;
  std::mutex mutex;
  std::map<int, std::vector<std::pair<int, std::thread::id>>> calls;  // by chunk
  pool_.map(
      [&](int n) {
        const std::lock_guard lock(mutex);
        calls[n / kChunk].emplace_back(n, std::this_thread::get_id());
      },
      first_integers(kItems), kChunk);
  ASSERT_EQ(calls.size(), static_cast<std::size_t>(kItems / kChunk));
  for (const auto& [chunk, items] : calls) {
    ASSERT_EQ(items.size(), static_cast<std::size_t>(kChunk));
    for (int i = 0; i < kChunk; ++i) {
      EXPECT_EQ(items[static_cast<std::size_t>(i)].first, chunk * kChunk + i);
      EXPECT_EQ(items[static_cast<std::size_t>(i)].second, items.front().second);
    }
  }
}

struct DefaultChunk {
  int items;
  int size;
};

class MapDefaultChunksize : public ::testing::TestWithParam<DefaultChunk> {};

// Python's, with four workers: ceil(items / 16).
INSTANTIATE_TEST_SUITE_P(FourWorkers, MapDefaultChunksize,
                         ::testing::Values(DefaultChunk{1, 1}, DefaultChunk{15, 1},
                                           DefaultChunk{16, 1}, DefaultChunk{17, 2},
                                           DefaultChunk{32, 2}, DefaultChunk{33, 3},
                                           DefaultChunk{100, 7}, DefaultChunk{1000, 63}),
                         [](const auto& param_info) {
                           return std::to_string(param_info.param.items) + "Items";
                         });

TEST_P(MapDefaultChunksize, IsPythonsAtFirst) {
  const auto [items, size] = GetParam();
  ThreadPool pool(4);
  EXPECT_EQ(ran_when_one_throws(pool, items, 0, std::nullopt), all_but(items, 1, size - 1));
}

TEST_P(MapDefaultChunksize, IsNeverLargerThanPythons) {
  const auto [items, size] = GetParam();
  ThreadPool pool(4);
  for (int thrower = 0; thrower < items; thrower += size) {
    const std::vector<bool> ran = ran_when_one_throws(pool, items, thrower, std::nullopt);
    EXPECT_LE(std::count(ran.begin(), ran.end(), false), size - 1) << "thrower " << thrower;
  }
}

// Errors.

TEST_P(Map, RethrowsAnItemsException) {
  EXPECT_EQ(message_of<std::runtime_error>([&] {
              return pool_.map(
                  [](int n) {
                    if (n == 2) throw std::runtime_error("item " + std::to_string(n));
                    return n;
                  },
                  first_integers(5));
            }),
            "item 2");
  EXPECT_EQ(pool_.map(square, std::vector{3}), std::vector{9});
}

TEST(MapOrder, OneWorkerTakesTheItemsInOrder) {
  std::vector<int> order;
  ThreadPool pool(1);
  pool.map([&order](int n) { order.push_back(n); }, first_integers(1000));
  EXPECT_EQ(order, first_integers(1000));
}

TEST(MapOrder, TheLaterItemsDontWaitForASlowOne) {
  // Item 0 ends only when all others have run.
  constexpr int kItems = 50;
  EventCount others;
  ThreadPool pool(2);
  pool.map(
      [&others](int n) {
        if (n == 0) {
          others.wait_until(kItems - 1);
        } else {
          others.add();
        }
      },
      first_integers(kItems), 1);
  EXPECT_EQ(others.count(), static_cast<std::size_t>(kItems - 1));
}

}  // namespace
}  // namespace millpond::test
