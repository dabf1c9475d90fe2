// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_STREAM_QUEUE_HPP
#define MILLPOND_DETAIL_ENGINE_STREAM_QUEUE_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstdint>

namespace millpond::inline MILLPOND_ABI::detail {

/// Imaps that want another worker, by rank, in a list linked by themselves: so it needs no memory,
/// and one can be taken out of the middle. Holds a reference to each. Not thread-safe, but for
/// empty().
class StreamQueue {
 public:
  /// Order 0, before all others of its priority: it goes on with its turn.
  static constexpr std::uint64_t kInTurn = 0;

  /// A hint without the mutex that guards the rest.
  bool empty() const noexcept { return front() == nullptr; }
  StreamJob* front() const noexcept { return first_.load(memory_order_relaxed); }
  /// Of the first, which must be there.
  const Rank& first_rank() const noexcept { return front()->rank_; }

  void push(StreamJob& job, std::uint64_t order) noexcept {
    job.rank_.order = order;
    StreamJob* next = front();
    StreamJob* prev = nullptr;
    for (; next != nullptr && !job.rank_.is_before(next->rank_); next = next->next_) prev = next;
    job.prev_ = prev;
    job.next_ = next;
    set_next(prev, &job);
    if (next != nullptr) next->prev_ = &job;
    job.queued_.store(true, memory_order_relaxed);
  }

  /// Takes it out if it is here: then its reference is the caller's.
  bool erase(StreamJob& job) noexcept {
    if (!job.is_queued()) return false;
    set_next(job.prev_, job.next_);
    if (job.next_ != nullptr) job.next_->prev_ = job.prev_;
    job.queued_.store(false, memory_order_relaxed);
    return true;
  }

 private:
  void set_next(StreamJob* job, StreamJob* next) noexcept {
    if (job != nullptr) {
      job->next_ = next;
    } else {
      first_.store(next, memory_order_relaxed);
    }
  }

  atomic<StreamJob*> first_{nullptr};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_STREAM_QUEUE_HPP
