// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_POOL_ENGINE_WORK_HPP
#define MILLPOND_DETAIL_ENGINE_POOL_ENGINE_WORK_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/job_queue.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/start_up.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/engine/worker.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/spin.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/detail/platform/thread_name.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

/// How work gets into an engine's queue, and what its workers do.

namespace millpond::inline MILLPOND_ABI::detail {

// ---- Issuing ----

inline void PoolEngine::submit(Job& job, const Submission& submission) {
  if (submission.has_callbacks) start_callback_thread();
  after_adding(add(job, submission));
}

/// Before anybody can find it in the list of imaps it is in the queue and counted.
inline void PoolEngine::submit(StreamJob& job) {
  AfterAdding after;
  {
    const lock_guard lock(mutex_);
    after = add(job, {.priority = job.rank_.priority});
    streams_.push_back(job);
  }
  after_adding(after);
}

/// A worker may run the job, which may destroy the pool, before the caller has woken anybody: so a
/// reference is taken for that while the door is closed to terminate().
inline PoolEngine::AfterAdding PoolEngine::add(Job& job, const Submission& submission) {
  ThreadContext* const context = context_in(this);
  if (context != nullptr && context->worker != nullptr && !queue_.is_by_priority()) {
    return add_own(*context->worker, job, submission.entries);
  }
  const JobQueue::Door door = queue_.door();
  const SpinningLockGuard lock(door.lock);
  check_state();
  if (!queue_.reserve_locked(door, submission.entries)) throw_not_running();
  queue_.push_locked(door, job, submission.entries, submission.priority, submission.rank);
  if (!sleep_.needs_wake()) return AfterAdding::nothing;
  add_ref();
  return AfterAdding::wake_and_release;
}

/// Making room hides what is in the lane for a moment: so a worker may have fallen asleep, even if
/// there is no memory in the end.
///
/// The worker adds to its own lane without a lock. terminate() sets the state before it empties the
/// lanes, and we look at the state after the job is in the lane: so one of us gives it up.
inline PoolEngine::AfterAdding PoolEngine::add_own(Worker& worker, Job& job, std::size_t entries) {
  check_state();
  try {
    if (!queue_.lanes().reserve_own(worker.lane, entries)) throw_not_running();
  } catch (...) {
    if (sleep_.needs_wake()) sleep_.wake();
    throw;
  }
  worker.lane.issued.add_one();
  for (; entries != 0; --entries) queue_.lanes().push_own(worker.lane, job);
  if (state_.load(memory_order_seq_cst) == State::terminate) return AfterAdding::abandon;
  return sleep_.needs_wake() ? AfterAdding::wake : AfterAdding::nothing;
}

inline void PoolEngine::after_adding(AfterAdding after) noexcept {
  switch (after) {
    case AfterAdding::nothing:
      return;
    case AfterAdding::wake:
      return sleep_.wake();
    case AfterAdding::wake_and_release:
      sleep_.wake();
      return release();
    case AfterAdding::abandon:
      return abandon_queued();
  }
}

inline void PoolEngine::requeue(StreamJob& job, Place place) noexcept {
  if (place == Place::back && !queue_.is_by_priority() && requeue_in_lane(job)) return;
  bool wakes;
  {
    const SpinningLockGuard lock(queue_.imap_mutex());
    if (state() == State::terminate) return;
    job.add_ref();
    queue_.push_locked(job, place == Place::front);
    wakes = sleep_.needs_wake();
  }
  if (wakes) sleep_.wake();  // the imap, which our caller keeps, keeps the engine
}

/// Behind what this thread has issued. False if there is no memory for that.
inline bool PoolEngine::requeue_in_lane(StreamJob& job) noexcept {
  const JobQueue::Door door = queue_.door();
  bool wakes;
  {
    const SpinningLockGuard lock(door.lock);
    if (state() == State::terminate) return true;
    try {
      if (!queue_.reserve_locked(door, 1)) return true;
    } catch (...) {
      return false;
    }
    queue_.push_again_locked(door, job);
    wakes = sleep_.needs_wake();
  }
  if (wakes) sleep_.wake();
  return true;
}

inline void PoolEngine::put_back(Job& job, const Rank& rank) noexcept {
  {
    const lock_guard lock(queue_.imap_mutex());
    if (state() != State::terminate) return queue_.put_back_locked(job, rank);
  }
  job.abandon_entry(terminated_error());
}

// ---- Workers ----

inline void PoolEngine::run_worker(std::size_t index, StartUp* start_up) noexcept {
  const Ref<Engine> self = Ref<Engine>::adopt(this);
  thread_local constinit ThreadContext context{nullptr};
  context.engine = this;
  context.worker_index = index;
  context.worker = &workers_[index];
  current_thread_context = &context;
  name_this_thread(thread_name_prefix_, std::to_string(index));
  if (start_up != nullptr) start_up->initialize();
  work(context);
  context.engine = nullptr;
  context.worker_index = std::nullopt;
  context.worker = nullptr;
  current_thread_context = nullptr;
  left_pool = {this, serial()};
  JobMemory::flush_thread();
}

inline void PoolEngine::work(ThreadContext& context) noexcept {
  Worker& worker = *context.worker;
  JobStack::Frame frame(context.running);
  for (Job* job = search(worker); job != nullptr;) {
    frame.job = job;
    job->run();
    job = queue_.take(worker.lane);
    if (job == nullptr) {
      sleep_.begin_search();
      job = search(worker);
    }
  }
  leave_as_worker();
}

/// The next job of a worker that searches; null if it may go.
///
/// A worker that empties the queue faster than it fills would meet the issuing thread at every
/// job's cache line. So after a job that nobody waits for it first lets the queue grow.
inline Job* PoolEngine::search(Worker& worker) noexcept {
  if (std::exchange(worker.paces, false) && spinning_pays()) {
    for (Spin spin(tuning::kPaceTime); !may_leave() && spin.go_on();) {
    }
  }
  Job* job = nullptr;
  const auto look = [&] {
    if (may_leave()) return true;
    job = queue_.take(worker.lane);
    return job != nullptr;
  };
  const auto has_reason_to_stay_awake = [&] {
    if (may_leave() || queue_.any()) return true;
    // The last that has nothing to do asks whether anything can come.
    if (state() != State::close || sleep_.idle() != size_) return false;
    const lock_guard lock(mutex_);
    check_finished_locked();
    return may_leave();
  };
  while (!look() && !(sleep_.is_only_searcher() && spinning_pays() && spin_until(look))) {
    sleep_.fall_asleep(has_reason_to_stay_awake);
  }
  if (sleep_.end_search([&] { return queue_.any(); })) waits_.all_busy();
  return job;
}

inline void PoolEngine::leave_as_worker() noexcept {
  bool last;
  {
    const lock_guard lock(mutex_);
    --workers_alive_;
    if (workers_alive_ <= 1) exit_condition_.notify_all();  // a joiner may be a worker itself
    if (workers_alive_ == 0) callbacks_.wake_locked();      // or the callback thread
    last = settle_locked();
  }
  sleep_.quit();        // wakes the next
  if (last) release();  // not the last reference: this thread has one
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_POOL_ENGINE_WORK_HPP
