// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLS_INVOKE_HPP
#define MILLPOND_DETAIL_CALLS_INVOKE_HPP

#include <millpond/detail/calls/stop_token.hpp>
#include <millpond/detail/platform/config.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

template <class...>
inline constexpr bool always_false = false;

/// Stands for a type that could not be found out because of a mistake that a static_assert tells.
struct Misuse {};

// ---- Is it a function at all? ----

struct CallableFallback {
  void operator()();
};
/// Has two operator() if T has any: then naming it is ambiguous.
template <class T>
struct CallableProbe : T, CallableFallback {};

template <class T>
constexpr bool is_callable_type() {
  using D = std::decay_t<T>;
  if constexpr (std::is_member_pointer_v<D>) {
    return true;
  } else if constexpr (std::is_pointer_v<D>) {
    return std::is_function_v<std::remove_pointer_t<D>>;
  } else if constexpr (std::is_class_v<D> && !std::is_final_v<D>) {
    return !requires { &CallableProbe<D>::operator(); };
  } else {
    return std::is_class_v<D> || std::is_union_v<D>;  // cannot be looked into: believe it
  }
}

/// Whether T could be called with some arguments, or is of a kind that never can.
template <class T>
inline constexpr bool is_callable = is_callable_type<T>();

// ---- One call, with arguments kept for later ----

/// What a call's result is kept and returned as: R without top-level const.
template <class R>
using result_of_call = std::conditional_t<std::is_reference_v<R>, R, std::remove_cv_t<R>>;

template <class F, class... Args>
constexpr auto invoke_type() {
  if constexpr (std::is_invocable_v<F, Args...>) {
    return std::type_identity<result_of_call<std::invoke_result_t<F, Args...>>>{};
  } else {
    return std::type_identity<Misuse>{};
  }
}

/// invoke_result_t, or Misuse.
template <class F, class... Args>
using invoke_or_misuse_t = typename decltype(invoke_type<F, Args...>())::type;
/// The same, with a std::stop_token in front if it must be.
template <class F, class... Args>
using apply_result_t = invoke_or_misuse_t<with_stop_token_t<F, Args...>, Args...>;

/// Whether F is a pointer to a member of an object that is among the kept arguments itself: not
/// behind a pointer or a std::reference_wrapper.
template <class F, class... Args>
inline constexpr bool is_member_of_kept = false;
template <class T, class C, class Object, class... Args>
inline constexpr bool is_member_of_kept<T C::*, Object, Args...> =
    std::is_base_of_v<C, std::remove_cvref_t<Object>>;

/// What a call with a kept function and kept arguments has for a result. These die before it is
/// ready: what it gives of them, as an rvalue or by a pointer to a member, is a value. Any other
/// reference is to something that outlives the call, and stays one.
template <class F, class... Args>
constexpr auto kept_result_type() {
  using R = apply_result_t<F, Args...>;
  if constexpr (std::is_rvalue_reference_v<R> ||
                (std::is_lvalue_reference_v<R> && is_member_of_kept<F, Args...>)) {
    return std::type_identity<std::remove_cvref_t<R>>{};
  } else {
    return std::type_identity<R>{};
  }
}
template <class F, class... Args>
using kept_result_t = typename decltype(kept_result_type<F, Args...>())::type;

/// A function and its arguments, moved in, as std::thread has them; called once.
template <class F, class... Args>
class BoundCall {
 public:
  template <class G>
  BoundCall(G&& f, std::tuple<Args...> args) : f_(std::forward<G>(f)), args_(std::move(args)) {}

  decltype(auto) operator()() && {
    return std::apply(
        [this](Args&&... args) -> decltype(auto) {
          return std::invoke(std::move(f_), std::forward<Args>(args)...);
        },
        std::move(args_));
  }

 private:
  MILLPOND_NO_UNIQUE_ADDRESS F f_;
  MILLPOND_NO_UNIQUE_ADDRESS std::tuple<Args...> args_;
};

template <class F, class... Args>
struct StopTraits<BoundCall<F, Args...>> : StopTraits<F> {};

/// initializer(initargs...) as a function that every worker calls; the arguments are shared.
template <class F, class... Args>
std::function<void()> bind_initializer(F&& f, Args&&... args) {
  if constexpr (!std::is_invocable_v<std::decay_t<F>&, std::decay_t<Args>&...>) {
    static_assert(always_false<F>, "millpond: the initializer cannot be called with its initargs");
    return {};
  } else {
    // Shared, so that what is bound need not be copyable.
    auto bound = std::make_shared<std::tuple<std::decay_t<F>, std::decay_t<Args>...>>(
        std::forward<F>(f), std::forward<Args>(args)...);
    return [bound = std::move(bound)] {
      std::apply([](auto& g, auto&... as) { static_cast<void>(std::invoke(g, as...)); }, *bound);
    };
  }
}

// ---- starmap: an item is unpacked into arguments ----

template <class T>
inline constexpr bool is_tuple = false;
template <class... Ts>
inline constexpr bool is_tuple<std::tuple<Ts...>> = true;

template <class T>
concept TupleLike = requires { std::tuple_size<std::remove_cvref_t<T>>::value; };

template <class F, class Tuple>
constexpr bool is_applicable() {
  if constexpr (TupleLike<Tuple>) {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return std::is_invocable_v<F, decltype(std::get<I>(std::declval<Tuple>()))...>;
    }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<Tuple>>>{});
  } else {
    return false;
  }
}

/// f as a function of one tuple, pair or array. F may be a reference.
template <class F>
class Unpacked {
 public:
  template <class G>
    requires(!std::is_same_v<std::remove_cvref_t<G>, Unpacked>)
  explicit Unpacked(G&& f) : f_(std::forward<G>(f)) {}

  template <class Tuple>
    requires(is_applicable<F&, Tuple>())
  decltype(auto) operator()(Tuple&& items) {
    return std::apply(f_, std::forward<Tuple>(items));
  }

 private:
  MILLPOND_NO_UNIQUE_ADDRESS F f_;
};

template <class F>
struct StopTraits<Unpacked<F>> : StopTraits<F> {};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CALLS_INVOKE_HPP
