// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_DEADLINE_HPP
#define MILLPOND_DETAIL_PLATFORM_DEADLINE_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <ctime>

namespace millpond::inline MILLPOND_ABI::detail {

/// When a wait gives up: never, at once (a poll), or at a moment of the steady clock. A value.
class Deadline {
 public:
  using Clock = steady_clock;

  static Deadline never() noexcept { return Deadline(); }

  /// Any duration, floating point and extreme ones included: zero, negative and NaN poll, and
  /// what the steady clock cannot hold is never.
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> timeout);

  /// A moment of any clock. Clocks other than the steady one may be set while we wait, so the
  /// caller looks at the clock again when the wait is over.
  template <class Clk, class Dur>
  static Deadline at(std::chrono::time_point<Clk, Dur> when);

  bool is_poll() const noexcept { return kind_ == Kind::poll; }
  bool is_never() const noexcept { return kind_ == Kind::never; }
  bool has_passed() const noexcept {
    return is_poll() || (kind_ == Kind::moment && when_ <= Clock::now());
  }
  /// Only for one that is neither.
  Clock::time_point when() const noexcept { return when_; }

 private:
  /// Everything is reckoned in floating point: exact to a nanosecond for hours and to a
  /// microsecond for a century, and what does not fit becomes an infinity, not an overflow.
  using Seconds = std::chrono::duration<double>;
  /// 100 years; the steady clock holds 292 years of nanoseconds. With a time_t of 32 bits, to which
  /// the system's waits convert, 5 years: it holds 68 from 1970 on.
  static constexpr Seconds kForever{(sizeof(std::time_t) > 4 ? 100.0 : 5.0) * 365 * 24 * 3600};

  static Deadline after_seconds(Seconds timeout);

  enum class Kind : char { never, poll, moment };
  Kind kind_ = Kind::never;
  Clock::time_point when_;
};

template <class Rep, class Period>
Deadline Deadline::after(std::chrono::duration<Rep, Period> timeout) {
  return after_seconds(std::chrono::duration_cast<Seconds>(timeout));
}

template <class Clk, class Dur>
Deadline Deadline::at(std::chrono::time_point<Clk, Dur> when) {
  return after_seconds(std::chrono::duration_cast<Seconds>(when.time_since_epoch()) -
                       std::chrono::duration_cast<Seconds>(Clk::now().time_since_epoch()));
}

inline Deadline Deadline::after_seconds(Seconds timeout) {
  Deadline deadline;
  if (!(timeout.count() > 0)) {
    deadline.kind_ = Kind::poll;
  } else if (timeout < kForever) {
    // One tick more: the cast rounds down, and no wait may end early.
    deadline.kind_ = Kind::moment;
    deadline.when_ =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout) + Clock::duration(1);
  }
  return deadline;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_PLATFORM_DEADLINE_HPP
