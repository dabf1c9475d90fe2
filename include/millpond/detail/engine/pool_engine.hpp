// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_POOL_ENGINE_HPP
#define MILLPOND_DETAIL_ENGINE_POOL_ENGINE_HPP

#include <millpond/detail/engine/callback_thread.hpp>
#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/job_memory.hpp>
#include <millpond/detail/engine/job_queue.hpp>
#include <millpond/detail/engine/queue_order.hpp>
#include <millpond/detail/engine/start_up.hpp>
#include <millpond/detail/engine/stop_list.hpp>
#include <millpond/detail/engine/stream_list.hpp>
#include <millpond/detail/engine/tally.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/engine/wait_graph.hpp>
#include <millpond/detail/engine/worker.hpp>
#include <millpond/detail/engine/worker_sleep.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/errors.hpp>
#include <millpond/state.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// The engine: the queue, the workers that empty it, and the pool's state machine.
///
/// Who wakes whom is written up in docs/design/wakeup.md.
///
/// Thread safety: mutex_ guards the state, the callback list, the lists of imaps and of stop
/// sources, and who waits for whom; the queue has locks of its own. No user code runs under any.
class PoolEngine final : public Engine {
 public:
  PoolEngine(QueueOrder order, std::size_t size, ErrorHandler on_unobserved_error)
      : Engine(order == QueueOrder::priority, size),
        on_unobserved_error_(std::move(on_unobserved_error)),
        workers_(std::make_unique<Worker[]>(size)),
        queue_(order, size),
        sleep_(size) {
    JobMemory::add_pool();
  }
  ~PoolEngine() override { JobMemory::remove_pool(); }

  static PoolEngine& of(Engine& engine) noexcept { return static_cast<PoolEngine&>(engine); }

  void start(std::string thread_name_prefix, const std::function<void()>& initializer) override;
  void close() noexcept override;
  void terminate() noexcept override;
  void join() override;
  void join_or_detach() noexcept override;
  void orphan() noexcept override;

  void submit(Job& job, const Submission& submission) override;
  void submit(StreamJob& job) override;
  void accept(bool has_callbacks) override;
  void job_done(bool unwatched) noexcept override;
  void put_back(Job& job, const Rank& rank) noexcept override;
  void requeue(StreamJob& job, Place place) noexcept override;
  bool unlink(StreamJob& job) noexcept override {
    const lock_guard lock(queue_.imap_mutex());
    return queue_.erase_locked(job);
  }
  void forget(StreamJob& job) noexcept override;

  void post_callback(Job& job) noexcept override { callbacks_.post(job); }
  bool need_callbacks() override;
#if MILLPOND_HAS_STOP_TOKEN
  void add_stop(StopSource& source) noexcept override;
  void remove_stop(StopSource& source) noexcept override {
    const lock_guard lock(mutex_);
    stops_.erase(source);
  }
#endif
  void report(const std::exception_ptr& error) const noexcept override;

  /// Who runs callbacks.
  CallbackThread& callbacks() noexcept { return callbacks_; }
  /// Who waits for what.
  WaitGraph& waits() noexcept { return waits_; }
  /// Whether a worker is at no job, so that it takes what is queued.
  bool any_worker_free() const noexcept {
    return state() != State::terminate && sleep_.idle() != 0;
  }

 private:
  // ---- Accounting ----

  /// Jobs that were accepted and are not finished; callbacks included. Never too small. Exact for
  /// whoever knows that nothing is accepted or finished meanwhile, and for the last of several that
  /// finish something and take a turn (WorkerSleep::take_turn()) before they ask.
  std::size_t unfinished() const noexcept;
  void finish_elsewhere() noexcept;
  /// If nothing can come any more: lets all threads go.
  void check_finished_locked() noexcept;
  /// True: the reference that unfinished jobs hold is the caller's to release, after unlocking.
  [[nodiscard]] bool settle_locked() noexcept {
    return orphaned_ && unfinished() == 0 && std::exchange(orphaned_, false);
  }

  // ---- Workers ----

  bool take_back_youngest(Worker& worker, const Job& job) noexcept override {
    return queue_.lanes().pop_back(worker.lane, job);
  }
  void run_worker(std::size_t index, StartUp* start_up) noexcept;
  void work(ThreadContext& context) noexcept;
  Job* search(Worker& worker) noexcept;
  void leave_as_worker() noexcept;
  bool may_leave() const noexcept {
    return may_leave_.load(memory_order_acquire) || state() == State::terminate;
  }
  /// What is to be done when a job was added, without locks.
  enum class AfterAdding : char { nothing, wake, wake_and_release, abandon };
  AfterAdding add(Job& job, const Submission& submission);
  AfterAdding add_own(Worker& worker, Job& job, std::size_t entries);
  void after_adding(AfterAdding after) noexcept;
  MILLPOND_COLD void after_failing() noexcept;
  bool requeue_in_lane(StreamJob& job) noexcept;
  void abandon_queued() noexcept;

  // ---- The rest ----

  /// Whether the calling thread was one of the pool's, and is about to end.
  bool is_left_by_this_thread() const noexcept {
    return left_pool.engine == this && left_pool.serial == serial();
  }
  void lift_look_ahead_limit() noexcept;
  /// Takes a live imap off the list, with a reference.
  Ref<StreamJob> pop_stream() noexcept;
  /// Runs stop callbacks of the user's, so without the mutex.
  void request_stops() noexcept;

  void check_state() const {
    if (state_.load(memory_order_relaxed) != State::run) throw_not_running();
  }
  MILLPOND_COLD void start_callback_thread();
  MILLPOND_COLD void start_callback_thread_locked();
  void run_callback_thread() noexcept;
  /// Runs callbacks, here, as they come, until `done()`, which is called under the mutex.
  template <class Done>
  void serve_callbacks(unique_lock& lock, Done done) noexcept;

  const ErrorHandler on_unobserved_error_;
  std::string thread_name_prefix_;

  const std::unique_ptr<Worker[]> workers_;
  JobQueue queue_;
  WorkerSleep sleep_;
  atomic<bool> may_leave_{false};  // nothing is unfinished, and nothing can come

  mutable mutex mutex_;
  Tally accepted_elsewhere_;  // written under mutex_, as is the next
  Tally finished_elsewhere_;
  bool all_issued_ = false;  // the pool is closed or terminated, and all doors have been passed
  bool orphaned_ = false;    // the pool object is gone, and unfinished jobs hold a reference
  std::size_t workers_alive_ = 0;
  condition_variable exit_condition_;  // joiners: a thread is about to end, or all is finished
  WaitGraph waits_{mutex_};
  CallbackThread callbacks_{mutex_, waits_};
#if MILLPOND_HAS_STOP_TOKEN
  StopList stops_;  // of unfinished jobs
#endif
  StreamList streams_;  // imaps that may still read

  std::vector<thread> threads_;
  mutex join_mutex_;  // one thread at a time joins
};

// ---- What engine.hpp declares ----

MILLPOND_INLINE Ref<Engine> Engine::make(QueueOrder order, std::size_t size,
                                         ErrorHandler on_unobserved_error) {
  return Ref<Engine>::adopt(new PoolEngine(order, size, std::move(on_unobserved_error)));
}

MILLPOND_INLINE void Engine::throw_of_parent() {
  throw ValueError("Pool belongs to the parent process");
}
MILLPOND_INLINE void Engine::throw_not_running() { throw ValueError("Pool not running"); }

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_POOL_ENGINE_HPP
