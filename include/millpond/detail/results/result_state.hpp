// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_RESULTS_RESULT_STATE_HPP
#define MILLPOND_DETAIL_RESULTS_RESULT_STATE_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/waiters.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/process.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/results/outcome.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

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
  bool running() const noexcept { return is_claimed() && !is_claimed_to_cancel() && !ready(); }

  /// Whether somebody has begun to run it, or to give it up.
  bool claimed() const noexcept { return is_claimed(); }

  /// Gives up what has not started, with CancelledError. True, again and again, if there was
  /// something; false if all has started.
  virtual bool cancel() noexcept = 0;
  virtual bool cancelled() const noexcept = 0;

  /// Waits until ready, or for the outcome if this thread is just running the result's own
  /// callback. On a thread of the pool runs first what of this job has not started, and nothing
  /// else. True if there is something to get; false if the deadline came first.
  /// Throws ValueError if it is not ready and of the parent process.
  bool wait(Deadline deadline) {
    if (ready()) return true;
    check_process();
    return wait_until_ready(deadline);
  }

  /// If not, this will never be ready: its threads are in the parent of this process.
  bool is_of_this_process() const noexcept { return Process::is_this(process_); }
  void check_process() const {
    if (!is_of_this_process() && !ready()) Engine::throw_of_parent();
  }

  /// The engine; only for a waiter that is being notified: who does it lets go of the engine
  /// afterwards.
  Ref<Engine> share_engine() const noexcept { return Ref<Engine>::share(engine_); }
  /// The engine, if this is not ready; null if it is.
  Ref<Engine> find_engine() noexcept;
  /// What stands for the calling thread where others look for who waits for what: its context as
  /// one of the pool's threads, or as it is giving up jobs of the pool; null if it does neither.
  /// Asks the engine's module where this one does not know.
  ThreadContext* find_context() noexcept;

  /// Has `waiter` notified once ready; false, and nothing is kept, if it is ready already.
  bool add_waiter(Waiter& waiter) noexcept { return waiters_.add(waiter); }
  /// False if `waiter` has been or is about to be notified.
  bool remove_waiter(Waiter& waiter) noexcept { return waiters_.remove(waiter); }

  /// The pool's, which may be gone if this is ready: only to compare it.
  const Engine* engine_pointer() const noexcept { return engine_; }
  std::uint16_t engine_serial() const noexcept { return engine_serial_; }

  /// Runs here what has not started, whatever thread this is; begins nothing after the deadline.
  void take_part(Deadline deadline) noexcept { help(deadline); }

  /// Notes that somebody has looked at the outcome.
  void observe() noexcept { observed_.store(true, memory_order_relaxed); }

  /// Whether the outcome, which is there, is an error, and not that it was cancelled.
  virtual bool failed() const noexcept = 0;

  virtual std::size_t completed() const noexcept { return ready() ? 1 : 0; }
  virtual std::size_t total() const noexcept { return 1; }

 protected:
  ResultBase(Engine& engine, Kind kind, std::uint32_t entries, bool has_callbacks) noexcept
      : Job(kind, entries),
        has_callbacks_(has_callbacks),
        engine_serial_(engine.serial()),
        engine_(&engine),
        process_(engine.process()) {
    engine.introduce_thread();
  }

  /// Only while this job is unfinished.
  Engine& engine() const noexcept { return *engine_; }
  bool has_callbacks() const noexcept { return has_callbacks_; }

  /// The outcome will be that this was cancelled, not an error of its own.
  void set_outcome_cancelled() noexcept { outcome_is_cancelled_ = true; }
  bool outcome_is_cancelled() const noexcept { return outcome_is_cancelled_; }

  /// For cancel(), once it has claimed something, which keeps the engine alive: has
  /// `give_up(error)` do the rest.
  template <class GiveUp>
  void cancel_claimed(GiveUp give_up) noexcept {
    const CompletionScope scope(engine_, this);
    // A copy: giving up may end the life of the engine.
    give_up(std::exception_ptr(engine_->cancelled_error()));
  }

  /// Claims and runs on this thread what has not started; begins nothing after the deadline.
  virtual void help(Deadline deadline) noexcept = 0;

  /// Makes it ready and tells those who wait. False if no handle is left: then nobody waits, and
  /// whatever the last handle would have done is the caller's. Else *this may be gone.
  bool complete() noexcept { return waiters_.complete(); }
  /// The last handle goes: true if the result is ready, and the rest is the caller's.
  bool drop() noexcept { return !waiters_.close(); }

  /// Neither the work nor a handle needs it any more. What is left of it at the end of this
  /// thread's own lane goes, so that no other worker meets it.
  void retire() noexcept {
    while (has_entry() && Engine::take_back_entry(engine_, *this)) drop_entry();
    done();
  }

  /// An error that is to be reported unless somebody looks at it: keeps the engine for that.
  void expect_observation() noexcept {
    if (observed_.load(memory_order_relaxed)) return;
    engine_->add_ref();
    reports_ = true;
  }
  /// Called last, with the error, if there is one.
  void report_if_unobserved(const std::exception_ptr& error) noexcept {
    if (!reports_) return;
    // relaxed: observers released their reference after they observed.
    if (!observed_.load(memory_order_relaxed)) engine_->report(error);
    engine_->release();
  }

 private:
  bool wait_until_ready(Deadline deadline) noexcept;
  bool sleep(Deadline deadline) noexcept;
  bool sleep_in_callback(Deadline deadline) noexcept;

  atomic<bool> observed_{false};
  bool reports_ : 1 = false;
  bool outcome_is_cancelled_ : 1 = false;
  const bool has_callbacks_ : 1;
  const std::uint16_t engine_serial_;
  Engine* const engine_;  // alive while this job is unfinished; afterwards only if reports_
  WaiterList waiters_;
  const Process::Id process_;
};

/// What AsyncResult<R> refers to: a job whose outcome is an R.
///
/// The last handle destroys the outcome; or the work, if the last handle was gone by then. So no
/// worker that is still a moment at a finished job keeps a result alive which may look at what its
/// reader is about to destroy.
template <class R>
class ResultState : public ResultBase {
 public:
  /// Only for owners, once wait() was true.
  Outcome<R>& outcome() noexcept { return outcome_; }

  bool failed() const noexcept final {
    return outcome_.is_error() && !this->outcome_is_cancelled();
  }

  void add_handle() noexcept { handles_.fetch_add(1, memory_order_relaxed); }
  void drop_handle() noexcept {
    // acquire: pairs with the release half of the others' decrements, whose writes we destroy. If
    // there is only this handle, nobody can add one meanwhile, so a plain load is enough.
    if (handles_.load(memory_order_acquire) != 1 &&
        handles_.fetch_sub(1, memory_order_acq_rel) != 1) {
      return;
    }
    if (this->drop()) dispose();
  }

 protected:
  using ResultBase::ResultBase;
  ~ResultState() noexcept override = default;  // whatever R's says

  /// The outcome is stored and all else of the user's is destroyed: has the callbacks run, if any,
  /// then makes ready. *this may be gone afterwards.
  void finish() noexcept {
    if (has_callbacks()) {
      this->engine().post_callback(*this);
    } else {
      make_ready();
    }
  }

  /// finish() with an error that was not the task's own but our doing, and nobody need look at.
  void finish_abandoned(const std::exception_ptr& why) noexcept {
    outcome_.set_error(why);
    this->observe();
    finish();
  }

  /// The callback phase: the callback for the outcome, then ready.
  template <class Callbacks>
  void run_callbacks(std::optional<Callbacks>& callbacks) noexcept;

 private:
  void make_ready() noexcept {
    Engine& engine = this->engine();  // alive: this job counts as unfinished until job_done()
    if (outcome_.is_error()) this->expect_observation();
    const bool unwatched = !this->complete();
    if (unwatched) dispose();
    engine.job_done(unwatched);
  }

  /// It is ready, and no handle is left.
  void dispose() noexcept {
    if (outcome_.is_error()) report_if_unobserved(outcome_.error());
    outcome_.reset();
    this->retire();
  }

  template <class Callbacks>
  void call_back(Callbacks& callbacks) noexcept;

  atomic<std::uint32_t> handles_{1};
  MILLPOND_NO_UNIQUE_ADDRESS Outcome<R> outcome_;
};

/// Keeps a result.
template <class R>
class ResultHandle {
 public:
  ResultHandle() = default;
  /// Takes over the share that a new job has for its handle.
  explicit ResultHandle(ResultState<R>* state) noexcept : state_(state) {}
  ResultHandle(const ResultHandle& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->add_handle();
  }
  ResultHandle(ResultHandle&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  ResultHandle& operator=(ResultHandle other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~ResultHandle() {
    if (state_ != nullptr) state_->drop_handle();
  }

  ResultState<R>* get() const noexcept { return state_; }
  friend bool operator==(const ResultHandle&, const ResultHandle&) = default;

 private:
  ResultState<R>* state_ = nullptr;
};

template <class R>
template <class Callbacks>
void ResultState<R>::run_callbacks(std::optional<Callbacks>& callbacks) noexcept {
  this->engine().introduce_thread();
  {
    const JobStack::Frame frame(current_thread_context->calling_back, this);
    call_back(*callbacks);
    callbacks.reset();
  }
  make_ready();
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
      this->engine().report(std::current_exception());
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

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_RESULTS_RESULT_STATE_HPP
