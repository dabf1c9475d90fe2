// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_STOP_HPP
#define MILLPOND_DETAIL_STOP_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/sync.hpp>

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

/// The source of a job's tokens; in the pool's list of them while the job is unfinished, so that
/// terminate() can request stop.
class StopSource {
 public:
  StopSource() = default;
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;

  /// Thread-safe.
  void request() noexcept { source_.request_stop(); }
  stop_token token() const noexcept { return source_.get_token(); }

 private:
  friend class StopList;
  stop_source source_;
  StopSource* next_ = nullptr;  // guarded by the pool's mutex, as is the next
  StopSource** link_ = nullptr;
};

/// The sources of a pool's unfinished jobs. Guarded by the pool's mutex.
class StopList {
 public:
  void insert(StopSource& source) noexcept {
    source.next_ = std::exchange(first_, &source);
    source.link_ = &first_;
    if (source.next_ != nullptr) source.next_->link_ = &source.next_;
  }
  /// Does nothing if it is not there.
  void erase(StopSource& source) noexcept {
    if (source.link_ == nullptr) return;
    *source.link_ = source.next_;
    if (source.next_ != nullptr) source.next_->link_ = source.link_;
    source.link_ = nullptr;
  }
  /// Takes one out; false if there is none. To be asked to stop without the mutex.
  bool pop(stop_source& source) noexcept {
    if (first_ == nullptr) return false;
    source = first_->source_;
    erase(*first_);
    return true;
  }

 private:
  StopSource* first_ = nullptr;
};

#else

template <class F, class... Args>
inline constexpr bool takes_stop_token = false;
template <class F>
class WithStopToken;  // never made
class StopSource;

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

/// What a job has of all this: nothing, or a StopSource.
template <class Kept, bool = StopTraits<Kept>::kStoppable>
class Stop {
 public:
  void request() noexcept {}
  void leave(auto&) noexcept {}
  template <class F>
  F&& bind(F&& f) noexcept {
    return std::forward<F>(f);
  }
};

#if MILLPOND_HAS_STOP_TOKEN
template <class Kept>
class Stop<Kept, true> {
 public:
  /// Asks the function to stop. Runs the user's stop callbacks, so without locks.
  void request() noexcept { source_.request(); }

  /// In and out of the pool's list; out: before the job is ready.
  void enter(auto& core) { core.add_stop(source_); }
  void leave(auto& core) noexcept { core.remove_stop(source_); }

  /// The function together with its token.
  template <class F>
  auto bind(F&& f) {
    return WithStopToken<typename StopTraits<Kept>::Function>(std::forward<F>(f), source_.token());
  }

 private:
  StopSource source_;
};
#endif

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_STOP_HPP
