// SPDX-License-Identifier: MIT
//
// Where a map's items live, and how they reach the function: holders, elements and sources.
#include <millpond/detail/calls/items.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <forward_list>
#include <functional>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"

namespace millpond::test {
namespace {

using detail::borrow_items;
using detail::Borrowed;
using detail::borrowed_t;
using detail::can_be_owned;
using detail::CollectedItems;
using detail::IndexedItems;
using detail::ItemRange;
using detail::map_items_t;
using detail::own_items;
using detail::Owned;
using detail::owned_t;
using detail::StreamedItems;
using detail::View;

using Ints = std::vector<int>;
using Texts = std::vector<std::string>;

// ---- What can be walked ----

static_assert(ItemRange<Ints>);
static_assert(ItemRange<Ints&>);
static_assert(ItemRange<const Ints&>);
static_assert(ItemRange<int (&)[3]>);
static_assert(ItemRange<const int (&)[3]>);
static_assert(ItemRange<std::initializer_list<int>>);
static_assert(ItemRange<std::span<int>>);
static_assert(ItemRange<std::string_view>);
static_assert(ItemRange<std::map<int, int>&>);
static_assert(ItemRange<std::forward_list<int>&>);
static_assert(ItemRange<decltype(std::views::iota(0))>);
static_assert(ItemRange<Generated<int>>);
static_assert(ItemRange<Generated<int>&>);
static_assert(!ItemRange<const Generated<int>&>, "its begin() is not const");
static_assert(ItemRange<std::reference_wrapper<Ints>>);
static_assert(ItemRange<std::reference_wrapper<const Ints>&>);
static_assert(ItemRange<const std::reference_wrapper<Generated<int>>&>);
static_assert(!ItemRange<int>);
static_assert(!ItemRange<int*>);
static_assert(!ItemRange<std::reference_wrapper<int>>);
static_assert(!ItemRange<std::unique_ptr<Ints>>);

// ---- Who owns it: calls that return before the work is done ----

static_assert(std::is_same_v<owned_t<Ints>, Owned<Ints>>);
static_assert(std::is_same_v<owned_t<Ints&>, Owned<Ints>>);
static_assert(std::is_same_v<owned_t<const Ints&>, Owned<Ints>>);
static_assert(std::is_same_v<owned_t<const Ints>, Owned<Ints>>);
static_assert(std::is_same_v<owned_t<std::map<int, int>&>, Owned<std::map<int, int>>>);
static_assert(std::is_same_v<owned_t<std::array<int, 3>&>, Owned<std::array<int, 3>>>);
static_assert(std::is_same_v<owned_t<int (&)[3]>, Owned<Ints>>);
static_assert(std::is_same_v<owned_t<const int (&)[3]>, Owned<Ints>>);
static_assert(std::is_same_v<owned_t<int[3]>, Owned<Ints>>);
static_assert(std::is_same_v<owned_t<const char (&)[4]>, Owned<std::vector<char>>>);
static_assert(std::is_same_v<owned_t<Generated<int>>, Owned<Generated<int>>>);
static_assert(std::is_same_v<owned_t<std::span<int>&>, View<std::span<int>>>);
static_assert(std::is_same_v<owned_t<const std::string_view&>, View<std::string_view>>);
static_assert(std::is_same_v<owned_t<std::ranges::iota_view<int, int>>,
                             View<std::ranges::iota_view<int, int>>>);
static_assert(std::is_same_v<owned_t<std::reference_wrapper<Ints>>, Borrowed<Ints, false>>);
static_assert(std::is_same_v<owned_t<const std::reference_wrapper<const Ints>&>,
                             Borrowed<const Ints, false>>);

// ---- And those that wait ----

static_assert(std::is_same_v<borrowed_t<Ints>, Borrowed<Ints, true>>);
static_assert(std::is_same_v<borrowed_t<Ints&>, Borrowed<Ints, false>>);
static_assert(std::is_same_v<borrowed_t<const Ints&>, Borrowed<const Ints, false>>);
static_assert(std::is_same_v<borrowed_t<int (&)[3]>, Borrowed<int[3], false>>);
static_assert(std::is_same_v<borrowed_t<std::span<int>>, Borrowed<std::span<int>, false>>,
              "what a view looks at is not ours to consume");
static_assert(std::is_same_v<borrowed_t<std::reference_wrapper<Ints>>, Borrowed<Ints, false>>);

// ---- What can be kept ----

static_assert(can_be_owned<Ints>());
static_assert(can_be_owned<Ints&>());
static_assert(can_be_owned<const Ints&>());
static_assert(can_be_owned<std::vector<MoveOnly>>());
static_assert(!can_be_owned<std::vector<MoveOnly>&>());
static_assert(!can_be_owned<const std::vector<MoveOnly>&>());
static_assert(can_be_owned<std::list<std::unique_ptr<int>>>());
static_assert(!can_be_owned<std::list<std::unique_ptr<int>>&>());
static_assert(!can_be_owned<std::map<int, std::unique_ptr<int>>&>());
static_assert(can_be_owned<int (&)[3]>());
static_assert(can_be_owned<MoveOnly[3]>());
static_assert(!can_be_owned<MoveOnly (&)[3]>());
static_assert(can_be_owned<std::span<MoveOnly>&>());
static_assert(can_be_owned<std::reference_wrapper<std::vector<MoveOnly>>&>());
static_assert(can_be_owned<Generated<int>>());
static_assert(!can_be_owned<Generated<int>&>());

// ---- How an item is passed: as an rvalue if it is ours and the function takes that ----

template <class T>
using ByValue = void (*)(T);
template <class T>
using ByReference = void (*)(T&);
template <class T>
using ByConstReference = void (*)(const T&);
template <class T>
using ByRvalue = void (*)(T&&);

template <class F, class Items>
using owned_passed_t = typename map_items_t<F, owned_t<Items>>::Passed;
template <class F, class Items>
using borrowed_passed_t = typename map_items_t<F, borrowed_t<Items>>::Passed;
template <class F, class Items>
using streamed_passed_t = typename StreamedItems<F, owned_t<Items>>::Item::Passed;

using Text = std::string;

// A container of our own, reached by index or walked
static_assert(std::is_same_v<owned_passed_t<ByRvalue<Text>, Texts>, Text&&>);
static_assert(std::is_same_v<owned_passed_t<ByValue<Text>, Texts&>, Text&&>);
static_assert(std::is_same_v<owned_passed_t<ByConstReference<Text>, Texts>, Text&&>);
static_assert(std::is_same_v<owned_passed_t<ByReference<Text>, Texts>, Text&>);
static_assert(std::is_same_v<owned_passed_t<ByRvalue<Text>, std::list<Text>>, Text&&>);
static_assert(std::is_same_v<owned_passed_t<ByReference<Text>, std::list<Text>>, Text&>);
static_assert(std::is_same_v<streamed_passed_t<ByRvalue<Text>, Texts>, Text&&>);
static_assert(std::is_same_v<streamed_passed_t<ByReference<Text>, Texts>, Text&>);

// The caller's, and what views and references lead to: as it is
static_assert(std::is_same_v<borrowed_passed_t<ByConstReference<Text>, Texts&>, Text&>);
static_assert(std::is_same_v<borrowed_passed_t<ByReference<Text>, Texts&>, Text&>);
static_assert(std::is_same_v<borrowed_passed_t<ByValue<Text>, const Texts&>, const Text&>);
static_assert(std::is_same_v<borrowed_passed_t<ByValue<Text>, std::list<Text>&>, Text&>);
static_assert(std::is_same_v<owned_passed_t<ByValue<Text>, std::span<Text>>, Text&>);
static_assert(std::is_same_v<owned_passed_t<ByValue<Text>, std::span<const Text>>, const Text&>);
static_assert(std::is_same_v<owned_passed_t<ByValue<Text>, std::reference_wrapper<Texts>>, Text&>);
static_assert(std::is_same_v<streamed_passed_t<ByValue<Text>, std::span<Text>>, Text&>);

// What the caller gives away, though it stays in place
static_assert(std::is_same_v<borrowed_passed_t<ByRvalue<Text>, Texts>, Text&&>);
static_assert(std::is_same_v<borrowed_passed_t<ByReference<Text>, Texts>, Text&>);
static_assert(std::is_same_v<borrowed_passed_t<ByValue<Text>, std::list<Text>>, Text&&>);

// Values that the range makes, and those of single-pass input, are ours in any case
using Made = decltype(std::views::iota(0, 3) |
                      std::views::transform([](int n) { return std::to_string(n); }));
static_assert(std::is_same_v<owned_passed_t<ByValue<Text>, Made>, Text>);
static_assert(std::is_same_v<streamed_passed_t<ByRvalue<Text>, Made>, Text&&>);
static_assert(std::is_same_v<streamed_passed_t<ByReference<Text>, Made>, Text&>);
static_assert(std::is_same_v<owned_passed_t<ByRvalue<Text>, Generated<Text>>, Text&&>);
static_assert(std::is_same_v<owned_passed_t<ByReference<Text>, Generated<Text>>, Text&>);
static_assert(std::is_same_v<borrowed_passed_t<ByRvalue<Text>, Generated<Text>&>, Text&&>);

// Keys of a map stay const
static_assert(std::is_same_v<
              owned_passed_t<ByConstReference<std::pair<const int, Text>>, std::map<int, Text>>,
              std::pair<const int, Text>&&>);

// ---- Which source ----

template <class Items>
constexpr bool is_indexed = std::is_same_v<map_items_t<ByConstReference<int>, Items>,
                                           IndexedItems<ByConstReference<int>, Items>>;

static_assert(is_indexed<Owned<Ints>>);
static_assert(is_indexed<Owned<std::deque<int>>>);
static_assert(is_indexed<Borrowed<int[3], false>>);
static_assert(is_indexed<View<std::span<int>>>);
static_assert(is_indexed<View<std::ranges::iota_view<int, int>>>);
static_assert(!is_indexed<Owned<std::list<int>>>);
static_assert(!is_indexed<Owned<Generated<int>>>);
static_assert(!is_indexed<View<std::ranges::iota_view<int>>>, "it has no size");

// ---- Owning ----

TEST(OwnItems, MovesAnRvalueContainer) {
  Ints items{1, 2, 3};
  const int* const data = items.data();
  auto owned = own_items<Ints>(items);
  EXPECT_EQ(owned.container.data(), data);
}

TEST(OwnItems, CopiesAnLvalueContainer) {
  const Ints items{1, 2, 3};
  auto owned = own_items<const Ints&>(items);
  EXPECT_EQ(owned.container, items);
  EXPECT_NE(owned.container.data(), items.data());
}

TEST(OwnItems, CopiesAnLvalueArrayIntoAVector) {
  InstanceCounter counter;
  {
    Counted items[] = {Counted(counter, 1), Counted(counter, 2)};
    auto owned = own_items<Counted(&)[2]>(items);
    ASSERT_EQ(owned.container.size(), 2U);
    EXPECT_EQ(owned.container[1].value(), 2);
    EXPECT_EQ(counter.copies(), 2);
    EXPECT_EQ(items[0].value(), 1);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(OwnItems, MovesTheElementsOfAnRvalueArray) {
  MoveOnly items[] = {MoveOnly(1), MoveOnly(2)};
  auto owned = own_items<MoveOnly[2]>(items);
  ASSERT_EQ(owned.container.size(), 2U);
  EXPECT_EQ(owned.container[1].value(), 2);
  EXPECT_EQ(items[0].value(), MoveOnly::kMovedFrom);
}

TEST(OwnItems, KeepsAViewAndLooksThroughAReferenceWrapper) {
  Ints items{1, 2, 3};
  auto view = own_items<std::span<int>&>(*std::make_unique<std::span<int>>(items));
  EXPECT_EQ(view.range().data(), items.data());
  auto wrapper = std::ref(items);
  auto reference = own_items<std::reference_wrapper<Ints>&>(wrapper);
  EXPECT_EQ(&reference.range(), &items);
}

TEST(BorrowItems, ReferToTheRange) {
  Ints items{1, 2, 3};
  EXPECT_EQ(&borrow_items<Ints&>(items).range(), &items);
  EXPECT_EQ(&borrow_items<Ints>(items).range(), &items);
  auto wrapper = std::ref(items);
  EXPECT_EQ(&borrow_items<std::reference_wrapper<Ints>&>(wrapper).range(), &items);
}

// ---- Sources of the maps ----

const auto sum_up = [](auto& source) {
  int sum = 0;
  for (std::size_t i = 0; i < source.size(); ++i) sum = 10 * sum + source[i];
  return sum;
};

template <class F, class Items>
auto source_of(const F&, Items&& items) {
  return map_items_t<F, owned_t<Items>>(own_items<Items>(items));
}

TEST(MapItems, GiveOutEveryElementAtItsIndex) {
  const auto f = [](int) {};
  auto indexed = source_of(f, Ints{1, 2, 3});
  EXPECT_EQ(sum_up(indexed), 123);
  auto deque = source_of(f, std::deque<int>{1, 2, 3});
  EXPECT_EQ(sum_up(deque), 123);
  auto made = source_of(f, std::views::iota(1, 4));
  EXPECT_EQ(sum_up(made), 123);
  auto list = source_of(f, std::list<int>{1, 2, 3});
  EXPECT_EQ(sum_up(list), 123);
  auto forward = source_of(f, std::forward_list<int>{1, 2, 3});
  EXPECT_EQ(sum_up(forward), 123);
  auto single_pass = source_of(f, counting(4));
  EXPECT_EQ(sum_up(single_pass), 123);
  auto bits = source_of([](bool) {}, std::vector<bool>{true, false, true});
  EXPECT_EQ(sum_up(bits), 101);
}

TEST(MapItems, MayBeNone) {
  const auto f = [](int) {};
  EXPECT_EQ(source_of(f, Ints{}).size(), 0U);
  EXPECT_EQ(source_of(f, std::list<int>{}).size(), 0U);
  EXPECT_EQ(source_of(f, counting(0)).size(), 0U);
}

TEST(MapItems, AreNotCopiedOnTheWay) {
  const auto f = [](const Counted&) {};
  InstanceCounter counter;
  {
    std::vector<Counted> vector;
    for (int n = 0; n < 3; ++n) vector.emplace_back(counter, n);
    std::list<Counted> list(vector.begin(), vector.end());
    const int constructed = counter.constructed();
    const map_items_t<decltype(f), borrowed_t<std::vector<Counted>&>> indexed(
        borrow_items<std::vector<Counted>&>(vector));
    EXPECT_EQ(&indexed[1], &vector[1]);
    map_items_t<decltype(f), borrowed_t<std::list<Counted>&>> collected(
        borrow_items<std::list<Counted>&>(list));
    EXPECT_EQ(&collected[0], &list.front());
    EXPECT_EQ(counter.constructed(), constructed);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(MapItems, OfSinglePassInputAreMovedOutOfIt) {
  int next = 0;
  Generated<MoveOnly> input([&next]() -> std::optional<MoveOnly> {
    if (next == 3) return std::nullopt;
    return MoveOnly(next++);
  });
  auto source = source_of([](MoveOnly) {}, std::move(input));
  ASSERT_EQ(source.size(), 3U);
  EXPECT_EQ(next, 3);
  const MoveOnly second = source[1];
  EXPECT_EQ(second.value(), 1);
}

TEST(MapItems, OfSinglePassInputThatIsNotOursAreCopied) {
  InstanceCounter counter;
  {
    int left = 2;
    Generated<Counted> input([&]() -> std::optional<Counted> {
      if (left-- == 0) return std::nullopt;
      return Counted(counter, left);
    });
    const auto f = [](const Counted&) {};
    map_items_t<decltype(f), borrowed_t<Generated<Counted>&>> source(
        borrow_items<Generated<Counted>&>(input));
    EXPECT_EQ(counter.copies(), 2);
    EXPECT_EQ(source[0].value(), 1);
    EXPECT_EQ(source[1].value(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(MapItems, KeepProxiesAsTheyAre) {
  std::vector<bool> bits{false, false, false};
  const auto set = [](std::vector<bool>::reference bit) { bit = true; };
  map_items_t<decltype(set), borrowed_t<std::vector<bool>&>> source(
      borrow_items<std::vector<bool>&>(bits));
  set(source[1]);
  EXPECT_EQ(bits, (std::vector<bool>{false, true, false}));
}

TEST(MapItems, AreWalkedOnceByTheConstructor) {
  int steps = 0;
  Generated<int> input([&steps]() -> std::optional<int> {
    if (steps == 5) return std::nullopt;
    return ++steps;
  });
  auto source = source_of([](int) {}, std::move(input));
  EXPECT_EQ(steps, 5);
  EXPECT_EQ(sum_up(source), 12345);
  EXPECT_EQ(sum_up(source), 12345);
  EXPECT_EQ(steps, 5);
}

TEST(MapItems, LetTheInputsExceptionOutOfTheConstructor) {
  EXPECT_THROW(source_of([](int) {}, counting_until_throw(3)), SayWhen);
}

// ---- Source of the imaps ----

template <class F, class Items>
auto stream_of(const F&, Items&& items) {
  return StreamedItems<F, owned_t<Items>>(own_items<Items>(items));
}

// What one take() gives.
template <class Stream>
class Taken {
 public:
  using Item = typename Stream::Item;

  Taken(Stream& stream, std::size_t count, bool more) {
    EXPECT_EQ(stream.take(count, [this] { return items_ + size_; }, size_), more);
  }
  Taken(const Taken&) = delete;
  ~Taken() {
    std::destroy_n(items_, size_);
    std::allocator<Item>().deallocate(items_, kMost);
  }
  Item& operator[](std::size_t index) { return items_[index]; }
  Ints values() {
    Ints values;
    for (std::size_t i = 0; i != size_; ++i) values.push_back(items_[i].pass());
    return values;
  }

 private:
  static constexpr std::size_t kMost = 10;
  Item* const items_ = std::allocator<Item>().allocate(kMost);
  std::size_t size_ = 0;
};

template <class Stream>
Ints taken(Stream& stream, std::size_t count, bool more) {
  return Taken<Stream>(stream, count, more).values();
}

TEST(StreamedItemsTest, AreTakenAsManyAsAreAskedFor) {
  auto stream = stream_of([](int) {}, Ints{1, 2, 3, 4, 5});
  EXPECT_EQ(taken(stream, 2, true), (Ints{1, 2}));
  EXPECT_EQ(taken(stream, 1, true), (Ints{3}));
  EXPECT_EQ(taken(stream, 10, false), (Ints{4, 5}));
}

TEST(StreamedItemsTest, OnlyAfterTheLastOneAreSeenToHaveEnded) {
  auto stream = stream_of([](int) {}, Ints{1, 2});
  EXPECT_EQ(taken(stream, 2, true), (Ints{1, 2}));
  EXPECT_EQ(taken(stream, 2, false), Ints{});
}

TEST(StreamedItemsTest, MayBeNone) {
  auto stream = stream_of([](int) {}, Ints{});
  EXPECT_EQ(taken(stream, 1, false), Ints{});
}

TEST(StreamedItemsTest, ComeFromEveryKindOfRange) {
  const auto f = [](int) {};
  auto list = stream_of(f, std::list<int>{1, 2, 3});
  EXPECT_EQ(taken(list, 9, false), (Ints{1, 2, 3}));
  auto made = stream_of(f, std::views::iota(1, 4));
  EXPECT_EQ(taken(made, 9, false), (Ints{1, 2, 3}));
  auto single_pass = stream_of(f, counting(3));
  EXPECT_EQ(taken(single_pass, 9, false), (Ints{0, 1, 2}));
  auto endless = stream_of(f, std::views::iota(7));
  EXPECT_EQ(taken(endless, 3, true), (Ints{7, 8, 9}));
}

TEST(StreamedItemsTest, AreNotReadBeforeTheyAreAskedFor) {
  int steps = 0;
  auto stream = stream_of([](int) {}, Generated<int>([&steps] { return std::optional(steps++); }));
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(taken(stream, 1, true), (Ints{0}));
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(taken(stream, 3, true), (Ints{1, 2, 3}));
  EXPECT_EQ(steps, 4);
}

TEST(StreamedItemsTest, StayWhereTheyAreInAContainer) {
  InstanceCounter counter;
  {
    std::vector<Counted> items;
    for (int n = 0; n < 3; ++n) items.emplace_back(counter, n);
    auto stream = stream_of([](const Counted&) {}, std::move(items));
    const int constructed = counter.constructed();
    Taken taken_items(stream, 9, false);
    EXPECT_EQ(taken_items[2].pass().value(), 2);
    EXPECT_EQ(counter.constructed(), constructed);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(StreamedItemsTest, AreMovedOutOfSinglePassInput) {
  auto stream = stream_of([](MoveOnly) {}, Generated<MoveOnly>([next = 0]() mutable {
                            return std::optional<MoveOnly>(std::in_place, next++);
                          }));
  Taken items(stream, 2, true);
  const MoveOnly second(items[1].pass());
  EXPECT_EQ(second.value(), 1);
}

TEST(StreamedItemsTest, LetTheInputsExceptionOutAndKeepWhatCameBefore) {
  auto stream = stream_of([](int) {}, counting_until_throw(3));
  using Item = decltype(stream)::Item;
  Item* const items = std::allocator<Item>().allocate(9);
  std::size_t size = 0;
  EXPECT_THROW(stream.take(9, [&] { return items + size; }, size), SayWhen);
  ASSERT_EQ(size, 3U);
  EXPECT_EQ(items[2].pass(), 2);
  std::destroy_n(items, size);
  std::allocator<Item>().deallocate(items, 9);
}

}  // namespace
}  // namespace millpond::test
