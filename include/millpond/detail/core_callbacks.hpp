// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CORE_CALLBACKS_HPP
#define MILLPOND_DETAIL_CORE_CALLBACKS_HPP

#include <millpond/detail/callback_thread.hpp>
#include <millpond/detail/config.hpp>
#include <millpond/detail/core.hpp>
#include <millpond/detail/ref.hpp>
#include <millpond/detail/sync.hpp>
#include <millpond/detail/thread_context.hpp>
#include <millpond/detail/thread_name.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>

/// A core's callback thread, and what becomes of errors that nobody looks at.

namespace millpond::inline MILLPOND_ABI::detail {

inline bool Core::need_callbacks() {
  const lock_guard lock(mutex_);
  if (unfinished() == 0) return false;
  if (!callbacks_.started_locked()) start_callback_thread_locked();
  return true;
}

inline void Core::start_callback_thread() {
  const lock_guard lock(mutex_);
  check_state();
  if (!callbacks_.started_locked()) start_callback_thread_locked();
}

inline void Core::start_callback_thread_locked() {
  add_ref();
  try {
    callbacks_.start_locked([this] { run_callback_thread(); });
  } catch (...) {
    release();  // never the last: our caller holds one
    throw;
  }
}

template <class Done>
void Core::serve_callbacks(unique_lock& lock, Done done) noexcept {
  callbacks_.serve(lock, done, [this] {
    if (state() != State::run) exit_condition_.notify_all();
  });
}

inline void Core::run_callback_thread() noexcept {
  const Ref<Core> self = Ref<Core>::adopt(this);
  thread_local constinit ThreadContext context{nullptr};
  context.core = this;
  current_thread_context = &context;
  name_this_thread(thread_name_prefix_, "cb");
  {
    unique_lock lock(mutex_);
    serve_callbacks(lock, [this] { return all_issued_ && unfinished() == 0; });
    callbacks_.end_locked();
    exit_condition_.notify_all();
  }
  context.core = nullptr;
  current_thread_context = nullptr;
  left_pool = {this, serial()};
}

inline void Core::report(const std::exception_ptr& error) const noexcept {
  if (!on_unobserved_error_) return print(error);
  try {
    on_unobserved_error_(error);
  } catch (...) {
    print(std::current_exception());
  }
}

inline void Core::report_to(const Core* core, std::uint16_t serial,
                            const std::exception_ptr& error) noexcept {
  if (const Ref<Core> live = find_live(core, serial)) {
    live->report(error);
  } else {
    print(error);
  }
}

inline void Core::print(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "millpond: unobserved error in a task: %s\n", exception.what());
  } catch (...) {
    std::fputs("millpond: unobserved error in a task: not a std::exception\n", stderr);
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CORE_CALLBACKS_HPP
