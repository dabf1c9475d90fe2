// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_THREAD_CONTEXT_HPP
#define MILLPOND_DETAIL_ENGINE_THREAD_CONTEXT_HPP

#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

class Engine;
class Job;
struct Worker;

/// Jobs on the stack of one thread, each begun while the ones before were under way.
class JobStack {
 public:
  bool contains(const Job* job) const noexcept {
    for (const Frame* frame = top_; frame != nullptr; frame = frame->below_) {
      if (frame->job == job) return true;
    }
    return false;
  }

  /// Is on the stack as long as it lives.
  class Frame {
   public:
    explicit Frame(JobStack& stack, const Job* on_top = nullptr) noexcept
        : job(on_top), stack_(stack), below_(std::exchange(stack.top_, this)) {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() { stack_.top_ = below_; }

    const Job* job;

   private:
    friend class JobStack;
    JobStack& stack_;
    const Frame* const below_;
  };

 private:
  const Frame* top_ = nullptr;
};

/// What a thread of a pool knows of itself. Only its own thread reads or writes it; but what a
/// thread has last written before it waited may be read under the pool's mutex until it goes on.
struct ThreadContext {
  Engine* engine;
  std::optional<std::size_t> worker_index = std::nullopt;  // none: the callback thread
  Worker* worker = nullptr;                                // null: the callback thread
  JobStack running{};       // which may be another's that it waits for
  JobStack calling_back{};  // whose callbacks run here

  /// Whether the job, or a callback of its, is on this thread's stack.
  bool is_at(const Job* job) const noexcept {
    return running.contains(job) || calling_back.contains(job);
  }
  bool is_callback_thread() const noexcept { return worker == nullptr; }
};

/// Null on threads that belong to no pool. Where the loader does not make it one variable of the
/// process, each module (the program, a shared library) has its own: then it is null, too, until
/// this module has had to do with the thread's pool (Engine::introduce_thread()). The context
/// itself lives as long as its thread.
inline constinit MILLPOND_VISIBLE thread_local ThreadContext* current_thread_context = nullptr;

/// This thread's context if it is one of `engine`'s threads, else null. Only compares the pointer.
inline ThreadContext* context_in(const Engine* engine) noexcept {
  ThreadContext* const context = current_thread_context;
  return context != nullptr && context->engine == engine ? context : nullptr;
}

/// The pool that this thread has worked for, and has left: its thread_local objects are being
/// destroyed. The engine may be gone: only to be compared.
struct LeftPool {
  const Engine* engine = nullptr;
  std::uint16_t serial = 0;  // tells it from a later one at the same address
};
inline constinit MILLPOND_VISIBLE thread_local LeftPool left_pool{};

class CompletionScope;

/// What a module knows of the calling thread: its context and its completion scopes.
struct ThisThread {
  ThreadContext* context;
  CompletionScope** innermost_scope;
};
/// What this one knows; and what the module knows that has made `engine`, whose threads it starts.
ThisThread what_we_know_of_this_thread() noexcept;
ThisThread this_thread_of(const Engine& engine) noexcept;

/// While one lives, this thread completes jobs of `engine` otherwise than by running them as a
/// worker: it gives them up (terminate(), a dropped imap) or finishes what needs no worker. That
/// destroys objects of the user's, one of which may own the pool, or wait for a result.
class CompletionScope {
 public:
  explicit CompletionScope(Engine* engine, const Job* job = nullptr) noexcept
      : context_{engine},
        innermost_(*this_thread_of(*engine).innermost_scope),
        frame_(running_on_this_thread(engine), job),
        outer_(std::exchange(innermost_, this)) {}
  CompletionScope(const CompletionScope&) = delete;
  CompletionScope& operator=(const CompletionScope&) = delete;
  ~CompletionScope() { innermost_ = outer_; }

  /// Which job it is now.
  void set_job(const Job* job) noexcept { frame_.job = job; }

  /// Whether this thread is inside one for `engine`.
  static bool is_inside(const Engine& engine) noexcept {
    return context_in(&engine, *this_thread_of(engine).innermost_scope) != nullptr;
  }

  /// What stands for this thread, which need not be one of the pool's, where others look for who
  /// waits for what: the context of the outermost for `engine`, which has the jobs of all. Null
  /// outside.
  static ThreadContext* context_in(const Engine* engine,
                                   CompletionScope* innermost = innermost_here_) noexcept {
    ThreadContext* context = nullptr;
    for (CompletionScope* scope = innermost; scope != nullptr; scope = scope->outer_) {
      if (scope->context_.engine == engine) context = &scope->context_;
    }
    return context;
  }

  /// Whether this thread is inside any.
  static bool is_inside_any() noexcept { return innermost_here_ != nullptr; }

 private:
  JobStack& running_on_this_thread(const Engine* engine) noexcept {
    ThreadContext* context = detail::context_in(engine);
    if (context == nullptr) context = context_in(engine, innermost_);
    return context != nullptr ? context->running : context_.running;
  }

  friend ThisThread what_we_know_of_this_thread() noexcept;

  ThreadContext context_;  // unused on the pool's own threads, which have one
  CompletionScope*& innermost_;
  JobStack::Frame frame_;
  CompletionScope* const outer_;

  static inline constinit MILLPOND_VISIBLE thread_local CompletionScope* innermost_here_ = nullptr;
};

inline ThisThread what_we_know_of_this_thread() noexcept {
  return {current_thread_context, &CompletionScope::innermost_here_};
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_THREAD_CONTEXT_HPP
