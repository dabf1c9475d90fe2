// SPDX-License-Identifier: MIT
#ifndef MILLPOND_ASYNC_RESULT_HPP
#define MILLPOND_ASYNC_RESULT_HPP

#include <millpond/detail/calls/invoke.hpp>
#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/waiters.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/results/result_state.hpp>
#include <millpond/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace millpond::inline MILLPOND_ABI {

template <class R>
class AsyncResult;
template <class Order>
class BasicThreadPool;

namespace detail {

/// What the library's own code sees of a handle or a pool. Members of a class, as a user's
/// functions of the same names would be found by argument-dependent lookup.
class Handles {
 public:
  template <class R>
  static ResultState<R>* state_of(const AsyncResult<R>& result) noexcept {
    return result.state_.get();
  }
  template <class Order>
  static auto& engine_of(BasicThreadPool<Order>& pool) noexcept {
    return *pool.engine_;
  }
};

}  // namespace detail

/// A handle on work that was issued: its result, its error, or that it is not done yet.
///
/// Copies refer to one result. A handle may outlive its pool and be dropped at any time without
/// blocking; an error that no handle ever looked at goes to the pool's on_unobserved_error. A
/// default-constructed handle refers to nothing: all but assignment, == and valid() throw
/// ValueError.
///
/// Thread safety: the result may be used from any threads; one handle object as any object.
/// In a task of the result's own pool, waiting runs the awaited work if it has not started.
template <class R>
class AsyncResult {
 public:
  using value_type = R;

  AsyncResult() = default;

  /// Whether it refers to a result.
  bool valid() const noexcept { return state_.get() != nullptr; }

  /// Waits. An lvalue handle gives a const reference, again and again; from an rvalue handle the
  /// result is moved out, for all handles on it: nobody may read it meanwhile. Rethrows the task's
  /// error, TerminatedError, CancelledError.
  decltype(auto) get() const& { return wait_for_outcome().outcome().get(); }
  R get() && { return wait_for_outcome().outcome().take(); }

  /// The same, but throws TimeoutError if the result is not there in time. Any duration; zero and
  /// less only look. In a task of the own pool the awaited work may run here, and longer.
  template <class Rep, class Period>
  decltype(auto) get(std::chrono::duration<Rep, Period> timeout) const& {
    return wait_for_outcome(detail::Deadline::after(timeout)).outcome().get();
  }
  template <class Rep, class Period>
  R get(std::chrono::duration<Rep, Period> timeout) && {
    return wait_for_outcome(detail::Deadline::after(timeout)).outcome().take();
  }

  /// Waits until ready; throws nothing of the task's.
  void wait() const { state().wait(detail::Deadline::never()); }

  /// Waits no longer than `timeout`, or until `when`; returns ready().
  template <class Rep, class Period>
  bool wait(std::chrono::duration<Rep, Period> timeout) const {
    state().wait(detail::Deadline::after(timeout));
    return ready();
  }
  template <class Clock, class Duration>
  bool wait_until(std::chrono::time_point<Clock, Duration> when) const {
    // A clock that is not steady may be set meanwhile: look at it again.
    detail::Deadline deadline = detail::Deadline::never();
    do {
      deadline = detail::Deadline::at(when);
    } while (!state().wait(deadline) && !deadline.is_poll());
    return ready();
  }

  /// Finished, well or badly, callbacks included.
  bool ready() const { return state().ready(); }

  /// Started and not ready yet.
  bool running() const { return state().running(); }

  /// Whether the task ended without an error. Throws ValueError if not ready.
  bool successful() const {
    State& state = this->state();
    if (!state.ready()) detail::throw_value_error("The result is not ready");
    state.observe();
    return !state.outcome().is_error();
  }

  /// Gives up what has not started: a task that waits for a worker, or the unstarted chunks of a
  /// map. True, again and again, if there was any: then get() throws CancelledError (for a map,
  /// once the chunks that run have ended, unless one of them failed before), and an error_callback
  /// is told. False if all has started.
  bool cancel() const {
    State& state = this->state();
    const auto keep = state_;  // what this runs, such as a stop callback, may drop the handle
    return state.cancel();
  }

  /// Whether cancel() has given up any of it.
  bool cancelled() const { return state().cancelled(); }

  /// Has `f(AsyncResult)` called once the result is ready, on the thread that makes it so, after
  /// those that were added before; at once, on this thread, if it is ready already. What f throws
  /// goes to the pool's on_unobserved_error. f is decayed and moved in. A done-callback that makes
  /// another result ready, by cancel() for example, has that one's run on top of it; but only some
  /// deep, those beyond run when it has returned.
  template <class F>
  void add_done_callback(F&& f) const;

  /// Waits; the error, or null on success.
  std::exception_ptr exception() const {
    State& state = this->state();
    state.wait(detail::Deadline::never());
    state.observe();
    return state.outcome().is_error() ? state.outcome().error() : nullptr;
  }

  /// Items finished, those skipped after an error included, and items issued: for progress bars.
  /// At most 1 for apply_async.
  std::size_t completed() const { return state().completed(); }
  std::size_t total() const { return state().total(); }

  /// Whether both refer to the same result.
  friend bool operator==(const AsyncResult&, const AsyncResult&) = default;

 private:
  template <class Order>
  friend class BasicThreadPool;
  friend struct std::hash<AsyncResult>;

  using State = detail::ResultState<R>;
  friend class detail::Handles;

  /// Takes over the handle's share of a new job.
  explicit AsyncResult(State* state) noexcept : state_(state) {}

  State& state() const {
    if (!valid()) detail::throw_value_error("This AsyncResult refers to no result");
    return *state_.get();
  }

  [[noreturn]] MILLPOND_COLD static void throw_timeout_error() {
    throw TimeoutError("The result is not ready within the timeout");
  }

  /// Returns the state with a value there, or throws.
  State& wait_for_outcome(detail::Deadline deadline = detail::Deadline::never()) const {
    State& state = this->state();
    if (!state.wait(deadline)) throw_timeout_error();
    if (state.outcome().is_error()) {
      state.observe();
      std::rethrow_exception(state.outcome().error());
    }
    return state;
  }

  detail::ResultHandle<R> state_;
};

namespace detail {

/// A done-callback that waits for its result, which it shares; destroys itself.
template <class R, class F>
class DoneCallback final : public Waiter {
 public:
  template <class G>
  DoneCallback(AsyncResult<R> result, G&& f)
      : Waiter(Kind::code), result_(std::move(result)), f_(std::forward<G>(f)) {}

  void notify() noexcept override {
    const std::unique_ptr<DoneCallback> self(this);
    const ResultBase& state = *Handles::state_of(result_);
    const Engine* const engine = state.engine_pointer();
    const std::uint16_t serial = state.engine_serial();
    const Ref<Engine> alive = is_late_  ? Ref<Engine>()
                              : engine_ ? std::move(engine_)
                                        : state.share_engine();
    try {
      std::invoke(f_, std::move(result_));
    } catch (...) {
      if (alive) {
        alive->report(std::current_exception());
      } else {
        Engine::report_to(engine, serial, std::current_exception());
      }
    }
  }

  void put_off() noexcept override {
    if (!is_late_) engine_ = Handles::state_of(result_)->share_engine();
  }

  /// The result was ready when this came: the engine may be gone.
  void set_late() noexcept { is_late_ = true; }

 private:
  AsyncResult<R> result_;
  F f_;
  Ref<Engine> engine_;  // if put off: the result keeps it only until then
  bool is_late_ = false;
};

}  // namespace detail

template <class R>
template <class F>
void AsyncResult<R>::add_done_callback(F&& f) const {
  if constexpr (std::is_invocable_v<std::decay_t<F>&, AsyncResult>) {
    State& state = this->state();
    state.check_process();
    auto callback =
        std::make_unique<detail::DoneCallback<R, std::decay_t<F>>>(*this, std::forward<F>(f));
    auto& waiter = *callback.release();
    if (state.add_waiter(waiter)) return;
    waiter.set_late();
    detail::WaitingCode::run(waiter);
  } else {
    static_assert(detail::always_false<F>,
                  "millpond: a done-callback must be callable with the AsyncResult");
  }
}

}  // namespace millpond::inline MILLPOND_ABI

template <class R>
struct std::hash<millpond::AsyncResult<R>> {
  std::size_t operator()(const millpond::AsyncResult<R>& result) const noexcept {
    return std::hash<const void*>()(result.state_.get());
  }
};

#if !MILLPOND_IS_COMPILED
#include <millpond/detail/definitions.hpp>
#endif

#endif  // MILLPOND_ASYNC_RESULT_HPP
