// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_READERS_SLEEP_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_READERS_SLEEP_HPP

#include <millpond/detail/engine/callback_thread.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/engine/wait_graph.hpp>
#include <millpond/detail/imap/imap_readers.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <condition_variable>
#include <optional>
#include <span>

// How readers of an imap sleep.

namespace millpond::inline MILLPOND_ABI::detail {

MILLPOND_INLINE bool ImapReaders::sleep_locked(unique_lock& lock, Engine& engine,
                                               Deadline deadline) {
  ThreadContext* context = context_in(&engine);
  if (context != nullptr && context->is_callback_thread()) {
    return sleep_in_callback_locked(lock, engine, deadline);
  }
  if (context == nullptr)
    context = CompletionScope::context_in(&engine, *this_thread_of(engine).innermost_scope);
  std::optional<WaitGraph::PlainWait> wait;
  std::optional<WaitGraph::Scope> waits;  // ends while the lock is held: that is the order
  if (context != nullptr) {
    waits.emplace(PoolEngine::of(engine).waits(), wait.emplace(*context, std::span(&imap_, 1)));
  }
  ++sleepers_;
  bool in_time = true;
  if (deadline.is_never()) {
    condition_.wait(lock);
  } else {
    in_time = condition_.wait_until(lock, deadline.when()) == std::cv_status::no_timeout;
  }
  --sleepers_;
  return in_time;
}

MILLPOND_INLINE void ImapReaders::notify_locked() noexcept {
  if (sleepers_ != 0) condition_.notify_all();
  for (Waiter* const alarm : alarms_) alarm->notify();
}

/// The callback thread has callbacks to serve while it waits, so it sleeps elsewhere, with an
/// alarm left here. Callbacks that it runs meanwhile may read the same imap: so there is a stack.
inline bool ImapReaders::sleep_in_callback_locked(unique_lock& lock, Engine& engine,
                                                  Deadline deadline) {
  CallbackThread& callbacks = PoolEngine::of(engine).callbacks();
  CallbackThread::PlainAlarm alarm(callbacks, {&imap_, 1});
  alarms_.push_back(&alarm);
  lock.unlock();
  const bool in_time = callbacks.wait_in_callback(alarm, deadline);
  lock.lock();
  alarms_.pop_back();
  return in_time;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_READERS_SLEEP_HPP
