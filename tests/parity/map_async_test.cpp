// SPDX-License-Identifier: MIT
//
// ThreadPool::map_async: a function over items, in parallel, not waited for.
#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

int square(int n) { return n * n; }

std::vector<int> first_integers(int count) {
  std::vector<int> items(static_cast<std::size_t>(count));
  std::iota(items.begin(), items.end(), 0);
  return items;
}

class MapAsync : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, MapAsync, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(MapAsync, DeliversResultsInTheOrderOfTheItems) {
  for (const int count : {0, 1, 2, 9, 1000}) {
    std::vector<int> expected;
    for (int n = 0; n < count; ++n) expected.push_back(square(n));
    EXPECT_EQ(pool_.map_async(square, first_integers(count)).get(), expected);
    EXPECT_EQ(pool_.map_async(square, first_integers(count), 3).get(), expected);
    EXPECT_EQ(pool_.map_async(square, first_integers(count), {.chunksize = 4}).get(), expected);
  }
}

TEST_P(MapAsync, ReturnsBeforeTheItemsAreDone) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.map_async(
      [gate](int n) {
        gate->wait();
        return n;
      },
      std::vector{1, 2, 3});
  EXPECT_FALSE(result.ready());
  EXPECT_FALSE(result.wait(0s));
  gate->open();
  EXPECT_EQ(result.get(), (std::vector{1, 2, 3}));
}

TEST_P(MapAsync, HasOneResultForAllItems) {
  const std::vector<int> items;
  static_assert(
      std::is_same_v<decltype(pool_.map_async(square, items)), AsyncResult<std::vector<int>>>);
  static_assert(std::is_same_v<decltype(pool_.map_async([](int) {}, items)), AsyncResult<void>>);

  std::atomic<int> sum = 0;
  pool_.map_async([&sum](int n) { sum += n; }, first_integers(101)).get();
  EXPECT_EQ(sum, 5050);
}

TEST_P(MapAsync, OfNothingIsAnEmptyVectorAndNeedsNoWorker) {
  const BusyWorkers busy(pool_);
  EXPECT_TRUE(pool_.map_async(square, std::vector<int>{}).get().empty());
  EXPECT_TRUE(pool_.map_async(square, counting(0), 1).get().empty());
  pool_.map_async([](int) {}, std::vector<int>{}).get();
}

TEST_P(MapAsync, TakesANamedOptionsObject) {
  std::vector<int> seen;
  const MapOptions<int> options{.chunksize = 2,
                                .callback = [&seen](const std::vector<int>& r) { seen = r; }};
  EXPECT_EQ(pool_.map_async(square, std::vector{1, 2, 3}, options).get(), (std::vector{1, 4, 9}));
  EXPECT_EQ(seen, (std::vector{1, 4, 9}));
}

TEST_P(MapAsync, TakesInitializerListsAndSinglePassInput) {
  EXPECT_EQ(pool_.map_async(square, {1, 2, 3}).get(), (std::vector{1, 4, 9}));
  EXPECT_EQ(pool_.map_async(square, {1, 2, 3}, 2).get(), (std::vector{1, 4, 9}));
  EXPECT_EQ(pool_.map_async(square, counting(4)).get(), (std::vector{0, 1, 4, 9}));
  EXPECT_EQ(pool_.map_async(square, std::list<int>{1, 2}).get(), (std::vector{1, 4}));
}

TEST_P(MapAsync, WalksInputInTheCallerAndLetsItsExceptionsOut) {
  const auto caller = std::this_thread::get_id();
  std::atomic<int> read_elsewhere = 0;
  auto items = Generated<int>([&, next = 0]() mutable -> std::optional<int> {
    if (std::this_thread::get_id() != caller) ++read_elsewhere;
    if (next == 10) return std::nullopt;
    return next++;
  });
  EXPECT_EQ(pool_.map_async(square, std::move(items)).get().size(), 10U);
  EXPECT_EQ(read_elsewhere, 0);
  EXPECT_THROW(pool_.map_async(square, counting_until_throw(3)), SayWhen);
}

TEST_P(MapAsync, DeliversAnItemsException) {
  const auto result = pool_.map_async(
      [](int n) {
        if (n == 2) throw std::runtime_error("item 2");
        return n;
      },
      first_integers(5));
  EXPECT_EQ(message_of<std::runtime_error>([&] { return result.get(); }), "item 2");
  EXPECT_TRUE(result.ready());
  EXPECT_FALSE(result.successful());
}

TEST(MapAsyncErrors, AreDeliveredWhenAllChunksAreDone) {
  Gate item_1_runs;
  Gate item_1_may_end;
  Gate item_2_runs;
  ThreadPool pool(2);
  const OpenAtExit open_at_exit(item_1_may_end);
  const auto result = pool.map_async(
      [&](int n) {
        if (n == 0) {
          item_1_runs.wait();
          throw std::runtime_error("item 0");
        }
        if (n == 1) {
          item_1_runs.open();
          item_1_may_end.wait();
        } else {
          item_2_runs.open();
        }
      },
      first_integers(3), 1);
  // The worker that runs item 2 has dealt with item 0's exception; the other is held in item 1.
  item_2_runs.wait();
  EXPECT_FALSE(result.ready());
  item_1_may_end.open();
  EXPECT_EQ(message_of<std::runtime_error>([&] { result.get(); }), "item 0");
}

TEST(MapAsyncErrors, TheFirstInTimeWins) {
  // Item 1 throws first, though item 0 was issued before it.
  Gate first_thrown;
  ThreadPool pool(2);
  const auto result = pool.map_async(
      [&first_thrown](int n) {
        if (n == 0) {
          first_thrown.wait();
        } else if (n == 2) {
          // One worker waits in item 0, so this one has dealt with item 1's exception.
          first_thrown.open();
          return;
        }
        throw std::runtime_error("item " + std::to_string(n));
      },
      first_integers(3), 1);
  EXPECT_EQ(message_of<std::runtime_error>([&] { result.get(); }), "item 1");
}

TEST(MapAsyncErrors, MoreItemsThanCanBeCountedAreRefused) {
  millpond::ThreadPool pool(1);
  const auto all = std::views::iota(0ULL, ~0ULL);
  EXPECT_THROW((void)pool.map_async([](unsigned long long) {}, all), millpond::ValueError);
}

TEST(MapAsyncErrors, OneWorkerReportsTheFirstItemThatThrows) {
  ThreadPool pool(1);
  const auto result =
      pool.map_async([](int n) -> int { throw std::runtime_error("item " + std::to_string(n)); },
                     first_integers(10), 1);
  EXPECT_EQ(message_of<std::runtime_error>([&] { return result.get(); }), "item 0");
}

}  // namespace
}  // namespace millpond::test
