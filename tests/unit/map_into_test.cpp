// SPDX-License-Identifier: MIT
//
// map_into: results go to a range of the caller's.

#include <millpond/millpond.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <forward_list>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::StrEq;
using ::testing::ThrowsMessage;

int twice(int n) { return 2 * n; }

class MapInto : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, MapInto, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(MapInto, AssignsEachResultToTheElementOfItsItem) {
  std::vector<int> items(10'000);
  std::iota(items.begin(), items.end(), 0);
  std::vector<long> out(items.size(), -1);
  pool_.map_into(out, twice, items);
  for (std::size_t i = 0; i != out.size(); ++i) ASSERT_EQ(out[i], 2 * items[i]);
}

TEST_P(MapInto, WritesToAnyRandomAccessRangeOfKnownSize) {
  std::deque<int> deque(3);
  pool_.map_into(deque, twice, {1, 2, 3});
  EXPECT_THAT(deque, ElementsAre(2, 4, 6));
  int array[2] = {};
  pool_.map_into(array, twice, std::forward_list<int>{3, 4}, 1);
  EXPECT_THAT(array, ElementsAre(6, 8));
  std::vector<int> vector(4, 7);
  pool_.map_into(std::span(vector).subspan(1, 2), twice, std::array{5, 6}, {.chunksize = 1});
  EXPECT_THAT(vector, ElementsAre(7, 10, 12, 7));
}

TEST_P(MapInto, MayWriteToItsOwnItems) {
  std::vector<int> items(1'000, 21);
  pool_.map_into(items, twice, items);
  EXPECT_THAT(items, Each(42));
}

TEST_P(MapInto, AssignsWhatIsOnlyMovable) {
  std::vector<std::unique_ptr<int>> out(3);
  pool_.map_into(out, [](int n) { return std::make_unique<int>(n); }, {1, 2, 3});
  EXPECT_EQ(*out[2], 3);
}

TEST_P(MapInto, RunsNothingIfTheSizesDiffer) {
  std::atomic<int> calls{0};
  const auto count = [&](int n) {
    ++calls;
    return n;
  };
  std::vector<int> out(3, 7);
  EXPECT_THAT([&] { pool_.map_into(out, count, {1, 2}); },
              ThrowsMessage<ValueError>(StrEq("The output has 3 elements, the input 2")));
  EXPECT_THAT([&] { pool_.map_into(out, count, std::forward_list<int>{1, 2, 3, 4}); },
              ThrowsMessage<ValueError>(StrEq("The output has 3 elements, the input 4")));
  EXPECT_EQ(calls, 0);
  EXPECT_THAT(out, Each(7));
}

TEST_P(MapInto, ChecksStateThenChunksizeThenSizes) {
  std::vector<int> out(3);
  EXPECT_THAT([&] { pool_.map_into(out, twice, {1, 2}, 0); },
              ThrowsMessage<ValueError>(StrEq("Chunksize must be 1+, not 0")));
  pool_.close();
  EXPECT_THAT([&] { pool_.map_into(out, twice, {1, 2}, 0); },
              ThrowsMessage<ValueError>(StrEq("Pool not running")));
}

TEST_P(MapInto, OfNothingIntoNothingIsDone) {
  std::vector<int> none;
  pool_.map_into(none, twice, std::vector<int>{});
}

TEST_P(MapInto, ThrowsTheFirstErrorAndKeepsTheOldValuesOfWhatDidNotRun) {
  std::vector<int> out(6, 7);
  EXPECT_THAT(
      [&] {
        pool_.map_into(
            out, [](int n) { return n == 1 ? throw std::runtime_error("one") : n; },
            {0, 1, 2, 3, 4, 5}, 3);
      },
      ThrowsMessage<std::runtime_error>(StrEq("one")));
  EXPECT_THAT(out, ElementsAre(0, 7, 7, 3, 4, 5));
}

TEST_P(MapInto, CarriesAnErrorOfTheAssignment) {
  struct Picky {
    Picky& operator=(int n) {
      if (n == 4) throw std::runtime_error("four");
      return *this;
    }
  };
  std::vector<Picky> out(3);
  EXPECT_THAT([&] { pool_.map_into(out, twice, {1, 2, 3}); },
              ThrowsMessage<std::runtime_error>(StrEq("four")));
}

TEST_P(MapInto, TakesPartInItsOwnWorkInATask) {
  const int sum = pool_.apply([&] {
    std::vector<int> out(100);
    pool_.map_into(out, twice, std::vector<int>(100, 1), 1);
    return std::accumulate(out.begin(), out.end(), 0);
  });
  EXPECT_EQ(sum, 200);
}

TEST_P(MapInto, IsGivenUpByTerminate) {
  std::vector<int> out(100, 7);
  EXPECT_THROW(pool_.map_into(
                   out,
                   [&](int n) {
                     pool_.terminate();
                     return n;
                   },
                   std::vector<int>(100, 1), 1),
               TerminatedError);
  EXPECT_EQ(out.back(), 7);
}

}  // namespace
}  // namespace millpond::test
