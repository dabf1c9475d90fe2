// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_STREAM_LIST_HPP
#define MILLPOND_DETAIL_ENGINE_STREAM_LIST_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/platform/config.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI::detail {

/// The imaps of a pool that may still read, linked by themselves. Guarded by the pool's mutex.
class StreamList {
 public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return first_ == nullptr; }
  StreamJob& front() const noexcept { return *first_; }

  void push_back(StreamJob& job) noexcept {
    job.next_live_ = nullptr;
    job.prev_live_ = last_;
    (last_ != nullptr ? last_->next_live_ : first_) = &job;
    last_ = &job;
    job.is_listed_ = true;
    ++size_;
  }
  /// Does nothing if it is not there.
  void erase(StreamJob& job) noexcept {
    if (!job.is_listed_) return;
    (job.prev_live_ != nullptr ? job.prev_live_->next_live_ : first_) = job.next_live_;
    (job.next_live_ != nullptr ? job.next_live_->prev_live_ : last_) = job.prev_live_;
    job.is_listed_ = false;
    --size_;
  }

 private:
  StreamJob* first_ = nullptr;
  StreamJob* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_STREAM_LIST_HPP
