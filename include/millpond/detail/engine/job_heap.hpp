// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_JOB_HEAP_HPP
#define MILLPOND_DETAIL_ENGINE_JOB_HEAP_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// Entries of jobs by rank: a binary heap. Not thread-safe. Holds what each entry holds of its job.
class JobHeap {
 public:
  JobHeap() = default;
  JobHeap(const JobHeap&) = delete;
  JobHeap& operator=(const JobHeap&) = delete;
  ~JobHeap() {
    for (const Entry& entry : entries_) entry.job->drop_entry();
  }

  bool empty() const noexcept { return entries_.empty(); }
  const Rank& first_rank() const noexcept { return entries_.front().rank; }

  /// Makes room for so many more; forgets dead entries first. Throws std::bad_alloc.
  void reserve(std::size_t count) {
    if (entries_.capacity() - entries_.size() >= count) return;
    std::erase_if(entries_, [](const Entry& entry) { return entry.job->drop_if_dead(); });
    std::make_heap(entries_.begin(), entries_.end(), is_after);
    if (entries_.size() + count <= entries_.capacity() / 4 * 3) return;
    entries_.reserve((std::max)(entries_.size() + count, 2 * entries_.capacity()));
  }

  /// Needs room.
  void push(Job& job, Rank rank) noexcept {
    entries_.push_back({rank, &job});
    std::push_heap(entries_.begin(), entries_.end(), is_after);
  }

  /// Takes out the first entry, of which there must be one.
  Job* pop() noexcept {
    std::pop_heap(entries_.begin(), entries_.end(), is_after);
    Job* const job = entries_.back().job;
    entries_.pop_back();
    return job;
  }

 private:
  struct Entry {
    Rank rank;
    Job* job;
  };
  static bool is_after(const Entry& a, const Entry& b) noexcept { return b.rank.is_before(a.rank); }

  std::vector<Entry> entries_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_JOB_HEAP_HPP
