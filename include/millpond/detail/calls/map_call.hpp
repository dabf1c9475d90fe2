// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLS_MAP_CALL_HPP
#define MILLPOND_DETAIL_CALLS_MAP_CALL_HPP

#include <millpond/detail/calls/invoke.hpp>
#include <millpond/detail/calls/items.hpp>
#include <millpond/detail/platform/config.hpp>

#include <concepts>
#include <type_traits>
#include <utility>
#include <vector>

/// The types of one call of the map family, and what is wrong with it, if anything.

namespace millpond::inline MILLPOND_ABI::detail {

/// Whether items are passed to the function whole (map) or unpacked (starmap).
enum class Passing : bool { whole, unpacked };

template <Passing kPassing, class F>
using function_t = std::conditional_t<kPassing == Passing::unpacked, Unpacked<F>, F>;

/// Which of the three families a call belongs to.
enum class Family : char { blocking_map, async_map, imap };

/// The types of a call whose function is kept as Function and whose items are held by Holder.
template <Family kFamily, class Kept, class ItemsHolder>
struct KeptMapCall {
  using Function = Kept;
  using Holder = ItemsHolder;
  using Source = std::conditional_t<kFamily == Family::imap, StreamedItems<Function, Holder>,
                                    map_items_t<Function, Holder>>;
  using Result = invoke_or_misuse_t<Function&, typename Source::Passed>;
};

/// The types of a call. `F` and `Items` are as deduced for forwarding references. The primary is
/// for a mistake.
template <Family, Passing, class F, class Items>
struct MapCall {
  using Result = Misuse;
};
template <Family kFamily, Passing kPassing, class F, ItemRange Items>
struct MapCallTypes {
  static constexpr bool kBorrows = kFamily == Family::blocking_map;
  using Callable = std::conditional_t<kBorrows, std::remove_reference_t<F>&, std::decay_t<F>>;
  using Holder = holder_t<kBorrows, Items>;
  using Plain = KeptMapCall<kFamily, function_t<kPassing, Callable>, Holder>;

  /// With a std::stop_token in front if the function cannot be called without.
  static constexpr auto choose() {
    if constexpr (MILLPOND_HAS_STOP_TOKEN && std::is_same_v<typename Plain::Result, Misuse>) {
      return std::type_identity<
          KeptMapCall<kFamily, function_t<kPassing, WithStopToken<Callable>>, Holder>>{};
    } else {
      return std::type_identity<Plain>{};
    }
  }
};
template <Family kFamily, Passing kPassing, class F, ItemRange Items>
struct MapCall<kFamily, kPassing, F, Items>
    : decltype(MapCallTypes<kFamily, kPassing, F, Items>::choose())::type{};

template <Passing kPassing, class F, class Items>
using BlockingMapCall = MapCall<Family::blocking_map, kPassing, F, Items>;
template <Passing kPassing, class F, class Items>
using AsyncMapCall = MapCall<Family::async_map, kPassing, F, Items>;
template <Passing kPassing, class F, class Items>
using ImapCall = MapCall<Family::imap, kPassing, F, Items>;

/// What the call gives for one item: as the function returns it, without reference or const; void;
/// Misuse if the call is a mistake.
template <class Call>
using item_result_t =
    typename std::conditional_t<std::is_void_v<typename Call::Result>, std::type_identity<void>,
                                std::decay<typename Call::Result>>::type;

template <Passing kPassing, class F, class Items>
using map_result_of_t = item_result_t<BlockingMapCall<kPassing, F, Items>>;
template <Passing kPassing, class F, class Items>
using async_map_result_t = item_result_t<AsyncMapCall<kPassing, F, Items>>;
template <Passing kPassing, class F, class Items>
using imap_result_t = item_result_t<ImapCall<kPassing, F, Items>>;

/// True, or a compile error of one sentence.
template <class F, class... Args>
constexpr bool check_apply() {
  if constexpr (std::is_invocable_v<with_stop_token_t<F, Args...>, Args...>) {
    return true;
  } else if constexpr (!is_callable<F>) {
    static_assert(always_false<F>,
                  "millpond: the first argument is not callable; pass the function itself, as in "
                  "apply(f, x), not the result of calling it, as in apply(f(x))");
    return false;
  } else {
    static_assert(always_false<F>, "millpond: the function cannot be called with these arguments");
    return false;
  }
}

/// For calls that keep the function and the arguments; all as they are kept.
template <class F, class... Args>
constexpr bool check_kept_result() {
  if constexpr (std::is_void_v<kept_result_t<F, Args...>>) {
    return true;
  } else {
    constexpr bool kOk =
        std::is_same_v<kept_result_t<F, Args...>, apply_result_t<F, Args...>> ||
        std::is_constructible_v<kept_result_t<F, Args...>, apply_result_t<F, Args...>>;
    static_assert(kOk,
                  "millpond: this call returns a reference into one of its kept arguments, which "
                  "die before the result is ready, and what it refers to cannot be copied or "
                  "moved; pass std::ref(x)");
    return kOk;
  }
}

/// For calls that keep the function.
template <class F>
constexpr bool check_kept_function() {
  constexpr bool kOk = std::is_constructible_v<std::decay_t<F>, F>;
  static_assert(kOk,
                "millpond: this call returns before the work is done, so it copies the function, "
                "and this one cannot be copied; pass std::move(f), or std::ref(f)");
  return kOk;
}

/// For calls that keep the arguments; these as deduced for forwarding references.
template <class... Args>
constexpr bool check_kept_arguments() {
  constexpr bool kOk = (std::is_constructible_v<std::decay_t<Args>, Args> && ...);
  static_assert(kOk,
                "millpond: this call returns before the work is done, so it copies the arguments, "
                "and one of them cannot be copied; pass std::move(x), or std::ref(x)");
  return kOk;
}

template <class Call, Passing kPassing, class F, class Items>
constexpr bool check_map() {
  if constexpr (!std::is_same_v<typename Call::Result, Misuse>) {
    return true;
  } else if constexpr (!is_callable<F>) {
    static_assert(always_false<F>,
                  "millpond: the first argument is not callable; pass the function itself, as in "
                  "map(f, items), not the result of calling it, as in map(f(), items)");
    return false;
  } else if constexpr (!ItemRange<Items>) {
    static_assert(always_false<F>, "millpond: the second argument is not a range of items");
    return false;
  } else if constexpr (kPassing == Passing::unpacked) {
    static_assert(always_false<F>,
                  "millpond: the function cannot be called with an unpacked item of this range; "
                  "each item must be a tuple, pair or array of the function's arguments");
    return false;
  } else {
    static_assert(always_false<F>,
                  "millpond: the function cannot be called with an item of this range; it must "
                  "take exactly one argument of the item's type (for several, see starmap)");
    return false;
  }
}

/// For map_into: `Out` as deduced for a forwarding reference.
template <class Out, class R>
constexpr bool check_map_output() {
  using Range = std::remove_reference_t<Out>;
  if constexpr (!IndexedRange<Range>) {
    static_assert(always_false<Out>,
                  "millpond: map_into writes to a random-access range of known size, such as a "
                  "vector, an array or a span");
    return false;
  } else {
    using Element = std::ranges::range_reference_t<Range>;
    if constexpr (std::is_same_v<Element, std::vector<bool>::reference>) {
      static_assert(always_false<Out>,
                    "millpond: map_into cannot write to a std::vector<bool>, as workers would "
                    "write to the same bytes; use a vector of char");
      return false;
    } else if constexpr (std::is_void_v<R> || !std::is_assignable_v<Element, R>) {
      static_assert(always_false<Out>,
                    "millpond: what the function returns cannot be assigned to an element of the "
                    "output of map_into");
      return false;
    } else {
      return true;
    }
  }
}

/// Also for calls that keep the function and the items.
template <class Call, Passing kPassing, class F, class Items>
constexpr bool check_owning_map() {
  if constexpr (!check_map<Call, kPassing, F, Items>()) {
    return false;
  } else if constexpr (!can_be_owned<Items>()) {
    static_assert(always_false<F>,
                  "millpond: this call returns before the work is done, so it copies the items, "
                  "and these cannot be copied; pass std::move(items), or std::ref(items) if they "
                  "outlive the work");
    return false;
  } else {
    return check_kept_function<F>();
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CALLS_MAP_CALL_HPP
