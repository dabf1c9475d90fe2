// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CORE_HPP
#define MILLPOND_DETAIL_CORE_HPP

#include <millpond/detail/callback_thread.hpp>
#include <millpond/detail/config.hpp>
#include <millpond/detail/findable.hpp>
#include <millpond/detail/job.hpp>
#include <millpond/detail/process.hpp>
#include <millpond/detail/ref.hpp>
#include <millpond/detail/stop.hpp>
#include <millpond/detail/sync.hpp>
#include <millpond/detail/thread_context.hpp>
#include <millpond/detail/wait_graph.hpp>
#include <millpond/detail/worker_sleep.hpp>
#include <millpond/errors.hpp>
#include <millpond/state.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <list>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// What a job knows of its pool: everything that the pool object, its threads and its jobs share,
/// but for the order of the queue (PoolCore).
///
/// Life: counted. The pool object, each thread and each imap hold a reference; so do, together
/// as one, all unfinished jobs, and each result with an error that nobody has seen. So a core
/// outlives the pool object while a worker, or whoever cancels or abandons a job, is still at it.
///
/// Thread safety: all public members, from any thread, without locks held. mutex_ is the pool's
/// one mutex: the queue, the counts, the state and the callback list change under it, and every
/// sleeping thread of the pool sleeps with it. No user code runs under it.
class Core : public Findable {
 public:
  using ErrorHandler = std::function<void(std::exception_ptr)>;

  Core(std::size_t size, ErrorHandler on_unobserved_error)
      : size_(size), on_unobserved_error_(std::move(on_unobserved_error)) {
    JobMemory::add_pool();
  }
  ~Core() override { JobMemory::remove_pool(); }

  std::size_t size() const noexcept { return size_; }
  /// What becomes of work that has not started when the pool is terminated, or when it is
  /// cancelled. Made beforehand: neither must need memory.
  const std::exception_ptr& terminated_error() const noexcept { return terminated_error_; }
  const std::exception_ptr& cancelled_error() const noexcept { return cancelled_error_; }
  /// Whether a worker at a map looks at the queue after each chunk.
  virtual bool takes_turns() const noexcept = 0;
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
  /// than the one that has made the core.
  void introduce_thread() const noexcept {
    if (this_thread_ != &what_we_know_of_this_thread && current_thread_context == nullptr) {
      current_thread_context = this_thread_().context;
    }
  }

  /// A job that was accepted has become ready (or, for an imap, has run its last).
  void job_done() noexcept;

  /// Takes `job` out of the queue. True: it was there, and the queue's reference is the caller's.
  virtual bool unlink(Job& job) noexcept = 0;

  enum class Place : bool { front, back };
  /// Puts back an accepted job that is not queued; the queue takes a reference of its own.
  /// Does nothing on a terminated pool.
  virtual void requeue(Job& job, Place place) noexcept = 0;

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
  /// Under the pool's mutex: whether a worker is at no job, so that it takes what is queued.
  bool any_worker_free_locked() const noexcept {
    return state() != State::terminate && workers_busy_ != workers_alive_;
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
  /// A reference to a core that may be gone; null if it is.
  static Ref<Core> find_live(const Core* core, std::uint16_t serial) noexcept {
    return Ref<Core>::adopt(static_cast<Core*>(find(core, serial).detach()));
  }

  /// Sees to it that there is a callback thread to post() to, as long as some job is unfinished.
  /// False if none is. Throws std::system_error.
  bool need_callbacks();

  /// The same as report() for a core that may be gone: then stderr is told.
  static void report_to(const Core* core, std::uint16_t serial,
                        const std::exception_ptr& error) noexcept;

 protected:
  enum class NeedsCallbacks : bool { no, yes };

  /// Counts a new job in; the first check and the last of an issuing call. Throws ValueError if
  /// the pool does not run, std::system_error if it needs a callback thread that cannot start.
  void accept_locked(NeedsCallbacks needs_callbacks);
  void accept_locked(StreamJob& job, std::list<StreamJob*>& place);

  /// Counts finished jobs out and tells all sleepers if no more work can come.
  /// True: the reference that unfinished jobs hold is the caller's to release, after unlocking.
  [[nodiscard]] bool settle_locked(std::size_t finished) noexcept;

  /// Whether the calling thread was one of the pool's, and is about to end.
  bool is_left_by_this_thread() const noexcept {
    return left_pool.core == this && left_pool.serial == serial();
  }

  /// Whether workers can go.
  bool workers_done_locked() const noexcept {
    return state() == State::terminate || (state() == State::close && unfinished_ == 0);
  }

  /// Takes a live imap off the list, with a reference.
  Ref<StreamJob> pop_stream() noexcept;

  /// Runs stop callbacks of the user's, so without the mutex.
  void request_stops() noexcept;

  [[noreturn]] MILLPOND_COLD static void throw_not_running();
  MILLPOND_COLD void start_callback_thread_locked();
  void run_callback_thread() noexcept;

  /// Runs callbacks, here, as they come, until `done()`, which is called under the mutex.
  template <class Done>
  void serve_callbacks(unique_lock& lock, Done done) noexcept;

  mutable mutex mutex_;
  atomic<State> state_{State::run};  // written under mutex_
  std::size_t unfinished_ = 0;
  std::size_t workers_alive_ = 0;
  std::size_t workers_busy_ = 0;       // those that have taken a job
  WorkerSleep workers_;                // until work has come, or they can go
  condition_variable exit_condition_;  // joiners: a thread is about to end, or all is finished
  WaitGraph waits_{mutex_};
  CallbackThread callbacks_{mutex_, waits_};

 private:
  friend ThisThread this_thread_of(const Core& core) noexcept;

  static void print(const std::exception_ptr& error) noexcept;
  virtual void name_callback_thread() noexcept = 0;

  const std::size_t size_;
  const Process::Id process_ = Process::id();
  ThisThread (*const this_thread_)() noexcept = &what_we_know_of_this_thread;
  const ErrorHandler on_unobserved_error_;
  const std::exception_ptr terminated_error_ =
      std::make_exception_ptr(TerminatedError("Pool terminated"));
  const std::exception_ptr cancelled_error_ =
      std::make_exception_ptr(CancelledError("The task was cancelled"));
#if MILLPOND_HAS_STOP_TOKEN
  StopList stops_;  // of unfinished jobs
#endif
  std::list<StreamJob*> streams_;  // imaps that may still read
  atomic<bool> look_ahead_unlimited_{false};
};

inline ThisThread this_thread_of(const Core& core) noexcept { return core.this_thread_(); }

#if MILLPOND_HAS_STOP_TOKEN
inline void Core::add_stop(StopSource& source) noexcept {
  {
    const lock_guard lock(mutex_);
    if (state() != State::terminate) return stops_.insert(source);
  }
  source.request();
}
#endif

inline void Core::request_stops() noexcept {
#if MILLPOND_HAS_STOP_TOKEN
  for (stop_source source(std::nostopstate);; source.request_stop()) {
    const lock_guard lock(mutex_);
    if (!stops_.pop(source)) return;
  }
#endif
}

inline void Core::job_done() noexcept {
  ThreadContext* const context = context_in(this);
  if (context != nullptr && !context->is_callback_thread()) {
    ++context->finished_jobs;  // settled when this worker next takes the mutex
    return;
  }
  bool last;
  {
    const lock_guard lock(mutex_);
    last = settle_locked(1);
  }
  if (last) release();
}

inline bool Core::settle_locked(std::size_t finished) noexcept {
  if (finished == 0) return false;
  unfinished_ -= finished;
  if (unfinished_ != 0) return false;
  if (state() != State::run) {
    workers_.notify_one();  // the first to leave wakes the next
    callbacks_.wake_locked();
    exit_condition_.notify_all();
  }
  return true;
}

inline void Core::accept_locked(NeedsCallbacks needs_callbacks) {
  if (state_.load(memory_order_relaxed) != State::run) throw_not_running();
  if (needs_callbacks == NeedsCallbacks::yes && !callbacks_.started_locked()) {
    start_callback_thread_locked();
  }
  if (unfinished_++ == 0) add_ref();
}

inline bool Core::need_callbacks() {
  const lock_guard lock(mutex_);
  if (unfinished_ == 0) return false;
  if (!callbacks_.started_locked()) start_callback_thread_locked();
  return true;
}

inline void Core::throw_of_parent() { throw ValueError("Pool belongs to the parent process"); }
inline void Core::throw_not_running() { throw ValueError("Pool not running"); }

inline void Core::start_callback_thread_locked() {
  add_ref();
  try {
    callbacks_.start_locked([this] { run_callback_thread(); });
  } catch (...) {
    release();  // never the last: our caller holds one
    throw;
  }
}

inline void Core::accept_locked(StreamJob& job, std::list<StreamJob*>& place) {
  accept_locked(NeedsCallbacks::no);
  job.place_ = place.begin();
  job.listed_ = true;
  streams_.splice(streams_.end(), place);
}

inline void Core::forget(StreamJob& job) noexcept {
  std::list<StreamJob*> node;
  const lock_guard lock(mutex_);
  if (std::exchange(job.listed_, false)) node.splice(node.begin(), streams_, job.place_);
}

inline Ref<StreamJob> Core::pop_stream() noexcept {
  std::list<StreamJob*> node;
  const lock_guard lock(mutex_);
  if (streams_.empty()) return {};
  node.splice(node.begin(), streams_, streams_.begin());
  node.front()->listed_ = false;
  return Ref<StreamJob>::share(node.front());
}

/// Every imap's decision to stop reading ahead is made under its own mutex, which lift_limit()
/// takes after the flag is set: so each sees the flag, or is found by us to have stopped.
inline void Core::lift_look_ahead_limit() noexcept {
  // release: who sees it may know that join() has begun, and destroy the pool in a task.
  look_ahead_unlimited_.store(true, memory_order_release);
  std::size_t left;
  {
    const lock_guard lock(mutex_);
    left = streams_.size();  // no new ones come: the pool is closed
  }
  for (; left != 0; --left) {
    Ref<StreamJob> job;
    {
      const lock_guard lock(mutex_);
      if (streams_.empty()) return;
      job = Ref<StreamJob>::share(streams_.front());
      streams_.splice(streams_.end(), streams_, streams_.begin());  // next time the next one
    }
    job->lift_limit();
  }
}

template <class Done>
void Core::serve_callbacks(unique_lock& lock, Done done) noexcept {
  callbacks_.serve(lock, done, [this] {
    if (state() != State::run) exit_condition_.notify_all();
  });
}

inline void Core::run_callback_thread() noexcept {
  const Ref<Core> self = Ref<Core>::adopt(this);
  thread_local constinit ThreadContext context{nullptr};
  context.core = this;
  current_thread_context = &context;
  name_callback_thread();
  {
    unique_lock lock(mutex_);
    serve_callbacks(lock, [this] { return state() != State::run && unfinished_ == 0; });
    callbacks_.end_locked();
    exit_condition_.notify_all();
  }
  context.core = nullptr;
  current_thread_context = nullptr;
  left_pool = {this, serial()};
}

inline void Core::report(const std::exception_ptr& error) const noexcept {
  if (!on_unobserved_error_) return print(error);
  try {
    on_unobserved_error_(error);
  } catch (...) {
    print(std::current_exception());
  }
}

inline void Core::report_to(const Core* core, std::uint16_t serial,
                            const std::exception_ptr& error) noexcept {
  if (const Ref<Core> live = find_live(core, serial)) {
    live->report(error);
  } else {
    print(error);
  }
}

inline void Core::print(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "millpond: unobserved error in a task: %s\n", exception.what());
  } catch (...) {
    std::fputs("millpond: unobserved error in a task: not a std::exception\n", stderr);
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CORE_HPP
