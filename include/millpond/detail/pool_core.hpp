// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_POOL_CORE_HPP
#define MILLPOND_DETAIL_POOL_CORE_HPP

#include <millpond/detail/batches.hpp>
#include <millpond/detail/config.hpp>
#include <millpond/detail/core.hpp>
#include <millpond/detail/ref.hpp>
#include <millpond/detail/spin.hpp>
#include <millpond/detail/start_up.hpp>
#include <millpond/detail/sync.hpp>
#include <millpond/detail/task_queue.hpp>
#include <millpond/detail/thread_name.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// The engine: the queue, the workers that empty it, and the pool's state machine.
///
/// Who wakes whom is written up in docs/design/wakeup.md; in short: issuing work notifies one
/// sleeping worker unless one is on its way already (WorkerSleep), and a worker that takes work
/// while more is queued notifies the next. Closing, terminating and the end of the last job notify
/// one, and each worker that leaves the next.
template <class Order>
class PoolCore final : public Core {
 public:
  using Core::Core;

  /// Starts all workers; with an initializer, returns when each has run it. Throws what stopped
  /// it, after joining what was started.
  void start(std::string thread_name_prefix, const std::function<void()>& initializer);

  /// Queues a new job, whose two references become the queue's and the caller's. Throws as
  /// accept_locked(), and then the job is still wholly the caller's.
  void submit(Job& job, bool with_callbacks = false);
  void submit(StreamJob& job);

  /// Counts in a new job that needs no worker. Throws like submit().
  void accept(bool with_callbacks);

  void close() noexcept;
  void terminate() noexcept;
  /// Throws ValueError on the pool's own threads and while running.
  void join();
  /// join() for the destructor, after terminate(): on one of the pool's own threads leaves that
  /// one to end by itself.
  void join_or_detach() noexcept;

  bool takes_turns() const noexcept override { return !TaskQueue<Order>::kMayBatch; }
  bool unlink(Job& job) noexcept override;
  void requeue(Job& job, Place place) noexcept override;

 private:
  void run_worker(std::size_t index, StartUp* start_up) noexcept;
  void work(ThreadContext& context) noexcept;
  using Taken = Batches::Taken;
  Taken take_locked(std::size_t worker, std::size_t batch_limit) noexcept;
  std::size_t run(const Taken& taken, std::size_t worker, JobStack::Frame& frame) noexcept;
  static std::size_t batch_limit_for(std::chrono::nanoseconds a_job) noexcept;
  bool sleeper_could_steal_locked() const noexcept {
    return workers_.may_wake_locked() && batches_.any_job_locked();
  }
  void spin(unique_lock& lock) noexcept;
  void pace() const noexcept;
  [[nodiscard]] bool begin_wake_locked() noexcept;
  [[nodiscard]] bool begin_wake_for_new_locked() noexcept;
  MILLPOND_COLD void wake() noexcept;
  void name_callback_thread() noexcept override { name_this_thread(thread_name_prefix_, "cb"); }

  TaskQueue<Order> queue_;  // guarded by mutex_, as are the batches
  Batches batches_{size()};
  std::vector<thread> threads_;
  mutex join_mutex_;  // one thread at a time joins
  std::string thread_name_prefix_;
};

template <class Order>
void PoolCore<Order>::start(std::string thread_name_prefix,
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

template <class Order>
void PoolCore<Order>::run_worker(std::size_t index, StartUp* start_up) noexcept {
  const Ref<Core> self = Ref<Core>::adopt(this);
  thread_local constinit ThreadContext context{nullptr};
  context.core = this;
  context.worker_index = index;
  current_thread_context = &context;
  name_this_thread(thread_name_prefix_, std::to_string(index));
  if (start_up != nullptr) start_up->initialize();
  work(context);
  context.core = nullptr;
  context.worker_index = std::nullopt;
  current_thread_context = nullptr;
  left_pool = {this, serial()};
  JobMemory::flush_thread();
}

template <class Order>
void PoolCore<Order>::work(ThreadContext& context) noexcept {
  const std::size_t worker = *context.worker_index;
  bool has_worked = false;      // since it last looked in vain
  std::size_t batch_limit = 0;  // no batches until it has seen how long jobs take
  JobStack::Frame frame(context.running);
  unique_lock lock(mutex_);
  for (;;) {
    // Never the last reference: this thread holds one.
    if (settle_locked(std::exchange(context.finished_jobs, 0))) release();
    if (workers_done_locked()) break;
    if (const Taken taken = take_locked(worker, batch_limit); taken.job != nullptr) {
      const bool fills = taken.has_batch || !queue_.empty();  // faster than this worker empties it
      const bool wakes = (fills || sleeper_could_steal_locked()) && begin_wake_locked();
      if (++workers_busy_ == workers_alive_) waits_.all_busy_locked();
      lock.unlock();
      if (wakes) wake();
      if (fills) {
        const auto start = steady_clock::now();
        const std::size_t count = run(taken, worker, frame);
        batch_limit = batch_limit_for((steady_clock::now() - start) / count);
        pace();
      } else {
        run(taken, worker, frame);
      }
      lock_spinning(lock);
      --workers_busy_;
      if (taken.has_batch) batches_.emptied_locked();
      has_worked = true;
    } else if (std::exchange(has_worked, false) && !workers_.any_spins_locked()) {
      spin(lock);
    } else {
      workers_.sleep_locked(lock);
    }
  }
  --workers_alive_;
  if (workers_alive_ <= 1) exit_condition_.notify_all();  // a joiner may be a worker itself
  if (workers_alive_ == 0) callbacks_.wake_locked();      // or the callback thread
  const bool others_sleep = workers_.sleepers_locked() != 0;
  lock.unlock();
  if (others_sleep) workers_.notify_one();
}

/// From a deep queue a worker takes several calls together, into its batch: of its share, were the
/// queue divided among the workers that are awake, half, but not more than the limit.
template <class Order>
Batches::Taken PoolCore<Order>::take_locked(std::size_t worker, std::size_t batch_limit) noexcept {
  if (batches_.in_use_locked()) {
    const Taken taken =
        queue_.empty() ? batches_.steal_locked(worker) : batches_.rescue_locked(worker);
    if (taken.job != nullptr) return taken;
  }
  Job* const first = queue_.take();
  if constexpr (TaskQueue<Order>::kMayBatch) {
    if (first != nullptr && batch_limit != 0 && first->kind() == Job::Kind::call) {
      Job* jobs[Batch::kCapacity];
      const std::size_t share = queue_.size() / (2 * (size() - workers_.sleepers_locked()));
      const std::size_t count = queue_.take_calls(jobs, (std::min)(share, batch_limit));
      if (count != 0) {
        batches_.fill_locked(worker, jobs, count);
        return {.job = first, .has_batch = true};
      }
    }
  }
  return {.job = first};
}

/// Runs the job and what is in the batch; returns how many.
template <class Order>
std::size_t PoolCore<Order>::run(const Taken& taken, std::size_t worker,
                                 JobStack::Frame& frame) noexcept {
  frame.job = taken.job;
  taken.job->run();
  std::size_t count = 1;
  if (!taken.has_batch) return count;
  for (; Job* const job = batches_.take(worker); ++count) {
    frame.job = job;
    job->run();
  }
  return count;
}

template <class Order>
std::size_t PoolCore<Order>::batch_limit_for(std::chrono::nanoseconds a_job) noexcept {
  const auto jobs = tuning::kBatchTime / (std::max)(a_job, std::chrono::nanoseconds(1));
  return std::min<std::size_t>(static_cast<std::size_t>(jobs), Batch::kCapacity);
}

/// Looks for more work without the mutex for a while. One worker at a time does: issuing work
/// need wake nobody then, as the spinner takes the mutex and looks at the queue when it is done.
template <class Order>
void PoolCore<Order>::spin(unique_lock& lock) noexcept {
  if (!spinning_pays()) return;
  workers_.set_spinning_locked(true);
  lock.unlock();
  spin_until([this] { return queue_.size() != 0 || state() != State::run; });
  lock_spinning(lock);
  workers_.set_spinning_locked(false);
}

/// A worker that empties the queue faster than it fills would meet the issuing thread at the mutex
/// for every task. So before it looks again it lets the queue grow, as long as it does.
template <class Order>
void PoolCore<Order>::pace() const noexcept {
  if (!spinning_pays()) return;
  std::size_t size = queue_.size();
  for (std::size_t look = 0; look != tuning::kPaceLooks && size < tuning::kPacedQueue; ++look) {
    for (std::size_t pauses = 0; pauses != tuning::kPausesALook; ++pauses) pause();
    if (queue_.size() <= size) return;
    size = queue_.size();
  }
}

/// If a worker sleeps and none is on its way: true, and the caller calls wake() after unlocking.
template <class Order>
bool PoolCore<Order>::begin_wake_locked() noexcept {
  if (!workers_.begin_wake_locked()) return false;
  add_ref();  // the work just queued may be done, and have destroyed the pool, before wake()
  return true;
}

/// The same after queueing a job; if it is the only one in the queue, a spinner will do.
template <class Order>
bool PoolCore<Order>::begin_wake_for_new_locked() noexcept {
  if (workers_.sleepers_locked() == 0) return false;
  return !(workers_.any_spins_locked() && queue_.size() == 1) && begin_wake_locked();
}

/// Without the mutex, so that the woken worker does not run into it.
template <class Order>
void PoolCore<Order>::wake() noexcept {
  workers_.notify_one();
  release();
}

template <class Order>
void PoolCore<Order>::submit(Job& job, bool with_callbacks) {
  bool wakes;
  {
    const SpinningLockGuard lock(mutex_);
    queue_.reserve_one();
    accept_locked(with_callbacks ? NeedsCallbacks::yes : NeedsCallbacks::no);
    queue_.push_back(job);
    wakes = begin_wake_for_new_locked();
  }
  if (wakes) wake();
}

template <class Order>
void PoolCore<Order>::submit(StreamJob& job) {
  std::list<StreamJob*> place{&job};
  bool wakes;
  {
    const lock_guard lock(mutex_);
    queue_.reserve_one();
    accept_locked(job, place);
    queue_.push_back(job);
    wakes = begin_wake_for_new_locked();
  }
  if (wakes) wake();
}

template <class Order>
void PoolCore<Order>::accept(bool with_callbacks) {
  const lock_guard lock(mutex_);
  accept_locked(with_callbacks ? NeedsCallbacks::yes : NeedsCallbacks::no);
}

template <class Order>
bool PoolCore<Order>::unlink(Job& job) noexcept {
  const lock_guard lock(mutex_);
  return queue_.erase(job);
}

template <class Order>
void PoolCore<Order>::requeue(Job& job, Place place) noexcept {
  bool wakes;
  {
    const SpinningLockGuard lock(mutex_);
    if (state() == State::terminate) return;
    job.add_ref();
    if (place == Place::back) {
      try {
        queue_.reserve_one();
      } catch (...) {
        place = Place::front;  // out of memory: better than not at all
      }
    }
    if (place == Place::front) {
      queue_.push_front(job);
    } else {
      queue_.push_back(job);
    }
    wakes = begin_wake_for_new_locked();
  }
  if (wakes) wake();
}

template <class Order>
void PoolCore<Order>::close() noexcept {
  if (!is_of_this_process()) return;
  const lock_guard lock(mutex_);
  if (state() != State::run) return;
  state_.store(State::close, memory_order_release);  // release: pairs with state()
  workers_.notify_one();                             // the first to leave wakes the next
  callbacks_.wake_locked();
}

/// Once the state is set nothing enters the queue or the list of imaps, and no worker takes
/// anything. Abandoning runs user code (destructors), so it goes job by job, without the mutex.
template <class Order>
void PoolCore<Order>::terminate() noexcept {
  if (!is_of_this_process()) return;
  const Ref<Core> self = Ref<Core>::share(this);  // a capture that dies here may own the pool
  CompletionScope scope(this);
  const auto abandon = [&](Job& job) {
    scope.set_job(&job);
    job.abandon(terminated_error());
  };
  {
    const lock_guard lock(mutex_);
    if (state() != State::terminate) {
      state_.store(State::terminate, memory_order_release);  // release: pairs with state()
      workers_.notify_one();                                 // the first to leave wakes the next
      callbacks_.wake_locked();
    }
  }
  request_stops();
  for (;;) {
    Ref<Job> job;
    {
      const lock_guard lock(mutex_);
      job = Ref<Job>::adopt(queue_.pop());
    }
    if (!job) break;
    abandon(*job);
  }
  while (const Ref<Job> job = Ref<Job>::adopt(batches_.drain())) abandon(*job);
  while (const Ref<StreamJob> job = pop_stream()) abandon(*job);
}

template <class Order>
void PoolCore<Order>::join() {
  check_process();
  introduce_thread();
  const Ref<Core> self = Ref<Core>::share(this);  // the pool may be destroyed meanwhile, by a task
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
template <class Order>
void PoolCore<Order>::join_or_detach() noexcept {
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
        return workers_alive_ == 0 && unfinished_ == 0 && !callbacks_.alive_locked();
      });
    }
  }
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

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_POOL_CORE_HPP
