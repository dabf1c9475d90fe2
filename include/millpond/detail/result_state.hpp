// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_RESULT_STATE_HPP
#define MILLPOND_DETAIL_RESULT_STATE_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/core.hpp>
#include <millpond/detail/deadline.hpp>
#include <millpond/detail/job.hpp>
#include <millpond/detail/outcome.hpp>
#include <millpond/detail/spin.hpp>
#include <millpond/detail/waiters.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace millpond::inline v0_1::detail {

/// A job with a result that can be waited for; the part that does not depend on its type.
///
/// Life of a result: pending -> claimed -> (outcome stored, callable and arguments destroyed) ->
/// (callback run on the callback thread) -> ready. Whoever claims, be it a worker, a waiter that
/// helps, cancel() or terminate(), leads it to ready; so every wait ends.
///
/// Thread safety: all public members, from any thread.
class ResultBase : public Job {
 public:
  bool ready() const noexcept { return waiters_.ready(); }

  /// Started and not ready yet.
  bool running() const noexcept { return claimed() && !ready(); }

  /// Waits until ready, or for the outcome if this thread is just running the result's own
  /// callback. On a thread of the pool runs first what of this job has not started, and nothing
  /// else. True if there is something to get; false if the deadline came first.
  bool wait(Deadline deadline) noexcept;

  /// Notes that somebody has looked at the outcome.
  void observe() noexcept { observed_.store(true, std::memory_order_relaxed); }

  virtual std::size_t completed() const noexcept { return ready() ? 1 : 0; }
  virtual std::size_t total() const noexcept { return 1; }

 protected:
  ResultBase(Core& core, Kind kind, bool has_callbacks) noexcept
      : Job(kind), has_callbacks_(has_callbacks), core_(&core) {}

  /// Only while this job is unfinished.
  Core& core() const noexcept { return *core_; }
  bool has_callbacks() const noexcept { return has_callbacks_; }

  /// Whether any of the job has been claimed.
  bool claimed() const noexcept { return claimed_.load(std::memory_order_relaxed); }
  /// True for exactly one caller.
  bool try_claim() noexcept { return !claimed_.exchange(true, std::memory_order_relaxed); }

  /// Claims and runs on this thread, one of the pool's own, what has not started.
  virtual void help() noexcept = 0;

  /// The outcome is stored and all else of the user's is destroyed: runs the callbacks, if any,
  /// then makes ready. The caller holds a reference.
  void finish() noexcept;
  /// The last steps of finish(), also on the callback thread.
  void complete() noexcept { waiters_.complete(); }

  /// An error that is to be reported unless somebody looks at it: keeps the core for that.
  void expect_observation() noexcept {
    if (observed_.load(std::memory_order_relaxed)) return;
    core_->add_ref();
    reports_ = true;
  }
  /// Called last, with the error, if there is one.
  void report_if_unobserved(const std::exception_ptr& error) noexcept {
    if (!reports_) return;
    // relaxed: observers released their reference after they observed.
    if (!observed_.load(std::memory_order_relaxed)) core_->report(error);
    core_->release();
  }

 private:
  atomic<bool> claimed_{false};  // small members first: they fit into Job's tail padding
  atomic<bool> observed_{false};
  bool reports_ = false;
  const bool has_callbacks_;
  Core* const core_;  // alive while this job is unfinished; afterwards only if reports_
  WaiterList waiters_;
};

inline bool ResultBase::wait(Deadline deadline) noexcept {
  if (ready()) return true;
  ThreadContext* const context = context_in(core_);
  if (context != nullptr && context->in_callback_of(this)) return true;
  if (deadline.is_poll()) return false;
  if (context != nullptr) {
    help();
    if (ready()) return true;
    // Nobody but this thread can run the callback that stands between us and ready.
    if (has_callbacks_ && context->is_callback_thread()) {
      return core_->run_callback_of(*this, deadline);
    }
  }
  if (spinning_pays()) spin_until([this] { return ready(); });
  ThreadWaiter waiter;
  if (!waiters_.add(waiter)) return true;
  if (!deadline.is_never()) {
    if (waiter.wait_until(deadline.when())) return true;
    if (waiters_.remove(waiter)) return false;
  }
  waiter.wait();
  return true;
}

inline void ResultBase::finish() noexcept {
  if (has_callbacks_) {
    add_ref();
    core_->post_callback(*this);
    return;
  }
  Core& core = *core_;  // alive: this job counts as unfinished until job_done()
  complete();
  core.job_done();
}

/// What AsyncResult<R> refers to: a job whose outcome is an R.
template <class R>
class ResultState : public ResultBase {
 public:
  /// Only once wait() was true.
  const Outcome<R>& outcome() const noexcept { return outcome_; }
  Outcome<R>& outcome() noexcept { return outcome_; }

 protected:
  using ResultBase::ResultBase;
  ~ResultState() override {
    if (outcome_.is_error()) report_if_unobserved(outcome_.error());
  }

  /// finish() with an error that was not the task's own but our doing, and nobody need look at.
  void finish_abandoned(const std::exception_ptr& why) noexcept {
    outcome_.set_error(why);
    observe();
    finish();
  }

  /// finish() with whatever outcome the task had. The error is kept for a report only where no
  /// callbacks are to come, which may still look at it.
  void finish_run() noexcept {
    if (!has_callbacks() && outcome_.is_error()) expect_observation();
    finish();
  }

  /// The callback phase: the callback for the outcome, then ready. Consumes one reference.
  template <class Callbacks>
  void run_callbacks(std::optional<Callbacks>& callbacks) noexcept;

 private:
  template <class Callbacks>
  void call_back(Callbacks& callbacks) noexcept;

  MILLPOND_NO_UNIQUE_ADDRESS Outcome<R> outcome_;
};

template <class R>
template <class Callbacks>
void ResultState<R>::run_callbacks(std::optional<Callbacks>& callbacks) noexcept {
  ThreadContext& context = *current_thread_context;
  const CallbackFrame frame{this, context.callback_frames};
  context.callback_frames = &frame;
  call_back(*callbacks);
  callbacks.reset();
  context.callback_frames = frame.outer;

  if (outcome_.is_error()) this->expect_observation();
  Core& core = this->core();  // alive: this job counts as unfinished until job_done()
  this->complete();
  this->release();
  core.job_done();
}

template <class R>
template <class Callbacks>
void ResultState<R>::call_back(Callbacks& callbacks) noexcept {
  if (outcome_.is_error()) {
    if (!callbacks.error_callback) return;
    this->observe();
    try {
      callbacks.error_callback(outcome_.error());
    } catch (...) {
      this->core().report(std::current_exception());
    }
  } else if (callbacks.callback) {
    try {
      if constexpr (std::is_void_v<R>) {
        callbacks.callback();
      } else {
        callbacks.callback(outcome_.get());
      }
    } catch (...) {
      outcome_.set_error(std::current_exception());
    }
  }
}

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_RESULT_STATE_HPP
