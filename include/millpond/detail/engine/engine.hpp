// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_ENGINE_HPP
#define MILLPOND_DETAIL_ENGINE_ENGINE_HPP

#include <millpond/detail/engine/findable.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/queue_order.hpp>
#include <millpond/detail/engine/stop_list.hpp>
#include <millpond/detail/engine/thread_context.hpp>
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
#include <string>

namespace millpond::inline MILLPOND_ABI::detail {

/// What pools, jobs and results see of the engine: all that the pool object, its threads and its
/// jobs share. PoolEngine is the only one there is; that it is not seen here is what lets a program
/// compile it once (src/millpond.cpp).
///
/// Life: counted. The pool object, each thread and each imap hold a reference; so do, together as
/// one, the jobs that are unfinished when the pool object goes, and each result with an error that
/// nobody has seen. So an engine outlives the pool object while a worker, or whoever cancels or
/// abandons a job, is still at it.
///
/// Thread safety: all public members, from any thread, without locks held.
class Engine : public Findable {
 public:
  using ErrorHandler = std::function<void(std::exception_ptr)>;

  /// With the first reference.
  static Ref<Engine> make(QueueOrder order, std::size_t size, ErrorHandler on_unobserved_error);

  std::size_t size() const noexcept { return size_; }
  /// What becomes of work that has not started when the pool is terminated, or when it is
  /// cancelled. Made beforehand: neither must need memory.
  const std::exception_ptr& terminated_error() const noexcept { return terminated_error_; }
  const std::exception_ptr& cancelled_error() const noexcept { return cancelled_error_; }
  /// Whether a worker at a map looks at the queue after each chunk.
  bool takes_turns() const noexcept { return takes_turns_; }
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
  virtual void start(std::string thread_name_prefix, const std::function<void()>& initializer) = 0;
  virtual void close() noexcept = 0;
  virtual void terminate() noexcept = 0;
  /// Throws ValueError on the pool's own threads and while running.
  virtual void join() = 0;
  /// join() for the destructor, after terminate(): on one of the pool's own threads leaves that
  /// one to end by itself.
  virtual void join_or_detach() noexcept = 0;
  /// The pool object is about to give up its reference.
  virtual void orphan() noexcept = 0;

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
  virtual void submit(Job& job, const Submission& submission) = 0;
  virtual void submit(StreamJob& job) = 0;

  /// Counts in a new job that needs no worker. Throws like submit().
  virtual void accept(bool has_callbacks) = 0;

  /// A job that was accepted has become ready (or, for an imap, has run its last). `unwatched`: it
  /// had no handle any more.
  virtual void job_done(bool unwatched = false) noexcept = 0;

  /// For a worker that has taken an entry of a map, with priorities: puts it back for whoever comes
  /// next.
  virtual void put_back(Job& job, const Rank& rank) noexcept = 0;

  /// Takes an entry of the job out of the calling worker's own lane if it is the youngest there: it
  /// is the caller's then. Only for a job that is claimed, or that the caller claims next. `engine`
  /// may be gone.
  static bool take_back_entry(Engine* engine, const Job& job) noexcept {
    const ThreadContext* const context = context_in(engine);
    return context != nullptr && context->worker != nullptr && !engine->takes_turns() &&
           engine->take_back_youngest(*context->worker, job);
  }

  enum class Place : bool { front, back };
  /// Puts back an accepted imap that has no entry in the queue; the queue takes a reference of its
  /// own. At the front it goes on with its turn. Does nothing on a terminated pool.
  virtual void requeue(StreamJob& job, Place place) noexcept = 0;
  /// Takes it out of the queue. True: it was there, and the queue's reference is the caller's.
  virtual bool unlink(StreamJob& job) noexcept = 0;

  /// Whether imaps read on though nobody takes their results (a closed pool is being joined).
  bool look_ahead_unlimited() const noexcept {
    // acquire: pairs with lift_look_ahead_limit().
    return look_ahead_unlimited_.load(memory_order_acquire);
  }
  /// An imap that will not read any more.
  virtual void forget(StreamJob& job) noexcept = 0;

  /// Has the job's callback run on the callback thread.
  virtual void post_callback(Job& job) noexcept = 0;
  /// Sees to it that there is a callback thread to post to, as long as some job is unfinished.
  /// False if none is. Throws std::system_error.
  virtual bool need_callbacks() = 0;

#if MILLPOND_HAS_STOP_TOKEN
  /// From now until it is removed, terminate() requests stop of it; at once if terminated already.
  virtual void add_stop(StopSource& source) noexcept = 0;
  virtual void remove_stop(StopSource& source) noexcept = 0;
#endif

  /// Tells on_unobserved_error.
  virtual void report(const std::exception_ptr& error) const noexcept = 0;
  /// The same for an engine that may be gone: then stderr is told.
  static void report_to(const Engine* engine, std::uint16_t serial,
                        const std::exception_ptr& error) noexcept;

 protected:
  Engine(bool takes_turns, std::size_t size)
      : size_(size), takes_turns_(takes_turns), this_thread_(&what_we_know_of_this_thread) {}
  ~Engine() override = default;

  [[noreturn]] MILLPOND_COLD static void throw_not_running();

 private:
  friend class PoolEngine;
  friend ThisThread this_thread_of(const Engine& engine) noexcept;

  virtual bool take_back_youngest(Worker& worker, const Job& job) noexcept = 0;

  const std::size_t size_;
  const bool takes_turns_;
  const Process::Id process_ = Process::id();
  ThisThread (*const this_thread_)() noexcept;
  const std::exception_ptr terminated_error_ =
      std::make_exception_ptr(TerminatedError("Pool terminated"));
  const std::exception_ptr cancelled_error_ =
      std::make_exception_ptr(CancelledError("The task was cancelled"));
  atomic<State> state_{State::run};  // written under PoolEngine's mutex
  atomic<bool> look_ahead_unlimited_{false};
};

inline ThisThread this_thread_of(const Engine& engine) noexcept { return engine.this_thread_(); }

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_ENGINE_HPP
