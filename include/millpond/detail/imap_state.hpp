// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_STATE_HPP
#define MILLPOND_DETAIL_IMAP_STATE_HPP

#include <millpond/detail/chunk_front.hpp>
#include <millpond/detail/config.hpp>
#include <millpond/detail/core.hpp>
#include <millpond/detail/deadline.hpp>
#include <millpond/detail/imap_readers.hpp>
#include <millpond/detail/job.hpp>
#include <millpond/detail/outcome.hpp>
#include <millpond/detail/ref.hpp>
#include <millpond/detail/spin.hpp>
#include <millpond/detail/sync.hpp>
#include <millpond/detail/thread_context.hpp>
#include <millpond/errors.hpp>

#include <cstddef>
#include <exception>
#include <list>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// What an imap of a function that returns R yields.
template <class R>
using imap_value_t = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

/// An imap as its reader and its pool see it: everything but the types of function and input,
/// which ImapJob adds. It is one entry in the queue; a worker that takes it reads one chunk of
/// input, puts the entry back for the next worker, and runs the chunk.
///
/// Where reading stands, guarded by mutex_ (protocol and proof: docs/design/imap.md):
///
///   queued     an entry is in the pool's queue, or in the hands of a worker that just took it
///   advancing  one thread reads the input, without locks
///   full       the look-ahead window is full: parked until next() yields, or lift_limit()
///   over       nothing will be read any more: the input has ended or was given up
///
/// Once reading is over and no chunk is running, the function and the input are destroyed and the
/// job is finished; only then does the reader see the end.
///
/// Lock order: mutex_, then the pool's. No user code runs under either.
/// Thread safety: all public members, from any thread. May be used from the pool's own tasks.
template <class Value>
class ImapState : public StreamJob {
 public:
  /// The next value; none at the end. Throws the item's error; after the last item the input's, or
  /// TerminatedError if the pool was terminated before the input's end, once; TimeoutError.
  /// On a thread of the pool runs the item that it waits for if that has not started. On a
  /// terminated pool gives up what has not started itself, and does not wait for terminate() to.
  std::optional<Value> next(Deadline deadline);

  /// The reader goes: gives up what has not started. Does not block.
  void drop() noexcept {
    if (!core_->is_of_this_process()) return;
    const CompletionScope scope(core_.get(), this);
    give_up(false);
  }

  /// Tells of an error that the reader has taken and not looked at.
  void report(const std::exception_ptr& error) const noexcept { core_->report(error); }

  void run() noexcept final;
  void abandon(const std::exception_ptr&) noexcept final { give_up(true); }
  void lift_limit() noexcept final;

 protected:
  using Slot = Outcome<Value>;

  /// Items that were read together, and are run one after another by one thread.
  struct Chunk {
    std::vector<Slot> slots;                       // grows while it runs
    bool done = false;                             // all slots are set; guarded by mutex_
    atomic<std::size_t> emptied = 0;               // slots that readers are through with
    typename std::list<Chunk>::iterator position;  // its own; set when it is in front_
  };
  using Chunks = std::list<Chunk>;
  using ChunkPosition = typename Chunks::iterator;

  ImapState(Core& core, bool ordered, std::size_t buffersize)
      : core_(Ref<Core>::share(&core)), ordered_(ordered), buffersize_(buffersize) {}
  ~ImapState() override;

  Core& core() const noexcept { return *core_; }

  /// Reads a chunk of input (into `spare` if there is one) and runs it, by way of commit() and
  /// publish(). Called by the one thread that is advancing.
  virtual void step(Chunks spare) noexcept = 0;

  /// Destroys the function and the input.
  virtual void destroy_work() noexcept = 0;

  /// Ends advancing. If it read items they count as running until publish() or discard(), which is
  /// for those that were given up meanwhile (no chunk).
  std::optional<ChunkPosition> commit(Chunks& chunk, bool has_items, bool has_more,
                                      std::exception_ptr input_error) noexcept;
  void publish(ChunkPosition chunk) noexcept;
  void discard() noexcept;

 private:
  enum class Reading { queued, advancing, full, over };
  enum class Termination { none, not_told, told };  // by terminate(), before the input's end

  using Front = ChunkFront<Chunk, Slot>;

  /// Whether there is something for readers; puts the next chunk in front if it is time.
  bool available_locked() noexcept;
  void note_to_be_had_locked() noexcept { readers_.note_locked(available_locked() || finished_); }
  bool window_open_locked() const noexcept {
    return window_ < buffersize_ || core_->look_ahead_unlimited();
  }
  bool finishes_locked() const noexcept { return reading_ == Reading::over && running_ == 0; }

  std::optional<Value> yield(const typename Front::Claim& claim);
  void recycle(ChunkPosition chunk) noexcept;
  std::optional<Value> end(unique_lock& lock);
  static bool is_termination(const std::exception_ptr& error) noexcept;
  /// Something is available, or it is finished.
  void wake_readers_locked() noexcept {
    note_to_be_had_locked();
    readers_.wake_all_locked();
  }
  void requeue_locked(Core::Place place) noexcept;
  [[nodiscard]] Chunks start_advancing(unique_lock& lock) noexcept;
  void give_up(bool terminated) noexcept;
  void finish() noexcept;

  const Ref<Core> core_;
  const bool ordered_;
  const std::size_t buffersize_;  // chunks

  mutex mutex_;  // guards all that follows
  Reading reading_ = Reading::queued;
  bool given_up_ = false;
  bool finished_ = false;
  Termination termination_ = Termination::none;
  std::exception_ptr input_error_;  // not yet told
  Chunks chunks_;                   // to be yielded: ordered, as read; else, as they get done
  Front front_;                     // the first of them, if it is done
  Chunks unordered_;                // running, and not in chunks_
  Chunks yielding_;                 // all slots claimed, not yet all emptied
  Chunks spare_;                    // empty ones, to be used again
  std::size_t turn_ = 0;            // chunks read since it was last put at the queue's back
  std::size_t window_ = 0;          // chunks read and not yet wholly claimed
  std::size_t running_ = 0;         // chunks committed, not yet published or discarded
  ImapReaders readers_{*this};
};

template <class Value>
std::optional<Value> ImapState<Value>::next(Deadline deadline) {
  if (const auto claim = front_.claim(); claim.chunk != nullptr) return yield(claim);
  core_->check_process();
  core_->introduce_thread();
  unique_lock lock(mutex_, std::defer_lock);
  lock_spinning(lock);
  bool timed_out = deadline.is_poll();
  bool has_spun = false;  // since it last slept
  for (;;) {
    if (available_locked()) {
      // Other readers may be faster, without the mutex.
      if (const auto claim = front_.claim(); claim.chunk != nullptr) {
        lock.unlock();
        return yield(claim);
      }
      continue;
    }
    if (finished_) return end(lock);
    if (timed_out) throw TimeoutError("No result within the timeout");
    if (core_->state() == State::terminate && !given_up_ && reading_ != Reading::over) {
      // Perhaps it is this thread that is giving up one after another: do not wait for oneself.
      lock.unlock();
      {
        const CompletionScope scope(core_.get(), this);
        give_up(true);
      }
      lock_spinning(lock);
      continue;
    }
    // The chunk that would be read next is the one we wait for, if none is being run.
    ThreadContext* const context = context_in(core_.get());
    if (context != nullptr && reading_ == Reading::queued && running_ == 0) {
      const JobStack::Frame frame(context->running, this);
      step(start_advancing(lock));
      lock.lock();
    } else if (!std::exchange(has_spun, true) && spinning_pays()) {
      lock.unlock();
      readers_.spin(deadline);
      lock_spinning(lock);
    } else {
      timed_out = !readers_.sleep_locked(lock, *core_, deadline);
      has_spun = false;
    }
  }
}

/// A chunk leaves the window when its last slot is claimed; as several readers may be at it, it is
/// kept in yielding_ until the last of them has emptied its slot.
template <class Value>
bool ImapState<Value>::available_locked() noexcept {
  if (front_.is_spent()) {
    front_.close();
    yielding_.splice(yielding_.end(), chunks_, chunks_.begin());
    --window_;
    if (reading_ == Reading::full && window_open_locked()) requeue_locked(Core::Place::back);
  }
  if (!front_.is_open() && !chunks_.empty() && chunks_.front().done) {
    Chunk& chunk = chunks_.front();
    chunk.position = chunks_.begin();
    front_.open(chunk, chunk.slots.data(), chunk.slots.size());
  }
  return front_.is_open();
}

/// Values are moved out without locks.
template <class Value>
std::optional<Value> ImapState<Value>::yield(const typename Front::Claim& claim) {
  if (claim.is_last) {
    const SpinningLockGuard lock(mutex_);
    note_to_be_had_locked();
  }

  struct Emptied {
    ~Emptied() {
      // acq_rel: the last reader sees the others done before it clears the slots.
      const std::size_t before = chunk.emptied.fetch_add(1, memory_order_acq_rel);
      if (before + 1 == size) state.recycle(chunk.position);
    }
    ImapState& state;
    Chunk& chunk;
    std::size_t size;
  } const emptied{*this, *claim.chunk, claim.size};
  if (claim.slot->is_error()) std::rethrow_exception(claim.slot->take_error());
  return std::optional<Value>(claim.slot->take());
}

template <class Value>
void ImapState<Value>::recycle(ChunkPosition chunk) noexcept {
  chunk->slots.clear();
  chunk->done = false;
  chunk->emptied.store(0, memory_order_relaxed);
  Chunks surplus;
  const SpinningLockGuard lock(mutex_);
  Chunks& destination = spare_.size() < buffersize_ ? spare_ : surplus;
  destination.splice(destination.begin(), yielding_, chunk);
}

template <class Value>
std::optional<Value> ImapState<Value>::end(unique_lock& lock) {
  std::exception_ptr error;
  if (termination_ == Termination::not_told) {
    termination_ = Termination::told;
    error = core_->terminated_error();
  } else if (termination_ == Termination::none) {
    error = std::exchange(input_error_, nullptr);
  }
  lock.unlock();
  if (error) std::rethrow_exception(error);
  return std::nullopt;
}

/// Claims the input for this thread. Unlocks.
template <class Value>
typename ImapState<Value>::Chunks ImapState<Value>::start_advancing(unique_lock& lock) noexcept {
  reading_ = Reading::advancing;
  Chunks spare;
  if (!spare_.empty()) spare.splice(spare.begin(), spare_, spare_.begin());
  // Whoever put us into the queue held mutex_: if we are not there now, we cannot be.
  const bool unlinked = this->is_queued() && core_->unlink(*this);
  lock.unlock();
  if (unlinked) this->release();  // not the last: our caller holds another
  return spare;
}

template <class Value>
void ImapState<Value>::run() noexcept {
  core_->introduce_thread();
  unique_lock lock(mutex_, std::defer_lock);
  lock_spinning(lock);
  if (reading_ == Reading::queued) {
    step(start_advancing(lock));
  } else {
    lock.unlock();  // somebody else claimed it first
  }
  this->release();
}

template <class Value>
std::optional<typename ImapState<Value>::ChunkPosition> ImapState<Value>::commit(
    Chunks& chunk, bool has_items, bool has_more, std::exception_ptr input_error) noexcept {
  std::optional<ChunkPosition> position;
  bool finishes;
  {
    const SpinningLockGuard lock(mutex_);
    if (has_items) ++running_;
    input_error_ = std::move(input_error);  // for the reader, or for our destructor to report
    if (given_up_) {
      reading_ = Reading::over;
    } else {
      if (has_items) {
        position = chunk.begin();
        Chunks& destination = ordered_ ? chunks_ : unordered_;
        destination.splice(destination.end(), chunk);
        ++window_;
      }
      if (!has_more) {
        reading_ = Reading::over;
      } else if (window_open_locked()) {
        // At the front we keep our turn, but a whole window is turn enough.
        const bool keeps_turn = ++turn_ < buffersize_;
        requeue_locked(keeps_turn ? Core::Place::front : Core::Place::back);
      } else {
        reading_ = Reading::full;
      }
    }
    finishes = finishes_locked();
  }
  if (finishes) finish();
  return position;
}

template <class Value>
void ImapState<Value>::requeue_locked(Core::Place place) noexcept {
  reading_ = Reading::queued;
  if (place == Core::Place::back) turn_ = 0;
  core_->requeue(*this, place);
}

template <class Value>
void ImapState<Value>::discard() noexcept {
  bool finishes;
  {
    const lock_guard lock(mutex_);
    --running_;
    finishes = finishes_locked();
  }
  if (finishes) finish();
}

template <class Value>
void ImapState<Value>::publish(ChunkPosition chunk) noexcept {
  bool finishes;
  {
    const SpinningLockGuard lock(mutex_);
    chunk->done = true;
    if (!ordered_) chunks_.splice(chunks_.end(), unordered_, chunk);
    --running_;
    if (available_locked()) wake_readers_locked();
    finishes = finishes_locked();
  }
  if (finishes) finish();
}

template <class Value>
void ImapState<Value>::lift_limit() noexcept {
  const lock_guard lock(mutex_);
  if (reading_ != Reading::full) return;
  requeue_locked(Core::Place::back);
}

template <class Value>
void ImapState<Value>::give_up(bool terminated) noexcept {
  bool unlinked = false;
  bool finishes = false;
  {
    const lock_guard lock(mutex_);
    if (given_up_ || reading_ == Reading::over) return;
    given_up_ = true;
    if (terminated) termination_ = Termination::not_told;
    if (reading_ != Reading::advancing) {  // else commit() will see given_up_
      unlinked = this->is_queued() && core_->unlink(*this);
      reading_ = Reading::over;
      finishes = finishes_locked();
    }
  }
  if (unlinked) this->release();  // not the last: our caller holds another
  if (finishes) finish();
}

/// Called once, by whoever made reading over and running none, with a reference held.
template <class Value>
void ImapState<Value>::finish() noexcept {
  destroy_work();
  core_->forget(*this);
  {
    const lock_guard lock(mutex_);
    finished_ = true;
    wake_readers_locked();
  }
  core_->job_done();
}

template <class Value>
ImapState<Value>::~ImapState() {
  for (Chunk& chunk : chunks_) {
    for (Slot& slot : chunk.slots) {
      if (slot.is_error() && slot.error() != nullptr) core_->report(slot.error());
    }
  }
  if (input_error_ && !is_termination(input_error_)) core_->report(input_error_);
}

/// That an input which is an imap, too, was terminated is no error of its own.
template <class Value>
bool ImapState<Value>::is_termination(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const TerminatedError&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_STATE_HPP
