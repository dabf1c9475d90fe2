// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOB_HEAP_HPP
#define MILLPOND_DETAIL_JOB_HEAP_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/job.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// Jobs by priority, the higher first, and in order among equals: a binary heap. Each job knows its
/// place, so that one can be taken out of the middle. Not thread-safe. Keeps no count of
/// references.
class JobHeap {
 public:
  /// Makes room for one more. Throws std::bad_alloc.
  void reserve_one() {
    if (entries_.size() == entries_.capacity()) {
      entries_.reserve(std::max<std::size_t>(64, 2 * entries_.size()));
    }
  }

  /// Needs room. Among jobs of one priority the one with the least `order` is first.
  void push(Job& job, std::int64_t order) noexcept {
    job.place_.store(Job::Place::heap, memory_order_relaxed);
    entries_.push_back({job.priority(), order, &job});
    sift_up(entries_.size() - 1);
  }

  Job* front() const noexcept { return entries_.empty() ? nullptr : entries_.front().job; }

  /// False if it is not here.
  bool erase(Job& job) noexcept {
    if (job.place_.load(memory_order_relaxed) != Job::Place::heap) return false;
    const auto hole = static_cast<std::size_t>(job.position_);
    job.place_.store(Job::Place::nowhere, memory_order_relaxed);
    const Entry last = entries_.back();
    entries_.pop_back();
    if (hole == entries_.size()) return true;
    put(hole, last);
    sift_down(hole);
    sift_up(static_cast<std::size_t>(last.job->position_));
    return true;
  }

 private:
  struct Entry {
    int priority;
    std::int64_t order;
    Job* job;

    bool is_before(const Entry& other) const noexcept {
      return priority != other.priority ? priority > other.priority : order < other.order;
    }
  };

  void put(std::size_t index, const Entry& entry) noexcept {
    entries_[index] = entry;
    entry.job->position_ = index;
  }

  void sift_up(std::size_t index) noexcept {
    const Entry entry = entries_[index];
    for (; index != 0 && entry.is_before(entries_[(index - 1) / 2]); index = (index - 1) / 2) {
      put(index, entries_[(index - 1) / 2]);
    }
    put(index, entry);
  }

  void sift_down(std::size_t index) noexcept {
    const Entry entry = entries_[index];
    for (;;) {
      std::size_t child = 2 * index + 1;
      if (child >= entries_.size()) break;
      if (child + 1 < entries_.size() && entries_[child + 1].is_before(entries_[child])) ++child;
      if (!entries_[child].is_before(entry)) break;
      put(index, entries_[child]);
      index = child;
    }
    put(index, entry);
  }

  std::vector<Entry> entries_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOB_HEAP_HPP
