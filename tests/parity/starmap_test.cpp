// SPDX-License-Identifier: MIT
//
// ThreadPool::starmap and starmap_async: maps whose items are unpacked into arguments.
#include <millpond/millpond.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
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

int multiply(int a, int b) { return a * b; }

// (0, count - 1), (1, count - 2), ..., (count - 1, 0)
std::vector<std::tuple<int, int>> opposite_pairs(int count) {
  std::vector<std::tuple<int, int>> pairs;
  for (int n = 0; n < count; ++n) pairs.emplace_back(n, count - 1 - n);
  return pairs;
}

std::vector<int> products(const std::vector<std::tuple<int, int>>& pairs) {
  std::vector<int> expected;
  for (const auto& [a, b] : pairs) expected.push_back(a * b);
  return expected;
}

class Starmap : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, Starmap, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Starmap, UnpacksEachItemAndKeepsTheOrder) {
  for (const int count : {0, 1, 2, 10, 100, 1000}) {
    const auto pairs = opposite_pairs(count);
    EXPECT_EQ(pool_.starmap(multiply, pairs), products(pairs));
    EXPECT_EQ(pool_.starmap(multiply, pairs, 20), products(pairs));
    EXPECT_EQ(pool_.starmap(multiply, pairs, {.chunksize = 3}), products(pairs));
  }
}

TEST_P(Starmap, UnpacksPairsArraysAndMapEntries) {
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  EXPECT_EQ(pool_.starmap(multiply, pairs), (std::vector{2, 12}));

  const std::vector<std::array<int, 2>> arrays{{1, 2}, {3, 4}};
  EXPECT_EQ(pool_.starmap(multiply, arrays), (std::vector{2, 12}));

  const std::map<int, int> entries{{1, 2}, {3, 4}};
  EXPECT_EQ(pool_.starmap(multiply, entries), (std::vector{2, 12}));
}

TEST_P(Starmap, UnpacksAnyNumberOfArguments) {
  const std::vector<std::tuple<>> none(3);
  EXPECT_EQ(pool_.starmap([] { return 1; }, none), (std::vector{1, 1, 1}));

  const std::vector<std::tuple<int>> one{{1}, {2}};
  EXPECT_EQ(pool_.starmap([](int a) { return -a; }, one), (std::vector{-1, -2}));

  const std::vector<std::tuple<std::string, int, char>> three{{"a", 2, 'x'}, {"b", 1, 'y'}};
  EXPECT_EQ(pool_.starmap([](const std::string& s, int n,
                             char c) { return s + std::string(static_cast<std::size_t>(n), c); },
                          three),
            (std::vector<std::string>{"axx", "by"}));
}

TEST_P(Starmap, TakesInitializerLists) {
  EXPECT_EQ(pool_.starmap(multiply, {std::tuple(1, 2), std::tuple(3, 4)}), (std::vector{2, 12}));
}

TEST_P(Starmap, TakesOtherRanges) {
  EXPECT_EQ(pool_.starmap(multiply, std::list<std::pair<int, int>>{{1, 2}, {3, 4}}),
            (std::vector{2, 12}));
  const auto with_successor =
      std::views::iota(1, 4) | std::views::transform([](int n) { return std::pair(n, n + 1); });
  EXPECT_EQ(pool_.starmap(multiply, with_successor), (std::vector{2, 6, 12}));
}

TEST_P(Starmap, ReturnsNothingForAVoidFunction) {
  std::atomic<int> sum = 0;
  const auto accumulate = [&sum](int a, int b) { sum += a * b; };
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  static_assert(std::is_void_v<decltype(pool_.starmap(accumulate, pairs))>);
  pool_.starmap(accumulate, pairs);
  EXPECT_EQ(sum, 14);
}

TEST_P(Starmap, MayChangeBorrowedItemsInPlace) {
  std::vector<std::pair<int, int>> pairs{{1, 0}, {2, 0}, {3, 0}};
  pool_.starmap([](int in, int& out) { out = 10 * in; }, pairs);
  EXPECT_EQ(pairs, (std::vector<std::pair<int, int>>{{1, 10}, {2, 20}, {3, 30}}));
}

TEST_P(Starmap, RethrowsAnItemsException) {
  const std::vector<std::pair<int, int>> pairs{{4, 2}, {1, 0}};
  const auto divide = [](int a, int b) {
    if (b == 0) throw std::domain_error("division by zero");
    return a / b;
  };
  EXPECT_EQ(message_of<std::domain_error>([&] { return pool_.starmap(divide, pairs); }),
            "division by zero");
  EXPECT_EQ(message_of<std::domain_error>([&] { return pool_.starmap_async(divide, pairs).get(); }),
            "division by zero");
}

TEST_P(Starmap, SkipsTheRestOfAFailingChunkOnly) {
  std::vector<std::atomic<bool>> ran(10);
  EXPECT_THROW(pool_.starmap(
                   [&ran](int a, int) {
                     ran[static_cast<std::size_t>(a)] = true;
                     if (a == 4) throw std::runtime_error("chosen");
                   },
                   opposite_pairs(10), 4),
               std::runtime_error);
  const std::vector<bool> expected{true, true, true, true, true, false, false, false, true, true};
  EXPECT_EQ(std::vector<bool>(ran.begin(), ran.end()), expected);
}

// starmap_async

TEST_P(Starmap, AsyncDeliversResultsInTheOrderOfTheItems) {
  const auto pairs = opposite_pairs(100);
  EXPECT_EQ(pool_.starmap_async(multiply, pairs).get(), products(pairs));
  EXPECT_EQ(pool_.starmap_async(multiply, pairs, 7).get(), products(pairs));
  EXPECT_EQ(pool_.starmap_async(multiply, pairs, {.chunksize = 7}).get(), products(pairs));
  static_assert(std::is_same_v<decltype(pool_.starmap_async(multiply, pairs)),
                               AsyncResult<std::vector<int>>>);
}

TEST_P(Starmap, AsyncReturnsBeforeTheItemsAreDone) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.starmap_async(
      [gate](int a, int b) {
        gate->wait();
        return a * b;
      },
      opposite_pairs(3));
  EXPECT_FALSE(result.ready());
  gate->open();
  EXPECT_EQ(result.get(), (std::vector{0, 1, 0}));
}

TEST_P(Starmap, AsyncCallsItsCallbackWithAllResults) {
  std::vector<int> seen;
  const auto result =
      pool_.starmap_async(multiply, opposite_pairs(3),
                          {.callback = [&seen](const std::vector<int>& all) { seen = all; }});
  EXPECT_EQ(result.get(), (std::vector{0, 1, 0}));
  EXPECT_EQ(seen, (std::vector{0, 1, 0}));
}

TEST_P(Starmap, AsyncOfNothingIsAnEmptyVector) {
  EXPECT_TRUE(pool_.starmap_async(multiply, opposite_pairs(0)).get().empty());
}

TEST_P(Starmap, MovesMoveOnlyItemsIntoTheFunction) {
  std::vector<std::tuple<std::unique_ptr<int>, int>> items;
  for (int n = 0; n < 10; ++n) items.emplace_back(std::make_unique<int>(n), 2);
  const auto times = [](std::unique_ptr<int> a, int b) { return *a * b; };
  EXPECT_EQ(pool_.starmap_async(times, std::move(items)).get(),
            (std::vector{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}));
}

}  // namespace
}  // namespace millpond::test
