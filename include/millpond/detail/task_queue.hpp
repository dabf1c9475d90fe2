// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_TASK_QUEUE_HPP
#define MILLPOND_DETAIL_TASK_QUEUE_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/job.hpp>
#include <millpond/detail/job_heap.hpp>
#include <millpond/detail/job_ring.hpp>
#include <millpond/detail/sync.hpp>

#include <cstddef>
#include <cstdint>

namespace millpond::inline MILLPOND_ABI {

/// The order of a pool's queue: first in, first started. Python's.
struct Fifo {};

/// The order of a pool's queue: the higher priority first, first in, first started among equals.
struct Priority {};

}  // namespace millpond::inline MILLPOND_ABI

namespace millpond::inline MILLPOND_ABI::detail {

/// Jobs first in, first out, and some in front of them.
class FifoJobs {
 public:
  void reserve_one() { later_.reserve_one(); }
  void push_back(Job& job) noexcept { later_.push_back(job); }
  void push_front(Job& job) noexcept { first_.push_front(job); }
  Job* front() noexcept { return first_.empty() ? later_.front() : first_.front(); }
  bool erase(Job& job) noexcept { return first_.erase(job) || later_.erase(job); }

  std::size_t pop_calls(Job** jobs, std::size_t limit) noexcept {
    return first_.empty() ? later_.pop_calls(jobs, limit) : 0;
  }

 private:
  JobList first_;
  JobRing later_;
};

/// Jobs by priority, first in, first out among equals.
class PriorityJobs {
 public:
  void reserve_one() { heap_.reserve_one(); }
  void push_back(Job& job) noexcept { heap_.push(job, ++last_); }

  /// In front of those of its priority; of all, if there is no memory for that.
  void push_front(Job& job) noexcept {
    try {
      heap_.reserve_one();
    } catch (...) {
      return first_.push_front(job);
    }
    heap_.push(job, --foremost_);
  }

  Job* front() noexcept { return first_.empty() ? heap_.front() : first_.front(); }
  bool erase(Job& job) noexcept { return first_.erase(job) || heap_.erase(job); }

 private:
  JobList first_;
  JobHeap heap_;
  std::int64_t last_ = 0;
  std::int64_t foremost_ = 0;
};

template <class Order>
struct OrderTraits;
template <>
struct OrderTraits<Fifo> {
  using Jobs = FifoJobs;
  static constexpr const char* kPoolName = "ThreadPool";
  static constexpr bool kMayBatch = true;
};
template <>
struct OrderTraits<Priority> {
  using Jobs = PriorityJobs;
  static constexpr const char* kPoolName = "PriorityThreadPool";
  static constexpr bool kMayBatch = false;
};

/// The jobs that wait for a worker, in the order in which they start. Not thread-safe: guarded by
/// the pool's mutex. Holds one reference to each job.
template <class Order>
class TaskQueue {
 public:
  static constexpr const char* kPoolName = OrderTraits<Order>::kPoolName;

  /// Whether a worker may take several jobs at once, or a map to its end: what comes later never
  /// starts before what is there.
  static constexpr bool kMayBatch = OrderTraits<Order>::kMayBatch;

  bool empty() const noexcept { return size() == 0; }
  /// Exact under the mutex, a hint without it.
  std::size_t size() const noexcept { return size_.load(memory_order_relaxed); }

  /// Makes room for one more. Throws std::bad_alloc.
  void reserve_one() { jobs_.reserve_one(); }

  /// Needs room.
  void push_back(Job& job) noexcept {
    jobs_.push_back(job);
    add(1);
  }
  void push_front(Job& job) noexcept {
    jobs_.push_front(job);
    add(1);
  }

  /// The job to run next, with a reference for the caller; null if there is none.
  ///
  /// A spent map goes at once: whoever claimed the last of it may be kept from taking it out, and
  /// nothing behind it would start.
  Job* take() noexcept {
    for (;;) {
      Job* const job = jobs_.front();
      if (job == nullptr) return nullptr;
      if (job->kind() != Job::Kind::map) {
        erase(*job);
        return job;
      }
      if (!job->is_spent()) {
        job->add_ref();
        return job;
      }
      erase(*job);
      job->release();  // not the last: see is_spent()
    }
  }

  /// Takes the next jobs, as take() would, as long as they are calls; at most `limit`. Returns how
  /// many.
  std::size_t take_calls(Job** jobs, std::size_t limit) noexcept {
    const std::size_t count = jobs_.pop_calls(jobs, limit);
    add(std::size_t{0} - count);
    return count;
  }

  /// Takes out the first job whatever it is, with the queue's reference; null if there is none.
  Job* pop() noexcept {
    Job* const job = jobs_.front();
    if (job != nullptr) erase(*job);
    return job;
  }

  /// False if it is not queued (any more); else the queue's reference is the caller's.
  bool erase(Job& job) noexcept {
    if (!job.is_queued() || !jobs_.erase(job)) return false;
    add(std::size_t{0} - 1);
    return true;
  }

 private:
  /// Not one atomic step: only those under the mutex write.
  void add(std::size_t difference) noexcept {
    size_.store(size_.load(memory_order_relaxed) + difference, memory_order_relaxed);
  }

  typename OrderTraits<Order>::Jobs jobs_;
  atomic<std::size_t> size_{0};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_TASK_QUEUE_HPP
