// SPDX-License-Identifier: MIT
//
// What a pool copies, moves, borrows and looks at; what types it can carry; when it lets go.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

constexpr int kItems = 40;

std::vector<Counted> counted_items(InstanceCounter& counter) {
  std::vector<Counted> items;
  items.reserve(kItems);
  for (int n = 0; n < kItems; ++n) items.emplace_back(counter, n);
  return items;
}

std::vector<std::unique_ptr<int>> owning_items() {
  std::vector<std::unique_ptr<int>> items;
  for (int n = 0; n < kItems; ++n) items.push_back(std::make_unique<int>(n));
  return items;
}

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

int value_of(const Counted& item) { return item.value(); }
int consume(std::unique_ptr<int> item) { return *item; }
const int* address_of(const int& item) { return &item; }

std::vector<const int*> addresses(std::span<const int> items) {
  std::vector<const int*> pointers;
  for (const int& item : items) pointers.push_back(&item);
  return pointers;
}

class Ownership : public WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, Ownership, worker_counts(), ::testing::PrintToStringParamName());

// Blocking calls borrow their items.

TEST_P(Ownership, BlockingMapsNeitherCopyNorMoveItems) {
  InstanceCounter counter;
  const std::vector<Counted> items = counted_items(counter);
  const int moves = counter.moves();
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map(value_of, items), first_integers(kItems));
  EXPECT_EQ(counter.copies(), 0);
  EXPECT_EQ(counter.moves(), moves);
  EXPECT_EQ(counter.constructed(), kItems);
}

TEST_P(Ownership, BlockingMapsMayChangeItemsInPlace) {
  const auto negate = [](int& n) { n = -n; };
  ThreadPool pool(workers());
  std::vector<int> vector{1, 2, 3};
  pool.map(negate, vector);
  EXPECT_EQ(vector, (std::vector{-1, -2, -3}));

  pool.map(negate, std::span(vector));
  EXPECT_EQ(vector, (std::vector{1, 2, 3}));

  pool.map(negate, std::ref(vector));
  EXPECT_EQ(vector, (std::vector{-1, -2, -3}));

  std::list<int> list{1, 2, 3};
  pool.map(negate, list);
  EXPECT_EQ(list, (std::list{-1, -2, -3}));

  int array[] = {1, 2, 3};
  pool.map(negate, array);
  EXPECT_EQ(array[2], -3);

  std::map<int, int> map{{1, 10}, {2, 20}};
  pool.map([](std::pair<const int, int>& entry) { entry.second += entry.first; }, map);
  EXPECT_EQ(map, (std::map<int, int>{{1, 11}, {2, 22}}));
}

TEST_P(Ownership, BlockingMapsLeaveLvalueItemsWhole) {
  // The function would take them by value, but they are only borrowed: it gets copies.
  InstanceCounter counter;
  const std::vector<Counted> constant = counted_items(counter);
  std::vector<Counted> items = counted_items(counter);
  ThreadPool pool(workers());
  const auto by_value = [](Counted item) { return item.value(); };
  EXPECT_EQ(pool.map(by_value, items), first_integers(kItems));
  EXPECT_EQ(pool.map(by_value, constant), first_integers(kItems));
  for (const Counted& item : items) EXPECT_FALSE(item.moved_from());
  EXPECT_EQ(counter.copies(), 2 * kItems);
}

TEST_P(Ownership, BlockingMapsTakeMoveOnlyItems) {
  ThreadPool pool(workers());
  const std::vector<std::unique_ptr<int>> items = owning_items();
  EXPECT_EQ(pool.map([](const std::unique_ptr<int>& item) { return *item; }, items),
            first_integers(kItems));
  EXPECT_EQ(pool.map(consume, owning_items()), first_integers(kItems));
  EXPECT_EQ(pool.map(consume, owning_items(), 7), first_integers(kItems));
}

TEST_P(Ownership, BlockingMapsNeedNoCopyableFunction) {
  ThreadPool pool(workers());
  const auto adder = [offset = std::make_unique<int>(5)](int n) { return n + *offset; };
  EXPECT_EQ(pool.map(adder, std::vector{1, 2}), (std::vector{6, 7}));
  EXPECT_EQ(pool.map([offset = std::make_unique<int>(5)](int n) { return n + *offset; },
                     std::vector{1, 2}),
            (std::vector{6, 7}));
}

// Calls that return before the work is done own their items: an rvalue container is moved in.

TEST_P(Ownership, AsyncMapsMoveAnRvalueContainerIn) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  {
    std::vector<Counted> items = counted_items(counter);
    const int moves = counter.moves();
    EXPECT_EQ(pool.map_async(value_of, std::move(items)).get(), first_integers(kItems));
    EXPECT_EQ(counter.copies(), 0);
    EXPECT_EQ(counter.moves(), moves);  // The vector's buffer changed hands.
  }
  EXPECT_TRUE(counter.balanced());

  std::vector<int> numbers = first_integers(kItems);
  const std::vector<const int*> where = addresses(numbers);
  EXPECT_EQ(pool.map_async(address_of, std::move(numbers)).get(), where);

  numbers = first_integers(kItems);
  const std::vector<const int*> again = addresses(numbers);
  EXPECT_EQ(all_of(pool.imap(address_of, std::move(numbers))), again);
}

// An lvalue container, array or initializer list is copied.

TEST_P(Ownership, AsyncMapsCopyAnLvalueContainer) {
  std::vector<int> items{1, 2, 3};
  std::array<int, 3> array{1, 2, 3};
  int c_array[] = {1, 2, 3};
  std::list<int> list{1, 2, 3};
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto identity = [](int n) { return n; };
  const auto from_vector = pool.map_async(identity, items);
  const auto from_array = pool.map_async(identity, array);
  const auto from_c_array = pool.map_async(identity, c_array);
  const auto from_list = pool.map_async(identity, list);
  auto imap_vector = pool.imap(identity, items);
  auto imap_array = pool.imap(identity, array);
  auto imap_c_array = pool.imap(identity, c_array);
  auto imap_list = pool.imap(identity, list);
  std::fill(items.begin(), items.end(), 0);
  array.fill(0);
  std::fill(std::begin(c_array), std::end(c_array), 0);
  std::fill(list.begin(), list.end(), 0);
  busy.release();
  const std::vector expected{1, 2, 3};
  EXPECT_EQ(from_vector.get(), expected);
  EXPECT_EQ(from_array.get(), expected);
  EXPECT_EQ(from_c_array.get(), expected);
  EXPECT_EQ(from_list.get(), expected);
  EXPECT_EQ(all_of(std::move(imap_vector)), expected);
  EXPECT_EQ(all_of(std::move(imap_array)), expected);
  EXPECT_EQ(all_of(std::move(imap_c_array)), expected);
  EXPECT_EQ(all_of(std::move(imap_list)), expected);
}

TEST_P(Ownership, AsyncMapsCopyEachLvalueItemOnce) {
  InstanceCounter counter;
  const std::vector<Counted> items = counted_items(counter);
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map_async(value_of, items).get(), first_integers(kItems));
  EXPECT_EQ(counter.copies(), kItems);
  EXPECT_EQ(all_of(pool.imap(value_of, items)), first_integers(kItems));
  EXPECT_EQ(counter.copies(), 2 * kItems);
}

TEST_P(Ownership, AsyncMapsCopyInitializerLists) {
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto length = [](const std::string& s) { return s.size(); };
  const auto result = pool.map_async(length, {std::string("a"), std::string(100, 'b')});
  auto iterator = pool.imap(length, {std::string("a"), std::string(100, 'b')});
  busy.release();
  EXPECT_EQ(result.get(), (std::vector<std::size_t>{1, 100}));
  EXPECT_EQ(iterator.next(), 1U);
  EXPECT_EQ(iterator.next(), 100U);
}

// A view is kept as a view.

TEST_P(Ownership, AsyncMapsLookThroughViews) {
  std::vector<int> items = first_integers(kItems);
  const std::vector<const int*> where = addresses(items);
  std::vector<const int*> reversed = where;
  std::reverse(reversed.begin(), reversed.end());
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map_async(address_of, std::span(items)).get(), where);
  EXPECT_EQ(pool.map_async(address_of, std::views::all(items)).get(), where);
  EXPECT_EQ(pool.map_async(address_of, items | std::views::reverse).get(), reversed);
  EXPECT_EQ(all_of(pool.imap(address_of, std::span(items))), where);
  EXPECT_EQ(all_of(pool.imap_unordered(address_of, std::span<int>())), std::vector<const int*>());
  const std::span named(items);
  EXPECT_EQ(pool.map_async(address_of, named).get(), where);
}

TEST_P(Ownership, AsyncMapsLookThroughReferenceWrappersOfRanges) {
  std::vector<int> items = first_integers(kItems);
  const std::vector<const int*> where = addresses(items);
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map_async(address_of, std::ref(items)).get(), where);
  EXPECT_EQ(pool.map_async(address_of, std::cref(items)).get(), where);
  EXPECT_EQ(all_of(pool.imap(address_of, std::ref(items))), where);
  EXPECT_EQ(pool.map(address_of, std::cref(items)), where);
}

TEST_P(Ownership, AsyncMapsSeeWhatHappensUnderAView) {
  std::vector<int> items{1, 2, 3};
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  const auto result = pool.map_async([](int n) { return n; }, std::span(items));
  items = {4, 5, 6};
  busy.release();
  EXPECT_EQ(result.get(), (std::vector{4, 5, 6}));
}

TEST_P(Ownership, ViewsLeaveWhatTheyLookAtWhole) {
  InstanceCounter counter;
  std::vector<Counted> items = counted_items(counter);
  ThreadPool pool(workers());
  const auto by_value = [](Counted item) { return item.value(); };
  EXPECT_EQ(pool.map_async(by_value, std::span(items)).get(), first_integers(kItems));
  EXPECT_EQ(pool.map_async(by_value, std::ref(items)).get(), first_integers(kItems));
  EXPECT_EQ(all_of(pool.imap(by_value, std::span(items))), first_integers(kItems));
  for (const Counted& item : items) EXPECT_FALSE(item.moved_from());
}

// Items of an owned container are passed as rvalues where the function takes them.

TEST_P(Ownership, OwnedItemsArePassedAsRvalues) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  const auto by_value = [](Counted item) { return item.value(); };
  const auto by_rvalue = [](Counted&& item) { return item.value(); };
  const auto generic = [](auto item) { return item.value(); };
  EXPECT_EQ(pool.map_async(by_value, counted_items(counter)).get(), first_integers(kItems));
  EXPECT_EQ(pool.map_async(by_rvalue, counted_items(counter)).get(), first_integers(kItems));
  EXPECT_EQ(pool.map_async(generic, counted_items(counter)).get(), first_integers(kItems));
  EXPECT_EQ(all_of(pool.imap(by_value, counted_items(counter))), first_integers(kItems));
  EXPECT_EQ(all_of(pool.imap(by_rvalue, counted_items(counter), 7)), first_integers(kItems));
  EXPECT_EQ(counter.copies(), 0);

  const std::vector<Counted> items = counted_items(counter);
  EXPECT_EQ(pool.map_async(by_value, items).get(), first_integers(kItems));
  EXPECT_EQ(counter.copies(), kItems);  // The container's own copy, and no more.
}

TEST_P(Ownership, OwnedItemsMayBeTakenByLvalueReference) {
  ThreadPool pool(workers());
  const auto increment = [](int& n) { return ++n; };
  EXPECT_EQ(pool.map_async(increment, std::vector{1, 2, 3}).get(), (std::vector{2, 3, 4}));
  EXPECT_EQ(all_of(pool.imap(increment, std::vector{1, 2, 3})), (std::vector{2, 3, 4}));
}

TEST_P(Ownership, AsyncMapsTakeMoveOnlyItemsAndFunctions) {
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map_async(consume, owning_items()).get(), first_integers(kItems));
  EXPECT_EQ(all_of(pool.imap(consume, owning_items())), first_integers(kItems));
  std::list<std::unique_ptr<int>> list;
  list.push_back(std::make_unique<int>(1));
  EXPECT_EQ(pool.map_async(consume, std::move(list)).get(), std::vector{1});

  auto adder = [offset = std::make_unique<int>(5)](int n) { return n + *offset; };
  EXPECT_EQ(pool.map_async(std::move(adder), std::vector{1, 2}).get(), (std::vector{6, 7}));
  auto other = [offset = std::make_unique<int>(5)](int n) { return n + *offset; };
  EXPECT_EQ(all_of(pool.imap(std::move(other), std::vector{1, 2})), (std::vector{6, 7}));
}

TEST_P(Ownership, ViewsThatMakeMoveOnlyItemsWorkEverywhere) {
  const auto made = std::views::iota(0, kItems) |
                    std::views::transform([](int n) { return std::make_unique<int>(n); });
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map(consume, made), first_integers(kItems));
  EXPECT_EQ(pool.map_async(consume, made).get(), first_integers(kItems));
  EXPECT_EQ(all_of(pool.imap(consume, made)), first_integers(kItems));
}

TEST_P(Ownership, AsyncMapsCopyALvalueFunction) {
  struct Adder {
    int offset;
    int operator()(int n) const { return n + offset; }
  };
  ThreadPool pool(workers());
  BusyWorkers busy(pool);
  Adder adder{10};
  const auto result = pool.map_async(adder, std::vector{1, 2});
  auto iterator = pool.imap(adder, std::vector{1, 2});
  adder.offset = 0;
  busy.release();
  EXPECT_EQ(result.get(), (std::vector{11, 12}));
  EXPECT_EQ(all_of(std::move(iterator)), (std::vector{11, 12}));
}

TEST_P(Ownership, SinglePassInputIsMovedIn) {
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map_async([](int n) { return n; }, counting(kItems)).get(),
            first_integers(kItems));
  EXPECT_EQ(all_of(pool.imap([](int n) { return n; }, counting(kItems))), first_integers(kItems));
  Generated<int> named = counting(kItems);
  EXPECT_EQ(all_of(pool.imap([](int n) { return n; }, std::move(named))), first_integers(kItems));
}

// Results

TEST_P(Ownership, ResultsMayBeMoveOnly) {
  ThreadPool pool(workers());
  const auto make = [](int n) { return std::make_unique<int>(n); };
  EXPECT_EQ(*pool.apply(make, 3), 3);
  EXPECT_EQ(*pool.apply_async(make, 3).get(), 3);
  const std::vector<std::unique_ptr<int>> mapped = pool.map(make, first_integers(kItems));
  const std::vector<std::unique_ptr<int>> async =
      pool.map_async(make, first_integers(kItems)).get();
  const std::vector<std::unique_ptr<int>> lazy = all_of(pool.imap(make, first_integers(kItems)));
  ASSERT_EQ(mapped.size(), static_cast<std::size_t>(kItems));
  ASSERT_EQ(async.size(), static_cast<std::size_t>(kItems));
  ASSERT_EQ(lazy.size(), static_cast<std::size_t>(kItems));
  for (std::size_t n = 0; n < kItems; ++n) {
    EXPECT_EQ(*mapped[n], static_cast<int>(n));
    EXPECT_EQ(*async[n], static_cast<int>(n));
    EXPECT_EQ(*lazy[n], static_cast<int>(n));
  }
}

TEST_P(Ownership, ResultsNeedNoDefaultConstructor) {
  ThreadPool pool(workers());
  const auto make = [](int n) { return NoDefault(n); };
  EXPECT_EQ(pool.apply(make, 3).value(), 3);
  EXPECT_EQ(pool.apply_async(make, 3).get().value(), 3);
  const std::vector<NoDefault> mapped = pool.map(make, first_integers(kItems), 3);
  ASSERT_EQ(mapped.size(), static_cast<std::size_t>(kItems));
  for (std::size_t n = 0; n < kItems; ++n) EXPECT_EQ(mapped[n].value(), static_cast<int>(n));
  EXPECT_EQ(pool.imap(make, {7}).next()->value(), 7);
}

TEST_P(Ownership, ResultsMayBeBool) {
  // vector<bool> packs eight results into a byte that eight workers may write at once.
  constexpr int kMany = 5000;
  const auto odd = [](int n) { return n % 2 == 1; };
  ThreadPool pool(workers());
  const std::vector<bool> mapped = pool.map(odd, std::views::iota(0, kMany), 1);
  const std::vector<bool> async = pool.map_async(odd, std::views::iota(0, kMany), 1).get();
  ASSERT_EQ(mapped.size(), static_cast<std::size_t>(kMany));
  ASSERT_EQ(async.size(), static_cast<std::size_t>(kMany));
  for (int n = 0; n < kMany; ++n) {
    EXPECT_EQ(mapped[static_cast<std::size_t>(n)], odd(n));
    EXPECT_EQ(async[static_cast<std::size_t>(n)], odd(n));
  }
  EXPECT_EQ(pool.apply(odd, 1), true);
  EXPECT_EQ(pool.apply_async(odd, 2).get(), false);
  EXPECT_EQ(all_of(pool.imap(odd, {1, 2, 3})), (std::vector<bool>{true, false, true}));
}

TEST_P(Ownership, ItemsMayBeProxies) {
  const std::vector<bool> bits{true, false, true};
  const auto negate = [](bool b) { return !b; };
  const std::vector<bool> expected{false, true, false};
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map(negate, bits), expected);
  EXPECT_EQ(pool.map_async(negate, bits).get(), expected);
  EXPECT_EQ(pool.map_async(negate, std::vector<bool>(bits)).get(), expected);
  EXPECT_EQ(all_of(pool.imap(negate, bits)), expected);
}

TEST_P(Ownership, ReferenceResultsOfMapsDecay) {
  std::vector<int> items{1, 2, 3};
  const auto itself = [](int& n) -> int& { return n; };
  const auto constant = [](const int& n) -> const int& { return n; };
  ThreadPool pool(workers());
  static_assert(std::is_same_v<decltype(pool.map(itself, items)), std::vector<int>>);
  static_assert(std::is_same_v<decltype(pool.map(constant, items)), std::vector<int>>);
  static_assert(
      std::is_same_v<decltype(pool.map_async(constant, items)), AsyncResult<std::vector<int>>>);
  const std::vector<int> results = pool.map(itself, items);
  EXPECT_EQ(results, items);
  EXPECT_NE(results.data(), items.data());
}

TEST_P(Ownership, ConstResultsOfMapsDecay) {
  const auto to_text = [](int n) -> const std::string { return std::to_string(n); };
  ThreadPool pool(workers());
  EXPECT_EQ(pool.map(to_text, std::vector{1, 2}), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(pool.imap(to_text, std::vector{1}).next(), "1");
}

TEST_P(Ownership, ResultsAreNotCopied) {
  InstanceCounter counter;
  {
    ThreadPool pool(workers());
    const auto make = [&counter](int n) { return Counted(counter, n); };
    EXPECT_EQ(pool.apply(make, 1).value(), 1);
    EXPECT_EQ(pool.apply_async(make, 1).get().value(), 1);
    EXPECT_EQ(pool.map(make, first_integers(kItems)).back().value(), kItems - 1);
    EXPECT_EQ(pool.map_async(make, first_integers(kItems)).get().back().value(), kItems - 1);
    for (auto&& result : pool.imap(make, first_integers(kItems))) EXPECT_GE(result.value(), 0);
    EXPECT_EQ(counter.copies(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(Ownership, ResultsMayBeOverAligned) {
  struct alignas(64) Line {
    int value;
  };
  ThreadPool pool(workers());
  const auto make = [](int n) { return Line{n}; };
  const auto aligned = [](const Line& line) {
    return reinterpret_cast<std::uintptr_t>(&line) % alignof(Line) == 0;
  };
  const auto result = pool.apply_async(make, 3);
  EXPECT_EQ(result.get().value, 3);
  EXPECT_TRUE(aligned(result.get()));
  for (const Line& line : pool.map(make, first_integers(kItems), 1)) EXPECT_TRUE(aligned(line));
  EXPECT_TRUE(pool.apply_async(aligned, Line{1}).get());
}

// Letting go

TEST_P(Ownership, CallablesAndArgumentsAreDestroyedBeforeTheResultIsReady) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  {
    const auto result = pool.apply_async(
        [captured = Counted(counter)](const Counted& argument) {
          return captured.value() + argument.value();
        },
        Counted(counter, 5));
    result.wait();
    EXPECT_EQ(counter.alive(), 0);
    EXPECT_EQ(result.get(), 5);
  }
  {
    const auto result =
        pool.apply_async([captured = Counted(counter)](const Counted&) { throw captured.value(); },
                         Counted(counter, 5));
    result.wait();
    EXPECT_EQ(counter.alive(), 0);
    EXPECT_THROW(result.get(), int);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(Ownership, FunctionsAndItemsOfAMapAreDestroyedBeforeTheResultIsReady) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  const auto result =
      pool.map_async([captured = Counted(counter)](
                         const Counted& item) { return captured.value() + item.value(); },
                     counted_items(counter), 1);
  result.wait();
  EXPECT_EQ(counter.alive(), 0);
  EXPECT_EQ(result.get(), first_integers(kItems));
  EXPECT_TRUE(counter.balanced());
}

TEST_P(Ownership, NothingOfABlockingCallIsLeftWhenItReturns) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  pool.apply([captured = Counted(counter)](Counted) {}, Counted(counter));
  EXPECT_TRUE(counter.balanced());
  pool.map([captured = Counted(counter)](const Counted&) {}, counted_items(counter));
  EXPECT_TRUE(counter.balanced());
  EXPECT_THROW(pool.map([captured = Counted(counter)](const Counted&) { throw 1; },
                        counted_items(counter), 3),
               int);
  EXPECT_TRUE(counter.balanced());
}

TEST_P(Ownership, NothingOfAResultIsLeftWhenItsLastHandleHasGone) {
  // A result may look at what its reader owns. Repeated, because the worker that made a result
  // ready is only for a moment still at it.
  constexpr int kRounds = 2000;
  InstanceCounter counter;
  ThreadPool pool(workers());
  const auto make = [&counter] { return Counted(counter); };
  for (int round = 0; round < kRounds; ++round) {
    {
      const auto handle = pool.apply_async(make);
      EXPECT_EQ(handle.get().value(), 0);
    }
    ASSERT_EQ(counter.alive(), 0) << "a handle's, round " << round;
    EXPECT_EQ(pool.apply_async(make).get().value(), 0);
    ASSERT_EQ(counter.alive(), 0) << "a moved one, round " << round;
    EXPECT_EQ(pool.apply(make).value(), 0);
    ASSERT_EQ(counter.alive(), 0) << "apply's, round " << round;
    {
      const auto handle = pool.map_async([&](int) { return Counted(counter); }, {1, 2}, 1);
      handle.wait();
    }
    ASSERT_EQ(counter.alive(), 0) << "a map's, round " << round;
  }
}

TEST_P(Ownership, NothingOfAnErrorIsLeftWhenItsLastHandleHasGone) {
  constexpr int kRounds = 1000;
  InstanceCounter counter;
  ThreadPool pool(workers());
  const auto fail = [&counter] { throw Counted(counter); };
  for (int round = 0; round < kRounds; ++round) {
    EXPECT_THROW(pool.apply_async(fail).get(), Counted);
    ASSERT_EQ(counter.alive(), 0) << "apply_async's, round " << round;
    EXPECT_THROW(pool.apply(fail), Counted);
    ASSERT_EQ(counter.alive(), 0) << "apply's, round " << round;
    EXPECT_THROW(pool.map([&](int) { fail(); }, {1, 2}, 1), Counted);
    ASSERT_EQ(counter.alive(), 0) << "map's, round " << round;
  }
}

TEST_P(Ownership, ThePoolKeepsNoResultThatNobodyHolds) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  for (int i = 0; i < 20; ++i) pool.apply_async([&counter] { return Counted(counter); });
  pool.map_async([&counter](int n) { return Counted(counter, n); }, first_integers(kItems));
  pool.close();
  pool.join();
  EXPECT_TRUE(counter.balanced());
}

TEST_P(Ownership, ADroppedImapLetsGoOfEverythingOnceThePoolIsJoined) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  {
    auto iterator = pool.imap([captured = Counted(counter)](
                                  const Counted& item) { return std::make_unique<Counted>(item); },
                              counted_items(counter));
    EXPECT_EQ((*iterator.next())->value(), 0);
  }
  pool.close();
  pool.join();
  EXPECT_TRUE(counter.balanced());
}

TEST_P(Ownership, AFinishedImapLetsGoOfEverythingWithItsIterator) {
  InstanceCounter counter;
  ThreadPool pool(workers());
  {
    auto iterator = pool.imap([captured = Counted(counter)](
                                  const Counted& item) { return captured.value() + item.value(); },
                              counted_items(counter));
    int results = 0;
    while (iterator.next()) ++results;
    EXPECT_EQ(results, kItems);
    pool.close();
    pool.join();
  }
  EXPECT_TRUE(counter.balanced());
}

}  // namespace
}  // namespace millpond::test
