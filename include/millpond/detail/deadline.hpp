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

  /// A moment of any clock. Clocks other than the steady one may be set while we wait, so the
  /// caller looks at the clock again when the wait is over.
  template <class Clk, class Dur>
  static Deadline at(std::chrono::time_point<Clk, Dur> when);

  bool is_poll() const noexcept { return poll_; }
  bool is_never() const noexcept { return !poll_ && !when_; }
  /// Only for one that is neither.
  Clock::time_point when() const noexcept { return *when_; }

 private:
  /// 100 years; the steady clock holds 292 years of nanoseconds.
  static constexpr std::chrono::duration<double> kForever{100.0 * 365 * 24 * 3600};

  bool poll_ = false;
  std::optional<Clock::time_point> when_;
};

template <class Rep, class Period>
Deadline Deadline::after(std::chrono::duration<Rep, Period> timeout) {
  using Seconds = std::chrono::duration<double>;
  Deadline deadline;
  const auto seconds = std::chrono::duration_cast<Seconds>(timeout);
  if (!(seconds.count() > 0)) {
    deadline.poll_ = true;
  } else if (seconds < kForever) {
    deadline.when_ = Clock::now() + std::chrono::ceil<Clock::duration>(timeout);
  }
  return deadline;
}

template <class Clk, class Dur>
Deadline Deadline::at(std::chrono::time_point<Clk, Dur> when) {
  const auto now = Clk::now();
  if (!(now < when)) return after(Clock::duration::zero());
  // In floating point first: the exact difference of extreme time points does not fit.
  using Seconds = std::chrono::duration<double>;
  const Seconds apart = std::chrono::duration_cast<Seconds>(when.time_since_epoch()) -
                        std::chrono::duration_cast<Seconds>(now.time_since_epoch());
  return apart < kForever ? after(when - now) : never();
}

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_DEADLINE_HPP
