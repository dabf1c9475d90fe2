// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLS_ITEMS_HPP
#define MILLPOND_DETAIL_CALLS_ITEMS_HPP

#include <millpond/detail/calls/invoke.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/errors.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// Where a map's items live and how they reach the function.
///
/// A *holder* (Borrowed, Owned, View) settles who owns the range; a *source* (IndexedItems,
/// CollectedItems, StreamedItems) gives out its elements. Elements of a range that is ours to
/// consume are handed on as rvalues to functions that take them.
///
/// The concepts and functions of ranges come with <span> and <iterator>, which are declared by
/// them. <ranges>, with all its views, would add 90 ms to each file that uses the library.

namespace millpond::inline MILLPOND_ABI::detail {

template <class T>
inline constexpr bool is_reference_wrapper = false;
template <class T>
inline constexpr bool is_reference_wrapper<std::reference_wrapper<T>> = true;

/// Anything that a map can walk: an input range, or a std::reference_wrapper of one.
template <class Items>
concept ItemRange = std::ranges::input_range<Items> ||
                    (is_reference_wrapper<std::remove_cvref_t<Items>> &&
                     std::ranges::input_range<decltype(std::declval<Items>().get())>);

// ---- Holders ----

/// A range that stays the caller's and outlives the work. Rvalue ranges (kConsume) are read as
/// such.
template <class Range, bool kConsumeElements>
struct Borrowed {
  static constexpr bool kConsume = kConsumeElements;
  Range* borrowed;
  Range& range() noexcept { return *borrowed; }
};

/// A container of our own.
template <class Container>
struct Owned {
  static constexpr bool kConsume = true;
  Container container;
  Container& range() noexcept { return container; }
};

/// A view, copied or moved in; what it looks at must outlive the work.
template <class V>
struct View {
  static constexpr bool kConsume = false;
  V view;
  V& range() noexcept { return view; }
};

/// For calls that return after the work is done. Items is as deduced for a forwarding reference.
template <class Items>
constexpr auto borrow_items(std::remove_reference_t<Items>& items) {
  using Range = std::remove_reference_t<Items>;
  if constexpr (is_reference_wrapper<std::remove_cv_t<Range>>) {
    using Inner = std::remove_reference_t<decltype(items.get())>;
    return Borrowed<Inner, false>{std::addressof(items.get())};
  } else {
    constexpr bool kConsume =
        !std::is_lvalue_reference_v<Items> && !std::ranges::view<std::remove_cv_t<Range>>;
    return Borrowed<Range, kConsume>{std::addressof(items)};
  }
}

template <class Items>
constexpr auto owned_type() {
  using T = std::remove_cvref_t<Items>;
  if constexpr (is_reference_wrapper<T>) {
    using Inner = std::remove_reference_t<decltype(std::declval<T&>().get())>;
    return std::type_identity<Borrowed<Inner, false>>{};
  } else if constexpr (std::ranges::view<T>) {
    return std::type_identity<View<T>>{};
  } else if constexpr (std::is_array_v<T>) {
    using Element = std::remove_cv_t<std::ranges::range_value_t<Items>>;
    return std::type_identity<Owned<std::vector<Element>>>{};
  } else {
    return std::type_identity<Owned<T>>{};
  }
}
template <class Items>
using owned_t = typename decltype(owned_type<Items>())::type;

/// Whether own_items() can copy or move what it is given.
template <class Items>
constexpr bool can_be_owned() {
  using T = std::remove_cvref_t<Items>;
  if constexpr (is_reference_wrapper<T>) {
    return true;
  } else {
    using Element = std::ranges::range_value_t<T>;
    constexpr bool kMoves = !std::is_lvalue_reference_v<Items>;
    return (std::is_array_v<T> || std::is_constructible_v<T, Items>) &&
           (kMoves || std::ranges::view<T> || std::is_copy_constructible_v<Element>);
  }
}

/// For calls that return before the work is done. Items is as deduced for a forwarding reference.
template <class Items>
owned_t<Items> own_items(std::remove_reference_t<Items>& items) {
  using T = std::remove_cvref_t<Items>;
  if constexpr (is_reference_wrapper<T>) {
    return {std::addressof(items.get())};
  } else if constexpr (std::is_array_v<T>) {
    using Vector = decltype(owned_t<Items>::container);
    if constexpr (std::is_lvalue_reference_v<Items>) {
      return {Vector(std::begin(items), std::end(items))};
    } else {
      return {Vector(std::move_iterator(std::begin(items)), std::move_iterator(std::end(items)))};
    }
  } else {
    return {T(static_cast<Items&&>(items))};
  }
}

template <class Items>
using borrowed_t =
    decltype(detail::borrow_items<Items>(std::declval<std::remove_reference_t<Items>&>()));

template <bool kBorrows, class Items>
constexpr auto holder_type() {
  if constexpr (kBorrows) {
    return std::type_identity<borrowed_t<Items>>{};
  } else {
    return std::type_identity<owned_t<Items>>{};
  }
}
template <bool kBorrows, class Items>
using holder_t = typename decltype(holder_type<kBorrows, Items>())::type;

template <class Holder>
using held_range_t = std::remove_reference_t<decltype(std::declval<Holder&>().range())>;

// ---- How an element is passed ----

/// Calls f with `Preferred` if it takes that, else with `Otherwise`.
template <class F, class Preferred, class Otherwise>
using passed_t = std::conditional_t<std::is_invocable_v<F&, Preferred>, Preferred, Otherwise>;

/// What each item of a range is passed to F as, when elements are reached in place.
template <class F, class Holder, class Range = held_range_t<Holder>>
using passed_in_place_t =
    passed_t<F,
             std::conditional_t<Holder::kConsume, std::ranges::range_rvalue_reference_t<Range>,
                                std::ranges::range_reference_t<Range>>,
             std::ranges::range_reference_t<Range>>;

/// Whether elements stay where they are when the iterator goes on, so that a pointer will do.
template <class Range>
inline constexpr bool has_stable_elements =
    std::ranges::forward_range<Range> &&
    std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>>;

/// An element taken out of a range one after another, on its way to F.
template <class F, class Holder, class Range = held_range_t<Holder>>
class Element {
  using Reference = std::ranges::range_reference_t<Range>;
  static constexpr bool kStable = has_stable_elements<Range>;
  /// Kept: a pointer, or the value (of a prvalue, which may be a proxy, the thing itself).
  using Value = std::conditional_t<std::is_reference_v<Reference>,
                                   std::ranges::range_value_t<Range>, std::remove_cv_t<Reference>>;
  using Kept = std::conditional_t<kStable, std::add_pointer_t<Reference>, Value>;

 public:
  using Passed =
      typename std::conditional_t<kStable, std::type_identity<passed_in_place_t<F, Holder>>,
                                  std::type_identity<passed_t<F, Value&&, Value&>>>::type;

  template <class Iterator>
  explicit Element(Iterator& it) : kept_(keep(it)) {}
  /// Not copied, even if Kept says that it can be.
  Element(Element&&) = default;
  Element& operator=(Element&&) = delete;

  Passed pass() {
    if constexpr (kStable) {
      return static_cast<Passed>(*kept_);
    } else {
      return static_cast<Passed>(kept_);
    }
  }

 private:
  template <class Iterator>
  static Kept keep(Iterator& it) {
    if constexpr (kStable) {
      return std::addressof(*it);
    } else if constexpr (Holder::kConsume) {
      return Kept(std::ranges::iter_move(it));
    } else {
      return Kept(*it);
    }
  }

  Kept kept_;
};

/// A function (or a reference to one) and a source of items for it, made in place.
template <class F, class Items>
struct Work {
  template <class Holder, class... FArgs>
  explicit Work(Holder&& holder, FArgs&&... f_args)
      : f(std::forward<FArgs>(f_args)...), items(std::forward<Holder>(holder)) {}
  F f;
  Items items;
};

// ---- Sources of the maps ----

template <class Range>
concept IndexedRange = std::ranges::random_access_range<Range> && std::ranges::sized_range<Range>;

/// Items of a sized random-access range, reached by index from all workers at once.
template <class F, class Holder>
class IndexedItems {
  using Range = held_range_t<Holder>;

 public:
  using Passed = passed_in_place_t<F, Holder>;

  explicit IndexedItems(Holder holder)
      : holder_(std::move(holder)),
        first_(std::ranges::begin(holder_.range())),
        size_(checked(std::ranges::size(holder_.range()))) {}
  IndexedItems(const IndexedItems&) = delete;

  std::size_t size() const noexcept { return size_; }

  Passed operator[](std::size_t index) const {
    const auto it = first_ + static_cast<std::ranges::range_difference_t<Range>>(index);
    if constexpr (std::is_same_v<Passed, std::ranges::range_reference_t<Range>>) {
      return *it;
    } else {
      return std::ranges::iter_move(it);
    }
  }

 private:
  /// A std::views::iota of 64 bits can be larger than what cursors count.
  template <class Size>
  static std::size_t checked(Size size) {
    if (static_cast<std::common_type_t<Size, std::size_t>>(size) > PTRDIFF_MAX) {
      throw_value_error("More items than a map can have");
    }
    return static_cast<std::size_t>(size);
  }

  Holder holder_;
  const std::ranges::iterator_t<Range> first_;
  const std::size_t size_;
};

/// Items of any other range, walked once by the constructing thread.
template <class F, class Holder>
class CollectedItems {
 public:
  using Passed = typename Element<F, Holder>::Passed;

  explicit CollectedItems(Holder holder) : holder_(std::move(holder)) {
    auto&& range = holder_.range();
    if constexpr (std::ranges::sized_range<decltype(range)>) {
      elements_.reserve(static_cast<std::size_t>(std::ranges::size(range)));
    }
    auto it = std::ranges::begin(range);
    const auto end = std::ranges::end(range);
    for (; it != end; ++it) elements_.emplace_back(it);
  }
  CollectedItems(const CollectedItems&) = delete;

  std::size_t size() const noexcept { return elements_.size(); }
  Passed operator[](std::size_t index) { return elements_[index].pass(); }

 private:
  Holder holder_;
  std::vector<Element<F, Holder>> elements_;
};

template <class F, class Holder>
using map_items_t =
    typename std::conditional_t<IndexedRange<held_range_t<Holder>>,
                                std::type_identity<IndexedItems<F, Holder>>,
                                std::type_identity<CollectedItems<F, Holder>>>::type;

// ---- Source of the imaps ----

/// Items of any range, taken one after another as they are asked for; one thread at a time.
template <class F, class Holder>
class StreamedItems {
  using Range = held_range_t<Holder>;

 public:
  using Item = Element<F, Holder>;
  using Passed = typename Item::Passed;

  explicit StreamedItems(Holder holder) : holder_(std::move(holder)) {}
  StreamedItems(const StreamedItems&) = delete;

  /// Whether reading does not wait for anything: elements lie there, or are numbers that a view
  /// such as std::views::iota makes from their place in it.
  static constexpr bool kNeverWaits =
      (std::ranges::contiguous_range<Range> && has_stable_elements<Range>) ||
      (std::ranges::random_access_range<Range> && std::ranges::sized_range<Range> &&
       std::ranges::enable_borrowed_range<std::remove_cvref_t<Range>> &&
       std::is_arithmetic_v<std::ranges::range_reference_t<Range>>);

  /// Constructs up to `count` items, each where place() says, and counts them in `taken`; false
  /// when there are no more. What the range, or place(), throws comes out.
  template <class Place>
  bool take(std::size_t count, Place place, std::size_t& taken) {
    if (!it_.has_value()) {
      it_.emplace(std::ranges::begin(holder_.range()));
    } else if (pending_step_) {
      step(*it_);
    }
    const auto end = std::ranges::end(holder_.range());
    if constexpr (kNeverWaits) {
      auto it = *it_;  // which the compiler can keep in a register
      const bool has_more = take(count, place, taken, it, end);
      *it_ = it;
      return has_more;
    } else {
      return take(count, place, taken, *it_, end);
    }
  }

 private:
  template <class Place, class Iterator, class Sentinel>
  bool take(std::size_t count, Place& place, std::size_t& taken, Iterator& it,
            const Sentinel& end) {
    for (;;) {
      if (it == end) return false;
      ::new (place()) Item(it);
      ++taken;
      pending_step_ = true;
      if (--count == 0) return true;
      step(it);
    }
  }

  /// Advancing waits until the next item is asked for: a step of an input range may block.
  template <class Iterator>
  void step(Iterator& it) {
    pending_step_ = false;
    ++it;
  }

  Holder holder_;
  std::optional<std::ranges::iterator_t<Range>> it_;
  bool pending_step_ = false;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CALLS_ITEMS_HPP
