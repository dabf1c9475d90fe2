// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_STREAM_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_STREAM_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/imap/imap_chunk.hpp>
#include <millpond/detail/imap/imap_entry.hpp>
#include <millpond/detail/imap/imap_front.hpp>
#include <millpond/detail/imap/imap_readers.hpp>
#include <millpond/detail/imap/imap_ring.hpp>
#include <millpond/detail/imap/imap_window.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/smaller.hpp>
#include <millpond/detail/platform/spin.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/errors.hpp>

#include <cstddef>
#include <exception>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// How an imap reads its input ahead of its readers and gets its items done: everything but the
/// types of function and input, which ImapJob adds, and how readers take results, which ImapState
/// does. It is one entry in the queue. A worker that takes it claims one chunk after another and
/// reads more when none is left; if it leaves something for others, it puts the entry back first.
///
/// Protocol and proof: docs/design/imap.md. Lock order: mutex_, then the front's, or the pool's.
/// No user code runs under any of them.
template <class Value>
class ImapStream : public StreamJob {
 public:
  using Chunk = ImapChunk<Value>;
  using Front = ImapFront<Value>;
  using Result = Outcome<Value>;

  void run() noexcept final;
  void abandon(const std::exception_ptr&) noexcept final { give_up(true); }
  void lift_limit() noexcept final { go_on(); }

 protected:
  struct Sizes {
    std::size_t chunksize;
    std::size_t buffersize;
    bool may_grow;  // the window: nobody has said how large it shall be
    std::size_t item_size;
    std::size_t item_alignment;
    bool reads_runs;  // the input does not wait for anything, so chunks may be read beforehand
  };

  ImapStream(Engine& engine, bool ordered, const Sizes& sizes)
      : engine_(Ref<Engine>::share(&engine)),
        gives_way_(engine.takes_turns()),
        most_at_once_(sizes.reads_runs ? larger(kMostItemsAtOnce / sizes.chunksize, std::size_t{1})
                                       : 1),
        chunks_(sizes.chunksize, sizes.item_size, sizes.item_alignment),
        ring_(smaller(sizes.buffersize, kFirstCapacity)),
        front_(ring_, ordered, chunks_.segment_size()),
        window_(sizes.buffersize, sizes.may_grow, sizes.chunksize) {}
  ~ImapStream() override;

  Engine& engine() const noexcept { return *engine_; }

  // ---- For ImapJob ----

  std::size_t segment_size() const noexcept { return chunks_.segment_size(); }
  ImapSegment<Value>& after(ImapSegment<Value>& segment) { return chunks_.after(segment); }

  /// Reads up to a chunk of input; false if there is no more. Called by one thread at a time.
  virtual bool fill(Chunk& chunk, std::exception_ptr& error) noexcept = 0;
  /// Runs the chunk's items and destroys them.
  virtual void execute(Chunk& chunk) noexcept = 0;
  /// Only destroys them.
  virtual void discard(Chunk& chunk) noexcept = 0;
  /// Destroys the function and the input.
  virtual void destroy_work() noexcept = 0;

  // ---- For ImapState ----

  void give_up(bool terminated) noexcept;
  bool may_be_given_up() const noexcept {
    return !given_up_.load() && (reading_.load() != Reading::over || ring_.any_unclaimed());
  }

  /// With the front locked: returns to the window what readers have taken. True: the caller calls
  /// go_on() after unlocking.
  [[nodiscard]] bool return_room_locked(bool all) noexcept {
    return window_.return_room(front_.yielded_locked(), all) && nobody_comes();
  }
  /// Puts the job back if there is room.
  void go_on() noexcept;

  /// For a reader on a thread of the pool that waits for the chunk at position `wanted`: reads it,
  /// or runs it, if nobody has it. False if somebody has.
  bool help(ThreadContext& context, std::size_t wanted) noexcept;

  /// Before a reader sleeps: whether it had better not. Else publish() wakes it.
  bool announce_sleep_locked(bool may_help) noexcept;

  /// What is to be thrown at the end, once. Only when finished.
  std::exception_ptr take_end() noexcept;

 private:
  /// Where reading stands.
  enum class Reading : unsigned char {
    open,     // nobody reads
    reading,  // one thread does
    full,     // parked: the window is full, and the job is in no queue
    over,     // nothing will be read any more
  };
  enum class Termination : unsigned char { none, not_told, told };

  /// So many items are read at once, and so many chunks there is room for at first.
  static constexpr std::size_t kMostItemsAtOnce = 64;
  static constexpr std::size_t kFirstCapacity = 64;

  // ---- Workers ----

  enum class Then : bool { look_again, leave };

  void work() noexcept;
  void run_chunk(const typename ImapRing<Chunk>::Claim& claim) noexcept;
  [[nodiscard]] Then pass_on() noexcept;
  Then read_or_leave(bool& has_lingered) noexcept;
  Then linger() noexcept;
  Then park() noexcept;

  /// In possession of the input (Reading::reading): reads up to `most` chunks, and lets go of it.
  void read(std::size_t most) noexcept;
  void let_go_unread() noexcept;
  bool read_chunk(std::exception_ptr& error) noexcept;

  std::size_t room() const noexcept {
    if (engine_->look_ahead_unlimited()) return static_cast<std::size_t>(-1);
    return window_.room([this] { return ring_.read(); });
  }
  bool has_work() const noexcept {
    return (reading_.load() == Reading::open && room() != 0) || ring_.any_unclaimed();
  }
  /// There is room now: whether nobody will look.
  bool nobody_comes() const noexcept {
    const Reading reading = reading_.load();
    return reading == Reading::full ||
           (reading == Reading::open && !entry_.exists() && !lingers_.load());
  }
  bool turn_is_over() const noexcept { return window_.turn_is_over(ring_.claimed()); }

  // ---- The queue's entry ----

  void put_locked(Engine::Place place) noexcept;
  void invite() noexcept;
  void end_turn() noexcept;

  // ---- The end ----

  bool move_reading(Reading from, Reading to) noexcept {
    return reading_.compare_exchange_strong(from, to);
  }
  [[nodiscard]] std::size_t discard_unclaimed() noexcept;
  /// So many of pending_ are through. Whoever settles the last finishes the job.
  void settle(std::size_t count) noexcept {
    // acq_rel: the last one sees all that the others did.
    if (count != 0 && pending_.fetch_sub(count, memory_order_acq_rel) == count) finish();
  }
  void finish() noexcept;
  void wake_readers() noexcept;
  static bool is_termination(const std::exception_ptr& error) noexcept;

  const Ref<Engine> engine_;
  const bool gives_way_;  // to what is queued, after each chunk
  const std::size_t most_at_once_;

 protected:
  ImapChunks<Value> chunks_;

 private:
  ImapRing<Chunk> ring_;

 protected:
  Front front_;

 private:
  ImapWindow window_;
  alignas(64) atomic<Reading> reading_{Reading::open};
  atomic<bool> lingers_{false};   // a worker has nothing to do, and looks for more
  atomic<bool> given_up_{false};  // written under mutex_
  ImapEntry entry_{*this};
  atomic<std::size_t> pending_{1};  // chunks read and not run to their end; 1 more until over
  std::exception_ptr input_error_;  // of the thread that reads, and of the readers when finished

 protected:
  mutex mutex_;  // guards what follows, and all steps of the queue's entry
  ImapReaders readers_{*this};
  atomic<bool> finished_{false};

 private:
  Termination termination_ = Termination::none;
};

// ---- Workers ----

template <class Value>
void ImapStream<Value>::run() noexcept {
  engine_->introduce_thread();
  entry_.arrive();
  work();
  // Perhaps the last reference: then results that nobody has taken die here.
  ThreadContext& context = *current_thread_context;
  context.is_at_finished_job = true;
  this->release();
  context.is_at_finished_job = false;
}

template <class Value>
void ImapStream<Value>::work() noexcept {
  std::size_t done = 0;  // chunks not settled yet
  bool has_lingered = false;
  Then then = Then::look_again;
  while (then == Then::look_again) {
    // terminate() finds this imap in the list of all; until then nothing is begun here any more.
    if (engine_->state() == State::terminate) give_up(true);
    // Looked at before the claim: what is claimed is run.
    const auto claim = given_up_.load() ? typename ImapRing<Chunk>::Claim() : ring_.claim();
    if (claim.chunk != nullptr) {
      then = pass_on();
      run_chunk(claim);
      ++done;
      has_lingered = gives_way_;
      if (gives_way_ && has_work()) {
        invite();
        then = Then::leave;
      }
    } else {
      settle(std::exchange(done, 0));
      then = read_or_leave(has_lingered);
    }
  }
  settle(done);
}

template <class Value>
void ImapStream<Value>::run_chunk(const typename ImapRing<Chunk>::Claim& claim) noexcept {
  execute(*claim.chunk);
  front_.publish(*claim.chunk);
  if (front_.is_ordered() ? readers_.want(claim.position) : readers_.want_any()) wake_readers();
}

/// After a chunk was claimed, which may take for ever: sees to it that somebody comes for what is
/// left.
template <class Value>
typename ImapStream<Value>::Then ImapStream<Value>::pass_on() noexcept {
  if (!has_work()) return Then::look_again;
  if (turn_is_over()) {
    end_turn();
    return Then::leave;
  }
  if (!entry_.exists() && !lingers_.load()) invite();
  return Then::look_again;
}

/// Nothing is unclaimed.
template <class Value>
typename ImapStream<Value>::Then ImapStream<Value>::read_or_leave(bool& has_lingered) noexcept {
  const Reading reading = reading_.load();
  if (reading == Reading::full || reading == Reading::over) return Then::leave;
  if (reading == Reading::reading || room() == 0) {
    if (room() == 0 && window_.may_grow()) {
      const SpinningLockGuard lock(mutex_);
      window_.grow_locked();
    }
    if (!std::exchange(has_lingered, true) && spinning_pays()) return linger();
    return reading == Reading::reading ? Then::leave : park();
  }
  if (turn_is_over()) {
    end_turn();
    return Then::leave;
  }
  if (move_reading(Reading::open, Reading::reading)) read(most_at_once_);
  return Then::look_again;
}

/// One worker at a time does; so nobody else need be invited. Afterwards it looks again.
template <class Value>
typename ImapStream<Value>::Then ImapStream<Value>::linger() noexcept {
  if (lingers_.exchange(true)) return Then::leave;
  const auto end = steady_clock::now() + tuning::kLingerTime;
  spin_until([&] {
    const Reading reading = reading_.load(memory_order_relaxed);
    return reading == Reading::full || reading == Reading::over || has_work() ||
           steady_clock::now() >= end;
  });
  lingers_.store(false);  // seq_cst: either we see what there is, or pass_on() that we are gone
  return Then::look_again;
}

/// The window is full.
template <class Value>
typename ImapStream<Value>::Then ImapStream<Value>::park() noexcept {
  bool taken_out;
  Then then = Then::leave;
  {
    const SpinningLockGuard lock(mutex_);
    // Who lets go of the input after give_up() ends it only if it is still open.
    if (given_up_.load() || !move_reading(Reading::open, Reading::full)) return Then::leave;
    // Only now: either we see the room, or who made it sees that we are parked. And who has read
    // meanwhile may rely on the entry.
    if (room() != 0 || ring_.any_unclaimed()) {
      move_reading(Reading::full, Reading::open);
      return Then::look_again;
    }
    taken_out = entry_.take_out_locked(*engine_);
    // help() needs no mutex: who has read since then may have relied on the entry.
    if (taken_out && reading_.load() != Reading::full) then = Then::look_again;
  }
  if (taken_out) this->release();  // not the last: our caller holds another
  return then;
}

template <class Value>
void ImapStream<Value>::go_on() noexcept {
  if (!engine_->is_of_this_process()) return;
  const SpinningLockGuard lock(mutex_);
  if (room() == 0) return;
  if (!move_reading(Reading::full, Reading::open) && reading_.load() != Reading::open) return;
  put_locked(Engine::Place::back);
}

// ---- Reading ----

template <class Value>
void ImapStream<Value>::read(std::size_t most) noexcept {
  const std::size_t planned = smaller(most, room());
  if (planned == 0) return let_go_unread();
  pending_.fetch_add(planned, memory_order_relaxed);
  std::size_t left = planned;
  std::exception_ptr error;
  bool has_more = true;
  while (has_more && left != 0 && !given_up_.load(memory_order_relaxed)) {
    const std::size_t before = ring_.read();
    has_more = read_chunk(error);
    left -= ring_.read() - before;
  }
  if (!has_more) {
    input_error_ = std::move(error);  // for the reader, or for our destructor to report
    reading_.store(Reading::over);
    ++left;
  } else {
    reading_.store(Reading::open);
    // seq_cst: either we see that it was given up, or give_up() that nobody reads.
    if (given_up_.load() && move_reading(Reading::open, Reading::over)) ++left;
  }
  if (given_up_.load()) left += discard_unclaimed();
  settle(left);
}

/// Readers may sleep because somebody was about to read.
template <class Value>
void ImapStream<Value>::let_go_unread() noexcept {
  reading_.store(Reading::open);
  if (given_up_.load() && move_reading(Reading::open, Reading::over)) settle(1);
  if (readers_.want_any()) wake_readers();
}

template <class Value>
bool ImapStream<Value>::read_chunk(std::exception_ptr& error) noexcept {
  Chunk* chunk;
  try {
    ring_.reserve_one(front_.is_ordered() ? window_.yielded() : ring_.claimed());
    chunk = &chunks_.take();
  } catch (...) {  // no room for results: the input ends here
    error = std::current_exception();
    return false;
  }
  const bool has_more = fill(*chunk, error);
  if (chunk->size != 0) {
    ring_.push(*chunk);
  } else {
    chunks_.put_back(*chunk);
  }
  return has_more;
}

// ---- The queue's entry ----

/// Whoever has an entry in his hands will look.
template <class Value>
void ImapStream<Value>::put_locked(Engine::Place place) noexcept {
  if (place == Engine::Place::back) window_.begin_turn_locked(ring_.claimed());
  if (!entry_.exists() && !finished_.load(memory_order_relaxed)) entry_.put_locked(*engine_, place);
}

template <class Value>
void ImapStream<Value>::invite() noexcept {
  const SpinningLockGuard lock(mutex_);
  if (has_work() && !given_up_.load()) put_locked(Engine::Place::front);
}

/// A whole window is turn enough.
template <class Value>
void ImapStream<Value>::end_turn() noexcept {
  bool taken_out;
  {
    const SpinningLockGuard lock(mutex_);
    taken_out = entry_.take_out_locked(*engine_);
    if (!given_up_.load()) put_locked(Engine::Place::back);
  }
  if (taken_out) this->release();  // not the last: our caller holds another
}

// ---- Readers ----

template <class Value>
bool ImapStream<Value>::help(ThreadContext& context, std::size_t wanted) noexcept {
  if (given_up_.load()) return false;
  const JobStack::Frame frame(context.running, this);
  std::size_t position = wanted;
  if (const auto claim = ring_.claim_at(position); claim.chunk != nullptr) {
    static_cast<void>(pass_on());
    run_chunk(claim);
    settle(1);
    return true;
  }
  if (ring_.claimed() != wanted || ring_.read() != wanted) return false;
  if (!move_reading(Reading::open, Reading::reading) &&
      !move_reading(Reading::full, Reading::reading)) {
    return false;
  }
  // If it was read meanwhile, what comes next may wait for it.
  ring_.read() == wanted ? read(1) : let_go_unread();
  static_cast<void>(pass_on());  // who has claimed it meanwhile could not see that there is more
  return true;
}

template <class Value>
bool ImapStream<Value>::announce_sleep_locked(bool may_help) noexcept {
  front_.lock();
  const std::size_t next = front_.next();
  front_.unlock();
  readers_.announce_locked(next);
  const std::size_t claimed = ring_.claimed();
  front_.lock();
  const bool available = front_.available_locked();
  const bool is_next = front_.next() == next;
  front_.unlock();
  if (available || !is_next || finished_.load()) return true;
  if (!may_help || claimed != next) return false;
  if (ring_.read() != next) return true;
  const Reading reading = reading_.load();
  return reading == Reading::open || reading == Reading::full;
}

template <class Value>
void ImapStream<Value>::wake_readers() noexcept {
  const SpinningLockGuard lock(mutex_);
  readers_.wake_all_locked();
}

template <class Value>
std::exception_ptr ImapStream<Value>::take_end() noexcept {
  const lock_guard lock(mutex_);
  if (termination_ == Termination::not_told) {
    termination_ = Termination::told;
    return engine_->terminated_error();
  }
  if (termination_ == Termination::none) return std::exchange(input_error_, nullptr);
  return nullptr;
}

// ---- The end ----

template <class Value>
void ImapStream<Value>::give_up(bool terminated) noexcept {
  bool taken_out;
  bool ends;
  {
    const lock_guard lock(mutex_);
    if (!may_be_given_up()) return;
    if (terminated) termination_ = Termination::not_told;
    given_up_.store(true);
    // If a thread is reading, it sees given_up_ when it lets go of the input.
    ends = move_reading(Reading::open, Reading::over) || move_reading(Reading::full, Reading::over);
    taken_out = entry_.take_out_locked(*engine_);
  }
  settle(discard_unclaimed() + (ends ? 1 : 0));
  if (taken_out) this->release();  // not the last: our caller holds another
}

template <class Value>
std::size_t ImapStream<Value>::discard_unclaimed() noexcept {
  std::size_t count = 0;
  for (; Chunk* const chunk = ring_.claim().chunk; ++count) discard(*chunk);
  return count;
}

/// Called once, by whoever settled the last of pending_, with a reference held.
template <class Value>
void ImapStream<Value>::finish() noexcept {
  destroy_work();
  engine_->forget(*this);
  bool taken_out;
  {
    const lock_guard lock(mutex_);
    taken_out = entry_.take_out_locked(*engine_);
    finished_.store(true);  // what was done before happens before the end is seen
    readers_.wake_all_locked();
  }
  if (taken_out) this->release();  // not the last: our caller holds another
  engine_->job_done();
}

template <class Value>
ImapStream<Value>::~ImapStream() {
  chunks_.for_each_result([this](Result& result) {
    if (result.is_error() && result.error() != nullptr) engine_->report(result.error());
  });
  if (input_error_ && !is_termination(input_error_)) engine_->report(input_error_);
}

/// That an input which is an imap, too, was terminated is no error of its own.
template <class Value>
bool ImapStream<Value>::is_termination(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const TerminatedError&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_STREAM_HPP
