// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_RESULTS_RESULT_WAIT_HPP
#define MILLPOND_DETAIL_RESULTS_RESULT_WAIT_HPP

#include <millpond/detail/engine/callback_thread.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/engine/thread_waiter.hpp>
#include <millpond/detail/engine/wait_graph.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/spin.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/detail/results/result_state.hpp>
#include <millpond/state.hpp>

namespace millpond::inline MILLPOND_ABI::detail {

// How a thread waits for a result.

/// Whoever makes this ready tells the waiters before he lets go of the engine: so he is held up, if
/// he comes, until the engine is ours, too.
MILLPOND_INLINE Ref<Engine> ResultBase::find_engine() noexcept {
  Ref<Engine> engine;
  ThreadWaiter waiter;
  {
    const unique_lock lock = waiter.hold();
    if (!waiters_.add(waiter)) return engine;
    engine = Ref<Engine>::share(engine_);
  }
  if (!waiters_.remove(waiter)) waiter.wait();
  return engine;
}

MILLPOND_INLINE ThreadContext* ResultBase::find_context() noexcept {
  ThreadContext* context = context_in(engine_);
  if (context == nullptr) context = CompletionScope::context_in(engine_);
  if (context != nullptr) return context;
  const Ref<Engine> engine = find_engine();
  if (!engine) return nullptr;
  engine->introduce_thread();
  context = context_in(engine_);
  if (context != nullptr) return context;
  return CompletionScope::context_in(engine_, *this_thread_of(*engine).innermost_scope);
}

MILLPOND_INLINE bool ResultBase::wait_until_ready(Deadline deadline) noexcept {
  ThreadContext* context = context_in(engine_);
  if (context != nullptr && context->calling_back.contains(this)) return true;
  if (deadline.is_poll()) return false;
  ThreadContext* waiter = context != nullptr ? context : CompletionScope::context_in(engine_);
  bool has_spun = false;
  if (waiter == nullptr) {
    // Most likely this is no thread of a pool. To make sure costs little if one sleeps next.
    if (spinning_pays()) {
      spin_until([&] { return ready() || deadline.has_passed(); });
      has_spun = true;
    }
    if (ready()) return true;
    waiter = find_context();
    if (waiter == nullptr) return sleep(deadline);
    context = context_in(engine_);
    if (context != nullptr && context->calling_back.contains(this)) return true;
  }
  {
    const JobStack::Frame frame(waiter->running, this);
    if (engine_->state() == State::terminate) {
      // Perhaps it is this thread that is giving up one after another: do not wait for oneself.
      abandon(engine_->terminated_error());
    } else if (context != nullptr) {
      help(deadline);
    }
    if (ready()) return true;
  }
  if (context != nullptr && context->is_callback_thread()) return sleep_in_callback(deadline);
  if (!has_spun && spinning_pays()) {
    spin_until([&] { return ready() || deadline.has_passed(); });
    if (ready()) return true;
  }
  Job* const self = this;
  WaitGraph::PlainWait wait(*waiter, {&self, 1});
  const WaitGraph::Scope waits(PoolEngine::of(*engine_).waits(), wait);
  return sleep(deadline);
}

inline bool ResultBase::sleep(Deadline deadline) noexcept {
  ThreadWaiter waiter;
  if (!waiters_.add(waiter)) return true;
  if (!deadline.is_never()) {
    if (waiter.wait_until(deadline.when())) return true;
    if (waiters_.remove(waiter)) return false;
  }
  waiter.wait();
  return true;
}

inline bool ResultBase::sleep_in_callback(Deadline deadline) noexcept {
  CallbackThread& callbacks = PoolEngine::of(*engine_).callbacks();
  Job* const self = this;
  CallbackThread::PlainAlarm alarm(callbacks, {&self, 1});
  if (!waiters_.add(alarm)) return true;
  if (callbacks.wait_in_callback(alarm, deadline)) return true;
  if (waiters_.remove(alarm)) return false;
  return callbacks.wait_in_callback(alarm, Deadline::never());  // it is about to ring
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_RESULTS_RESULT_WAIT_HPP
