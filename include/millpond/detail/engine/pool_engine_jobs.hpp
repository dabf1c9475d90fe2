// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_POOL_ENGINE_JOBS_HPP
#define MILLPOND_DETAIL_ENGINE_POOL_ENGINE_JOBS_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/stop_list.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <utility>

/// What an engine keeps of jobs that were accepted: what is unfinished, the live imaps, the sources
/// of stop tokens.

namespace millpond::inline MILLPOND_ABI::detail {

// ---- What is unfinished ----

inline std::size_t PoolEngine::unfinished() const noexcept {
  // What is finished is counted first: so whatever is counted there is counted here, too.
  std::size_t finished = finished_elsewhere_.get();
  for (std::size_t i = 0; i != size_; ++i) finished += workers_[i].finished.get();
  std::size_t issued = queue_.issued() + accepted_elsewhere_.get();
  for (std::size_t i = 0; i != size_; ++i) issued += workers_[i].lane.issued.get();
  return issued - finished;
}

inline void PoolEngine::job_done(bool unwatched) noexcept {
  ThreadContext* const context = context_in(this);
  if (context != nullptr && context->worker != nullptr) {
    context->worker->finished.add_one();  // it asks what is unfinished when it has nothing to do
    context->worker->paces = unwatched;
  } else {
    finish_elsewhere();
  }
}

inline void PoolEngine::finish_elsewhere() noexcept {
  bool last;
  {
    const lock_guard lock(mutex_);
    finished_elsewhere_.add_one();
    sleep_.take_turn();
    check_finished_locked();
    last = settle_locked();
  }
  if (last) release();
}

inline void PoolEngine::check_finished_locked() noexcept {
  if (!all_issued_ || unfinished() != 0) return;
  // release: pairs with may_leave().
  may_leave_.store(true, memory_order_release);
  sleep_.quit();
  callbacks_.wake_locked();
  exit_condition_.notify_all();
}

inline void PoolEngine::accept(bool has_callbacks) {
  if (has_callbacks) start_callback_thread();
  const lock_guard lock(mutex_);
  check_state();
  accepted_elsewhere_.add_one();
}

// ---- Imaps ----

inline void PoolEngine::forget(StreamJob& job) noexcept {
  const lock_guard lock(mutex_);
  streams_.erase(job);
}

inline Ref<StreamJob> PoolEngine::pop_stream() noexcept {
  const lock_guard lock(mutex_);
  if (streams_.empty()) return {};
  StreamJob& job = streams_.front();
  streams_.erase(job);
  return Ref<StreamJob>::share(&job);
}

/// Every imap's decision to stop reading ahead is made under its own mutex, which lift_limit()
/// takes after the flag is set: so each sees the flag, or is found by us to have stopped.
inline void PoolEngine::lift_look_ahead_limit() noexcept {
  // release: who sees it may know that join() has begun, and destroy the pool in a task.
  look_ahead_unlimited_.store(true, memory_order_release);
  std::size_t left;
  {
    const lock_guard lock(mutex_);
    left = streams_.size();  // no new ones come: the pool is closed
  }
  for (; left != 0; --left) {
    Ref<StreamJob> job;
    {
      const lock_guard lock(mutex_);
      if (streams_.empty()) return;
      job = Ref<StreamJob>::share(&streams_.front());
      streams_.erase(*job);
      streams_.push_back(*job);  // next time the next one
    }
    job->lift_limit();
  }
}

// ---- Stop tokens ----

#if MILLPOND_HAS_STOP_TOKEN
inline void PoolEngine::add_stop(StopSource& source) noexcept {
  {
    const lock_guard lock(mutex_);
    if (state() != State::terminate) return stops_.insert(source);
  }
  source.request();
}
#endif

inline void PoolEngine::request_stops() noexcept {
#if MILLPOND_HAS_STOP_TOKEN
  for (stop_source source(std::nostopstate);; source.request_stop()) {
    const lock_guard lock(mutex_);
    if (!stops_.pop(source)) return;
  }
#endif
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_POOL_ENGINE_JOBS_HPP
