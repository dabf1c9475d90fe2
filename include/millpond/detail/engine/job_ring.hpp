// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_JOB_RING_HPP
#define MILLPOND_DETAIL_ENGINE_JOB_RING_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Entries of jobs, first in, first out. One thread at a time adds them at the tail: the owner, or
/// who holds a mutex of the ring's user. Anybody takes them from the head, without a lock.
///
/// Positions only grow, and an entry is at the slot of its position modulo the capacity. Whoever
/// moves the head past an entry owns it. The slot is read before that: if the head moved meanwhile,
/// what was read is forgotten. So no job is looked at before its entry is owned.
///
/// A closed ring looks empty to takers: its head has a bit that makes it greater than any tail.
///
/// When the ring is full its owner takes all entries, as any taker would, forgets the dead ones and
/// puts the others back behind the tail, into a larger buffer if few were dead. Old buffers stay
/// until the ring goes, as a taker may still read from one.
///
/// Holds what each entry holds of its job (Job::drop_entry()).
class JobRing {
  struct Buffer {
    Buffer(std::size_t capacity, Buffer* older_one)
        : mask(capacity - 1), slots(std::make_unique<atomic<Job*>[]>(capacity)), older(older_one) {}
    std::size_t capacity() const noexcept { return mask + 1; }
    atomic<Job*>& at(std::uint64_t position) const noexcept {
      return slots[static_cast<std::size_t>(position) & mask];
    }

    const std::size_t mask;
    const std::unique_ptr<atomic<Job*>[]> slots;
    const std::unique_ptr<Buffer> older;
  };

 public:
  JobRing() = default;
  JobRing(const JobRing&) = delete;
  JobRing& operator=(const JobRing&) = delete;
  ~JobRing() {
    while (Job* const job = drain()) job->drop_entry();
    delete buffer_.load(memory_order_relaxed);
  }

  // ---- Anybody ----

  /// seq_cst: with push() and WorkerSleep, so that a worker which falls asleep sees the entry, or
  /// whoever adds it sees the sleeper.
  bool empty() const noexcept {
    return head_.load(memory_order_seq_cst) >= tail_.load(memory_order_seq_cst);
  }

  /// The oldest entry, which is the caller's then; null if there is none.
  Job* pop() noexcept {
    std::uint64_t head = head_.load(memory_order_seq_cst);
    for (;;) {
      if (head >= tail_.load(memory_order_seq_cst)) return nullptr;
      // acquire, as for the tail: the entry at the head was written before the tail passed it.
      Job* const job = buffer_.load(memory_order_acquire)->at(head).load(memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, memory_order_seq_cst, memory_order_seq_cst)) {
        return job;
      }
    }
  }

  /// From now on pop() finds nothing: what was taken before is all that ever will be. What is left,
  /// and what is added yet, is for drain().
  void close() noexcept { head_.fetch_or(kClosed, memory_order_seq_cst); }
  Job* drain() noexcept {
    std::uint64_t head = head_.load(memory_order_seq_cst);
    for (;;) {
      const std::uint64_t position = head & ~kClosed;
      if (position >= tail_.load(memory_order_seq_cst)) return nullptr;
      Job* const job = buffer_.load(memory_order_acquire)->at(position).load(memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, memory_order_seq_cst, memory_order_seq_cst)) {
        return job;
      }
    }
  }

  /// What a taker remembers of a ring whose owner never calls pop_back(): that far there are
  /// entries, and where. So it need not look at the tail for each, which whoever adds entries would
  /// have to fetch again.
  class Reader {
   public:
    Job* pop(JobRing& ring) noexcept {
      std::uint64_t head = ring.head_.load(memory_order_acquire);
      for (;;) {
        if (head >= tail_) {
          tail_ = ring.tail_.load(memory_order_acquire);
          if (head >= tail_) return nullptr;
          buffer_ = ring.buffer_.load(memory_order_acquire);
        }
        Job* const job = buffer_->at(head).load(memory_order_relaxed);
        if (ring.head_.compare_exchange_weak(head, head + 1, memory_order_acq_rel,
                                             memory_order_acquire)) {
          if (head + kAhead < tail_) {
            MILLPOND_PREFETCH(buffer_->at(head + kAhead).load(memory_order_relaxed));
          }
          return job;
        }
      }
    }

   private:
    /// A job comes from another processor's cache, most likely.
    static constexpr std::uint64_t kAhead = 4;

    std::uint64_t tail_ = 0;
    Buffer* buffer_ = nullptr;
  };

  // ---- One thread at a time ----

  /// Makes room for so many more. Throws std::bad_alloc. False if there is none and the ring was
  /// closed.
  bool reserve(std::size_t count) {
    const std::uint64_t tail = tail_.load(memory_order_relaxed);
    const Buffer* const buffer = buffer_.load(memory_order_relaxed);
    if (buffer != nullptr && tail - head_seen_ + count <= buffer->capacity()) return true;
    head_seen_ = head_.load(memory_order_acquire) & ~kClosed;
    if (buffer != nullptr && tail - head_seen_ + count <= buffer->capacity()) return true;
    return make_room(count);
  }

  /// Needs room.
  void push(Job& job) noexcept {
    const std::uint64_t tail = tail_.load(memory_order_relaxed);
    buffer_.load(memory_order_relaxed)->at(tail).store(&job, memory_order_relaxed);
    tail_.store(tail + 1, memory_order_seq_cst);
  }

  /// Takes back the youngest entry if it is this job's. Only if that is claimed, or about to be by
  /// the caller: nobody is told that the entry was hidden for a moment. As of Chase and Lev.
  bool pop_back(const Job& job) noexcept {
    const std::uint64_t tail = tail_.load(memory_order_relaxed);
    Buffer* const buffer = buffer_.load(memory_order_relaxed);
    if (head_.load(memory_order_relaxed) >= tail ||
        buffer->at(tail - 1).load(memory_order_relaxed) != &job) {
      return false;
    }
    tail_.store(tail - 1, memory_order_seq_cst);
    std::uint64_t head = head_.load(memory_order_seq_cst);
    if (head < tail - 1) return true;
    // The last one: a taker may be at it as well.
    const bool mine =
        head == tail - 1 &&
        head_.compare_exchange_strong(head, tail, memory_order_seq_cst, memory_order_seq_cst);
    tail_.store(tail, memory_order_seq_cst);
    return mine;
  }

 private:
  MILLPOND_COLD bool make_room(std::size_t count);

  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 63;

  alignas(64) atomic<std::uint64_t> head_{0};
  alignas(64) atomic<std::uint64_t> tail_{0};
  std::uint64_t head_seen_ = 0;  // by whoever adds: the head is there or further
  atomic<Buffer*> buffer_{nullptr};
};

/// An entry moves to its own slot or to one that is free: the n-th of those taken moves to the n-th
/// place behind the tail at most, and at most `capacity` were taken.
inline bool JobRing::make_room(std::size_t count) {
  Buffer* buffer = buffer_.load(memory_order_relaxed);
  if (buffer == nullptr) {
    const std::size_t capacity =
        std::bit_ceil(count < tuning::kSmallestRing ? tuning::kSmallestRing : 2 * count);
    buffer_.store(new Buffer(capacity, nullptr), memory_order_release);
    return true;
  }
  const std::uint64_t tail = tail_.load(memory_order_relaxed);
  std::uint64_t head = head_.load(memory_order_seq_cst);
  do {
    if ((head & kClosed) != 0) return false;
  } while (!head_.compare_exchange_weak(head, tail, memory_order_seq_cst, memory_order_seq_cst));
  head_seen_ = tail;
  std::uint64_t end = tail;
  for (std::uint64_t position = head; position != tail; ++position) {
    Job* const job = buffer->at(position).load(memory_order_relaxed);
    if (!job->drop_if_dead()) buffer->at(end++).store(job, memory_order_relaxed);
  }
  const auto kept = static_cast<std::size_t>(end - tail);
  if (kept + count > buffer->capacity() - buffer->capacity() / 4) {
    Buffer* larger = nullptr;
    try {
      larger = new Buffer(std::bit_ceil(kept + count + buffer->capacity() / 2), buffer);
    } catch (...) {
      if (kept + count > buffer->capacity()) {
        tail_.store(end, memory_order_seq_cst);
        throw;
      }
    }
    if (larger != nullptr) {
      for (std::uint64_t position = tail; position != end; ++position) {
        larger->at(position).store(buffer->at(position).load(memory_order_relaxed),
                                   memory_order_relaxed);
      }
      buffer_.store(larger, memory_order_release);
    }
  }
  tail_.store(end, memory_order_seq_cst);
  return true;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_JOB_RING_HPP
