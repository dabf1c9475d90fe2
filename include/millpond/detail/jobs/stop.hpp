// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_STOP_HPP
#define MILLPOND_DETAIL_JOBS_STOP_HPP

#include <millpond/detail/calls/stop_token.hpp>
#include <millpond/detail/engine/stop_list.hpp>
#include <millpond/detail/platform/config.hpp>

#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// What a job keeps for its function: nothing, or a StopSource if it takes a stop token.
template <class Kept, bool = StopTraits<Kept>::kStoppable>
class Stop {
 public:
  void request() noexcept {}
  void leave(auto&) noexcept {}
  template <class F>
  F&& bind(F&& f) noexcept {
    return std::forward<F>(f);
  }
};

#if MILLPOND_HAS_STOP_TOKEN
template <class Kept>
class Stop<Kept, true> {
 public:
  /// Asks the function to stop. Runs the user's stop callbacks, so without locks.
  void request() noexcept { source_.request(); }

  /// In and out of the pool's list; out: before the job is ready.
  void enter(auto& engine) { engine.add_stop(source_); }
  void leave(auto& engine) noexcept { engine.remove_stop(source_); }

  /// The function together with its token.
  template <class F>
  auto bind(F&& f) {
    return WithStopToken<typename StopTraits<Kept>::Function>(std::forward<F>(f), source_.token());
  }

 private:
  StopSource source_;
};
#endif

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_STOP_HPP
