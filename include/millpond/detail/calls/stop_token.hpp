// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLS_STOP_TOKEN_HPP
#define MILLPOND_DETAIL_CALLS_STOP_TOKEN_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <functional>
#include <type_traits>
#include <utility>

/// Functions that take a std::stop_token in front of their arguments are given one. All of this
/// costs nothing for those that do not; and where the library has none, there are none that do.

namespace millpond::inline MILLPOND_ABI::detail {

#if MILLPOND_HAS_STOP_TOKEN

/// Whether F, called as an rvalue, takes a token in front of the arguments.
template <class F, class... Args>
inline constexpr bool takes_stop_token = std::is_invocable_v<F, stop_token, Args...>;

/// f with its first argument filled in. F may be a reference.
template <class F>
class WithStopToken {
 public:
  template <class G>
  WithStopToken(G&& f, stop_token token) : f_(std::forward<G>(f)), token_(std::move(token)) {}

  template <class... Args>
    requires std::is_invocable_v<F&, const stop_token&, Args...>
  decltype(auto) operator()(Args&&... args) & {
    return std::invoke(f_, std::as_const(token_), std::forward<Args>(args)...);
  }
  template <class... Args>
    requires takes_stop_token<F, Args...>
  decltype(auto) operator()(Args&&... args) && {
    return std::invoke(std::forward<F>(f_), std::move(token_), std::forward<Args>(args)...);
  }

 private:
  F f_;
  stop_token token_;
};

#else

template <class F, class... Args>
inline constexpr bool takes_stop_token = false;
template <class F>
class WithStopToken;  // never made

#endif

/// Whether a job's function, as it is kept, has been given a token; and the function that was.
template <class Kept>
struct StopTraits {
  static constexpr bool kStoppable = false;
};
template <class F>
struct StopTraits<WithStopToken<F>> {
  static constexpr bool kStoppable = true;
  using Function = F;
};

/// Asks whether F takes a token only if it cannot be called without: to ask what a generic function
/// returns is to compile its body, which may be wrong for other arguments.
template <class F, class... Args>
constexpr auto choose_stop_token() {
  if constexpr (std::is_invocable_v<F, Args...>) {
    return std::type_identity<F>{};
  } else if constexpr (takes_stop_token<F, Args...>) {
    return std::type_identity<WithStopToken<F>>{};
  } else {
    return std::type_identity<F>{};
  }
}

/// F, or what gives it a token if it cannot be called with Args without one.
template <class F, class... Args>
using with_stop_token_t = typename decltype(choose_stop_token<F, Args...>())::type;

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CALLS_STOP_TOKEN_HPP
