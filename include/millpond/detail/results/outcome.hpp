// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_RESULTS_OUTCOME_HPP
#define MILLPOND_DETAIL_RESULTS_OUTCOME_HPP

#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// A value of type R (also void or a reference), an error, or nothing yet. Not thread-safe.
template <class R>
class Outcome {
 public:
  using Value = std::remove_cv_t<R>;
  /// What holds the value: references are kept as pointers.
  using Stored = std::conditional_t<std::is_reference_v<R>, std::add_pointer_t<R>,
                                    std::conditional_t<std::is_void_v<R>, std::byte, Value>>;

  Outcome() noexcept {}
  Outcome(Outcome&& other) noexcept(std::is_nothrow_move_constructible_v<Stored>) {
    if (other.kind_ == Kind::value)
      std::construct_at(std::addressof(value_), std::move(other.value_));
    if (other.kind_ == Kind::error) std::construct_at(&error_, std::move(other.error_));
    kind_ = other.kind_;
  }
  Outcome& operator=(Outcome&&) = delete;
  ~Outcome() { reset(); }

  /// Back to nothing.
  void reset() noexcept {
    const Kind kind = std::exchange(kind_, Kind::none);
    if (kind == Kind::value) std::destroy_at(std::addressof(value_));
    if (kind == Kind::error) std::destroy_at(&error_);
  }

  bool is_error() const noexcept { return kind_ == Kind::error; }
  /// Only if is_error().
  const std::exception_ptr& error() const noexcept { return error_; }
  /// Leaves a null error behind.
  std::exception_ptr take_error() noexcept { return std::exchange(error_, nullptr); }

  void set_error(std::exception_ptr error) noexcept {
    reset();
    std::construct_at(&error_, std::move(error));
    kind_ = Kind::error;
  }

  /// Stores what `call()` returns, or what it throws.
  template <class Call>
  void run(Call&& call) noexcept {
    try {
      if constexpr (std::is_void_v<R>) {
        std::forward<Call>(call)();
        std::construct_at(std::addressof(value_));
      } else if constexpr (std::is_reference_v<R>) {
        R reference = std::forward<Call>(call)();
        std::construct_at(std::addressof(value_), std::addressof(reference));
      } else {
        ::new (static_cast<void*>(std::addressof(value_))) Value(std::forward<Call>(call)());
      }
      kind_ = Kind::value;
    } catch (...) {
      set_error(std::current_exception());
    }
  }

  /// The value; requires that there is one. Void has none to return.
  decltype(auto) get() const noexcept {
    if constexpr (std::is_void_v<R>) {
      return;
    } else if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(*value_);
    } else {
      return static_cast<const Value&>(value_);
    }
  }

  R take() {
    if constexpr (std::is_void_v<R>) {
      return;
    } else if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(*value_);
    } else {
      static_assert(std::is_move_constructible_v<R>,
                    "millpond: this result cannot be moved, so it stays where its handle refers "
                    "to: auto r = pool.apply_async(f), and then r.get()");
      return std::move(value_);
    }
  }

 private:
  enum class Kind : std::uint8_t { none, value, error };

  union {
    Stored value_;
    std::exception_ptr error_;
  };
  Kind kind_ = Kind::none;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_RESULTS_OUTCOME_HPP
