// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_POOL_ENGINE_LIFE_HPP
#define MILLPOND_DETAIL_ENGINE_POOL_ENGINE_LIFE_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/pool_engine_callbacks.hpp>
#include <millpond/detail/engine/pool_engine_jobs.hpp>
#include <millpond/detail/engine/pool_engine_work.hpp>
#include <millpond/detail/engine/start_up.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <utility>

/// How an engine starts and ends: docs/design/shutdown.md.

namespace millpond::inline MILLPOND_ABI::detail {

inline void PoolEngine::start(std::string thread_name_prefix,
                              const std::function<void()>& initializer) {
  thread_name_prefix_ = std::move(thread_name_prefix);
  StartUp start_up(mutex_, initializer);
  StartUp* const shared = initializer ? &start_up : nullptr;
  try {
    threads_.reserve(size());
    for (std::size_t index = 0; index < size(); ++index) {
      add_ref();
      {
        const lock_guard lock(mutex_);
        ++workers_alive_;
      }
      try {
        threads_.emplace_back([this, index, shared] { run_worker(index, shared); });
      } catch (...) {
        release();
        const lock_guard lock(mutex_);
        --workers_alive_;
        throw;
      }
    }
  } catch (...) {
    terminate();
    join_or_detach();
    throw;
  }
  if (shared == nullptr) return;
  if (const std::exception_ptr error = start_up.wait(size())) {
    terminate();
    join_or_detach();
    std::rethrow_exception(error);
  }
}

inline void PoolEngine::close() noexcept {
  if (!is_of_this_process()) return;
  {
    const lock_guard lock(mutex_);
    if (state() != State::run) return;
    state_.store(State::close, memory_order_seq_cst);
  }
  queue_.pass_doors();
  const lock_guard lock(mutex_);
  all_issued_ = true;
  sleep_.take_turn();
  check_finished_locked();
}

/// First the queue is closed: from then on no worker takes anything, so that what is queued when
/// the state changes is given up here. Once the state has been seen at all doors nothing enters the
/// queue or the list of imaps but through a worker that gives it up itself. Abandoning runs user
/// code (destructors), so it goes job by job, without locks.
inline void PoolEngine::terminate() noexcept {
  if (!is_of_this_process()) return;
  const Ref<Engine> self = Ref<Engine>::share(this);  // a capture that dies here may own the pool
  CompletionScope scope(this);  // what is run here may wait for what is queued
  queue_.close();
  {
    const lock_guard lock(mutex_);
    state_.store(State::terminate, memory_order_seq_cst);
  }
  queue_.pass_doors();
  sleep_.quit();
  {
    const lock_guard lock(mutex_);
    all_issued_ = true;
    check_finished_locked();  // who finished the last job before this line has told nobody
  }
  request_stops();
  abandon_queued();
  while (const Ref<StreamJob> job = pop_stream()) {
    scope.set_job(job.get());
    job->abandon(terminated_error());
  }
}

inline void PoolEngine::abandon_queued() noexcept {
  CompletionScope scope(this);
  while (Job* const job = queue_.drain()) {
    if (!job->take_entry()) continue;
    scope.set_job(job);
    job->abandon_entry(terminated_error());
  }
}

inline void PoolEngine::join() {
  check_process();
  introduce_thread();
  const Ref<Engine> self = Ref<Engine>::share(this);  // a task may destroy the pool meanwhile
  if (context_in(this) != nullptr || CompletionScope::is_inside(*this) ||
      is_left_by_this_thread()) {
    throw ValueError("A pool cannot be joined from one of its own threads");
  }
  switch (state()) {
    case State::run:
      throw ValueError("Pool is still running");
    case State::close:
      lift_look_ahead_limit();
      break;
    case State::terminate:
      break;
  }
  join_or_detach();
}

/// First waits until the other threads are about to end, without keeping anybody else from doing
/// the same: one thread may be in join() while a task destroys the pool. Only then the handles.
///
/// A thread that is itself in the middle of a job, as a worker, in a callback or giving it up,
/// must not wait for that job; nor for the callback thread, which waits for it, to end: that it has
/// nothing to do will do.
inline void PoolEngine::join_or_detach() noexcept {
  introduce_thread();
  const ThreadContext* const own = context_in(this);
  const bool completing = own != nullptr || CompletionScope::is_inside(*this);
  {
    unique_lock lock(mutex_);
    if (own != nullptr && own->is_callback_thread()) {
      // Running tasks may wait for results whose callbacks only this thread can run.
      serve_callbacks(lock, [this] { return workers_alive_ == 0; });
    } else if (completing) {
      const std::size_t own_workers = own != nullptr ? 1 : 0;
      exit_condition_.wait(
          lock, [&] { return workers_alive_ == own_workers && callbacks_.idle_locked(); });
    } else {
      exit_condition_.wait(lock, [this] {
        return workers_alive_ == 0 && unfinished() == 0 && !callbacks_.alive_locked();
      });
    }
  }
  if (!completing) abandon_queued();  // dead entries, which may be all that keeps an imap's results
  const lock_guard lock(join_mutex_);
  for (thread& worker : threads_) {
    if (!worker.joinable()) continue;
    if (worker.get_id() == this_thread::get_id()) {
      worker.detach();
    } else {
      worker.join();
    }
  }
  if (completing) {
    callbacks_.detach();
  } else {
    callbacks_.join();
  }
}

inline void PoolEngine::orphan() noexcept {
  const lock_guard lock(mutex_);
  orphaned_ = unfinished() != 0;
  if (orphaned_) add_ref();
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_POOL_ENGINE_LIFE_HPP
