// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_MAP_RESULTS_HPP
#define MILLPOND_DETAIL_JOBS_MAP_RESULTS_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/errors.hpp>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// Whether a vector of default-made results can be filled by assignment from several threads with
/// nothing for the user to notice. Not of bool: neighbours in a vector<bool> share bytes. Not of
/// proxies, whose assignment is to something else: to assign to a const one makes sense, too, but
/// for that of vector<bool>, before C++23.
template <class R>
inline constexpr bool is_filled_in_place =
    std::is_nothrow_default_constructible_v<R> && std::is_move_assignable_v<R> &&
    !std::is_same_v<R, bool> && !std::is_same_v<R, std::vector<bool>::reference> &&
    !std::is_assignable_v<const R&, R>;

/// The results of a map while they come in: distinct indices may be set from distinct threads at
/// once. take(), once all are set, gives the vector.
template <class R>
class MapResults {
 public:
  using Result = std::vector<R>;

  explicit MapResults(std::size_t n) : slots_(n) { results_.reserve(n); }
  template <class Touch>
  MapResults(std::size_t n, Touch&) : MapResults(n) {}

  template <class Call>
  void set(std::size_t index, Call&& call) {
    slots_[index].emplace(std::forward<Call>(call)());
  }

  std::vector<R> take() {
    for (std::optional<R>& slot : slots_) results_.push_back(*std::move(slot));
    return std::move(results_);
  }

 private:
  std::vector<std::optional<R>> slots_;
  std::vector<R> results_;  // reserved at once, so that memory runs out in the issuing call
};

template <class R>
  requires is_filled_in_place<R>
class MapResults<R> {
 public:
  using Result = std::vector<R>;

  explicit MapResults(std::size_t n) : results_(n) {}

  /// `touch(data, size)` writes to fresh memory before this thread fills it: only a large vector's,
  /// which comes from the system page by page, at the first write to each.
  template <class Touch>
  MapResults(std::size_t n, Touch& touch) {
    results_.reserve(n);
    // A sanitizer may know that this memory is not in use yet.
    if (!MILLPOND_IS_SANITIZED && n >= kTouchedFrom / sizeof(R)) {
      touch(reinterpret_cast<std::byte*>(results_.data()), n * sizeof(R));
    }
    results_.resize(n);
  }

  template <class Call>
  void set(std::size_t index, Call&& call) {
    results_[index] = std::forward<Call>(call)();
  }

  std::vector<R> take() { return std::move(results_); }

 private:
  static constexpr std::size_t kTouchedFrom = std::size_t{4} << 20;  // bytes

  std::vector<R> results_;
};

template <>
class MapResults<void> {
 public:
  using Result = void;

  explicit MapResults(std::size_t) noexcept {}
  template <class Touch>
  MapResults(std::size_t, Touch&) noexcept {}

  template <class Call>
  void set(std::size_t, Call&& call) {
    static_cast<void>(std::forward<Call>(call)());
  }

  void take() noexcept {}
};

[[noreturn]] MILLPOND_COLD inline void throw_sizes_error(std::size_t output, std::size_t input) {
  char message[96];
  std::snprintf(message, sizeof message, "The output has %llu elements, the input %llu",
                static_cast<unsigned long long>(output), static_cast<unsigned long long>(input));
  throw ValueError(message);
}

/// A range of the caller's that the results of a map are assigned to.
template <class Range>
class MapOutput {
 public:
  using Result = void;

  /// Throws ValueError if it has not n elements.
  MapOutput(std::size_t n, Range& out) : first_(std::ranges::begin(out)) {
    const auto size = static_cast<std::size_t>(std::ranges::size(out));
    if (size != n) throw_sizes_error(size, n);
  }

  template <class Call>
  void set(std::size_t index, Call&& call) {
    first_[static_cast<std::ranges::range_difference_t<Range>>(index)] = std::forward<Call>(call)();
  }

  void take() noexcept {}

 private:
  const std::ranges::iterator_t<Range> first_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_MAP_RESULTS_HPP
