// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_JOB_HPP
#define MILLPOND_DETAIL_ENGINE_JOB_HPP

#include <millpond/detail/engine/job_memory.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>

namespace millpond::inline MILLPOND_ABI::detail {

/// Where a job stands among others: the higher priority first, the smaller order among equals.
struct Rank {
  int priority = 0;
  std::uint64_t order = 0;

  bool is_before(const Rank& other) const noexcept {
    return priority != other.priority ? priority > other.priority : order < other.order;
  }
};

/// What the queue holds: one call, one map or one imap, in one allocation.
///
/// A job is *claimed*, not merely taken from the queue: workers, waiters that help, cancel() and
/// terminate() may all try, each derived class decides who wins, and the losers leave it alone.
/// What was claimed without its entry stays in the queue as a dead entry, which is skipped.
///
/// Life. One word has the state of the claim and who still needs the memory: each entry in the
/// queue, and the work together with the handles until done(). The last of them deletes the job.
///
/// Thread safety: all members, from any thread.
class Job {
 public:
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  // Sized: the destructor is virtual, so these get the size of the derived class.
  static void* operator new(std::size_t size) { return JobMemory::allocate(size); }
  static void operator delete(void* job, std::size_t size) noexcept {
    JobMemory::release(job, size);
  }
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  // Not sized: such a one would not be found for a job whose constructor throws.
  static void operator delete(void* job, std::align_val_t alignment) noexcept {
    ::operator delete(job, alignment);
  }

  /// For a worker that has taken an entry (take_entry() was true): runs the call, or what it can
  /// claim of the others. Gives up the entry. Called without locks.
  virtual void run() noexcept = 0;

  /// The same, but gives up what has not started, with `why` as its error.
  virtual void abandon_entry(const std::exception_ptr& why) noexcept = 0;

  /// Gives up what has not started; for anybody who keeps the job alive. Called without locks;
  /// idempotent.
  virtual void abandon(const std::exception_ptr& why) noexcept = 0;

  /// The callback phase, on the callback thread, without locks. Only jobs that were posted there
  /// have one.
  virtual void run_callback() noexcept {}

  /// Its links in the list of due callbacks; null if it has no callbacks.
  struct DueLinks {
    Job* next = nullptr;
    Job* prev = nullptr;
    bool is_due = false;
  };
  virtual DueLinks* due_links() noexcept { return nullptr; }

  /// For whoever has taken an entry of this job out of the queue, which he owns then. A call: true
  /// if the caller has claimed it; the entry is given up. Others: true if there may be something to
  /// claim; the entry is still the caller's. False: it was dead, and is given up.
  bool take_entry() noexcept {
    if (!is_call_) return !drop_if_dead();
    std::uint32_t bits = bits_.load(memory_order_acquire);
    while ((bits & kClaimed) == 0) {
      // acq_rel: whoever drops the last entry, or is done, sees what the others did before.
      if (bits_.compare_exchange_weak(bits, bits + kClaimed - kEntry, memory_order_acq_rel,
                                      memory_order_acquire)) {
        return true;
      }
    }
    drop_entry();
    return false;
  }

  /// Likewise, but claims nothing: whether the entry is dead; if so it is given up.
  bool drop_if_dead() noexcept {
    if (is_call_ ? !is_claimed() : !is_spent()) return false;
    drop_entry();
    return true;
  }

  /// So many more entries (of an imap: references) need the job. By one that needs it already.
  void add_entries(std::uint32_t count) noexcept {
    bits_.fetch_add(count * kEntry, memory_order_relaxed);
  }
  /// One entry less.
  void drop_entry() noexcept {
    const std::uint32_t bits = bits_.load(memory_order_acquire);
    // If this is the last that needs it, nobody else can change the word.
    const bool last = (bits & ~kFlags) == kEntry && (bits & kDone) != 0;
    if (last || is_last(bits_.fetch_sub(kEntry, memory_order_acq_rel), kEntry, kDone)) delete this;
  }

 protected:
  enum class Kind : bool { call, other };

  /// A call has one entry to be queued; an imap, one for its reader and one to be queued; a map
  /// gets its entries when it is issued.
  Job(Kind kind, std::uint32_t entries, bool done = false) noexcept
      : bits_(entries * kEntry + (done ? kDone : 0)), is_call_(kind == Kind::call) {}

  /// Work and handles need it no more. The job may be gone afterwards.
  void done() noexcept {
    const std::uint32_t bits = bits_.load(memory_order_acquire);
    const bool last = (bits & ~kFlags) == 0;
    if (last || is_last(bits_.fetch_or(kDone, memory_order_acq_rel), 0, 0)) delete this;
  }
  /// Whether an entry may be in the queue.
  bool has_entry() const noexcept { return (bits_.load(memory_order_acquire) & ~kFlags) != 0; }

  /// Whether any of it has been claimed, and what for.
  bool is_claimed() const noexcept { return (bits_.load(memory_order_relaxed) & kClaimed) != 0; }
  bool is_claimed_to_cancel() const noexcept {
    return (bits_.load(memory_order_relaxed) & kCancelled) != 0;
  }
  /// True for exactly one caller.
  bool try_claim() noexcept {
    return !is_claimed() && (bits_.fetch_or(kClaimed, memory_order_acq_rel) & kClaimed) == 0;
  }
  bool try_claim_to_cancel() noexcept {
    std::uint32_t bits = bits_.load(memory_order_relaxed);
    while ((bits & kClaimed) == 0) {
      if (bits_.compare_exchange_weak(bits, bits | kClaimed | kCancelled, memory_order_acq_rel,
                                      memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

 private:
  /// Of others than calls: all of it is claimed, so that an entry is of no use.
  virtual bool is_spent() const noexcept { return false; }

  static bool is_last(std::uint32_t before, std::uint32_t entries, std::uint32_t done) noexcept {
    return (before & ~kFlags) == entries && (before & kDone) == done;
  }

  static constexpr std::uint32_t kClaimed = 1;
  static constexpr std::uint32_t kCancelled = 2;  // claimed, by cancel()
  static constexpr std::uint32_t kDone = 4;       // neither the work nor a handle needs it
  static constexpr std::uint32_t kEntry = 256;    // above the flags: a count
  static constexpr std::uint32_t kFlags = kEntry - 1;

  atomic<std::uint32_t> bits_;
  const bool is_call_;
};

/// A job that reads its input bit by bit (an imap) and so is at times unfinished though neither
/// queued nor running: its engine keeps a list of them. It has one entry in the queue at most: in a
/// lane, or, where a lane has no memory for it, by links of its own.
class StreamJob : public Job {
 public:
  /// Lets it read to the end of its input though nobody takes results. Called without locks.
  virtual void lift_limit() noexcept = 0;

  void add_ref() noexcept { add_entries(1); }
  void release() noexcept { drop_entry(); }

  void abandon_entry(const std::exception_ptr& why) noexcept final {
    abandon(why);
    release();
  }

  /// Whether it is queued by its links. Exact for whoever alone could queue it.
  bool is_queued() const noexcept { return queued_.load(memory_order_relaxed); }

  /// Set before it is issued.
  void set_priority(int priority) noexcept { rank_.priority = priority; }

 protected:
  StreamJob() noexcept : Job(Kind::other, 2, true) {}

 private:
  friend class PoolEngine;
  friend class StreamList;
  friend class StreamQueue;

  atomic<bool> queued_{false};  // by its links
  Rank rank_;                   // guarded by the queue's mutex once issued, as are the next
  StreamJob* next_ = nullptr;
  StreamJob* prev_ = nullptr;
  StreamJob* next_live_ = nullptr;  // guarded by the engine's mutex, as are the next
  StreamJob* prev_live_ = nullptr;
  bool is_listed_ = false;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_JOB_HPP
