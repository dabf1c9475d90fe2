// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_THREAD_CONTEXT_HPP
#define MILLPOND_DETAIL_THREAD_CONTEXT_HPP

#include <cstddef>
#include <optional>

namespace millpond::inline v0_1::detail {

class Core;
class Job;

/// A callback that is running on this thread; a chain, as callbacks may wait for other callbacks.
struct CallbackFrame {
  const Job* job;
  const CallbackFrame* outer;
};

/// What a thread of a pool knows of itself. Only its own thread reads or writes it.
struct ThreadContext {
  Core* core;
  std::optional<std::size_t> worker_index;         // none: the callback thread
  std::size_t finished_jobs = 0;                   // not yet subtracted from the core's count
  const CallbackFrame* callback_frames = nullptr;  // innermost first

  bool is_callback_thread() const noexcept { return !worker_index.has_value(); }

  bool in_callback_of(const Job* job) const noexcept {
    for (const CallbackFrame* frame = callback_frames; frame != nullptr; frame = frame->outer) {
      if (frame->job == job) return true;
    }
    return false;
  }
};

/// While one lives, this thread completes jobs of `core` without being one of its threads: it
/// gives them up (terminate(), a dropped imap) or finishes what needs no worker. That destroys
/// objects of the user's, one of which may own the pool.
class CompletionScope {
 public:
  explicit CompletionScope(const Core* core) noexcept : core_(core), outer_(innermost_) {
    innermost_ = this;
  }
  CompletionScope(const CompletionScope&) = delete;
  CompletionScope& operator=(const CompletionScope&) = delete;
  ~CompletionScope() { innermost_ = outer_; }

  /// Whether this thread is inside one for `core`.
  static bool is_inside(const Core* core) noexcept {
    for (const CompletionScope* scope = innermost_; scope != nullptr; scope = scope->outer_) {
      if (scope->core_ == core) return true;
    }
    return false;
  }

 private:
  const Core* const core_;
  const CompletionScope* const outer_;

  static inline constinit thread_local const CompletionScope* innermost_ = nullptr;
};

/// Null on threads that belong to no pool.
inline constinit thread_local ThreadContext* current_thread_context = nullptr;

/// This thread's context if it is one of `core`'s threads, else null. Only compares the pointer.
inline ThreadContext* context_in(const Core* core) noexcept {
  ThreadContext* const context = current_thread_context;
  return context != nullptr && context->core == core ? context : nullptr;
}

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_THREAD_CONTEXT_HPP
