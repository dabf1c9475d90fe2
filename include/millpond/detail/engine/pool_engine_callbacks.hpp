// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_POOL_ENGINE_CALLBACKS_HPP
#define MILLPOND_DETAIL_ENGINE_POOL_ENGINE_CALLBACKS_HPP

#include <millpond/detail/engine/callback_thread.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/detail/platform/thread_name.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>

/// An engine's callback thread, and what becomes of errors that nobody looks at.

namespace millpond::inline MILLPOND_ABI::detail {

inline bool PoolEngine::need_callbacks() {
  const lock_guard lock(mutex_);
  if (unfinished() == 0) return false;
  if (!callbacks_.started_locked()) start_callback_thread_locked();
  return true;
}

inline void PoolEngine::start_callback_thread() {
  const lock_guard lock(mutex_);
  check_state();
  if (!callbacks_.started_locked()) start_callback_thread_locked();
}

inline void PoolEngine::start_callback_thread_locked() {
  add_ref();
  try {
    callbacks_.start_locked([this] { run_callback_thread(); });
  } catch (...) {
    release();  // never the last: our caller holds one
    throw;
  }
}

template <class Done>
void PoolEngine::serve_callbacks(unique_lock& lock, Done done) noexcept {
  callbacks_.serve(lock, done, [this] {
    if (state() != State::run) exit_condition_.notify_all();
  });
}

inline void PoolEngine::run_callback_thread() noexcept {
  const Ref<Engine> self = Ref<Engine>::adopt(this);
  thread_local constinit ThreadContext context{nullptr};
  context.engine = this;
  current_thread_context = &context;
  name_this_thread(thread_name_prefix_, "cb");
  {
    unique_lock lock(mutex_);
    serve_callbacks(lock, [this] { return all_issued_ && unfinished() == 0; });
    callbacks_.end_locked();
    exit_condition_.notify_all();
  }
  context.engine = nullptr;
  current_thread_context = nullptr;
  left_pool = {this, serial()};
}

inline void print_unobserved(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "millpond: unobserved error in a task: %s\n", exception.what());
  } catch (...) {
    std::fputs("millpond: unobserved error in a task: not a std::exception\n", stderr);
  }
}

inline void PoolEngine::report(const std::exception_ptr& error) const noexcept {
  if (!on_unobserved_error_) return print_unobserved(error);
  try {
    on_unobserved_error_(error);
  } catch (...) {
    print_unobserved(std::current_exception());
  }
}

MILLPOND_INLINE void Engine::report_to(const Engine* engine, std::uint16_t serial,
                                       const std::exception_ptr& error) noexcept {
  const Ref<Findable> live = find(engine, serial);
  if (live) {
    static_cast<Engine&>(*live).report(error);
  } else {
    print_unobserved(error);
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_POOL_ENGINE_CALLBACKS_HPP
