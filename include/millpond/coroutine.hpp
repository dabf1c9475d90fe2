// SPDX-License-Identifier: MIT
#ifndef MILLPOND_COROUTINE_HPP
#define MILLPOND_COROUTINE_HPP

#include <millpond/async_result.hpp>
#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/waiters.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/thread_pool.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <utility>

/// `co_await result`: an AsyncResult in a coroutine. Not part of <millpond/millpond.hpp>.

namespace millpond::inline MILLPOND_ABI {

namespace detail {

/// Resumes a coroutine: as a callback, or as a task, which is not lost if its pool is terminated.
class ResumeJob final : public Job {
 public:
  explicit ResumeJob(std::coroutine_handle<> coroutine) noexcept
      : Job(Kind::call, 1), coroutine_(coroutine) {}

  void run_callback() noexcept override {
    coroutine_.resume();
    delete this;
  }
  DueLinks* due_links() noexcept override { return &due_; }

  /// `engine`: where it is accepted.
  void set_engine(Engine& engine) noexcept { engine_ = &engine; }
  void run() noexcept override {
    Engine& engine = *engine_;
    coroutine_.resume();
    done();
    engine.job_done();
  }
  void abandon_entry(const std::exception_ptr&) noexcept override {
    const CompletionScope scope(engine_, this);
    run();
  }
  void abandon(const std::exception_ptr&) noexcept override {}  // nobody else has it

 private:
  const std::coroutine_handle<> coroutine_;
  Engine* engine_ = nullptr;
  DueLinks due_;
};

/// Waits for a result in place of a coroutine, in whose frame it lives. Result is AsyncResult<R>&
/// or AsyncResult<R>. It goes on on a worker of the target, or, without one, on the callback
/// thread.
template <class Result>
class ResultAwaiter final : public Waiter {
 public:
  ResultAwaiter(Result&& result, Ref<Engine> target) noexcept
      : result_(std::forward<Result>(result)), target_(std::move(target)) {}

  /// The coroutine may be destroyed while it is suspended, by whoever knows that the result is not
  /// getting ready at the same time.
  ~ResultAwaiter() {
    if (job_) Handles::state_of(result_)->remove_waiter(*this);
  }

  bool await_ready() const { return result_.ready() && !target_; }

  /// False: go on here, it is ready. Throws std::system_error if the pool's callback thread cannot
  /// be started, std::bad_alloc.
  bool await_suspend(std::coroutine_handle<> coroutine) {
    auto* const state = Handles::state_of(result_);
    state->check_process();
    const Ref<Engine> engine = state->find_engine();
    const bool will_be_told = engine && engine->need_callbacks();
    job_ = std::make_unique<ResumeJob>(coroutine);
    if (will_be_told) {
      engine_ = engine.get();
      if (state->add_waiter(*this)) return true;  // the coroutine may be running again by now
    }
    std::unique_ptr<ResumeJob> job = std::move(job_);
    return resume_on_target(job);
  }

  decltype(auto) await_resume() { return std::forward<Result>(result_).get(); }

  /// When the result is ready. Ends the life of *this sooner or later.
  void notify() noexcept override {
    Engine& engine = *engine_;
    std::unique_ptr<ResumeJob> job = std::move(job_);
    if (!resume_on_target(job)) engine.post_callback(*job.release());
  }

 private:
  /// False if there is none or it takes no more work. Else *this may be gone.
  bool resume_on_target(std::unique_ptr<ResumeJob>& job) noexcept {
    const Ref<Engine> target = std::move(target_);
    if (!target) return false;
    try {
      job->set_engine(*target);
      target->submit(*job, {});
      static_cast<void>(job.release());
      return true;
    } catch (...) {
      return false;
    }
  }

  Result result_;
  Ref<Engine> target_;
  Engine* engine_ = nullptr;
  std::unique_ptr<ResumeJob> job_;
};

}  // namespace detail

/// Suspends the coroutine until the result is ready, without blocking a thread, and goes on on the
/// pool's callback thread (so do not block there for long), or at once if the result is ready
/// already. Gives what get() gives and throws what it throws: also TerminatedError if the pool is
/// terminated meanwhile. From an rvalue the value is moved out.
///
///     const int x = co_await pool.apply_async(f);
template <class R>
detail::ResultAwaiter<const AsyncResult<R>&> operator co_await(const AsyncResult<R>& result) {
  return {result, {}};
}
template <class R>
detail::ResultAwaiter<AsyncResult<R>> operator co_await(AsyncResult<R>&& result) {
  return {std::move(result), {}};
}

/// The same, but goes on on a worker of `pool`; on the callback thread of the result's pool if
/// `pool` takes no more work by then, and where terminate() is called if that comes in between.
///
///     const int x = co_await millpond::resume_on(pool, pool.apply_async(f));
template <class Order, class R>
detail::ResultAwaiter<const AsyncResult<R>&> resume_on(BasicThreadPool<Order>& pool,
                                                       const AsyncResult<R>& result) {
  return {result, detail::Ref<detail::Engine>::share(&detail::Handles::engine_of(pool))};
}
template <class Order, class R>
detail::ResultAwaiter<AsyncResult<R>> resume_on(BasicThreadPool<Order>& pool,
                                                AsyncResult<R>&& result) {
  return {std::move(result), detail::Ref<detail::Engine>::share(&detail::Handles::engine_of(pool))};
}

}  // namespace millpond::inline MILLPOND_ABI

#endif  // MILLPOND_COROUTINE_HPP
