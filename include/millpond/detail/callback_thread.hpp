// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLBACK_THREAD_HPP
#define MILLPOND_DETAIL_CALLBACK_THREAD_HPP

#include <millpond/detail/deadline.hpp>
#include <millpond/detail/job.hpp>
#include <millpond/detail/sync.hpp>
#include <millpond/detail/thread_context.hpp>
#include <millpond/detail/waiters.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace millpond::inline v0_1::detail {

/// The thread that runs a pool's callbacks one at a time, the list of jobs whose callback is due,
/// and who of the pool's workers waits for what: while a callback waits, this thread runs those
/// other callbacks, and only those, without which that wait could not end.
///
/// Thread safety: all is guarded by the pool's mutex. Members called ..._locked need it held; those
/// that take the lock let go of it while they sleep or run a callback; the others take it.
class CallbackThread {
 public:
  explicit CallbackThread(mutex& pool_mutex) noexcept : mutex_(pool_mutex) {}
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

  /// Whether it has ever been started; and, once it was, whether it may still do something.
  bool started_locked() const noexcept { return thread_.joinable(); }
  bool alive_locked() const noexcept { return alive_; }
  /// No callback is running or due.
  bool idle_locked() const noexcept { return running_ == 0 && due_.empty(); }

  /// Throws std::system_error.
  template <class Body>
  void start_locked(Body body) {
    thread_ = thread(std::move(body));
    alive_ = true;
  }
  void wake_locked() noexcept { condition_.notify_one(); }

  /// Hands over a job whose callback is due, with one reference.
  void post(Job& job) noexcept;

  /// On this thread: runs callbacks as they come until `done()`; tells when it has become idle.
  template <class Done, class OnIdle>
  void serve(unique_lock& lock, Done done, OnIdle on_idle) noexcept;
  /// On this thread: it is about to end.
  void end_locked() noexcept { alive_ = false; }

  /// Once the thread is about to end, or if its owner does not care.
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void detach() {
    if (thread_.joinable()) thread_.detach();
  }

  /// Ends a wait of this thread in a callback. Lives on its stack.
  class Alarm final : public Waiter {
   public:
    explicit Alarm(CallbackThread& callbacks) noexcept : callbacks_(callbacks) {}
    void notify() noexcept override {
      const lock_guard lock(callbacks_.mutex_);
      rang_ = true;
      callbacks_.condition_.notify_one();
    }

   private:
    friend class CallbackThread;
    CallbackThread& callbacks_;
    bool rang_ = false;
  };

  /// On this thread, in a callback that waits for the jobs `awaited`: sleeps until the alarm, and
  /// meanwhile runs the due callbacks on which these depend. False if the deadline came first.
  bool wait_in_callback(Alarm& alarm, std::span<Job* const> awaited, Deadline deadline) noexcept;

  /// While one lives this worker sleeps until one of the jobs `awaited` gets on.
  class Blocked {
   public:
    Blocked(CallbackThread& callbacks, ThreadContext& worker,
            std::span<Job* const> awaited) noexcept
        : callbacks_(callbacks), worker_(worker) {
      const lock_guard lock(callbacks_.mutex_);
      worker_.awaited = awaited;
      worker_.next_blocked = std::exchange(callbacks_.blocked_, &worker_);
      worker_.link_blocked = &callbacks_.blocked_;
      if (worker_.next_blocked) worker_.next_blocked->link_blocked = &worker_.next_blocked;
      if (callbacks_.waiting_ != 0) callbacks_.condition_.notify_one();
    }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;
    ~Blocked() {
      const lock_guard lock(callbacks_.mutex_);
      *worker_.link_blocked = worker_.next_blocked;
      if (worker_.next_blocked) worker_.next_blocked->link_blocked = worker_.link_blocked;
    }

   private:
    CallbackThread& callbacks_;
    ThreadContext& worker_;
  };

 private:
  void run_callback(unique_lock& lock, Job& job) noexcept;
  Job* due_for_locked(std::span<Job* const> awaited) noexcept;

  mutex& mutex_;
  condition_variable condition_;
  thread thread_;
  bool alive_ = false;
  JobList due_;
  std::size_t running_ = 0;           // callbacks: in one another, if several
  std::size_t waiting_ = 0;           // of these, the ones that wait
  ThreadContext* blocked_ = nullptr;  // workers that sleep in a wait: a list
};

inline void CallbackThread::post(Job& job) noexcept {
  const lock_guard lock(mutex_);
  job.callback_due_ = true;
  due_.push_back(job);
  condition_.notify_one();
}

inline void CallbackThread::run_callback(unique_lock& lock, Job& job) noexcept {
  due_.erase(job);
  job.callback_due_ = false;
  ++running_;
  lock.unlock();
  job.run_callback();
  lock.lock();
  --running_;
}

template <class Done, class OnIdle>
void CallbackThread::serve(unique_lock& lock, Done done, OnIdle on_idle) noexcept {
  for (;;) {
    if (Job* const job = due_.front()) {
      run_callback(lock, *job);
      if (idle_locked()) on_idle();
    } else if (done()) {
      return;
    } else {
      condition_.wait(lock);
    }
  }
}

inline bool CallbackThread::wait_in_callback(Alarm& alarm, std::span<Job* const> awaited,
                                             Deadline deadline) noexcept {
  unique_lock lock(mutex_);
  ++waiting_;
  bool in_time = true;
  while (!alarm.rang_ && in_time) {
    if (Job* const job = due_for_locked(awaited)) {
      run_callback(lock, *job);
    } else if (deadline.is_never()) {
      condition_.wait(lock);
    } else {
      in_time = condition_.wait_until(lock, deadline.when()) == std::cv_status::no_timeout;
    }
  }
  --waiting_;
  return alarm.rang_;
}

/// Follows who waits for whom: what runs on a blocked worker depends on what that worker waits for.
/// Null if no callback is due among all that `awaited` depends on. Whatever may change that wakes
/// this thread: a callback that gets due, a worker that blocks.
inline Job* CallbackThread::due_for_locked(std::span<Job* const> awaited) noexcept {
  for (ThreadContext* worker = blocked_; worker; worker = worker->next_blocked) {
    worker->reached = false;
  }
  ThreadContext* first = nullptr;  // of the workers reached, in the order in which they were
  ThreadContext** end = &first;
  const auto reach = [&](const Job& job) {
    for (ThreadContext* worker = blocked_; worker; worker = worker->next_blocked) {
      if (worker->reached || !worker->running.contains(&job)) continue;
      worker->reached = true;
      worker->next_reached = nullptr;
      *end = worker;
      end = &worker->next_reached;
    }
  };
  for (;;) {
    for (Job* const job : awaited) {
      if (job->callback_due_) return job;
      reach(*job);
    }
    if (first == nullptr) return nullptr;
    awaited = std::exchange(first, first->next_reached)->awaited;
    if (first == nullptr) end = &first;
  }
}

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_CALLBACK_THREAD_HPP
