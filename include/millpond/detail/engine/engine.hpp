// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_ENGINE_HPP
#define MILLPOND_DETAIL_ENGINE_ENGINE_HPP

#include <millpond/detail/engine/callback_thread.hpp>
#include <millpond/detail/engine/findable.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/job_queue.hpp>
#include <millpond/detail/engine/start_up.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/engine/wait_graph.hpp>
#include <millpond/detail/engine/worker.hpp>
#include <millpond/detail/engine/worker_sleep.hpp>
#include <millpond/detail/engine/stop_list.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/process.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/errors.hpp>
#include <millpond/state.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// The engine: the queue, the workers that empty it, and the pool's state machine. All that the
/// pool object, its threads and its jobs share.
///
/// Who wakes whom is written up in docs/design/wakeup.md.
///
/// Life: counted. The pool object, each thread and each imap hold a reference; so do, together as
/// one, the jobs that are unfinished when the pool object goes, and each result with an error that
/// nobody has seen. So an engine outlives the pool object while a worker, or whoever cancels or
/// abandons a job, is still at it.
///
/// Thread safety: all public members, from any thread, without locks held. mutex_ guards the state,
/// the callback list, the lists of imaps and of stop sources, and who waits for whom; the queue has
/// locks of its own. No user code runs under any.
class Engine final : public Findable {
 public:
  using ErrorHandler = std::function<void(std::exception_ptr)>;

  Engine(QueueOrder order, std::size_t size, ErrorHandler on_unobserved_error)
      : size_(size),
        on_unobserved_error_(std::move(on_unobserved_error)),
        workers_(std::make_unique<Worker[]>(size)),
        queue_(order, size),
        sleep_(size) {
    JobMemory::add_pool();
  }
  ~Engine() override { JobMemory::remove_pool(); }

  std::size_t size() const noexcept { return size_; }
  /// What becomes of work that has not started when the pool is terminated, or when it is
  /// cancelled. Made beforehand: neither must need memory.
  const std::exception_ptr& terminated_error() const noexcept { return terminated_error_; }
  const std::exception_ptr& cancelled_error() const noexcept { return cancelled_error_; }
  /// Whether a worker at a map looks at the queue after each chunk.
  bool takes_turns() const noexcept { return queue_.is_by_priority(); }
  State state() const noexcept { return state_.load(memory_order_acquire); }

  /// Throws ValueError unless running, and here.
  void check_running() const {
    check_process();
    if (state() != State::run) throw_not_running();
  }

  /// Where it was made. In a child of that process it is dead: it has no threads, a mutex may be
  /// locked for ever, and nothing but the following may be called.
  Process::Id process() const noexcept { return process_; }
  bool is_of_this_process() const noexcept { return Process::is_this(process_); }
  void check_process() const {
    if (!is_of_this_process()) throw_of_parent();
  }
  [[noreturn]] MILLPOND_COLD static void throw_of_parent();

  /// Lets this module know the calling thread, if it is one of a pool's and this is another module
  /// than the one that has made the engine.
  void introduce_thread() const noexcept {
    if (this_thread_ != &what_we_know_of_this_thread && current_thread_context == nullptr) {
      current_thread_context = this_thread_().context;
    }
  }

  // ---- Life of the pool ----

  /// Starts all workers; with an initializer, returns when each has run it. Throws what stopped
  /// it, after joining what was started.
  void start(std::string thread_name_prefix, const std::function<void()>& initializer);
  void close() noexcept;
  void terminate() noexcept;
  /// Throws ValueError on the pool's own threads and while running.
  void join();
  /// join() for the destructor, after terminate(): on one of the pool's own threads leaves that
  /// one to end by itself.
  void join_or_detach() noexcept;
  /// The pool object is about to give up its reference.
  void orphan() noexcept;

  // ---- Work ----

  /// Queues a new job with so many entries: one, or as many as workers can be at a map. Throws
  /// ValueError if the pool does not run, std::bad_alloc, std::system_error if it needs a callback
  /// thread that cannot start; then the job is still wholly the caller's.
  struct Submission {
    std::size_t entries = 1;
    int priority = 0;
    bool has_callbacks = false;
    Rank* rank = nullptr;  // where the entries stand is written there
  };
  void submit(Job& job, const Submission& submission);
  void submit(StreamJob& job);

  /// Counts in a new job that needs no worker. Throws like submit().
  void accept(bool has_callbacks);

  /// A job that was accepted has become ready (or, for an imap, has run its last). `unwatched`: it
  /// had no handle any more.
  void job_done(bool unwatched = false) noexcept;

  /// For a worker that has taken an entry of a map, with priorities: puts it back for whoever comes
  /// next.
  void put_back(Job& job, const Rank& rank) noexcept;

  /// Takes an entry of the job out of the calling worker's own lane if it is the youngest there: it
  /// is the caller's then. Only for a job that is claimed, or that the caller claims next. `engine`
  /// may be gone.
  static bool take_back_entry(Engine* engine, const Job& job) noexcept {
    const ThreadContext* const context = context_in(engine);
    return context != nullptr && context->worker != nullptr && !engine->takes_turns() &&
           engine->queue_.lanes().pop_back(context->worker->lane, job);
  }

  enum class Place : bool { front, back };
  /// Puts back an accepted imap that has no entry in the queue; the queue takes a reference of its
  /// own. At the front it goes on with its turn. Does nothing on a terminated pool.
  void requeue(StreamJob& job, Place place) noexcept;
  /// Takes it out of the queue. True: it was there, and the queue's reference is the caller's.
  bool unlink(StreamJob& job) noexcept {
    const lock_guard lock(queue_.imap_mutex());
    return queue_.erase_locked(job);
  }

  /// Whether imaps read on though nobody takes their results (a closed pool is being joined).
  bool look_ahead_unlimited() const noexcept {
    return look_ahead_unlimited_.load(memory_order_acquire);  // pairs with lift_look_ahead_limit()
  }
  void lift_look_ahead_limit() noexcept;
  void forget(StreamJob& job) noexcept;

  /// Who runs callbacks.
  CallbackThread& callbacks() noexcept { return callbacks_; }
  /// Who waits for what.
  WaitGraph& waits() noexcept { return waits_; }
  /// Whether a worker is at no job, so that it takes what is queued.
  bool any_worker_free() const noexcept {
    return state() != State::terminate && sleep_.idle() != 0;
  }

#if MILLPOND_HAS_STOP_TOKEN
  /// From now until it is removed, terminate() requests stop of it; at once if terminated already.
  void add_stop(StopSource& source) noexcept;
  void remove_stop(StopSource& source) noexcept {
    const lock_guard lock(mutex_);
    stops_.erase(source);
  }
#endif

  /// Tells on_unobserved_error.
  void report(const std::exception_ptr& error) const noexcept;
  /// A reference to an engine that may be gone; null if it is.
  static Ref<Engine> find_live(const Engine* engine, std::uint16_t serial) noexcept {
    return Ref<Engine>::adopt(static_cast<Engine*>(find(engine, serial).detach()));
  }

  /// Sees to it that there is a callback thread to post() to, as long as some job is unfinished.
  /// False if none is. Throws std::system_error.
  bool need_callbacks();

  /// The same as report() for an engine that may be gone: then stderr is told.
  static void report_to(const Engine* engine, std::uint16_t serial,
                        const std::exception_ptr& error) noexcept;

 private:
  friend ThisThread this_thread_of(const Engine& engine) noexcept;

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
  bool requeue_in_lane(StreamJob& job) noexcept;
  void abandon_queued() noexcept;

  // ---- The rest ----

  /// Whether the calling thread was one of the pool's, and is about to end.
  bool is_left_by_this_thread() const noexcept {
    return left_pool.engine == this && left_pool.serial == serial();
  }
  /// Takes a live imap off the list, with a reference.
  Ref<StreamJob> pop_stream() noexcept;
  /// Runs stop callbacks of the user's, so without the mutex.
  void request_stops() noexcept;

  void check_state() const {
    if (state_.load(memory_order_relaxed) != State::run) throw_not_running();
  }
  [[noreturn]] MILLPOND_COLD static void throw_not_running();
  MILLPOND_COLD void start_callback_thread();
  MILLPOND_COLD void start_callback_thread_locked();
  void run_callback_thread() noexcept;
  /// Runs callbacks, here, as they come, until `done()`, which is called under the mutex.
  template <class Done>
  void serve_callbacks(unique_lock& lock, Done done) noexcept;

  static void print(const std::exception_ptr& error) noexcept;

  const std::size_t size_;
  const Process::Id process_ = Process::id();
  ThisThread (*const this_thread_)() noexcept = &what_we_know_of_this_thread;
  const ErrorHandler on_unobserved_error_;
  const std::exception_ptr terminated_error_ =
      std::make_exception_ptr(TerminatedError("Pool terminated"));
  const std::exception_ptr cancelled_error_ =
      std::make_exception_ptr(CancelledError("The task was cancelled"));
  std::string thread_name_prefix_;

  const std::unique_ptr<Worker[]> workers_;
  JobQueue queue_;
  WorkerSleep sleep_;
  atomic<State> state_{State::run};  // written under mutex_
  atomic<bool> may_leave_{false};    // nothing is unfinished, and nothing can come
  atomic<bool> look_ahead_unlimited_{false};

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
  std::list<StreamJob*> streams_;  // imaps that may still read

  std::vector<thread> threads_;
  mutex join_mutex_;  // one thread at a time joins
};

inline ThisThread this_thread_of(const Engine& engine) noexcept { return engine.this_thread_(); }

inline void Engine::throw_of_parent() { throw ValueError("Pool belongs to the parent process"); }
inline void Engine::throw_not_running() { throw ValueError("Pool not running"); }

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_ENGINE_HPP
