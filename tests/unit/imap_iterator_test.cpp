// SPDX-License-Identifier: MIT
//
// ImapIterator as a range and as a reader: its concepts, its views, several consumers, and how far
// its input is read.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <any>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
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
#include "../support/move_only.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

// ---- Concepts ----

template <class R, class Value>
constexpr bool is_a_range_of() {
  using Range = ImapIterator<R>;
  using Iterator = std::ranges::iterator_t<Range>;
  static_assert(std::ranges::input_range<Range>);
  static_assert(!std::ranges::forward_range<Range>, "its items can be read once");
  static_assert(!std::ranges::sized_range<Range>);
  static_assert(std::ranges::view<Range>);
  static_assert(std::ranges::viewable_range<Range>);
  static_assert(!std::ranges::borrowed_range<Range>, "its iterators refer to it");
  static_assert(!std::ranges::range<const Range>, "reading changes it");
  static_assert(std::movable<Range>);
  static_assert(!std::copyable<Range>);
  static_assert(std::is_nothrow_move_constructible_v<Range>);
  static_assert(std::is_nothrow_move_assignable_v<Range>);
  static_assert(std::default_initializable<Range>);
  static_assert(std::input_iterator<Iterator>);
  static_assert(!std::copyable<Iterator>);
  static_assert(std::is_same_v<typename Range::value_type, Value>);
  static_assert(std::is_same_v<std::ranges::range_value_t<Range>, Value>);
  static_assert(std::is_same_v<std::ranges::range_reference_t<Range>, Value&>);
  static_assert(std::is_same_v<std::ranges::range_rvalue_reference_t<Range>, Value&&>);
  static_assert(std::is_same_v<std::ranges::sentinel_t<Range>, std::default_sentinel_t>);
  static_assert(std::is_same_v<decltype(std::declval<Range&>().next()), std::optional<Value>>);
  static_assert(std::is_same_v<decltype(std::declval<Range&>().next(1s)), std::optional<Value>>);
  return true;
}
static_assert(is_a_range_of<int, int>());
static_assert(is_a_range_of<void, std::monostate>());
static_assert(is_a_range_of<std::unique_ptr<int>, std::unique_ptr<int>>());
static_assert(is_a_range_of<NoDefault, NoDefault>());
static_assert(is_a_range_of<std::optional<int>, std::optional<int>>());

int square(int n) { return n * n; }
int same(int n) { return n; }

std::vector<int> first_integers(int count) {
  std::vector<int> integers(static_cast<std::size_t>(count));
  std::iota(integers.begin(), integers.end(), 0);
  return integers;
}

class ImapIterators : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, ImapIterators, worker_counts(),
                         ::testing::PrintToStringParamName());

// ---- Views ----

TEST_P(ImapIterators, ArePipedAsRvalues) {
  std::vector<std::string> results;
  for (const std::string& text :
       pool_.imap(square, std::views::iota(0)) |
           std::views::filter([](int n) { return n % 2 != 0; }) |
           std::views::transform([](int n) { return std::to_string(n); }) | std::views::take(4)) {
    results.push_back(text);
  }
  EXPECT_EQ(results, (std::vector<std::string>{"1", "9", "25", "49"}));
}

TEST_P(ImapIterators, ArePipedByReferenceAndGoOnAfterwards) {
  auto iterator = pool_.imap(square, first_integers(10));
  std::vector<int> results;
  for (const int n :
       std::ranges::ref_view(iterator) | std::views::transform([](const int& r) { return -r; })) {
    results.push_back(n);
    if (n == -9) break;
  }
  EXPECT_EQ(results, (std::vector{0, -1, -4, -9}));
  EXPECT_EQ(iterator.next(), 16);
}

TEST_P(ImapIterators, AreDroppedInTheMiddle) {
  std::vector<int> results;
  std::ranges::copy(pool_.imap(square, first_integers(6)) | std::views::drop(2),
                    std::back_inserter(results));
  EXPECT_EQ(results, (std::vector{4, 9, 16, 25}));
}

TEST_P(ImapIterators, TakeWhileEndsEndlessInput) {
  std::vector<int> results;
  for (const int n : pool_.imap(square, std::views::iota(0)) |
                         std::views::take_while([](int r) { return r < 20; })) {
    results.push_back(n);
  }
  EXPECT_EQ(results, (std::vector{0, 1, 4, 9, 16}));
}

TEST_P(ImapIterators, OfVoidFunctionsAreCountedByAlgorithms) {
  const auto calls = std::make_shared<std::atomic<int>>(0);
  EXPECT_EQ(std::ranges::distance(pool_.imap([calls](int) { ++*calls; }, first_integers(7))), 7);
  EXPECT_EQ(*calls, 7);
}

TEST_P(ImapIterators, GiveResultsThatMayBeChangedAndMovedOut) {
  auto iterator = pool_.imap([](int n) { return std::make_unique<int>(n); }, first_integers(3));
  std::vector<std::unique_ptr<int>> results;
  for (std::unique_ptr<int>& result : iterator) {
    *result += 10;
    results.push_back(std::move(result));
  }
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(*results[2], 12);
}

TEST_P(ImapIterators, FeedAnotherPool) {
  ThreadPool second(2);
  std::vector<int> results;
  for (const int n : second.imap([](int r) { return r + 1; }, pool_.imap(square, {1, 2, 3}))) {
    results.push_back(n);
  }
  EXPECT_EQ(results, (std::vector{2, 5, 10}));
  EXPECT_EQ(second.map([](int r) { return r + 1; }, pool_.imap(square, {1, 2, 3})),
            (std::vector{2, 5, 10}));
}

TEST_P(ImapIterators, YieldResultsThatThemselvesMayBeEmpty) {
  // The end is an empty optional; an empty result is not the end.
  auto optionals =
      pool_.imap([](int n) { return n == 0 ? std::nullopt : std::optional(n); }, first_integers(2));
  std::optional<std::optional<int>> next = optionals.next();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(*next, std::nullopt);
  next = optionals.next();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(*next, 1);
  EXPECT_FALSE(optionals.next().has_value());

  auto anything =
      pool_.imap([](int n) { return n == 0 ? std::any() : std::any(n); }, first_integers(2));
  int empty = 0;
  int full = 0;
  for (const std::any& any : anything) ++(any.has_value() ? full : empty);
  EXPECT_EQ(empty, 1);
  EXPECT_EQ(full, 1);
}

// ---- Iterators ----

TEST_P(ImapIterators, KeepTheCurrentValueUntilTheNextStep) {
  auto range = pool_.imap(square, {2, 3});
  auto it = range.begin();
  int& current = *it;
  EXPECT_EQ(&*it, &current);
  current = 100;
  EXPECT_EQ(*it, 100);
  ++it;
  EXPECT_EQ(*it, 9);
  it++;
  EXPECT_TRUE(it == range.end());
  EXPECT_TRUE(range.begin() == range.end());
}

TEST_P(ImapIterators, GoOnWhereTheyAreWhenBegunAgain) {
  auto range = pool_.imap(square, {1, 2, 3});
  EXPECT_EQ(*range.begin(), 1);
  EXPECT_EQ(*range.begin(), 4);
  EXPECT_EQ(range.next(), 9);
  EXPECT_TRUE(range.begin() == range.end());
}

TEST_P(ImapIterators, ThrowAnItemsErrorEachTimeItIsLookedAtAndGoOn) {
  auto range = pool_.imap(
      [](int n) {
        if (n == 1) throw std::runtime_error("one");
        return n;
      },
      first_integers(3));
  auto it = range.begin();
  EXPECT_EQ(*it, 0);
  ++it;  // does not throw
  ASSERT_FALSE(it == range.end());
  EXPECT_EQ(message_of<std::runtime_error>([&] { return *it; }), "one");
  EXPECT_EQ(message_of<std::runtime_error>([&] { return *it; }), "one");
  ++it;
  EXPECT_EQ(*it, 2);
  ++it;
  EXPECT_TRUE(it == range.end());
}

TEST_P(ImapIterators, ThrowTheInputsErrorAndThenEnd) {
  auto range = pool_.imap(same, counting_until_throw(1));
  auto it = range.begin();
  EXPECT_EQ(*it, 0);
  ++it;
  ASSERT_FALSE(it == range.end());
  EXPECT_THROW(static_cast<void>(*it), SayWhen);
  ++it;
  EXPECT_TRUE(it == range.end());
}

TEST_P(ImapIterators, ReportAnErrorThatIsSteppedOverAndNeverLookedAt) {
  const auto reports = std::make_shared<EventCount>();
  {
    ThreadPool pool({.processes = workers(),
                     .on_unobserved_error = [reports](std::exception_ptr) { reports->add(); }});
    auto range = pool.imap(
        [](int n) {
          if (n == 0) throw std::runtime_error("zero");
          return n;
        },
        first_integers(2));
    auto it = range.begin();
    ++it;
    EXPECT_EQ(*it, 1);
  }
  EXPECT_EQ(reports->count(), 1U);
}

TEST_P(ImapIterators, ReportErrorsThatNobodyReads) {
  const auto reports = std::make_shared<EventCount>();
  {
    ThreadPool pool({.processes = workers(),
                     .on_unobserved_error = [reports](std::exception_ptr) { reports->add(); }});
    auto range = pool.imap([](int) -> int { throw std::runtime_error("each"); }, first_integers(3));
    EXPECT_THROW(static_cast<void>(range.next()), std::runtime_error);
    pool.close();
    pool.join();
  }
  EXPECT_EQ(reports->count(), 2U);
}

// ---- Handles ----

template <class R>
void expect_every_call_to_be_refused(ImapIterator<R>& iterator) {
  EXPECT_THROW(static_cast<void>(iterator.next()), ValueError);
  EXPECT_THROW(static_cast<void>(iterator.next(0s)), ValueError);
  EXPECT_THROW(static_cast<void>(iterator.next(1h)), ValueError);
  EXPECT_THROW(static_cast<void>(iterator.begin()), ValueError);
}

TEST(EmptyImapIterator, RefusesEveryCallWithValueError) {
  ImapIterator<int> number;
  expect_every_call_to_be_refused(number);
  ImapIterator<void> nothing;
  expect_every_call_to_be_refused(nothing);
  ImapIterator<MoveOnly> moved;
  expect_every_call_to_be_refused(moved);
}

TEST_P(ImapIterators, ReferToNothingAfterAMove) {
  auto first = pool_.imap(square, {1, 2, 3});
  ImapIterator<int> second = std::move(first);
  expect_every_call_to_be_refused(first);  // NOLINT(bugprone-use-after-move)
  ImapIterator<int> third;
  third = std::move(second);
  expect_every_call_to_be_refused(second);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third.next(), 1);
}

TEST_P(ImapIterators, SurviveAMoveToThemselves) {
  auto iterator = pool_.imap(square, {1, 2, 3});
  EXPECT_EQ(iterator.next(), 1);
  ImapIterator<int>& itself = iterator;
  iterator = std::move(itself);
  EXPECT_EQ(iterator.next(), 4);
}

TEST_P(ImapIterators, DropWhatTheyReferredToWhenAssigned) {
  InstanceCounter counter;
  {
    ThreadPool pool(workers());
    auto iterator = pool.imap([&counter](int n) { return Counted(counter, n); }, {1, 2, 3});
    EXPECT_EQ(iterator.next()->value(), 1);
    iterator = {};
    pool.close();
    pool.join();
    EXPECT_EQ(counter.alive(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(ImapIterators, MayBeKeptInContainersAndSwapped) {
  std::vector<ImapIterator<int>> iterators;
  for (int n = 0; n < 5; ++n) {
    iterators.push_back(pool_.imap([n](int m) { return 10 * n + m; }, {1, 2}));
  }
  std::swap(iterators.front(), iterators.back());
  EXPECT_EQ(iterators.front().next(), 41);
  EXPECT_EQ(iterators.back().next(), 1);
  iterators.clear();
}

TEST_P(ImapIterators, TakeTimeoutsOfAnyDuration) {
  const auto gate = std::make_shared<Gate>();
  auto iterator = pool_.imap(
      [gate](int n) {
        gate->wait();
        return n;
      },
      {1, 2, 3, 4});
  using Seconds = std::chrono::duration<double>;
  EXPECT_THROW(static_cast<void>(iterator.next(Seconds(-1.0))), TimeoutError);
  EXPECT_THROW(static_cast<void>(iterator.next(Seconds(1e-12))), TimeoutError);
  EXPECT_THROW(static_cast<void>(iterator.next(std::chrono::hours::min())), TimeoutError);
  EXPECT_THROW(static_cast<void>(iterator.next(Seconds(std::numeric_limits<double>::quiet_NaN()))),
               TimeoutError);
  gate->open();
  EXPECT_EQ(iterator.next(std::chrono::hours::max()), 1);
  EXPECT_EQ(iterator.next(Seconds(std::numeric_limits<double>::infinity())), 2);
  EXPECT_EQ(iterator.next(std::chrono::nanoseconds::max()), 3);
  EXPECT_EQ(iterator.next(Seconds(3600)), 4);
}

// ---- Several consumers ----

// Reads everything from several threads; each gets what it is given in order.
std::vector<int> read_by_many(ImapIterator<int>& iterator) {
  std::mutex mutex;
  std::vector<int> all;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&, i] {
      std::vector<int> mine;
      for (;;) {
        try {
          // Some are impatient, which must lose nothing.
          const std::optional<int> result = i == 0 ? iterator.next(1us) : iterator.next();
          if (!result) break;
          mine.push_back(*result);
        } catch (const TimeoutError&) {
        }
      }
      EXPECT_EQ(iterator.next(), std::nullopt);
      const std::lock_guard lock(mutex);
      all.insert(all.end(), mine.begin(), mine.end());
    });
  }
  for (std::thread& reader : readers) reader.join();
  std::ranges::sort(all);
  return all;
}

TEST_P(ImapIterators, GiveEachResultToOneOfSeveralConsumers) {
  constexpr int kItems = 500;
  for (const std::ptrdiff_t chunksize : {1, 3, 50}) {
    for (const std::ptrdiff_t buffersize : {1, 2, 16}) {
      const ImapOptions options{.chunksize = chunksize, .buffersize = buffersize};
      auto ordered = pool_.imap(same, first_integers(kItems), options);
      EXPECT_EQ(read_by_many(ordered), first_integers(kItems));
      auto unordered = pool_.imap_unordered(same, counting(kItems), options);
      EXPECT_EQ(read_by_many(unordered), first_integers(kItems));
    }
  }
}

TEST_P(ImapIterators, GiveEachErrorToOneOfSeveralConsumers) {
  constexpr int kItems = 200;
  auto iterator = pool_.imap(
      [](int n) {
        if (n % 2 != 0) throw n;
        return n;
      },
      first_integers(kItems), {.chunksize = 3});
  std::atomic<int> values = 0;
  std::atomic<int> errors = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (;;) {
        try {
          if (!iterator.next()) return;
          ++values;
        } catch (int) {
          ++errors;
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(values, kItems / 2);
  EXPECT_EQ(errors, kItems / 2);
}

TEST_P(ImapIterators, WakeEveryConsumerAtTheEnd) {
  const auto gate = std::make_shared<Gate>();
  const OpenAtExit open(*gate);
  auto iterator = pool_.imap(
      [gate](int n) {
        gate->wait();
        return n;
      },
      {1});
  std::atomic<int> ends = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (iterator.next()) {
      }
      ++ends;
    });
  }
  gate->open();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(ends, 4);
}

// ---- How far input is read ----

// An endless input that counts how often it is advanced.
struct CountedInput {
  Generated<int> input() {
    return Generated<int>([count = count, next = 0]() mutable {
      count->add();
      return std::optional(next++);
    });
  }
  std::size_t read() const { return count->count(); }
  // Returns when so much has been read, and whatever else could be read without a reader.
  void settle(ThreadPool& pool, std::size_t least) const {
    count->wait_until(least);
    visit_every_worker(pool);
  }
  std::shared_ptr<EventCount> count = std::make_shared<EventCount>();
};

struct Window {
  std::size_t chunksize;
  std::size_t buffersize;
  ImapOptions options() const {
    return {.chunksize = static_cast<std::ptrdiff_t>(chunksize),
            .buffersize = static_cast<std::ptrdiff_t>(buffersize)};
  }
  // Items read once all has settled, when so many have been yielded: chunks that were yielded
  // whole make room for new ones.
  std::size_t read_after(std::size_t yielded) const {
    return (yielded / chunksize + buffersize) * chunksize;
  }
};

constexpr Window kWindows[] = {{1, 1}, {1, 3}, {4, 1}, {3, 2}};

TEST_P(ImapIterators, ReadInputOnlyForChunksThatTheWindowHasRoomFor) {
  for (const Window& window : kWindows) {
    CountedInput counted;
    auto iterator = pool_.imap(same, counted.input(), window.options());
    for (std::size_t yielded = 0; yielded < 10; ++yielded) {
      counted.settle(pool_, window.read_after(yielded));
      EXPECT_EQ(counted.read(), window.read_after(yielded))
          << "chunks of " << window.chunksize << ", a window of " << window.buffersize << ", "
          << yielded << " yielded";
      EXPECT_EQ(iterator.next(), static_cast<int>(yielded));
    }
  }
}

TEST_P(ImapIterators, ReadInputOnlyForChunksThatTheWindowHasRoomForUnorderedToo) {
  for (const Window& window : kWindows) {
    CountedInput counted;
    auto iterator = pool_.imap_unordered(same, counted.input(), window.options());
    // Which chunks are yielded first is open; that one of each window is, is not.
    for (std::size_t yielded = 0; yielded < 10; ++yielded) {
      counted.settle(pool_, window.read_after(yielded));
      EXPECT_EQ(counted.read(), window.read_after(yielded));
      EXPECT_TRUE(iterator.next().has_value());
    }
  }
}

TEST_P(ImapIterators, ReadNoFurtherBecauseSomebodyWaitsForAnItemThatRuns) {
  const auto gate = std::make_shared<Gate>();
  const OpenAtExit open(*gate);
  CountedInput counted;
  auto iterator = pool_.imap(
      [gate](int n) {
        if (n == 0) gate->wait();
        return n;
      },
      counted.input(), {.buffersize = 1});
  counted.count->wait_until(1);
  EXPECT_THROW(static_cast<void>(iterator.next(2ms)), TimeoutError);
  EXPECT_EQ(counted.read(), 1U);
}

TEST_P(ImapIterators, RunNoMoreChunksAtOnceThanTheWindowHolds) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  auto iterator = pool_.imap(
      [&](int n) {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --running;
        return n;
      },
      first_integers(200), {.buffersize = 2});
  int read = 0;
  while (iterator.next()) ++read;
  EXPECT_EQ(read, 200);
  EXPECT_LE(most, 2);
}

TEST_P(ImapIterators, CloseLeavesTheWindowAndJoinLiftsIt) {
  constexpr std::size_t kItems = 50;
  std::atomic<std::size_t> calls = 0;
  CountedInput counted;
  Generated<int> input([count = counted.count, next = 0]() mutable -> std::optional<int> {
    if (next == static_cast<int>(kItems)) return std::nullopt;
    count->add();
    return next++;
  });
  ThreadPool pool(workers());
  auto iterator = pool.imap(
      [&calls](int n) {
        ++calls;
        return n;
      },
      std::move(input), {.chunksize = 2, .buffersize = 2});
  counted.settle(pool, 4);
  pool.close();
  EXPECT_EQ(counted.read(), 4U);
  pool.join();
  EXPECT_EQ(counted.read(), kItems);
  EXPECT_EQ(calls, kItems);
  std::vector<int> results;
  for (const int n : iterator) results.push_back(n);
  EXPECT_EQ(results, first_integers(static_cast<int>(kItems)));
}

TEST_P(ImapIterators, JoinLiftsTheWindowsOfAllIterators) {
  constexpr int kIterators = 5;
  std::atomic<int> calls = 0;
  ThreadPool pool(workers());
  std::vector<ImapIterator<void>> iterators;
  for (int i = 0; i < kIterators; ++i) {
    iterators.push_back(
        pool.imap([&calls](int) { ++calls; }, first_integers(20 + i), {.buffersize = 1}));
  }
  pool.close();
  pool.join();
  EXPECT_EQ(calls, 20 + 21 + 22 + 23 + 24);
}

// ---- Its place in the queue ----

// What ran, in order, by one worker.
class ImapIteratorPlace : public ::testing::Test {
 protected:
  int note(int n) {
    order_.push_back(n);
    return n;
  }
  auto noting() {
    return [this](int n) { return note(n); };
  }
  void issue(int n) {
    pool_.apply_async([this, n] { note(n); });
  }
  std::vector<int> order() {
    visit_every_worker(pool_);
    return order_;
  }

  std::vector<int> order_;  // the one worker's
  ThreadPool pool_{1};
};

TEST_F(ImapIteratorPlace, IsKeptUntilTheWindowIsFull) {
  BusyWorkers busy(pool_);
  auto iterator = pool_.imap(noting(), std::views::iota(0), {.buffersize = 3});
  issue(100);
  busy.release();
  EXPECT_EQ(order(), (std::vector{0, 1, 2, 100}));
}

TEST_F(ImapIteratorPlace, IsTheBackOnceTheWindowHasBeenFull) {
  auto iterator = pool_.imap(noting(), std::views::iota(0), {.buffersize = 1});
  ASSERT_EQ(order(), std::vector{0});
  BusyWorkers busy(pool_);
  issue(100);
  issue(101);
  EXPECT_EQ(iterator.next(), 0);  // rejoins here, behind both
  issue(102);
  busy.release();
  EXPECT_EQ(order(), (std::vector{0, 100, 101, 1, 102}));
}

TEST_F(ImapIteratorPlace, IsTheBackOnceAWholeWindowHasBeenReadThoughAFastReaderKeepsItOpen) {
  Gate yielded;
  Generated<int> input([&yielded, next = 0]() mutable -> std::optional<int> {
    if (next == 3) return std::nullopt;
    if (next == 1) yielded.wait();  // item 0 has been taken when item 1 is read
    return next++;
  });
  BusyWorkers busy(pool_);
  auto iterator = pool_.imap(noting(), std::move(input), {.buffersize = 2});
  issue(100);
  busy.release();
  EXPECT_EQ(iterator.next(), 0);
  yielded.open();
  EXPECT_EQ(iterator.next(), 1);
  EXPECT_EQ(iterator.next(), 2);
  EXPECT_EQ(iterator.next(), std::nullopt);
  EXPECT_EQ(order(), (std::vector{0, 1, 100, 2}));
}

TEST_F(ImapIteratorPlace, IsSharedFairlyByIteratorsThatAreBothRead) {
  auto first = pool_.imap(noting(), std::views::iota(0), {.buffersize = 1});
  auto second = pool_.imap(noting(), std::views::iota(100), {.buffersize = 1});
  ASSERT_EQ(order(), (std::vector{0, 100}));
  for (int n = 1; n < 4; ++n) {
    BusyWorkers busy(pool_);
    EXPECT_EQ(second.next(), 99 + n);
    EXPECT_EQ(first.next(), n - 1);
    busy.release();
    visit_every_worker(pool_);
  }
  EXPECT_EQ(order(), (std::vector{0, 100, 101, 1, 102, 2, 103, 3}));
}

}  // namespace
}  // namespace millpond::test
