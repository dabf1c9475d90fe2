// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_RESULT_GROUP_HPP
#define MILLPOND_DETAIL_RESULT_GROUP_HPP

#include <millpond/detail/callback_thread.hpp>
#include <millpond/detail/core.hpp>
#include <millpond/detail/deadline.hpp>
#include <millpond/detail/result_state.hpp>
#include <millpond/detail/spin.hpp>
#include <millpond/detail/sync.hpp>
#include <millpond/detail/thread_context.hpp>
#include <millpond/detail/wait_graph.hpp>
#include <millpond/detail/waiters.hpp>
#include <millpond/state.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace millpond::inline v0_1::detail {

/// Several results that one thread waits for at once. It registers with each of them; each, when it
/// gets ready, adds its number to a list, and wakes the thread if that is what it waits for.
///
/// Thread safety: one thread's, but for what the results do. The results must outlive it.
class ResultGroup {
 public:
  explicit ResultGroup(std::span<ResultBase* const> results)
      : members_(std::make_unique<Member[]>(results.size())),
        size_(results.size()),
        own_context_(current_thread_context != nullptr ? current_thread_context
                                                       : CompletionScope::innermost_context()) {
    completed_.reserve(size_);
    if (own_context_ != nullptr) {
      for (ResultBase* const result : results) {
        if (result->core_pointer() == own_context_->core) own_.push_back(result);
      }
      runs_jobs_ = !own_.empty() && own_context_ == current_thread_context;
    }
    const auto is_calling_back = [this](const ResultBase* result) {
      return own_context_ != nullptr && own_context_->calling_back.contains(result);
    };
    for (std::size_t i = 0; i != size_; ++i) {
      members_[i].enter(*this, *results[i], i);
      // A callback that waits for its own result is regarded as having it.
      if (is_calling_back(results[i])) continue;
      members_[i].is_registered = results[i]->add_waiter(members_[i]);
    }
    for (std::size_t i = 0; i != size_; ++i) {
      if (!members_[i].is_registered) members_[i].notify();
    }
  }
  ResultGroup(const ResultGroup&) = delete;
  ResultGroup& operator=(const ResultGroup&) = delete;

  /// Leaves the results that are not ready; those that are being told just now are awaited.
  ~ResultGroup() {
    std::size_t told = 0;
    for (Member& member : std::span(members_.get(), size_)) {
      if (!member.is_registered || !member.result->remove_waiter(member)) ++told;
    }
    unique_lock lock(mutex_);
    while (completed_.size() != told) {
      lock.unlock();
      this_thread::yield();
      lock.lock();
    }
  }

  std::size_t size() const noexcept { return size_; }

  /// Waits until `count` of the results are ready, or one of them with an error of its own if
  /// `or_failed`. On a thread of the pool runs what has not started, one after another, as long as
  /// none of the results can get ready without that. False if the deadline came first.
  bool wait(std::size_t count, bool or_failed, Deadline deadline) noexcept {
    awaited_ = count;
    or_failed_ = or_failed;
    for (;;) {
      const std::size_t before = completed();
      if (!deadline.is_poll()) help();
      if (satisfied()) return true;
      if (deadline.is_poll() || !sleep(before, deadline)) return await_those_ready();
    }
  }

  /// How many are ready, and the number of the n-th of them, in the order in which they came.
  std::size_t completed() const noexcept {
    const lock_guard lock(mutex_);
    return completed_.size();
  }
  std::size_t nth_completed(std::size_t n) const noexcept {
    const lock_guard lock(mutex_);
    return completed_[n];
  }

 private:
  class Member final : public Waiter {
   public:
    void enter(ResultGroup& group, ResultBase& its_result, std::size_t number) noexcept {
      group_ = &group;
      result = &its_result;
      number_ = number;
    }
    void notify() noexcept override { group_->complete(number_); }

    ResultBase* result = nullptr;
    bool is_registered = false;

   private:
    ResultGroup* group_ = nullptr;
    std::size_t number_ = 0;
  };

  bool satisfied_locked() const noexcept {
    return completed_.size() >= awaited_ || (or_failed_ && failed_);
  }
  bool satisfied() const noexcept {
    const lock_guard lock(mutex_);
    return satisfied_locked();
  }

  /// All under the mutex: then the group may be gone as soon as its owner has got it.
  void complete(std::size_t number) noexcept {
    const lock_guard lock(mutex_);
    completed_.push_back(number);
    if (members_[number].result->failed()) failed_ = true;
    count_.store(completed_.size(), std::memory_order_relaxed);
    // One that has ended well may have been in the way of helping.
    if (sleeper_ != nullptr && (or_failed_ || satisfied_locked())) {
      std::exchange(sleeper_, nullptr)->notify();
    }
  }

  /// After the deadline: a result that is ready is there, even if the group is just being told.
  bool await_those_ready() noexcept {
    const auto is_ready = [](const Member& member) { return member.result->ready(); };
    const std::span<Member> members(members_.get(), size_);
    const auto ready = std::count_if(members.begin(), members.end(), is_ready);
    while (!satisfied() && completed() < static_cast<std::size_t>(ready)) this_thread::yield();
    return satisfied();
  }

  /// If all are awaited, runs whatever has not started. If only some are, and another thread is at
  /// one and does not wait for this thread, that one may come first, and what would be run here on
  /// top might wait for something that this thread is to do afterwards: then runs nothing. What a
  /// terminated pool has not started is given up.
  void help() noexcept {
    if (own_.empty()) return;
    Core& core = *own_context_->core;
    for (Job* const job : own_) {
      if (satisfied()) return;
      if (core.state() == State::terminate) {
        job->abandon(core.terminated_error());
        continue;
      }
      if (!runs_jobs_) return;
      if (!awaits_all() && may_come()) return;
      const JobStack::Frame frame(own_context_->running, job);
      static_cast<ResultBase*>(job)->take_part();
    }
  }

  bool awaits_all() const noexcept { return awaited_ == size_ && !or_failed_; }

  bool runs_elsewhere(const Job* job) const noexcept {
    const auto* const result = static_cast<const ResultBase*>(job);
    return result->claimed() && !result->ready() && !own_context_->running.contains(job);
  }

  /// Whether one of the results may get ready while this thread only waits: another thread is at
  /// it, and not waiting for this one.
  bool may_come() const noexcept {
    const auto is_elsewhere = [this](const Job* job) { return runs_elsewhere(job); };
    if (std::none_of(own_.begin(), own_.end(), is_elsewhere)) return false;
    const lock_guard lock(own_context_->core->waits().pool_mutex());
    return may_come_locked();
  }
  bool may_come_locked() const noexcept {
    const auto is_ours = [this](const Job& job) { return own_context_->is_at(&job); };
    return std::any_of(own_.begin(), own_.end(), [&](Job* job) {
      return runs_elsewhere(job) &&
             own_context_->core->waits().find_locked({&job, 1}, is_ours) == nullptr;
    });
  }

  /// Asked whenever some thread of the pool begins to wait, while this one sleeps.
  bool can_help_locked() const noexcept {
    const auto has_not_started = [](const Job* job) {
      return !static_cast<const ResultBase*>(job)->claimed();
    };
    return runs_jobs_ && !awaits_all() && std::any_of(own_.begin(), own_.end(), has_not_started) &&
           !may_come_locked();
  }

  class Sleep final : public WaitGraph::Wait {
   public:
    Sleep(const ResultGroup& group, ThreadWaiter& waiter) noexcept
        : Wait(*group.own_context_, group.own_), group_(group), waiter_(waiter) {}

   private:
    void on_wait_locked() noexcept override {
      if (group_.can_help_locked()) waiter_.notify();
    }
    const ResultGroup& group_;
    ThreadWaiter& waiter_;
  };

  class CallbackSleep final : public CallbackThread::Alarm {
   public:
    explicit CallbackSleep(const ResultGroup& group) noexcept
        : Alarm(group.own_context_->core->callbacks(), group.own_), group_(group) {}

   private:
    void on_wait_locked() noexcept override {
      Alarm::on_wait_locked();
      if (group_.can_help_locked()) ring_locked();
    }
    const ResultGroup& group_;
  };

  /// Unless more than `before` are completed. False if the deadline came first.
  bool sleep(std::size_t before, Deadline deadline) noexcept {
    const bool in_callback = runs_jobs_ && own_context_->is_callback_thread();
    if (spinning_pays() && !in_callback) {
      spin_until([&] {
        return count_.load(std::memory_order_relaxed) != before || deadline.has_passed();
      });
    }
    if (in_callback) {
      CallbackSleep alarm(*this);
      if (!set_sleeper(alarm, before)) return true;
      const bool in_time = own_context_->core->callbacks().wait_in_callback(alarm, deadline);
      clear_sleeper();
      return in_time;
    }
    ThreadWaiter waiter;
    if (!set_sleeper(waiter, before)) return true;
    bool in_time = true;
    {
      std::optional<Sleep> sleep;
      std::optional<WaitGraph::Scope> sleeps;
      if (!own_.empty()) {
        sleeps.emplace(own_context_->core->waits(), sleep.emplace(*this, waiter));
      }
      if (deadline.is_never()) {
        waiter.wait();
      } else {
        in_time = waiter.wait_until(deadline.when());
      }
    }
    clear_sleeper();
    return in_time;
  }

  bool set_sleeper(Waiter& sleeper, std::size_t before) noexcept {
    const lock_guard lock(mutex_);
    if (satisfied_locked() || (or_failed_ && completed_.size() != before)) return false;
    sleeper_ = &sleeper;
    return true;
  }
  void clear_sleeper() noexcept {
    const lock_guard lock(mutex_);
    sleeper_ = nullptr;
  }

  const std::unique_ptr<Member[]> members_;
  const std::size_t size_;
  ThreadContext* const own_context_;  // of this thread, if it is one of a pool's
  std::vector<Job*> own_;             // those of that pool
  bool runs_jobs_ = false;            // there are some, and this thread does not only give up jobs

  mutable mutex mutex_;  // guards the rest
  std::vector<std::size_t> completed_;
  std::size_t awaited_ = 0;
  bool or_failed_ = false;
  bool failed_ = false;
  Waiter* sleeper_ = nullptr;
  atomic<std::size_t> count_{0};  // completed_.size(), without the mutex a hint
};

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_RESULT_GROUP_HPP
