// SPDX-License-Identifier: MIT
//
// ThreadPool::imap_unordered: a lazy map whose results come as they are done. What it shares with
// imap is tested there.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
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

std::vector<int> sorted(ImapIterator<int> iterator) {
  std::vector<int> results;
  for (auto&& result : iterator) results.push_back(result);
  std::sort(results.begin(), results.end());
  return results;
}

class ImapUnordered : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, ImapUnordered, worker_counts(),
                         ::testing::PrintToStringParamName());

TEST_P(ImapUnordered, YieldsEveryResultOnce) {
  for (const int count : {0, 1, 2, 10, 1000}) {
    std::vector<int> expected;
    for (int n = 0; n < count; ++n) expected.push_back(square(n));
    EXPECT_EQ(sorted(pool_.imap_unordered(square, first_integers(count))), expected);
    EXPECT_EQ(sorted(pool_.imap_unordered(square, first_integers(count), 100)), expected);
    EXPECT_EQ(sorted(pool_.imap_unordered(square, first_integers(count),
                                          {.chunksize = 3, .buffersize = 2})),
              expected);
  }
}

TEST_P(ImapUnordered, HasTheSameIteratorTypeAsImap) {
  const std::vector<int> items{1};
  static_assert(std::is_same_v<decltype(pool_.imap_unordered(square, items)), ImapIterator<int>>);
  static_assert(
      std::is_same_v<decltype(pool_.imap_unordered([](int) {}, items)), ImapIterator<void>>);
  SUCCEED();
}

TEST_P(ImapUnordered, YieldsResultsAsTheyAreDone) {
  if (workers() == 1) GTEST_SKIP() << "needs a second worker";
  constexpr int kItems = 50;
  const auto release_item_0 = std::make_shared<Gate>();
  auto iterator = pool_.imap_unordered(
      [release_item_0](int n) {
        if (n == 0) release_item_0->wait();
        return n;
      },
      first_integers(kItems));
  std::set<int> others;
  for (int n = 1; n < kItems; ++n) others.insert(iterator.next().value());
  EXPECT_EQ(others.size(), static_cast<std::size_t>(kItems - 1));
  EXPECT_FALSE(others.contains(0));
  EXPECT_THROW(static_cast<void>(iterator.next(0s)), TimeoutError);
  release_item_0->open();
  EXPECT_EQ(iterator.next(), 0);
  EXPECT_EQ(iterator.next(), std::nullopt);
}

TEST_P(ImapUnordered, YieldsTheFirstResultWhileOthersRun) {
  if (workers() == 1) GTEST_SKIP() << "needs a second worker";
  const auto gate = std::make_shared<Gate>();
  auto iterator = pool_.imap_unordered(
      [gate](int n) {
        if (n != 1) gate->wait();
        return n;
      },
      first_integers(2));
  EXPECT_EQ(iterator.next(), 1);
  gate->open();
  EXPECT_EQ(iterator.next(), 0);
}

TEST_P(ImapUnordered, NextEndsWithNothingForGood) {
  auto iterator = pool_.imap_unordered(square, first_integers(1));
  EXPECT_EQ(iterator.next(), 0);
  EXPECT_EQ(iterator.next(), std::nullopt);
  EXPECT_EQ(iterator.next(0s), std::nullopt);
  EXPECT_EQ(pool_.imap_unordered(square, std::vector<int>{}).next(), std::nullopt);
}

TEST_P(ImapUnordered, NextWithATimeoutMayBeRetried) {
  const auto gate = std::make_shared<Gate>();
  auto iterator = pool_.imap_unordered(
      [gate](int n) {
        gate->wait();
        return n;
      },
      std::vector{7});
  EXPECT_THROW(static_cast<void>(iterator.next(0s)), TimeoutError);
  EXPECT_THROW(static_cast<void>(iterator.next(1ms)), TimeoutError);
  gate->open();
  EXPECT_EQ(iterator.next(1h), 7);
}

TEST_P(ImapUnordered, NextMayBeCalledFromSeveralThreads) {
  constexpr int kItems = 2000;
  auto iterator = pool_.imap_unordered([](int n) { return n; }, first_integers(kItems));
  std::vector<std::vector<int>> taken(4);
  std::vector<std::thread> readers;
  for (std::vector<int>& mine : taken) {
    readers.emplace_back([&] {
      while (const std::optional<int> result = iterator.next()) mine.push_back(*result);
    });
  }
  for (std::thread& reader : readers) reader.join();
  std::vector<int> all;
  for (const std::vector<int>& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, first_integers(kItems));
}

TEST_P(ImapUnordered, ThrowsTasksExceptionsAndGoesOn) {
  for (const int chunksize : {1, 3, 100}) {
    auto iterator = pool_.imap_unordered(
        [](int n) {
          if (n % 3 == 1) throw std::runtime_error(std::to_string(n));
          return n;
        },
        first_integers(10), chunksize);
    std::set<int> results;
    std::set<std::string> errors;
    for (bool more = true; more;) {
      try {
        const std::optional<int> result = iterator.next();
        if (result) results.insert(*result);
        more = result.has_value();
      } catch (const std::runtime_error& error) {
        errors.insert(error.what());
      }
    }
    EXPECT_EQ(results, (std::set{0, 2, 3, 5, 6, 8, 9})) << "chunksize " << chunksize;
    EXPECT_EQ(errors, (std::set<std::string>{"1", "4", "7"})) << "chunksize " << chunksize;
  }
}

TEST_P(ImapUnordered, ThrowsTheInputsExceptionOnceAndYieldsAllItemsBeforeIt) {
  for (const int chunksize : {1, 2, 4}) {
    auto iterator = pool_.imap_unordered(square, counting_until_throw(7), chunksize);
    std::set<int> results;
    int errors = 0;
    for (bool more = true; more;) {
      try {
        const std::optional<int> result = iterator.next();
        if (result) results.insert(*result);
        more = result.has_value();
      } catch (const SayWhen&) {
        ++errors;
      }
    }
    EXPECT_EQ(results, (std::set{0, 1, 4, 9, 16, 25, 36})) << "chunksize " << chunksize;
    EXPECT_EQ(errors, 1) << "chunksize " << chunksize;
  }
}

TEST_P(ImapUnordered, ReadsAheadNoFurtherThanTheBuffersize) {
  constexpr int kAhead = 3;
  EventCount read;
  auto input = Generated<int>([&read, next = 0]() mutable {
    read.add();
    return std::optional(next++);
  });
  ThreadPool pool(workers());
  auto iterator =
      pool.imap_unordered([](int n) { return n; }, std::move(input), {.buffersize = kAhead});
  for (int yielded = 0; yielded < 20; ++yielded) {
    const auto limit = static_cast<std::size_t>(yielded + kAhead);
    read.wait_until(limit);
    visit_every_worker(pool);
    EXPECT_EQ(read.count(), limit);
    EXPECT_TRUE(iterator.next().has_value());
  }
}

TEST_P(ImapUnordered, ReadsInfiniteInputAsFarAsItIsAsked) {
  std::set<int> results;
  for (auto&& result : pool_.imap_unordered([](int n) { return n; }, std::views::iota(0))) {
    results.insert(result);
    if (results.size() == 1000U) break;
  }
  EXPECT_EQ(results.size(), 1000U);
}

TEST_P(ImapUnordered, DroppingItAbandonsWhatHasNotStarted) {
  std::atomic<int> calls = 0;
  BusyWorkers busy(pool_);
  {
    auto iterator = pool_.imap_unordered([&calls](int) { ++calls; }, first_integers(100));
  }
  busy.release();
  visit_every_worker(pool_);
  EXPECT_EQ(calls, 0);
}

TEST_P(ImapUnordered, CloseAndJoinFinishInputThatNobodyReads) {
  auto iterator = pool_.imap_unordered([](int n) { return n; }, counting(500), {.buffersize = 2});
  pool_.close();
  pool_.join();
  EXPECT_EQ(sorted(std::move(iterator)), first_integers(500));
}

TEST_P(ImapUnordered, TerminateLetsItYieldWhatIsDoneThenTerminatedErrorThenTheEnd) {
  EventCount done;
  auto iterator = pool_.imap_unordered(
      [&done](int n) {
        done.add();
        return n;
      },
      std::views::iota(0), {.buffersize = 4});
  done.wait_until(4);
  visit_every_worker(pool_);
  pool_.terminate();
  pool_.join();
  std::set<int> results;
  for (int n = 0; n < 4; ++n) results.insert(iterator.next().value());
  EXPECT_EQ(results, (std::set{0, 1, 2, 3}));
  EXPECT_THROW(static_cast<void>(iterator.next()), TerminatedError);
  EXPECT_EQ(iterator.next(), std::nullopt);
}

}  // namespace
}  // namespace millpond::test
