// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_TUNING_HPP
#define MILLPOND_DETAIL_PLATFORM_TUNING_HPP

#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <thread>  // std::chrono::duration: see sync.hpp

/// All constants that trade time for time: how long to look before sleeping, how many queues to
/// have. None of them changes what a program does, as long as kTurnsOfOthers is 3 or more. Those of
/// time are bounded by the clock. A test build replaces them by small ones, together with the
/// primitives (detail/platform/sync.hpp).

namespace millpond::inline MILLPOND_ABI::detail::tuning {

/// How long a thread looks for what it waits for before it sleeps: longer than it takes to wake a
/// sleeper, which is 30 to 47 us.
inline constexpr std::chrono::nanoseconds kSpinTime{50'000};
/// With a yield now and then.
inline constexpr std::chrono::nanoseconds kYieldTime{5'000};

/// How long a worker that has emptied the queue lets it grow, if nobody waits for what it has run.
/// Without it a million empty tasks cost twice to three times as much with one or two workers.
inline constexpr std::chrono::nanoseconds kPaceTime{4'000};

/// How long a thread tries to lock a mutex, which others hold for a few instructions only, before
/// it sleeps for it.
inline constexpr std::chrono::nanoseconds kLockTime{1'200};

/// How long a worker at an imap that has nothing to do looks for more input before it leaves it.
inline constexpr std::chrono::nanoseconds kLingerTime{5'000};
/// An imap whose reader takes a whole window of results in less reads further ahead; and one that
/// has worked for longer lets other work have the worker.
inline constexpr std::chrono::nanoseconds kShortWindow{1'000'000};

/// Queues for threads that are none of the pool's. Four producers on two cores need half the time
/// that they need with one.
inline constexpr std::size_t kSharedLanes = 4;
/// A worker looks at other workers' queues once in so many turns though it has work, and takes so
/// many from one shared queue before it goes on to the next.
inline constexpr std::size_t kTurnsOfOthers = 16;

/// The smallest ring of queued jobs, in entries; a power of two.
inline constexpr std::size_t kSmallestRing = 64;

/// So many free blocks of memory move between a thread and the depot at once.
inline constexpr std::size_t kMemoryBatch = 64;

}  // namespace millpond::inline MILLPOND_ABI::detail::tuning

#endif  // MILLPOND_DETAIL_PLATFORM_TUNING_HPP
