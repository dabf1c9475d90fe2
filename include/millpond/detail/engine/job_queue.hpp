// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_JOB_QUEUE_HPP
#define MILLPOND_DETAIL_ENGINE_JOB_QUEUE_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/job_heap.hpp>
#include <millpond/detail/engine/lanes.hpp>
#include <millpond/detail/engine/queue_order.hpp>
#include <millpond/detail/engine/stream_queue.hpp>
#include <millpond/detail/engine/tally.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>

namespace millpond::inline MILLPOND_ABI::detail {

/// What waits for a worker: jobs in lanes, or in a heap if there are priorities; and imaps that
/// want another worker, in a list beside them.
///
/// Entries are added under a lock, the thread's *door*, under which the pool's state is checked,
/// too: so once a new state has been seen at all doors, no more are added there. A worker of a pool
/// without priorities adds to its own lane without one.
///
/// Thread safety: members called ..._locked need the lock of the door, or imap_mutex() for
/// those of imaps; own lanes are their worker's; all others, from any thread.
class JobQueue {
 public:
  JobQueue(QueueOrder order, std::size_t workers)
      : workers_(workers), by_priority_(order == QueueOrder::priority), lanes_(workers) {}

  bool is_by_priority() const noexcept { return by_priority_; }
  Lanes& lanes() noexcept { return lanes_; }

  /// Jobs that were ever added, but for those in workers' own lanes.
  std::size_t issued() const noexcept { return lanes_.issued_to_shared() + issued_.get(); }

  // ---- Adding ----

  struct Door {
    mutex& lock;
    Lanes::Shared* lane;  // null: the heap
  };
  Door door() noexcept {
    if (by_priority_) return {mutex_, nullptr};
    Lanes::Shared& lane = lanes_.shared_lane();
    return {lane.lock, &lane};
  }

  /// Makes room for so many entries. Throws std::bad_alloc. False if there is none and the queue
  /// was closed.
  bool reserve_locked(const Door& door, std::size_t count) {
    if (door.lane != nullptr) return door.lane->ring.reserve(count);
    heap_.reserve(count + workers_);  // room for put_back(), too
    return true;
  }
  /// Adds so many entries of one job; needs room. Writes their rank, for put_back(), where it is
  /// wanted.
  void push_locked(const Door& door, Job& job, std::size_t count, int priority,
                   Rank* wanted_rank) noexcept {
    if (door.lane != nullptr) {
      door.lane->issued.add_one();
      for (; count != 0; --count) door.lane->ring.push(job);
      return;
    }
    issued_.add_one();
    const Rank rank{priority, ++last_order_};
    if (wanted_rank != nullptr) *wanted_rank = rank;
    for (; count != 0; --count) heap_.push(job, rank);
  }

  // ---- Imaps, and entries that are put back ----

  /// An imap that was issued before; needs room. Takes a reference.
  void push_again_locked(const Door& door, StreamJob& job) noexcept {
    job.add_ref();
    door.lane->ring.push(job);
  }

  mutex& imap_mutex() noexcept { return mutex_; }

  /// `in_turn`: before all others of its priority; else behind them.
  void push_locked(StreamJob& job, bool in_turn) noexcept {
    streams_.push(job, in_turn ? StreamQueue::kInTurn : ++last_order_);
  }
  /// True: it was here, and its reference is the caller's.
  bool erase_locked(StreamJob& job) noexcept { return streams_.erase(job); }

  /// With priorities: puts back an entry that a worker has taken, at its old place.
  void put_back_locked(Job& job, const Rank& rank) noexcept { heap_.push(job, rank); }

  // ---- Taking ----

  /// The next entry for the worker with that lane, after Job::take_entry(); null if there is none.
  Job* take(Lanes::Own& own) noexcept {
    if (by_priority_) return take_by_priority();
    return streams_.empty() ? lanes_.take(own) : take_with_streams(own);
  }

  /// For a worker that falls asleep: whether there is an entry. Looks under the locks under which
  /// entries are added.
  bool any() noexcept {
    {
      const lock_guard lock(mutex_);
      if (!closed_ && (!streams_.empty() || !heap_.empty())) return true;
    }
    return !by_priority_ && lanes_.any();
  }

  /// When this returns, whoever adds something at a door sees what the caller wrote before.
  void pass_doors() noexcept {
    {
      const lock_guard lock(mutex_);
    }
    lanes_.pass_doors();
  }

  /// From now on take() finds nothing. What is left, and what is added yet, is for drain().
  void close() noexcept {
    {
      const lock_guard lock(mutex_);
      closed_ = true;
    }
    lanes_.close();
  }

  /// Any entry, whatever it is, with what it holds of its job; null if there is none.
  Job* drain() noexcept {
    {
      const lock_guard lock(mutex_);
      if (!heap_.empty()) return heap_.pop();
      if (!streams_.empty()) return pop_stream_locked();
    }
    return lanes_.drain();
  }

 private:
  Job* pop_stream_locked() noexcept {
    StreamJob* const job = streams_.front();
    streams_.erase(*job);
    return job;
  }
  /// An imap goes on with its turn first; else imaps have every second turn, if there is one.
  Job* take_with_streams(Lanes::Own& own) noexcept {
    own.streams_next = !own.streams_next;
    if (Job* const job = take_stream(own.streams_next)) return job;
    if (Job* const job = lanes_.take(own)) return job;
    return take_stream(true);
  }
  /// `any`: also one that does not go on with its turn.
  Job* take_stream(bool any) noexcept {
    const lock_guard lock(mutex_);
    if (closed_ || streams_.empty()) return nullptr;
    if (!any && streams_.first_rank().order != StreamQueue::kInTurn) return nullptr;
    return pop_stream_locked();
  }

  Job* take_by_priority() noexcept {
    for (;;) {
      Job* job;
      {
        const lock_guard lock(mutex_);
        if (closed_) return nullptr;
        if (!streams_.empty() &&
            (heap_.empty() || !heap_.first_rank().is_before(streams_.first_rank()))) {
          return pop_stream_locked();
        }
        if (heap_.empty()) return nullptr;
        job = heap_.pop();
      }
      if (job->take_entry()) return job;
    }
  }

  const std::size_t workers_;
  const bool by_priority_;
  Lanes lanes_;

  alignas(64) mutex mutex_;  // guards the rest
  StreamQueue streams_;
  JobHeap heap_;
  Tally issued_;
  bool closed_ = false;
  std::uint64_t last_order_ = StreamQueue::kInTurn;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_JOB_QUEUE_HPP
