// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLS_CALLBACK_HPP
#define MILLPOND_DETAIL_CALLS_CALLBACK_HPP

#include <millpond/detail/calls/invoke.hpp>
#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// What a map of a function that returns R gives: a vector of R, or nothing.
template <class R>
struct MapResult : std::type_identity<std::vector<R>> {};
template <>
struct MapResult<void> : std::type_identity<void> {};
template <class R>
using map_result_t = typename MapResult<R>::type;

template <class T>
constexpr bool is_empty_function(const T& f) noexcept {
  if constexpr (std::is_function_v<T>) {
    return false;
  } else if constexpr (requires { static_cast<bool>(f == nullptr); }) {
    return f == nullptr;
  } else {
    return false;
  }
}

template <class T>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

/// A callback kept for later, in a std::function; shared by copies, unless it is one or can be
/// copied for certain: std::is_copy_constructible is also true of a vector of what cannot be
/// copied. Made from anything callable; an empty std::function or nullptr is no callback.
template <class... Args>
class CallbackBase {
 public:
  CallbackBase() = default;
  CallbackBase(std::nullptr_t) noexcept {}

  explicit operator bool() const noexcept { return static_cast<bool>(f_); }
  void operator()(Args... args) const { f_(std::forward<Args>(args)...); }

 protected:
  template <class F>
  void assign(F&& f) {
    using D = std::decay_t<F>;
    if (detail::is_empty_function(f)) return;
    if constexpr (std::is_trivially_copyable_v<D> || is_std_function<D>) {
      f_ = std::forward<F>(f);
    } else {
      f_ = [shared = std::make_shared<D>(std::forward<F>(f))](Args... args) {
        std::invoke(*shared, std::forward<Args>(args)...);
      };
    }
  }

 private:
  std::function<void(Args...)> f_;
};

/// A callback for a result of type R.
template <class R>
class ResultCallback : public CallbackBase<std::add_lvalue_reference_t<const R>> {
  using Base = CallbackBase<std::add_lvalue_reference_t<const R>>;

 public:
  using Base::Base;
  template <class F>
    requires(!std::is_base_of_v<ResultCallback, std::decay_t<F>>)
  ResultCallback(F&& f) {
    if constexpr (std::is_invocable_v<std::decay_t<F>&, std::add_lvalue_reference_t<const R>>) {
      this->assign(std::forward<F>(f));
    } else {
      static_assert(always_false<F>,
                    "millpond: the callback must be callable with the result: a const R& for the "
                    "R that the function returns, a const std::vector<R>& for maps");
    }
  }
};

/// A callback for a result that is nothing.
template <>
class ResultCallback<void> : public CallbackBase<> {
 public:
  using CallbackBase<>::CallbackBase;
  template <class F>
    requires(!std::is_base_of_v<ResultCallback, std::decay_t<F>>)
  ResultCallback(F&& f) {
    if constexpr (std::is_invocable_v<std::decay_t<F>&>) {
      assign(std::forward<F>(f));
    } else {
      static_assert(always_false<F>,
                    "millpond: the function returns nothing, so its callback must be callable "
                    "without arguments");
    }
  }
};

/// The result type could not be found out: that is told elsewhere.
template <>
class ResultCallback<Misuse> : public CallbackBase<> {
 public:
  ResultCallback() = default;
  template <class F>
  ResultCallback(F&&) {}
};

/// A callback for an error.
class ErrorCallback : public CallbackBase<std::exception_ptr> {
 public:
  using CallbackBase::CallbackBase;
  template <class F>
    requires(!std::is_base_of_v<ErrorCallback, std::decay_t<F>>)
  ErrorCallback(F&& f) {
    if constexpr (std::is_invocable_v<std::decay_t<F>&, std::exception_ptr>) {
      assign(std::forward<F>(f));
    } else {
      static_assert(always_false<F>,
                    "millpond: the error_callback must be callable with a std::exception_ptr");
    }
  }
};

/// Both callbacks of a job whose result is of type R.
template <class R>
struct Callbacks {
  ResultCallback<R> callback;
  ErrorCallback error_callback;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CALLS_CALLBACK_HPP
