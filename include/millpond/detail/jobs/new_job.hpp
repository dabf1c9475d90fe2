// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_NEW_JOB_HPP
#define MILLPOND_DETAIL_JOBS_NEW_JOB_HPP

#include <millpond/detail/platform/config.hpp>

#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// The owner of a job that has not been issued yet. A std::unique_ptr, but for what that costs:
/// each call that issues work has a type of job of its own, and fifty functions of std::unique_ptr
/// would be compiled for it.
template <class Job>
class NewJob {
 public:
  explicit NewJob(Job* job) noexcept : job_(job) {}
  NewJob(NewJob&& other) noexcept : job_(other.release()) {}
  NewJob& operator=(NewJob&&) = delete;
  ~NewJob() { delete job_; }

  Job& operator*() const noexcept { return *job_; }
  Job* operator->() const noexcept { return job_; }
  Job* release() noexcept {
    Job* const job = job_;
    job_ = nullptr;
    return job;
  }

 private:
  Job* job_;
};

template <class Job, class... Args>
NewJob<Job> make_job(Args&&... args) {
  return NewJob<Job>(new Job(std::forward<Args>(args)...));
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_NEW_JOB_HPP
