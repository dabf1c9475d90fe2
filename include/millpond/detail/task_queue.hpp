// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_TASK_QUEUE_HPP
#define MILLPOND_DETAIL_TASK_QUEUE_HPP

#include <millpond/detail/job.hpp>
#include <millpond/detail/job_ring.hpp>
#include <millpond/detail/sync.hpp>

#include <cstddef>

namespace millpond::inline v0_1 {

/// The order of a pool's queue: first in, first started. Python's.
struct Fifo {};

}  // namespace millpond::inline v0_1

namespace millpond::inline v0_1::detail {

/// The jobs that wait for a worker, in the order in which they start. Not thread-safe: guarded by
/// the pool's mutex. Holds one reference to each job.
template <class Order>
class TaskQueue;

template <>
class TaskQueue<Fifo> {
 public:
  static constexpr const char* kPoolName = "ThreadPool";

  /// Whether several jobs may be taken at once, to be run one after another.
  static constexpr bool kMayBatch = true;

  bool empty() const noexcept { return size() == 0; }
  /// Exact under the mutex, a hint without it.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

  /// Makes room for one more. Throws std::bad_alloc.
  void reserve_one() { later_.reserve_one(); }

  /// Needs room.
  void push_back(Job& job) noexcept {
    later_.push_back(job);
    add(1);
  }
  void push_front(Job& job) noexcept {
    first_.push_front(job);
    add(1);
  }

  /// The job to run next, with a reference for the caller; null if there is none.
  Job* take() noexcept {
    Job* const job = front();
    if (job == nullptr) return nullptr;
    if (job->kind() == Job::Kind::map) {
      job->add_ref();
    } else {
      pop_front(*job);
    }
    return job;
  }

  /// Takes the next jobs, as take() would, as long as they are calls; at most `limit`. Returns how
  /// many.
  std::size_t take_calls(Job** jobs, std::size_t limit) noexcept {
    if (!first_.empty()) return 0;
    const std::size_t count = later_.pop_calls(jobs, limit);
    add(std::size_t{0} - count);
    return count;
  }

  /// Takes out the first job whatever it is, with the queue's reference; null if there is none.
  Job* pop() noexcept {
    Job* const job = front();
    if (job != nullptr) pop_front(*job);
    return job;
  }

  /// False if it is not queued (any more); else the queue's reference is the caller's.
  bool erase(Job& job) noexcept {
    if (!job.is_queued() || !(first_.erase(job) || later_.erase(job))) return false;
    add(std::size_t{0} - 1);
    return true;
  }

 private:
  Job* front() noexcept { return first_.empty() ? later_.front() : first_.front(); }
  void pop_front(Job& job) noexcept {
    if (!first_.erase(job)) later_.pop_front();
    add(std::size_t{0} - 1);
  }
  /// Not one atomic step: only those under the mutex write.
  void add(std::size_t difference) noexcept {
    size_.store(size_.load(std::memory_order_relaxed) + difference, std::memory_order_relaxed);
  }

  JobList first_;  // what was put in front
  JobRing later_;
  atomic<std::size_t> size_{0};
};

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_TASK_QUEUE_HPP
