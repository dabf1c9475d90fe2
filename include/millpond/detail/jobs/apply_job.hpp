// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_APPLY_JOB_HPP
#define MILLPOND_DETAIL_JOBS_APPLY_JOB_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/jobs/stop.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/results/result_state.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// No callbacks: takes no room and is never run.
struct NoCallbacks {};

/// The optional callbacks of a job; NoCallbacks costs nothing.
template <class Callbacks>
struct CallbackStore {
  std::optional<Callbacks> callbacks;
  Job::DueLinks due;
};
template <>
struct CallbackStore<NoCallbacks> {};

/// One call: `call` is invoked once, as an rvalue, by whoever claims the job.
template <class R, class Call, class Callbacks = NoCallbacks>
class ApplyJob final : public ResultState<R> {
 public:
  static constexpr bool kHasCallbacks = !std::is_same_v<Callbacks, NoCallbacks>;

  /// The call is made from `f`, given a stop token if it takes one, and the rest.
  template <class F, class... Rest>
  explicit ApplyJob(Engine& engine, F&& f, Rest&&... rest)
      : ResultState<R>(engine, Job::Kind::call, 1, kHasCallbacks),
        call_(stop_.bind(std::forward<F>(f)), std::forward<Rest>(rest)...) {}

  /// A destructor of the user's that throws ends the program, as anywhere.
  ~ApplyJob() noexcept override {
    if (!this->is_claimed()) std::destroy_at(&call_);  // it was never issued
  }

  void set_callbacks(Callbacks callbacks)
    requires kHasCallbacks
  {
    callbacks_.callbacks.emplace(std::move(callbacks));
  }

  Engine::Submission enter_queue() const noexcept { return {.has_callbacks = kHasCallbacks}; }

  void run() noexcept override { execute(); }

  void abandon_entry(const std::exception_ptr& why) noexcept override { give_up(why); }

  void abandon(const std::exception_ptr& why) noexcept override {
    if (this->try_claim()) give_up(why);
  }

  bool cancel() noexcept override {
    if (!this->is_of_this_process()) return cancelled();
    if (!this->try_claim_to_cancel()) {
      if (!cancelled()) stop_.request();
      return cancelled();
    }
    this->set_outcome_cancelled();
    this->cancel_claimed([this](const std::exception_ptr& why) { give_up(why); });
    return true;
  }
  bool cancelled() const noexcept override { return this->is_claimed_to_cancel(); }

  Stop<Call>& stop() noexcept { return stop_; }

  void run_callback() noexcept override {
    if constexpr (kHasCallbacks) this->run_callbacks(callbacks_.callbacks);
  }
  Job::DueLinks* due_links() noexcept override {
    if constexpr (kHasCallbacks) return &callbacks_.due;
    return nullptr;
  }

 protected:
  void help(Deadline) noexcept override {
    if (this->is_claimed()) return;
    if (Engine::take_back_entry(&this->engine(), *this) ? this->take_entry() : this->try_claim())
      execute();
  }

 private:
  void give_up(const std::exception_ptr& why) noexcept {
    std::destroy_at(&call_);
    stop_.leave(this->engine());
    this->finish_abandoned(why);
  }

  void execute() noexcept {
    this->engine().introduce_thread();
    this->outcome().run(std::move(call_));
    std::destroy_at(&call_);
    stop_.leave(this->engine());
    this->finish();
  }

  MILLPOND_NO_UNIQUE_ADDRESS Stop<Call> stop_;
  union {
    Call call_;  // alive until claimed and run or abandoned
  };
  MILLPOND_NO_UNIQUE_ADDRESS CallbackStore<Callbacks> callbacks_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_APPLY_JOB_HPP
