// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_STOP_LIST_HPP
#define MILLPOND_DETAIL_ENGINE_STOP_LIST_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

#if MILLPOND_HAS_STOP_TOKEN

/// The source of a job's tokens; in the pool's list of them while the job is unfinished, so that
/// terminate() can request stop.
class StopSource {
 public:
  StopSource() = default;
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;

  /// Thread-safe.
  void request() noexcept { source_.request_stop(); }
  stop_token token() const noexcept { return source_.get_token(); }

 private:
  friend class StopList;
  stop_source source_;
  StopSource* next_ = nullptr;  // guarded by the pool's mutex, as is the next
  StopSource** link_ = nullptr;
};

/// The sources of a pool's unfinished jobs. Guarded by the pool's mutex.
class StopList {
 public:
  void insert(StopSource& source) noexcept {
    source.next_ = std::exchange(first_, &source);
    source.link_ = &first_;
    if (source.next_ != nullptr) source.next_->link_ = &source.next_;
  }
  /// Does nothing if it is not there.
  void erase(StopSource& source) noexcept {
    if (source.link_ == nullptr) return;
    *source.link_ = source.next_;
    if (source.next_ != nullptr) source.next_->link_ = source.link_;
    source.link_ = nullptr;
  }
  /// Takes one out; false if there is none. To be asked to stop without the mutex.
  bool pop(stop_source& source) noexcept {
    if (first_ == nullptr) return false;
    source = first_->source_;
    erase(*first_);
    return true;
  }

 private:
  StopSource* first_ = nullptr;
};

#else

class StopSource;

#endif

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_STOP_LIST_HPP
