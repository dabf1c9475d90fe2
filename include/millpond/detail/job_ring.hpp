// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOB_RING_HPP
#define MILLPOND_DETAIL_JOB_RING_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/job.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Jobs, first in first out, in an array: so that several can be taken out without looking at them,
/// which would fetch each from the cache of the thread that made it. One can be taken out of the
/// middle, and leaves a hole. Holes at the end go at once, all others before the ring grows: so its
/// size depends on the jobs that are in it together. Not thread-safe. Keeps no count of references.
class JobRing {
 public:
  /// Makes room for one more. Throws std::bad_alloc.
  void reserve_one() {
    if (end_ - begin_ != capacity_) return;
    if (jobs_ >= capacity_ / 2) {
      grow();
    } else {
      close_holes();
    }
  }

  /// Of so many jobs and holes.
  std::size_t capacity() const noexcept { return capacity_; }

  /// Needs room.
  void push_back(Job& job) noexcept {
    job.place_.store(Job::Place::ring, memory_order_relaxed);
    job.position_ = end_;
    at(end_++) = to_entry(job);
    ++jobs_;
  }

  /// The first job, or null.
  Job* front() noexcept {
    skip_holes();
    return begin_ != end_ ? to_job(at(begin_)) : nullptr;
  }

  /// Takes out jobs from the front as long as they are calls, at most `limit`, into `jobs`. Returns
  /// how many. They themselves are not told, so erase() may be tried in vain.
  std::size_t pop_calls(Job** jobs, std::size_t limit) noexcept {
    const Entry* const entries = entries_.get();
    const std::size_t mask = capacity_ - 1;
    std::size_t count = 0;
    std::uint64_t position = begin_;
    for (; count != limit && position != end_; ++position) {
      const Entry entry = entries[static_cast<std::size_t>(position) & mask];
      if (entry == kHole) continue;
      if ((entry & kNotACall) != 0) break;
      jobs[count++] = to_job(entry);
    }
    begin_ = position;
    jobs_ -= count;
    shrink_if_empty();
    return count;
  }

  /// Takes out `job`; false if it is not here (any more). It must not be in another ring.
  bool erase(Job& job) noexcept {
    if (job.place_.load(memory_order_relaxed) != Job::Place::ring || job.position_ < begin_ ||
        to_job(at(job.position_)) != &job) {
      return false;
    }
    job.place_.store(Job::Place::nowhere, memory_order_relaxed);
    at(job.position_) = kHole;
    --jobs_;
    if (job.position_ == begin_) {
      ++begin_;
    } else if (job.position_ + 1 == end_) {
      while (begin_ != end_ && at(end_ - 1) == kHole) --end_;
    }
    shrink_if_empty();
    return true;
  }

 private:
  /// A pointer whose lowest bit tells what kind of job it is.
  using Entry = std::uintptr_t;
  static constexpr Entry kHole = 0;
  static constexpr Entry kNotACall = 1;
  static_assert(alignof(Job) >= 2);

  /// An empty ring keeps no more entries than this: 512 KiB.
  static constexpr std::size_t kKept = std::size_t{1} << 16;

  static Entry to_entry(Job& job) noexcept {
    return reinterpret_cast<Entry>(&job) | (job.kind() == Job::Kind::call ? 0 : kNotACall);
  }
  static Job* to_job(Entry entry) noexcept { return reinterpret_cast<Job*>(entry & ~kNotACall); }

  Entry& at(std::uint64_t position) noexcept {
    return entries_[static_cast<std::size_t>(position) & (capacity_ - 1)];
  }

  void skip_holes() noexcept {
    while (begin_ != end_ && at(begin_) == kHole) ++begin_;
  }

  /// Towards the end: no position gets smaller, so erase() still knows what was taken before.
  MILLPOND_COLD void close_holes() noexcept {
    std::uint64_t free = end_;
    for (std::uint64_t position = end_; position != begin_;) {
      const Entry entry = at(--position);
      if (entry == kHole) continue;
      at(--free) = entry;
      to_job(entry)->position_ = free;
    }
    begin_ = free;
  }

  void shrink_if_empty() noexcept {
    if (begin_ != end_ || capacity_ <= kKept) return;
    entries_.reset();
    capacity_ = 0;
  }

  MILLPOND_COLD void grow() {
    const std::size_t capacity = capacity_ == 0 ? tuning::kSmallestRing : 2 * capacity_;
    auto larger = std::make_unique_for_overwrite<Entry[]>(capacity);
    for (std::uint64_t position = begin_; position != end_; ++position) {
      larger[static_cast<std::size_t>(position) & (capacity - 1)] = at(position);
    }
    entries_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<Entry[]> entries_;
  std::size_t capacity_ = 0;
  std::uint64_t begin_ = 0;  // only grows: what was taken from the front is before it
  std::uint64_t end_ = 0;
  std::size_t jobs_ = 0;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOB_RING_HPP
