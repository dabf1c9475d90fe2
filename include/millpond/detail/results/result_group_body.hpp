// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_RESULTS_RESULT_GROUP_BODY_HPP
#define MILLPOND_DETAIL_RESULTS_RESULT_GROUP_BODY_HPP

#include <millpond/detail/engine/callback_thread.hpp>
#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/engine/thread_waiter.hpp>
#include <millpond/detail/engine/wait_graph.hpp>
#include <millpond/detail/engine/waiters.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/process.hpp>
#include <millpond/detail/platform/spin.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/detail/results/result_group.hpp>
#include <millpond/detail/results/result_state.hpp>
#include <millpond/state.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// What a group has of each result, and how it waits. Each result has a waiter; it adds the
/// result's number to a list when it gets ready, and wakes the thread if that is what it waits for.
class ResultGroup::Body {
 public:
  explicit Body(std::span<ResultBase* const> results)
      : members_(std::make_unique<Member[]>(results.size())), size_(results.size()) {
    for (const ResultBase* const result : results) result->check_process();
    completed_.reserve(size_);
    sort_by_pool(results);
    for (std::size_t i = 0; i != size_; ++i) {
      members_[i].enter(*this, *results[i], i);
      // A callback that waits for its own result is regarded as having it.
      if (mine_ != nullptr && mine_->context.calling_back.contains(results[i])) continue;
      members_[i].is_registered = results[i]->add_waiter(members_[i]);
    }
    for (std::size_t i = 0; i != size_; ++i) {
      if (!members_[i].is_registered) members_[i].notify();
    }
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  /// Leaves the results that are not ready; those that are being told just now are awaited.
  ~Body() {
    if (!Process::is_this(process_)) return;
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
  /// the deadline has not passed and none of the results can get ready without that. False if the
  /// deadline came first.
  bool wait(std::size_t count, bool or_failed, Deadline deadline) {
    if (!Process::is_this(process_)) Engine::throw_of_parent();
    awaited_ = count;
    or_failed_ = or_failed;
    for (;;) {
      const std::size_t before = completed();
      if (!deadline.is_poll()) help(deadline);
      if (satisfied()) return true;
      if (deadline.has_passed() || !sleep(before, deadline)) return await_those_ready();
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
    void enter(Body& group, ResultBase& its_result, std::size_t number) noexcept {
      group_ = &group;
      result = &its_result;
      number_ = number;
    }
    void notify() noexcept override { group_->complete(number_); }

    ResultBase* result = nullptr;
    bool is_registered = false;
    /// Whether the group knows that the result is ready. It may be ready a moment before.
    atomic<bool> is_told{false};

   private:
    Body* group_ = nullptr;
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
    members_[number].is_told.store(true, memory_order_release);  // pairs with is_told()
    if (members_[number].result->failed()) failed_ = true;
    count_.store(completed_.size(), memory_order_relaxed);
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

  static ResultBase& result_of(Job* job) noexcept { return *static_cast<ResultBase*>(job); }
  /// If true, satisfied() takes it into account.
  bool is_told(std::size_t number) const noexcept {
    return members_[number].is_told.load(memory_order_acquire);
  }

  /// Those of one pool with which this thread has to do: as one of its threads, or as it is giving
  /// up jobs of that pool (CompletionScope).
  struct Part {
    Part(const Body& its_group, ThreadContext& its_context) noexcept
        : group(its_group), context(its_context) {}

    PoolEngine& engine() const noexcept { return PoolEngine::of(*context.engine); }
    std::span<Job* const> pending() const noexcept {
      return std::span(jobs).subspan(first_pending);
    }
    bool is_told(std::size_t i) const noexcept { return group.is_told(numbers[i]); }
    bool any_pending() noexcept {
      while (first_pending != jobs.size() && is_told(first_pending)) ++first_pending;
      return first_pending != jobs.size();
    }
    bool any_unclaimed() noexcept {
      while (first_unclaimed != jobs.size() && result_of(jobs[first_unclaimed]).claimed()) {
        ++first_unclaimed;
      }
      return first_unclaimed != jobs.size();
    }
    /// Moves those before `end` that are told to the front, so that they are not looked at again.
    void drop_told_before(std::size_t end) noexcept {
      std::size_t kept = end;
      for (std::size_t i = end; i != first_pending;) {
        if (is_told(--i)) continue;
        --kept;
        std::swap(jobs[kept], jobs[i]);
        std::swap(numbers[kept], numbers[i]);
      }
      first_pending = kept;
    }

    const Body& group;
    ThreadContext& context;
    std::vector<Job*> jobs;
    std::vector<std::size_t> numbers;  // of the same results in the group
    // Changed by this thread; while it sleeps, under the mutex of the pool whose thread it is:
    std::size_t first_pending = 0;    // all before it are told
    std::size_t first_unclaimed = 0;  // all before it are claimed
    // While it sleeps:
    std::optional<WaitGraph::PlainWait> wait;
    std::optional<WaitGraph::Scope> registered;
  };

  /// Whether this thread has to do with any of the pools. They are asked one after another, so that
  /// many results of one cost nothing.
  static bool has_part_in_any(std::span<ResultBase* const> results) noexcept {
    if (current_thread_context != nullptr || CompletionScope::is_inside_any()) return true;
    const Engine* asked = nullptr;
    return std::any_of(results.begin(), results.end(), [&](ResultBase* result) {
      return !result->ready() &&
             std::exchange(asked, result->engine_pointer()) != result->engine_pointer() &&
             result->find_context() != nullptr;
    });
  }

  /// Fills parts_, mine_ and foreign_, unless this is a thread without any part in a pool.
  void sort_by_pool(std::span<ResultBase* const> results) {
    if (!has_part_in_any(results)) return;
    for (std::size_t i = 0; i != size_; ++i) {
      ResultBase* const result = results[i];
      if (result->ready()) continue;
      ThreadContext* const context = result->find_context();
      if (context == nullptr) {
        foreign_.push_back(i);
        continue;
      }
      auto part = std::find_if(parts_.begin(), parts_.end(),
                               [&](const Part& each) { return &each.context == context; });
      if (part == parts_.end()) {
        part = parts_.emplace(part, *this, *context);
        if (context == current_thread_context) mine_ = &*part;
      }
      part->jobs.push_back(result);
      part->numbers.push_back(i);
    }
  }

  /// What a terminated pool has not started is given up. Of this thread's own pool, if all results
  /// are awaited, runs whatever has not started. If only some are, then what would be run here on
  /// top might wait for something that this thread is to do afterwards: see next_to_run().
  void help(Deadline deadline) noexcept {
    for (Part& part : parts_) {
      if (!part.any_pending() || part.engine().state() != State::terminate) continue;
      for (std::size_t next = part.first_pending; next != part.jobs.size(); ++next) {
        if (satisfied()) return;
        const JobStack::Frame frame(part.context.running, part.jobs[next]);
        part.jobs[next]->abandon(part.engine().terminated_error());
      }
    }
    if (mine_ == nullptr) return;
    // Of a map that others are at, some chunks may be left.
    std::size_t next = mine_->first_pending;
    while (!satisfied() && !deadline.has_passed()) {
      if (awaits_all()) {
        while (next != mine_->jobs.size() && result_of(mine_->jobs[next]).ready()) ++next;
        if (next == mine_->jobs.size()) return;
        run(*mine_->jobs[next++], deadline);
      } else {
        Job* const job = next_to_run();
        if (job == nullptr || satisfied()) return;
        run(*job, deadline);
      }
    }
  }

  void run(Job& job, Deadline deadline) noexcept {
    const JobStack::Frame frame(mine_->context.running, &job);
    result_of(&job).take_part(deadline);
  }

  bool awaits_all() const noexcept { return awaited_ == size_ && !or_failed_; }

  /// What to run here if only some of the results are awaited; null if nothing.
  Job* next_to_run() noexcept {
    const lock_guard lock(mine_->engine().waits().pool_mutex());
    if (!mine_->any_unclaimed()) return nullptr;
    if (!std::exchange(asked_to_help_, false) &&
        (others_may_come() || mine_->engine().any_worker_free() || may_come_locked())) {
      return nullptr;
    }
    // Workers claim what they have taken without the mutex: meanwhile perhaps the last.
    return mine_->any_unclaimed() ? mine_->jobs[mine_->first_unclaimed] : nullptr;
  }

  /// Whether one of this thread's own pool may come while this thread only waits: one that is ready
  /// and about to be told, or that another thread is at which is not waiting for this one. Of those
  /// that have not been begun in their order only so many are looked at, as this is asked for each
  /// result.
  bool may_come_locked() noexcept {
    Part& part = *mine_;
    const auto is_ours = [&](const Job& job) { return part.context.is_at(&job); };
    const auto may_come = [&](std::size_t i) {
      Job* const job = part.jobs[i];
      if (part.is_told(i)) return false;
      return result_of(job).ready() ||
             (!part.context.running.contains(job) &&
              part.engine().waits().find_locked({&job, 1}, is_ours) == nullptr);
    };
    part.any_unclaimed();
    std::size_t next = part.first_pending;
    while (next < part.first_unclaimed && !may_come(next)) ++next;
    part.drop_told_before(next);
    if (next < part.first_unclaimed) return true;
    const std::size_t end = next + (std::min)(kLookAhead, part.jobs.size() - next);
    for (; next != end; ++next) {
      if (result_of(part.jobs[next]).claimed() && may_come(next)) return true;
    }
    return false;
  }
  /// The same for those of other pools.
  bool others_may_come() noexcept {
    while (!foreign_.empty() && is_told(foreign_.back())) foreign_.pop_back();
    return !foreign_.empty() || std::any_of(parts_.begin(), parts_.end(), [&](Part& part) {
      return &part != mine_ && part.any_pending();
    });
  }

  /// Asked, under the pool's mutex, whenever some thread of the pool begins to wait while this one
  /// sleeps, or the last free worker has taken a job: true once, if this thread had better run what
  /// has not started.
  bool is_to_help_locked() noexcept {
    if (asked_to_help_ || awaits_all() || !mine_->any_unclaimed() || others_may_come()) {
      return false;
    }
    PoolEngine& engine = mine_->engine();
    if (engine.any_worker_free()) {
      engine.waits().ask_when_all_busy();
      if (engine.any_worker_free()) return false;
    }
    asked_to_help_ = !may_come_locked();
    return asked_to_help_;
  }

  class ThreadSleep final : public WaitGraph::Wait {
   public:
    ThreadSleep(Body& group, ThreadWaiter& waiter) noexcept
        : Wait(group.mine_->context, group.mine_->pending()), group_(group), waiter_(waiter) {}

   private:
    void on_wait_locked() noexcept override {
      if (group_.is_to_help_locked()) waiter_.notify();
    }
    Body& group_;
    ThreadWaiter& waiter_;
  };

  class CallbackSleep final : public CallbackThread::Alarm {
   public:
    explicit CallbackSleep(Body& group) noexcept
        : Alarm(group.mine_->engine().callbacks(), group.mine_->pending()), group_(group) {}

   private:
    void on_wait_locked() noexcept override {
      Alarm::on_wait_locked();
      if (group_.is_to_help_locked()) ring_locked();
    }
    void interrupt() noexcept override { group_.stop_telling_others(); }
    void resume() noexcept override { group_.tell_others(); }
    Body& group_;
  };

  /// Unless more than `before` are completed. False if the deadline came first.
  bool sleep(std::size_t before, Deadline deadline) noexcept {
    asked_to_help_ = false;
    const bool in_callback = mine_ != nullptr && mine_->context.is_callback_thread();
    if (spinning_pays() && !in_callback) {
      spin_until(
          [&] { return count_.load(memory_order_relaxed) != before || deadline.has_passed(); });
    }
    tell_others();
    const bool in_time =
        in_callback ? sleep_in_callback(before, deadline) : sleep_as_thread(before, deadline);
    stop_telling_others();
    return in_time;
  }

  /// Says in the graphs of the other pools what this thread waits for.
  void tell_others() noexcept {
    for (Part& part : parts_) {
      if (&part == mine_) continue;
      part.registered.emplace(part.engine().waits(),
                              part.wait.emplace(part.context, part.pending()));
    }
  }
  void stop_telling_others() noexcept {
    for (Part& part : parts_) part.registered.reset();
  }

  bool sleep_in_callback(std::size_t before, Deadline deadline) noexcept {
    CallbackSleep alarm(*this);
    if (!set_sleeper(alarm, before)) return true;
    const bool in_time = mine_->engine().callbacks().wait_in_callback(alarm, deadline);
    clear_sleeper();
    return in_time;
  }

  bool sleep_as_thread(std::size_t before, Deadline deadline) noexcept {
    ThreadWaiter waiter;
    if (!set_sleeper(waiter, before)) return true;
    bool in_time = true;
    {
      std::optional<ThreadSleep> sleep;
      std::optional<WaitGraph::Scope> registered;
      if (mine_ != nullptr) {
        registered.emplace(mine_->engine().waits(), sleep.emplace(*this, waiter));
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

  static constexpr std::size_t kLookAhead = 256;

  const Process::Id process_ = Process::id();
  const std::unique_ptr<Member[]> members_;
  const std::size_t size_;
  std::list<Part> parts_;
  Part* mine_ = nullptr;              // of the pool whose worker or callback thread this is
  std::vector<std::size_t> foreign_;  // the numbers of those of no part
  bool asked_to_help_ = false;        // guarded by that pool's mutex while this thread sleeps

  mutable mutex mutex_;  // guards the rest
  std::vector<std::size_t> completed_;
  std::size_t awaited_ = 0;
  bool or_failed_ = false;
  bool failed_ = false;
  Waiter* sleeper_ = nullptr;
  atomic<std::size_t> count_{0};  // completed_.size(), without the mutex a hint
};

// ---- What result_group.hpp declares ----

MILLPOND_INLINE std::vector<std::size_t> distinct_places(std::span<ResultBase* const> results) {
  std::vector<std::size_t> places(results.size());
  for (std::size_t i = 0; i != places.size(); ++i) places[i] = i;
  const auto same = [&](std::size_t a, std::size_t b) { return results[a] == results[b]; };
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return same(a, b) ? a < b : std::less<>()(results[a], results[b]);
  });
  places.erase(std::unique(places.begin(), places.end(), same), places.end());
  std::sort(places.begin(), places.end());
  return places;
}

MILLPOND_INLINE ResultGroup::ResultGroup(std::span<ResultBase* const> results)
    : body_(new Body(results)) {}
MILLPOND_INLINE ResultGroup::~ResultGroup() { delete body_; }

MILLPOND_INLINE bool ResultGroup::wait(std::size_t count, bool or_failed, Deadline deadline) {
  return body_->wait(count, or_failed, deadline);
}
MILLPOND_INLINE std::size_t ResultGroup::completed() const noexcept { return body_->completed(); }
MILLPOND_INLINE std::size_t ResultGroup::nth_completed(std::size_t n) const noexcept {
  return body_->nth_completed(n);
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_RESULTS_RESULT_GROUP_BODY_HPP
