// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_DEADLINE_HPP
#define MILLPOND_DETAIL_DEADLINE_HPP

#include <chrono>
#include <optional>

namespace millpond::inline v0_1::detail {

/// When a wait gives up: never, at once (a poll), or at a moment of the steady clock. A value.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline never() noexcept { return Deadline(); }

  /// Any duration, floating point and extreme ones included: zero, negative and NaN poll, and
  /// what the steady clock cannot hold is never.
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> timeout);

  /// The next look at the clock `Clk` that is due on the way to `when`. Clocks other than the
  /// steady one may be set while we wait, so the caller asks again in a loop.
  template <class Clk, class Dur>
  static Deadline at(std::chrono::time_point<Clk, Dur> when) {
    return after(when - Clk::now());
  }

  bool is_poll() const noexcept { return poll_; }
  bool is_never() const noexcept { return !poll_ && !when_; }
  /// Only for one that is neither.
  Clock::time_point when() const noexcept { return *when_; }

 private:
  bool poll_ = false;
  std::optional<Clock::time_point> when_;
};

template <class Rep, class Period>
Deadline Deadline::after(std::chrono::duration<Rep, Period> timeout) {
  using Seconds = std::chrono::duration<double>;
  constexpr Seconds kForever{100.0 * 365 * 24 * 3600};  // the clock holds 292 years of nanoseconds
  Deadline deadline;
  const auto seconds = std::chrono::duration_cast<Seconds>(timeout);
  if (!(seconds.count() > 0)) {
    deadline.poll_ = true;
  } else if (seconds < kForever) {
    deadline.when_ = Clock::now() + std::chrono::ceil<Clock::duration>(timeout);
  }
  return deadline;
}

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_DEADLINE_HPP
