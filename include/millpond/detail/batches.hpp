// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_BATCHES_HPP
#define MILLPOND_DETAIL_BATCHES_HPP

#include <millpond/detail/batch.hpp>
#include <millpond/detail/config.hpp>
#include <millpond/detail/job.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// The batches of a pool's workers, one each. A worker fills its own from the queue or from another
/// worker's and empties it before it looks for more.
///
/// Thread safety: members called ..._locked need the pool's mutex; take() does not.
class Batches {
 public:
  explicit Batches(std::size_t workers) : batches_(workers) {}

  /// The next job of `worker`'s batch, with a reference; null if it is empty.
  Job* take(std::size_t worker) noexcept { return batches_[worker].take(); }

  /// Whether any worker may have jobs: one that has filled its batch and not emptied_locked() it.
  bool in_use_locked() const noexcept { return in_use_ != 0; }
  bool any_job_locked() const noexcept {
    return in_use_ != 0 && std::any_of(batches_.begin(), batches_.end(),
                                       [](const Batch& batch) { return !batch.empty(); });
  }

  void fill_locked(std::size_t worker, Job* const* jobs, std::size_t count) noexcept {
    batches_[worker].fill(jobs, static_cast<std::uint32_t>(count));
    ++in_use_;
  }
  /// A worker has found its batch empty that it had filled.
  void emptied_locked() noexcept { --in_use_; }

  /// What a worker has got: a job to run, with a reference, or none; and whether more of them are
  /// in its batch.
  struct Taken {
    Job* job = nullptr;
    bool has_batch = false;
  };

  /// For a worker whose batch is empty: half of another's.
  Taken steal_locked(std::size_t worker) noexcept {
    Job* jobs[Batch::kCapacity];
    for (std::size_t i = 0; i != batches_.size(); ++i) {
      const std::uint32_t count = batches_[look()].take_half(jobs);
      if (count != 0) return keep_locked(worker, jobs, count);
    }
    return {};
  }

  /// All of a batch that is stuck, if the one that is looked at this time is; they are looked at
  /// in turn. So no job is overtaken by more than are taken in two rounds of looks.
  Taken rescue_locked(std::size_t worker) noexcept {
    Batch& batch = batches_[look()];
    if (!batch.is_stuck()) return {};
    Job* jobs[Batch::kCapacity];
    const std::uint32_t count = batch.take_all(jobs);
    return count != 0 ? keep_locked(worker, jobs, count) : Taken{};
  }

  /// Takes out any job, with its reference; null if there is none. Without the mutex, once nobody
  /// fills batches any more.
  Job* drain() noexcept {
    for (Batch& batch : batches_) {
      if (Job* const job = batch.take()) return job;
    }
    return nullptr;
  }

 private:
  std::size_t look() noexcept { return looks_++ % batches_.size(); }

  Taken keep_locked(std::size_t worker, Job* const* jobs, std::size_t count) noexcept {
    if (count > 1) fill_locked(worker, jobs + 1, count - 1);
    return {.job = jobs[0], .has_batch = count > 1};
  }

  std::vector<Batch> batches_;
  std::size_t in_use_ = 0;
  std::size_t looks_ = 0;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_BATCHES_HPP
