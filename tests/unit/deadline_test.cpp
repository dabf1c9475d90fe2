// SPDX-License-Identifier: MIT
//
// Deadline: what any duration and any clock's time point mean to a wait.
#include <millpond/detail/platform/deadline.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

#include <gtest/gtest.h>

namespace millpond::test {
namespace {

using detail::Deadline;
using Clock = Deadline::Clock;
using namespace std::chrono_literals;
using std::chrono::duration;

using FloatSeconds = duration<float>;
using DoubleSeconds = duration<double>;
using LongDoubleSeconds = duration<long double>;
using Picoseconds = duration<std::int64_t, std::pico>;
using Fraction32 = duration<std::int64_t, std::ratio<1, std::int64_t{1} << 32>>;  // as in NTP

constexpr auto kInfinity = std::numeric_limits<double>::infinity();
constexpr auto kNotANumber = std::numeric_limits<double>::quiet_NaN();

template <class Rep, class Period>
bool polls(duration<Rep, Period> timeout) {
  const Deadline deadline = Deadline::after(timeout);
  return deadline.is_poll() && !deadline.is_never();
}

template <class Rep, class Period>
bool is_never(duration<Rep, Period> timeout) {
  const Deadline deadline = Deadline::after(timeout);
  return deadline.is_never() && !deadline.is_poll();
}

// Whether `timeout` ends `expected` after it was asked for, and not earlier. (It is reckoned in
// floating point, which leaves a microsecond in a century.)
template <class Rep, class Period>
bool ends_after(duration<Rep, Period> timeout, Clock::duration expected) {
  const Clock::time_point before = Clock::now();
  const Deadline deadline = Deadline::after(timeout);
  const Clock::time_point after = Clock::now();
  if (deadline.is_poll() || deadline.is_never()) return false;
  return before + expected <= deadline.when() && deadline.when() <= after + expected + 1us;
}

// Whether `deadline` lies at least `least` ahead; never does.
bool lies_ahead(Deadline deadline, Clock::duration least) {
  if (deadline.is_poll()) return false;
  constexpr auto kPassedMeanwhile = 1min;
  return deadline.is_never() || deadline.when() >= Clock::now() + (least - kPassedMeanwhile);
}

TEST(Deadline, NeverIsNeither) {
  EXPECT_TRUE(Deadline::never().is_never());
  EXPECT_FALSE(Deadline::never().is_poll());
}

TEST(Deadline, AfterNothingOrLessIsAPoll) {
  EXPECT_TRUE(polls(0ns));
  EXPECT_TRUE(polls(0s));
  EXPECT_TRUE(polls(0h));
  EXPECT_TRUE(polls(-1ns));
  EXPECT_TRUE(polls(-1h));
  EXPECT_TRUE(polls(duration<unsigned>(0)));
  EXPECT_TRUE(polls(DoubleSeconds(0.0)));
  EXPECT_TRUE(polls(DoubleSeconds(-0.0)));
  EXPECT_TRUE(polls(DoubleSeconds(-1e-300)));
  EXPECT_TRUE(polls(FloatSeconds(-1.0F)));
}

TEST(Deadline, AfterTheLeastOfAnyTypeIsAPoll) {
  EXPECT_TRUE(polls(std::chrono::nanoseconds::min()));
  EXPECT_TRUE(polls(std::chrono::seconds::min()));
  EXPECT_TRUE(polls(std::chrono::hours::min()));
  EXPECT_TRUE(polls(std::chrono::years::min()));
  EXPECT_TRUE(polls(FloatSeconds::min()));
  EXPECT_TRUE(polls(DoubleSeconds::min()));
  EXPECT_TRUE(polls(LongDoubleSeconds::min()));
  EXPECT_TRUE(polls(DoubleSeconds(-kInfinity)));
}

TEST(Deadline, AfterNotANumberIsAPoll) {
  EXPECT_TRUE(polls(DoubleSeconds(kNotANumber)));
  EXPECT_TRUE(polls(FloatSeconds(std::numeric_limits<float>::quiet_NaN())));
}

TEST(Deadline, AfterATimeIsThatMuchLater) {
  EXPECT_TRUE(ends_after(1ns, 1ns));
  EXPECT_TRUE(ends_after(1500us, 1500us));
  EXPECT_TRUE(ends_after(1s, 1s));
  EXPECT_TRUE(ends_after(24h, 24h));
  EXPECT_TRUE(ends_after(std::chrono::years(1), std::chrono::years(1)));
  EXPECT_TRUE(ends_after(duration<unsigned>(3), 3s));
  EXPECT_TRUE(ends_after(duration<std::int8_t>(100), 100s));
  EXPECT_TRUE(ends_after(duration<int, std::ratio<1, 60>>(30), 500ms));
  EXPECT_TRUE(ends_after(FloatSeconds(0.5F), 500ms));
  EXPECT_TRUE(ends_after(DoubleSeconds(0.25), 250ms));
  EXPECT_TRUE(ends_after(duration<double, std::ratio<3600>>(0.5), 30min));
  EXPECT_TRUE(ends_after(LongDoubleSeconds(2.0L), 2s));
}

TEST(Deadline, RoundsUpSoThatATimeoutIsNeverCutShort) {
  EXPECT_TRUE(ends_after(Picoseconds(1), 1ns));
  EXPECT_TRUE(ends_after(Picoseconds(1001), 2ns));
  EXPECT_TRUE(ends_after(DoubleSeconds(1e-12), 1ns));
  EXPECT_TRUE(ends_after(DoubleSeconds(std::numeric_limits<double>::min()), 1ns));
}

TEST(Deadline, AfterMoreThanTheClockHoldsIsNever) {
  EXPECT_TRUE(is_never(std::chrono::nanoseconds::max()));
  EXPECT_TRUE(is_never(std::chrono::microseconds::max()));
  EXPECT_TRUE(is_never(std::chrono::seconds::max()));
  EXPECT_TRUE(is_never(std::chrono::hours::max()));
  EXPECT_TRUE(is_never(std::chrono::years::max()));
  EXPECT_TRUE(is_never(duration<std::uint64_t>::max()));
  EXPECT_TRUE(is_never(duration<std::uint64_t, std::nano>::max()));
  EXPECT_TRUE(is_never(FloatSeconds::max()));
  EXPECT_TRUE(is_never(DoubleSeconds::max()));
  EXPECT_TRUE(is_never(LongDoubleSeconds::max()));
  EXPECT_TRUE(is_never(duration<double, std::ratio<3600>>::max()));
  EXPECT_TRUE(is_never(DoubleSeconds(kInfinity)));
  EXPECT_TRUE(is_never(FloatSeconds(std::numeric_limits<float>::infinity())));
}

TEST(Deadline, MayBeALifetimeAhead) {
  constexpr std::chrono::years kLifetime(99);
  constexpr Clock::duration kLess = std::chrono::years(98);
  EXPECT_TRUE(lies_ahead(Deadline::after(kLifetime), kLess));
  EXPECT_TRUE(
      lies_ahead(Deadline::after(std::chrono::floor<std::chrono::hours>(kLifetime)), kLess));
  EXPECT_TRUE(lies_ahead(Deadline::after(std::chrono::nanoseconds(kLifetime)), kLess));
  EXPECT_TRUE(lies_ahead(Deadline::after(DoubleSeconds(kLifetime)), kLess));
  using DoublePicoseconds = duration<double, std::pico>;
  EXPECT_TRUE(lies_ahead(Deadline::after(DoublePicoseconds(DoubleSeconds(kLifetime))), kLess));
}

TEST(Deadline, TakesPeriodsThatNanosecondsAreNoMultipleOf) {
  EXPECT_TRUE(ends_after(Fraction32(std::int64_t{1} << 31), 500ms));
  // Counted in a unit that both have in common, an hour would be too much for 64 bits.
  EXPECT_TRUE(lies_ahead(Deadline::after(Fraction32(std::int64_t{3600} << 32)), 1h));
  EXPECT_FALSE(lies_ahead(Deadline::after(Fraction32(std::int64_t{3600} << 32)), 2h));
  EXPECT_TRUE(lies_ahead(Deadline::after(Fraction32::max()), std::chrono::years(67)));
}

// Moments

TEST(Deadline, AtAMomentOfTheSteadyClockIsThatMoment) {
  const Clock::time_point before = Clock::now();
  const Clock::time_point when = before + 1h;
  const Deadline deadline = Deadline::at(when);
  ASSERT_FALSE(deadline.is_poll());
  ASSERT_FALSE(deadline.is_never());
  EXPECT_GE(deadline.when(), when - 1us);
  EXPECT_LE(deadline.when(), when + (Clock::now() - before) + 1us);  // the clock goes on meanwhile
}

TEST(Deadline, AtAMomentOfAnotherClockIsAsFarAhead) {
  EXPECT_TRUE(lies_ahead(Deadline::at(std::chrono::system_clock::now() + 2h), 2h));
  EXPECT_FALSE(lies_ahead(Deadline::at(std::chrono::system_clock::now() + 2h), 3h));
  EXPECT_TRUE(lies_ahead(
      Deadline::at(std::chrono::ceil<std::chrono::hours>(std::chrono::system_clock::now()) + 2h),
      2h));
}

TEST(Deadline, AtAMomentThatHasPassedIsAPoll) {
  EXPECT_TRUE(Deadline::at(Clock::now()).is_poll());
  EXPECT_TRUE(Deadline::at(Clock::now() - 1h).is_poll());
  EXPECT_TRUE(Deadline::at(Clock::time_point()).is_poll());
  EXPECT_TRUE(Deadline::at(std::chrono::system_clock::now() - 1h).is_poll());
  EXPECT_TRUE(Deadline::at(std::chrono::sys_seconds()).is_poll());
}

TEST(Deadline, AtTheLastMomentOfAClockIsNever) {
  EXPECT_TRUE(Deadline::at(Clock::time_point::max()).is_never());
  EXPECT_TRUE(Deadline::at(std::chrono::system_clock::time_point::max()).is_never());
}

TEST(Deadline, AtTheFirstMomentOfAClockIsAPoll) {
  // The time until then is longer than the clock's duration can say.
  EXPECT_TRUE(Deadline::at(Clock::time_point::min()).is_poll());
  EXPECT_TRUE(Deadline::at(std::chrono::system_clock::time_point::min()).is_poll());
}

TEST(Deadline, TakesMomentsThatTheClocksOwnDurationCannotHold) {
  using std::chrono::system_clock;
  using CoarseMoment = std::chrono::time_point<system_clock, std::chrono::hours>;
  EXPECT_TRUE(Deadline::at(CoarseMoment::max()).is_never());
  EXPECT_TRUE(Deadline::at(CoarseMoment::min()).is_poll());
  using RealMoment = std::chrono::time_point<system_clock, DoubleSeconds>;
  EXPECT_TRUE(Deadline::at(RealMoment(DoubleSeconds(kInfinity))).is_never());
  EXPECT_TRUE(Deadline::at(RealMoment(DoubleSeconds(-kInfinity))).is_poll());
}

// A clock of somebody else's, which stands still and counts in thirds of a second.
struct StoppedClock {
  using rep = double;
  using period = std::ratio<1, 3>;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<StoppedClock>;
  [[maybe_unused]] static constexpr bool is_steady = false;
  static time_point now() noexcept { return time_point(duration(30.0)); }
};

TEST(Deadline, TakesClocksOfAnyKind) {
  EXPECT_TRUE(Deadline::at(StoppedClock::now()).is_poll());
  EXPECT_TRUE(Deadline::at(StoppedClock::time_point()).is_poll());
  EXPECT_TRUE(lies_ahead(Deadline::at(StoppedClock::now() + 2h), 2h));
  EXPECT_FALSE(lies_ahead(Deadline::at(StoppedClock::now() + 2h), 3h));
}

}  // namespace
}  // namespace millpond::test
