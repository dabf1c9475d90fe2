// SPDX-License-Identifier: MIT
//
// ThreadPool::istarmap and istarmap_unordered: imaps whose items are unpacked into arguments.
// Python has no such methods; what they share with imap is tested there.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

int multiply(int a, int b) { return a * b; }

std::vector<int> all_of(ImapIterator<int> iterator) {
  std::vector<int> results;
  for (auto&& result : iterator) results.push_back(result);
  return results;
}

std::vector<int> sorted(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  return values;
}

class Istarmap : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, Istarmap, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Istarmap, UnpacksEachItemAndKeepsTheOrder) {
  std::vector<std::tuple<int, int>> items;
  std::vector<int> expected;
  for (int n = 0; n < 100; ++n) {
    items.emplace_back(n, n + 1);
    expected.push_back(n * (n + 1));
  }
  EXPECT_EQ(all_of(pool_.istarmap(multiply, items)), expected);
  EXPECT_EQ(all_of(pool_.istarmap(multiply, items, 7)), expected);
  EXPECT_EQ(all_of(pool_.istarmap(multiply, items, {.chunksize = 7, .buffersize = 2})), expected);
}

TEST_P(Istarmap, UnorderedYieldsEveryResultOnce) {
  std::vector<std::tuple<int, int>> items;
  std::vector<int> expected;
  for (int n = 0; n < 100; ++n) {
    items.emplace_back(n, n + 1);
    expected.push_back(n * (n + 1));
  }
  EXPECT_EQ(sorted(all_of(pool_.istarmap_unordered(multiply, items))), expected);
  EXPECT_EQ(sorted(all_of(pool_.istarmap_unordered(multiply, items, 7))), expected);
  EXPECT_EQ(sorted(all_of(pool_.istarmap_unordered(multiply, items, {.buffersize = 2}))), expected);
}

TEST_P(Istarmap, UnpacksPairsArraysAndMapEntries) {
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  const std::vector<std::array<int, 2>> arrays{{1, 2}, {3, 4}};
  const std::map<int, int> entries{{1, 2}, {3, 4}};
  const std::vector expected{2, 12};
  EXPECT_EQ(all_of(pool_.istarmap(multiply, pairs)), expected);
  EXPECT_EQ(all_of(pool_.istarmap(multiply, arrays)), expected);
  EXPECT_EQ(all_of(pool_.istarmap(multiply, entries)), expected);
  EXPECT_EQ(all_of(pool_.istarmap(multiply, {std::pair(1, 2), std::pair(3, 4)})), expected);
  EXPECT_EQ(sorted(all_of(pool_.istarmap_unordered(multiply, pairs))), expected);
  EXPECT_EQ(sorted(all_of(pool_.istarmap_unordered(multiply, entries))), expected);
}

TEST_P(Istarmap, HasImapsIteratorType) {
  const std::vector<std::pair<int, int>> items;
  static_assert(std::is_same_v<decltype(pool_.istarmap(multiply, items)), ImapIterator<int>>);
  static_assert(
      std::is_same_v<decltype(pool_.istarmap_unordered(multiply, items)), ImapIterator<int>>);
  static_assert(
      std::is_same_v<decltype(pool_.istarmap([](int, int) {}, items)), ImapIterator<void>>);
  SUCCEED();
}

TEST_P(Istarmap, ReadsInfiniteInputLazily) {
  EventCount read;
  auto input = Generated<std::pair<int, int>>([&read, next = 0]() mutable {
    read.add();
    ++next;
    return std::optional(std::pair(next, next));
  });
  ThreadPool pool(workers());
  auto iterator = pool.istarmap(multiply, std::move(input), {.buffersize = 3});
  EXPECT_EQ(iterator.next(), 1);
  read.wait_until(4);
  visit_every_worker(pool);
  EXPECT_EQ(read.count(), 4U);
  EXPECT_EQ(iterator.next(), 4);
}

TEST_P(Istarmap, ThrowsATasksExceptionAtItsPlaceAndGoesOn) {
  const std::vector<std::pair<int, int>> items{{6, 3}, {1, 0}, {8, 2}};
  const auto divide = [](int a, int b) {
    if (b == 0) throw std::domain_error("division by zero");
    return a / b;
  };
  auto iterator = pool_.istarmap(divide, items, 3);
  EXPECT_EQ(iterator.next(), 2);
  EXPECT_THROW(static_cast<void>(iterator.next()), std::domain_error);
  EXPECT_EQ(iterator.next(), 4);
  EXPECT_EQ(iterator.next(), std::nullopt);
}

TEST_P(Istarmap, MovesMoveOnlyItemsIntoTheFunction) {
  std::vector<std::pair<std::unique_ptr<int>, int>> items;
  for (int n = 0; n < 5; ++n) items.emplace_back(std::make_unique<int>(n), 3);
  const auto times = [](std::unique_ptr<int> a, int b) { return *a * b; };
  EXPECT_EQ(all_of(pool_.istarmap(times, std::move(items))), (std::vector{0, 3, 6, 9, 12}));
}

TEST_P(Istarmap, UnorderedYieldsResultsAsTheyAreDone) {
  if (workers() == 1) GTEST_SKIP() << "needs a second worker";
  const auto gate = std::make_shared<Gate>();
  const std::vector<std::pair<int, int>> items{{0, 1}, {2, 3}};
  auto iterator = pool_.istarmap_unordered(
      [gate](int a, int b) {
        if (a == 0) gate->wait();
        return a * b;
      },
      items);
  EXPECT_EQ(iterator.next(), 6);
  gate->open();
  EXPECT_EQ(iterator.next(), 0);
  EXPECT_EQ(iterator.next(), std::nullopt);
}

}  // namespace
}  // namespace millpond::test
