// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_WAIT_GRAPH_HPP
#define MILLPOND_DETAIL_ENGINE_WAIT_GRAPH_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Who of a pool's threads waits for which jobs; and so, as each thread keeps a stack of the jobs
/// that it is at, which job depends on which others.
///
/// Thread safety: members called ..._locked need the pool's mutex, which guards all.
class WaitGraph {
 public:
  explicit WaitGraph(mutex& pool_mutex) noexcept : mutex_(pool_mutex) {}
  WaitGraph(const WaitGraph&) = delete;
  WaitGraph& operator=(const WaitGraph&) = delete;

  mutex& pool_mutex() const noexcept { return mutex_; }

  /// That a thread waits until one of the jobs `awaited` gets on. Lives on that thread's stack.
  class Wait {
   public:
    Wait(ThreadContext& context, std::span<Job* const> awaited) noexcept
        : thread_(context), awaited_(awaited) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    std::span<Job* const> awaited() const noexcept { return awaited_; }

   protected:
    ~Wait() = default;

   private:
    friend class WaitGraph;
    /// Called under the pool's mutex when this wait begins, whenever another one does, and as
    /// ask_when_all_busy() says.
    virtual void on_wait_locked() noexcept {}

    ThreadContext& thread_;
    const std::span<Job* const> awaited_;
    Wait* next_ = nullptr;
    Wait** link_ = nullptr;
    Wait* next_reached_ = nullptr;
    bool reached_ = false;
  };

  /// One that only waits.
  class PlainWait final : public Wait {
   public:
    using Wait::Wait;
  };

  void begin_locked(Wait& wait) noexcept {
    wait.next_ = std::exchange(first_, &wait);
    wait.link_ = &first_;
    if (wait.next_ != nullptr) wait.next_->link_ = &wait.next_;
    ask_locked();
  }
  void end_locked(Wait& wait) noexcept {
    *wait.link_ = wait.next_;
    if (wait.next_ != nullptr) wait.next_->link_ = wait.link_;
  }

  /// For a wait that relies on a free worker: asks all again, once, when there is none. If there is
  /// none after this call, it may not have seen the request.
  void ask_when_all_busy() noexcept { asks_when_all_busy_.store(true, memory_order_seq_cst); }
  /// The last free worker has taken a job, which it has made known by a seq_cst step.
  void all_busy() noexcept {
    if (!asks_when_all_busy_.load(memory_order_seq_cst)) return;
    const lock_guard lock(mutex_);
    asks_when_all_busy_.store(false, memory_order_seq_cst);
    ask_locked();
  }

  /// begin_locked() and end_locked() for those without the mutex.
  class Scope {
   public:
    Scope(WaitGraph& graph, Wait& wait) noexcept : graph_(graph), wait_(wait) {
      const lock_guard lock(graph_.mutex_);
      graph_.begin_locked(wait_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      const lock_guard lock(graph_.mutex_);
      graph_.end_locked(wait_);
    }

   private:
    WaitGraph& graph_;
    Wait& wait_;
  };

  /// The first for which `predicate(Job&)` holds of the jobs and all those on which they
  /// depend: what runs on a thread that waits depends on what that thread waits for. Else null.
  template <class Predicate>
  Job* find_locked(std::span<Job* const> jobs, Predicate predicate) noexcept {
    for (Wait* wait = first_; wait != nullptr; wait = wait->next_) wait->reached_ = false;
    Wait* first = nullptr;  // of those reached and not followed yet
    for (;;) {
      for (Job* const job : jobs) {
        if (predicate(*job)) return job;
        reach_locked(*job, first);
      }
      if (first == nullptr) return nullptr;
      jobs = std::exchange(first, first->next_reached_)->awaited_;
    }
  }

 private:
  void ask_locked() noexcept {
    for (Wait* each = first_; each != nullptr; each = each->next_) each->on_wait_locked();
  }

  void reach_locked(const Job& job, Wait*& first) noexcept {
    for (Wait* wait = first_; wait != nullptr; wait = wait->next_) {
      if (wait->reached_ || !wait->thread_.is_at(&job)) continue;
      wait->reached_ = true;
      wait->next_reached_ = std::exchange(first, wait);
    }
  }

  mutex& mutex_;
  Wait* first_ = nullptr;
  atomic<bool> asks_when_all_busy_{false};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_WAIT_GRAPH_HPP
