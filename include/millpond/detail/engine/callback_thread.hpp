// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_CALLBACK_THREAD_HPP
#define MILLPOND_DETAIL_ENGINE_CALLBACK_THREAD_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/engine/wait_graph.hpp>
#include <millpond/detail/engine/waiters.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// The thread that runs a pool's callbacks one at a time, and the list of jobs whose callback is
/// due. While a callback waits, this thread runs those other callbacks, and only those, without
/// which that wait could not end.
///
/// Thread safety: all is guarded by the pool's mutex. Members called ..._locked need it held; those
/// that take the lock let go of it while they sleep or run a callback; the others take it.
class CallbackThread {
 public:
  CallbackThread(mutex& pool_mutex, WaitGraph& waits) noexcept
      : mutex_(pool_mutex), waits_(waits) {}
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

  /// Whether it has ever been started; and, once it was, whether it may still do something.
  bool started_locked() const noexcept { return started_; }
  bool alive_locked() const noexcept { return alive_; }
  /// No callback is running or due.
  bool idle_locked() const noexcept { return running_ == 0 && due_.empty(); }

  /// Throws std::system_error.
  template <class Body>
  void start_locked(Body body) {
    thread_ = thread(std::move(body));
    started_ = true;
    alive_ = true;
    if (detached_) thread_.detach();
  }
  void wake_locked() noexcept { condition_.notify_one(); }

  /// Hands over a job whose callback is due.
  void post(Job& job) noexcept;

  /// On this thread: runs callbacks as they come until `done()`; tells when it has become idle.
  template <class Done, class OnIdle>
  void serve(unique_lock& lock, Done done, OnIdle on_idle) noexcept;
  /// On this thread: it is about to end.
  void end_locked() noexcept { alive_ = false; }

  /// Once the thread is about to end, or if its owner does not care. A thread_local object of that
  /// very thread may own the pool: then leaves the thread to end by itself.
  void join() {
    if (!thread_.joinable()) return;
    if (thread_.get_id() == this_thread::get_id()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }
  /// Also if it starts later: a pool that was destroyed in its own task may need it yet.
  void detach() {
    const lock_guard lock(mutex_);
    detached_ = true;
    if (thread_.joinable()) thread_.detach();
  }

  /// A wait of this thread in a callback, and what ends it. Lives on its stack.
  class Alarm : public Waiter, public WaitGraph::Wait {
   public:
    Alarm(CallbackThread& callbacks, std::span<Job* const> awaited) noexcept
        : Wait(*current_thread_context, awaited), callbacks_(callbacks) {}
    void notify() noexcept final {
      const lock_guard lock(callbacks_.mutex_);
      ring_locked();
    }

   protected:
    ~Alarm() = default;
    void ring_locked() noexcept {
      rang_ = true;
      callbacks_.condition_.notify_one();
    }
    /// The wait may have come to depend on a callback that is due.
    void on_wait_locked() noexcept override { callbacks_.condition_.notify_one(); }

   private:
    friend class CallbackThread;
    CallbackThread& callbacks_;
    bool rang_ = false;
  };
  class PlainAlarm final : public Alarm {
   public:
    using Alarm::Alarm;
  };

  /// On this thread, in a callback: sleeps until the alarm rings, and meanwhile runs the due
  /// callbacks on which the jobs that it awaits depend. False if the deadline came first.
  bool wait_in_callback(Alarm& alarm, Deadline deadline) noexcept;

 private:
  void run_callback(unique_lock& lock, Job& job) noexcept;

  mutex& mutex_;
  WaitGraph& waits_;
  condition_variable condition_;
  thread thread_;
  bool started_ = false;
  bool detached_ = false;
  bool alive_ = false;
  /// Jobs whose callback is due, in that order, linked by themselves.
  class DueList {
   public:
    bool empty() const noexcept { return first_ == nullptr; }
    Job* front() const noexcept { return first_; }
    void push_back(Job& job) noexcept {
      *job.due_links() = {nullptr, last_, true};
      (last_ != nullptr ? last_->due_links()->next : first_) = &job;
      last_ = &job;
    }
    void erase(Job& job) noexcept {
      Job::DueLinks& links = *job.due_links();
      (links.prev != nullptr ? links.prev->due_links()->next : first_) = links.next;
      (links.next != nullptr ? links.next->due_links()->prev : last_) = links.prev;
      links.is_due = false;
    }

   private:
    Job* first_ = nullptr;
    Job* last_ = nullptr;
  };

  DueList due_;
  std::size_t running_ = 0;  // callbacks: in one another, if several
};

inline void CallbackThread::post(Job& job) noexcept {
  const lock_guard lock(mutex_);
  due_.push_back(job);
  condition_.notify_one();
}

inline void CallbackThread::run_callback(unique_lock& lock, Job& job) noexcept {
  due_.erase(job);
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

/// Whatever may make a due callback one that the wait depends on wakes this thread: that it gets
/// due, and that a thread begins to wait.
inline bool CallbackThread::wait_in_callback(Alarm& alarm, Deadline deadline) noexcept {
  const auto is_due = [](Job& job) {
    const Job::DueLinks* const links = job.due_links();
    return links != nullptr && links->is_due;
  };
  unique_lock lock(mutex_);
  waits_.begin_locked(alarm);
  bool in_time = true;
  while (!alarm.rang_ && in_time) {
    if (Job* const job = waits_.find_locked(alarm.awaited(), is_due)) {
      waits_.end_locked(alarm);  // who follows it may read what this thread is at only in a wait
      run_callback(lock, *job);
      waits_.begin_locked(alarm);
    } else if (deadline.is_never()) {
      condition_.wait(lock);
    } else {
      in_time = condition_.wait_until(lock, deadline.when()) == std::cv_status::no_timeout;
    }
  }
  waits_.end_locked(alarm);
  return alarm.rang_;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_CALLBACK_THREAD_HPP
