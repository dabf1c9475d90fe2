// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_TOUCH_JOB_HPP
#define MILLPOND_DETAIL_JOBS_TOUCH_JOB_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/jobs/new_job.hpp>
#include <millpond/detail/jobs/touch_pages.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>

namespace millpond::inline MILLPOND_ABI::detail {

/// Writes a byte to each page of some memory: a map without items, functions and results, so that
/// it costs each user's file less to compile.
///
/// Whoever comes claims block after block by moving next_; done_ counts those that are written to.
/// The thread that has issued it takes part until none is left, so nothing is lost with an entry
/// that no worker takes, or that is abandoned.
class TouchJob final : public Job {
 public:
  TouchJob(Engine& engine, std::byte* memory, std::size_t size) noexcept
      : Job(Kind::other, 0),
        engine_(engine),
        memory_(memory),
        size_(size),
        count_((size + kBlock - 1) / kBlock) {}

  Engine::Submission enter_queue() noexcept {
    const std::size_t entries = engine_.size() < count_ ? engine_.size() : count_;
    add_entries(static_cast<std::uint32_t>(entries));
    return {.entries = entries, .rank = &rank_};
  }

  /// With priorities a worker makes way after each block.
  void run() noexcept override {
    if (!engine_.takes_turns()) {
      touch(count_);
    } else {
      touch(1);
      if (!is_spent()) return engine_.put_back(*this, rank_);
    }
    drop_entry();
  }
  void abandon_entry(const std::exception_ptr&) noexcept override { drop_entry(); }
  void abandon(const std::exception_ptr&) noexcept override {}

  /// For the thread that has issued it: returns when every page is written to.
  MILLPOND_COLD void finish() noexcept {
    touch(count_);
    {
      unique_lock lock(mutex_);
      while (done_ != count_) condition_.wait(lock);
    }
    Engine& engine = engine_;
    done();
    engine.job_done();
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kBlock = 64 * kPage;

  bool is_spent() const noexcept override { return next_.load(memory_order_relaxed) >= count_; }

  MILLPOND_COLD void touch(std::size_t limit) noexcept {
    std::size_t done = 0;
    for (; done != limit; ++done) {
      // relaxed: the memory was there before the job was queued. Beyond
      // count_ at most once for each thread: no overflow.
      const std::size_t block = next_.fetch_add(1, memory_order_relaxed);
      if (block >= count_) break;
      const std::size_t begin = block * kBlock;
      const std::size_t end = size_ - begin < kBlock ? size_ : begin + kBlock;
      for (std::size_t at = begin; at < end; at += kPage) memory_[at] = std::byte{0};
    }
    if (done == 0) return;
    const lock_guard lock(mutex_);
    done_ += done;
    if (done_ == count_) condition_.notify_one();  // under the mutex: whoever waits may go then
  }

  Engine& engine_;  // outlives the call that issues it
  Rank rank_;
  std::byte* const memory_;
  const std::size_t size_;
  const std::size_t count_;  // of blocks
  atomic<std::size_t> next_{0};
  mutex mutex_;
  std::size_t done_ = 0;  // guarded by mutex_
  condition_variable condition_;
};

MILLPOND_INLINE void TouchPages::operator()(std::byte* memory, std::size_t size) const {
  NewJob<TouchJob> job = make_job<TouchJob>(engine_, memory, size);
  engine_.submit(*job, job->enter_queue());
  job.release()->finish();
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_TOUCH_JOB_HPP
