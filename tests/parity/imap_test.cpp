// SPDX-License-Identifier: MIT
//
// ThreadPool::imap: a lazy map whose results come one by one, in the order of the items.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
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
#include "../support/instance_counter.hpp"
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

template <class R>
std::vector<R> all_of(ImapIterator<R> iterator) {
  std::vector<R> results;
  for (auto&& result : iterator) results.push_back(std::move(result));
  return results;
}

class Imap : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, Imap, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Imap, YieldsResultsInTheOrderOfTheItems) {
  for (const int count : {0, 1, 2, 10, 1000}) {
    std::vector<int> expected;
    for (int n = 0; n < count; ++n) expected.push_back(square(n));
    EXPECT_EQ(all_of(pool_.imap(square, first_integers(count))), expected);
    EXPECT_EQ(all_of(pool_.imap(square, first_integers(count), 100)), expected);
    EXPECT_EQ(all_of(pool_.imap(square, first_integers(count), {.chunksize = 7})), expected);
    EXPECT_EQ(all_of(pool_.imap(square, first_integers(count), {.buffersize = 1})), expected);
    EXPECT_EQ(all_of(pool_.imap(square, first_integers(count), {.chunksize = 3, .buffersize = 2})),
              expected);
  }
}

TEST_P(Imap, KeepsTheOrderWhenLaterItemsAreDoneFirst) {
  if (workers() == 1) GTEST_SKIP() << "needs a second worker";
  const auto item_1_done = std::make_shared<Gate>();
  auto iterator = pool_.imap(
      [item_1_done](int n) {
        if (n == 0) item_1_done->wait();
        if (n == 1) item_1_done->open();
        return n;
      },
      first_integers(10));
  EXPECT_EQ(all_of(std::move(iterator)), first_integers(10));
}

TEST_P(Imap, ReturnsBeforeAnythingIsDone) {
  const BusyWorkers busy(pool_);
  auto iterator = pool_.imap(square, first_integers(3));
  EXPECT_THROW(static_cast<void>(iterator.next(0s)), TimeoutError);
}

TEST_P(Imap, HasTheFunctionsDecayedResultType) {
  const std::vector<int> items{1};
  const auto reference = [](const int& n) -> const int& { return n; };
  static_assert(std::is_same_v<decltype(pool_.imap(square, items)), ImapIterator<int>>);
  static_assert(std::is_same_v<decltype(pool_.imap(reference, items)), ImapIterator<int>>);
  static_assert(std::is_same_v<decltype(pool_.imap(square, items).next()), std::optional<int>>);
  SUCCEED();
}

// next()

TEST_P(Imap, NextEndsWithNothingForGood) {
  auto iterator = pool_.imap(square, first_integers(3));
  EXPECT_EQ(iterator.next(), 0);
  EXPECT_EQ(iterator.next(), 1);
  EXPECT_EQ(iterator.next(), 4);
  EXPECT_EQ(iterator.next(), std::nullopt);
  EXPECT_EQ(iterator.next(), std::nullopt);
  EXPECT_EQ(iterator.next(0s), std::nullopt);
}

TEST_P(Imap, NextWithATimeoutMayBeRetried) {
  const auto gate = std::make_shared<Gate>();
  auto iterator = pool_.imap(
      [gate](int n) {
        gate->wait();
        return n;
      },
      std::vector{7, 8});
  EXPECT_THROW(static_cast<void>(iterator.next(0s)), TimeoutError);
  EXPECT_THROW(static_cast<void>(iterator.next(-1s)), TimeoutError);
  EXPECT_THROW(static_cast<void>(iterator.next(1ms)), TimeoutError);
  gate->open();
  EXPECT_EQ(iterator.next(1h), 7);
  EXPECT_EQ(iterator.next(), 8);
  EXPECT_EQ(iterator.next(1h), std::nullopt);
}

TEST_P(Imap, NextMayBeCalledFromSeveralThreads) {
  constexpr int kItems = 2000;
  constexpr int kReaders = 4;
  auto iterator = pool_.imap([](int n) { return n; }, first_integers(kItems));
  std::vector<std::vector<int>> taken(kReaders);
  std::vector<std::thread> readers;
  for (std::vector<int>& mine : taken) {
    readers.emplace_back([&] {
      while (const std::optional<int> result = iterator.next()) mine.push_back(*result);
    });
  }
  for (std::thread& reader : readers) reader.join();
  std::vector<int> all;
  for (const std::vector<int>& mine : taken) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, first_integers(kItems));
}

TEST_P(Imap, NextGivesMonostateForAVoidFunction) {
  std::atomic<int> sum = 0;
  auto iterator = pool_.imap([&sum](int n) { sum += n; }, std::vector{1, 2, 3});
  static_assert(std::is_same_v<decltype(iterator.next()), std::optional<std::monostate>>);
  int yielded = 0;
  while (iterator.next()) ++yielded;
  EXPECT_EQ(yielded, 3);
  EXPECT_EQ(sum, 6);
}

// The iterator is a range.

static_assert(std::ranges::input_range<ImapIterator<int>>);
static_assert(std::ranges::input_range<ImapIterator<void>>);
static_assert(std::ranges::input_range<ImapIterator<std::unique_ptr<int>>>);
static_assert(!std::is_copy_constructible_v<ImapIterator<int>>);
static_assert(!std::is_copy_assignable_v<ImapIterator<int>>);
static_assert(std::is_move_constructible_v<ImapIterator<int>>);
static_assert(std::is_move_assignable_v<ImapIterator<int>>);

TEST_P(Imap, WorksInARangeFor) {
  int sum = 0;
  for (auto&& result : pool_.imap(square, first_integers(5))) sum += result;
  EXPECT_EQ(sum, 30);

  int calls = 0;
  for ([[maybe_unused]] auto&& nothing : pool_.imap([](int) {}, first_integers(5))) ++calls;
  EXPECT_EQ(calls, 5);
}

TEST_P(Imap, WorksWithRangeAlgorithmsAndViews) {
  std::vector<int> results;
  std::ranges::copy(pool_.imap(square, first_integers(4)), std::back_inserter(results));
  EXPECT_EQ(results, (std::vector{0, 1, 4, 9}));

  results.clear();
  for (const int result : pool_.imap(square, std::views::iota(0)) | std::views::take(3)) {
    results.push_back(result);
  }
  EXPECT_EQ(results, (std::vector{0, 1, 4}));
}

TEST_P(Imap, ResultsMayBeMovedOut) {
  std::vector<std::unique_ptr<int>> results;
  for (auto&& result :
       pool_.imap([](int n) { return std::make_unique<int>(n); }, first_integers(5))) {
    results.push_back(std::move(result));
  }
  ASSERT_EQ(results.size(), 5U);
  for (int n = 0; n < 5; ++n) EXPECT_EQ(*results[static_cast<std::size_t>(n)], n);
}

TEST_P(Imap, MixesNextAndRangeFor) {
  auto iterator = pool_.imap(square, first_integers(5));
  EXPECT_EQ(iterator.next(), 0);
  std::vector<int> rest;
  for (auto&& result : iterator) rest.push_back(result);
  EXPECT_EQ(rest, (std::vector{1, 4, 9, 16}));
  EXPECT_EQ(iterator.next(), std::nullopt);
}

TEST_P(Imap, MayBeMovedBetweenResults) {
  auto first = pool_.imap(square, first_integers(4));
  EXPECT_EQ(first.next(), 0);
  auto second = std::move(first);
  EXPECT_EQ(second.next(), 1);
  auto third = pool_.imap(square, std::vector{100});
  third = std::move(second);
  EXPECT_EQ(third.next(), 4);
  EXPECT_EQ(third.next(), 9);
  EXPECT_EQ(third.next(), std::nullopt);
}

// Input

TEST_P(Imap, TakesEveryKindOfInput) {
  const std::vector expected{1, 4, 9};
  EXPECT_EQ(all_of(pool_.imap(square, {1, 2, 3})), expected);
  EXPECT_EQ(all_of(pool_.imap(square, {1, 2, 3}, 2)), expected);
  EXPECT_EQ(all_of(pool_.imap(square, std::list<int>{1, 2, 3})), expected);
  EXPECT_EQ(all_of(pool_.imap(square, std::views::iota(1, 4))), expected);
  EXPECT_EQ(all_of(pool_.imap(square, counting(3))), (std::vector{0, 1, 4}));
  const int array[] = {1, 2, 3};
  EXPECT_EQ(all_of(pool_.imap(square, array)), expected);
}

TEST_P(Imap, ReadsInputOnPoolThreadsOneAtATime) {
  std::atomic<bool> reading = false;
  std::atomic<int> overlaps = 0;
  std::atomic<int> reads_elsewhere = 0;
  auto input = Generated<int>([&, next = 0]() mutable -> std::optional<int> {
    if (reading.exchange(true)) ++overlaps;
    if (!this_worker::index()) ++reads_elsewhere;
    const int item = next++;
    reading = false;
    return item < 1000 ? std::optional(item) : std::nullopt;
  });
  EXPECT_EQ(all_of(pool_.imap([](int n) { return n; }, std::move(input), {.buffersize = 16})),
            first_integers(1000));
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(reads_elsewhere, 0);
}

TEST_P(Imap, ReadsInfiniteInputAsFarAsItIsAsked) {
  auto iterator = pool_.imap(square, std::views::iota(0));
  for (int n = 0; n < 1000; ++n) EXPECT_EQ(iterator.next(), square(n));
}

TEST_P(Imap, ReadsAheadNoFurtherThanTheBuffersize) {
  constexpr int kAhead = 3;
  EventCount read;
  auto input = Generated<int>([&read, next = 0]() mutable {
    read.add();
    return std::optional(next++);
  });
  ThreadPool pool(workers());
  auto iterator = pool.imap([](int n) { return n; }, std::move(input), {.buffersize = kAhead});
  for (int yielded = 0; yielded < 20; ++yielded) {
    const auto limit = static_cast<std::size_t>(yielded + kAhead);
    read.wait_until(limit);
    visit_every_worker(pool);
    EXPECT_EQ(read.count(), limit);
    EXPECT_EQ(iterator.next(), yielded);
  }
}

TEST_P(Imap, CountsTheBuffersizeInChunks) {
  constexpr int kAhead = 2;
  constexpr int kChunk = 5;
  EventCount read;
  auto input = Generated<int>([&read, next = 0]() mutable {
    read.add();
    return std::optional(next++);
  });
  ThreadPool pool(workers());
  auto iterator = pool.imap([](int n) { return n; }, std::move(input),
                            {.chunksize = kChunk, .buffersize = kAhead});
  read.wait_until(kAhead * kChunk);
  visit_every_worker(pool);
  EXPECT_EQ(read.count(), static_cast<std::size_t>(kAhead * kChunk));
  EXPECT_EQ(iterator.next(), 0);
}

TEST_P(Imap, ReadsAheadEnoughForAllWorkersByDefaultAndNotForEver) {
  std::atomic<int> read = 0;
  Rendezvous together(static_cast<std::size_t>(workers()));
  auto input = Generated<int>([&read, next = 0]() mutable {
    ++read;
    return std::optional(next++);
  });
  ThreadPool pool(workers());
  auto iterator = pool.imap(
      [&together](int n) {
        together.arrive_and_wait();  // All workers are at it, though nobody reads results.
        return n;
      },
      std::move(input));
  for (int n = 0; n < 100; ++n) EXPECT_EQ(iterator.next(), n);
  // Twice: the iterator may have given up its turn once, to the first visits.
  visit_every_worker(pool);
  visit_every_worker(pool);
  const int ahead = read;
  EXPECT_EQ(iterator.next(), 100);
  EXPECT_EQ(iterator.next(), 101);
  visit_every_worker(pool);
  visit_every_worker(pool);
  EXPECT_LE(read, ahead + 2);
}

TEST_P(Imap, TakesANamedOptionsObject) {
  const ImapOptions options{.chunksize = 2, .buffersize = 3};
  EXPECT_EQ(all_of(pool_.imap(square, first_integers(5), options)), (std::vector{0, 1, 4, 9, 16}));
}

TEST_P(Imap, TakesTheLargestSizes) {
  constexpr std::ptrdiff_t kLargest = std::numeric_limits<std::ptrdiff_t>::max();
  const std::vector expected{0, 1, 4};
  EXPECT_EQ(all_of(pool_.imap(square, first_integers(3), kLargest)), expected);
  EXPECT_EQ(all_of(pool_.imap(square, counting(3), {.chunksize = kLargest})), expected);
  EXPECT_EQ(all_of(pool_.imap(square, first_integers(3), {.buffersize = kLargest})), expected);
}

TEST_P(Imap, OfNothingEndsAtOnce) {
  EXPECT_EQ(pool_.imap(square, std::vector<int>{}).next(), std::nullopt);
  EXPECT_EQ(pool_.imap(square, counting(0), 3).next(), std::nullopt);
  for (auto&& result : pool_.imap(square, std::vector<int>{})) ADD_FAILURE() << result;
}

// Errors

TEST_P(Imap, ThrowsATasksExceptionAtItsPlaceAndGoesOn) {
  for (const int chunksize : {1, 2, 3, 100}) {
    auto iterator = pool_.imap(
        [](int n) {
          if (n % 3 == 1) throw std::runtime_error("item " + std::to_string(n));
          return n;
        },
        first_integers(10), chunksize);
    for (int n = 0; n < 10; ++n) {
      if (n % 3 == 1) {
        EXPECT_EQ(message_of<std::runtime_error>([&] { return iterator.next(); }),
                  "item " + std::to_string(n))
            << "chunksize " << chunksize;
      } else {
        EXPECT_EQ(iterator.next(), n) << "chunksize " << chunksize;
      }
    }
    EXPECT_EQ(iterator.next(), std::nullopt);
  }
}

TEST_P(Imap, ThrowsATasksExceptionOutOfARangeFor) {
  auto iterator = pool_.imap(
      [](int n) {
        if (n == 2) throw std::runtime_error("item 2");
        return n;
      },
      first_integers(5));
  std::vector<int> results;
  EXPECT_THROW(
      {
        for (auto&& result : iterator) results.push_back(result);
      },
      std::runtime_error);
  EXPECT_EQ(results, (std::vector{0, 1}));
  for (auto&& result : iterator) results.push_back(result);
  EXPECT_EQ(results, (std::vector{0, 1, 3, 4}));
}

TEST_P(Imap, ThrowsTheInputsExceptionAtItsPlaceAndEnds) {
  for (const int chunksize : {1, 2, 4}) {
    for (const int when : {0, 3, 7, 8}) {
      auto iterator = pool_.imap(square, counting_until_throw(when), chunksize);
      for (int n = 0; n < when; ++n) EXPECT_EQ(iterator.next(), square(n));
      EXPECT_THROW(static_cast<void>(iterator.next()), SayWhen);
      EXPECT_EQ(iterator.next(), std::nullopt);
      EXPECT_EQ(iterator.next(), std::nullopt);
    }
  }
}

// Dropped and ended

TEST_P(Imap, DroppingItAbandonsWhatHasNotStarted) {
  std::atomic<int> calls = 0;
  {
    BusyWorkers busy(pool_);
    {
      auto iterator = pool_.imap([&calls](int) { ++calls; }, first_integers(100));
    }
    busy.release();
  }
  visit_every_worker(pool_);
  EXPECT_EQ(calls, 0);
}

TEST_P(Imap, DroppingItDoesNotWaitForWhatRuns) {
  const auto started = std::make_shared<Gate>();
  const auto may_end = std::make_shared<Gate>();
  const auto calls = std::make_shared<std::atomic<int>>(0);
  {
    auto iterator = pool_.imap(
        [=](int) {
          ++*calls;
          started->open();
          may_end->wait();
        },
        first_integers(100), {.buffersize = 1});
    started->wait();
  }
  EXPECT_EQ(*calls, 1);
  may_end->open();
  visit_every_worker(pool_);
  EXPECT_EQ(*calls, 1);
}

TEST_P(Imap, DroppingItStopsInfiniteInput) {
  std::atomic<int> calls = 0;
  {
    auto iterator = pool_.imap([&calls](int) { ++calls; }, std::views::iota(0));
    EXPECT_TRUE(iterator.next().has_value());
  }
  pool_.close();
  pool_.join();
  EXPECT_GE(calls, 1);
}

TEST_P(Imap, DestroysUnreadResults) {
  InstanceCounter counter;
  {
    ThreadPool pool(workers());
    auto iterator = pool.imap([&counter](int n) { return Counted(counter, n); }, first_integers(50),
                              {.buffersize = 20});
    EXPECT_EQ(iterator.next()->value(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(Imap, CloseAndJoinFinishInputThatNobodyReads) {
  std::atomic<int> calls = 0;
  auto iterator = pool_.imap(
      [&calls](int n) {
        ++calls;
        return n;
      },
      counting(500), {.buffersize = 2});
  pool_.close();
  pool_.join();
  EXPECT_EQ(calls, 500);
  EXPECT_EQ(all_of(std::move(iterator)), first_integers(500));
}

TEST_P(Imap, MayBeReadWhileThePoolIsClosed) {
  auto iterator = pool_.imap(square, std::views::iota(0));
  pool_.close();
  for (int n = 0; n < 100; ++n) EXPECT_EQ(iterator.next(), square(n));
}

TEST_P(Imap, TerminateLetsItYieldWhatIsDoneThenTerminatedErrorThenTheEnd) {
  EventCount done;
  auto iterator = pool_.imap(
      [&done](int n) {
        done.add();
        return n;
      },
      std::views::iota(0), {.buffersize = 4});
  done.wait_until(4);
  visit_every_worker(pool_);
  pool_.terminate();
  pool_.join();
  for (int n = 0; n < 4; ++n) EXPECT_EQ(iterator.next(), n);
  EXPECT_THROW(static_cast<void>(iterator.next()), TerminatedError);
  EXPECT_EQ(iterator.next(), std::nullopt);
  EXPECT_EQ(iterator.next(), std::nullopt);
}

TEST_P(Imap, TerminateAfterTheLastItemIsNoError) {
  auto iterator = pool_.imap(square, first_integers(2));
  EXPECT_EQ(iterator.next(), 0);
  EXPECT_EQ(iterator.next(), 1);
  EXPECT_EQ(iterator.next(), std::nullopt);
  pool_.terminate();
  EXPECT_EQ(iterator.next(), std::nullopt);
}

TEST_P(Imap, MayOutliveThePool) {
  std::optional<ImapIterator<int>> iterator;
  {
    ThreadPool pool(workers());
    iterator.emplace(pool.imap(square, first_integers(3)));
    pool.close();
    pool.join();
  }
  EXPECT_EQ(iterator->next(), 0);
  EXPECT_EQ(iterator->next(), 1);
  EXPECT_EQ(iterator->next(), 4);
  EXPECT_EQ(iterator->next(), std::nullopt);
}

TEST(ImapFairness, AFastReaderStarvesNobody) {
  // With one worker and an endless imap that is always being read, other work still gets its turn.
  ThreadPool pool(1);
  auto iterator = pool.imap(square, std::views::iota(0), {.buffersize = 1});
  const auto other = pool.apply_async([] { return true; });
  while (!other.ready()) ASSERT_TRUE(iterator.next().has_value());
  EXPECT_TRUE(other.get());
}

TEST(ImapFairness, AnIteratorThatHadStoppedReadingAheadRejoinsTheQueueAtItsBack) {
  std::vector<int> order;
  EventCount ran;
  ThreadPool pool(1);
  auto iterator = pool.imap(
      [&](int n) {
        order.push_back(n);
        ran.add();
      },
      std::views::iota(0), {.buffersize = 1});
  ran.wait_until(1);
  visit_every_worker(pool);
  BusyWorkers busy(pool);
  const auto other = pool.apply_async([&order] { order.push_back(100); });
  EXPECT_TRUE(iterator.next().has_value());  // Makes room to read on.
  busy.release();
  ran.wait_until(2);
  other.get();
  EXPECT_EQ(order, (std::vector{0, 100, 1}));
}

}  // namespace
}  // namespace millpond::test
