// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_TASK_QUEUE_HPP
#define MILLPOND_DETAIL_TASK_QUEUE_HPP

#include <millpond/detail/job.hpp>

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

  bool empty() const noexcept { return jobs_.empty(); }
  void push_back(Job& job) noexcept { jobs_.push_back(job); }
  void push_front(Job& job) noexcept { jobs_.push_front(job); }

  /// The job to run next, with a reference for the caller; null if there is none.
  Job* take() noexcept {
    Job* const job = jobs_.front();
    if (job == nullptr) return nullptr;
    if (job->stays_queued()) {
      job->add_ref();
    } else {
      jobs_.erase(*job);
    }
    return job;
  }

  /// Takes out the first job whatever it is, with the queue's reference; null if there is none.
  Job* pop() noexcept { return jobs_.pop_front(); }

  /// False if it is not queued (any more); else the queue's reference is the caller's.
  bool erase(Job& job) noexcept {
    if (!job.is_queued()) return false;
    jobs_.erase(job);
    return true;
  }

 private:
  JobList jobs_;
};

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_TASK_QUEUE_HPP
