// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_TUNING_HPP
#define MILLPOND_DETAIL_TUNING_HPP

#include <millpond/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <thread>

/// All constants that trade time for time: how long to look before sleeping, how much to take at
/// once. None of them changes what a program does. A test build replaces them by small ones,
/// together with the primitives (detail/sync.hpp). The times in the comments are those of the
/// machine of our measurements, where a pause takes 23 ns and waking a sleeper 30 to 47 us.

namespace millpond::inline MILLPOND_ABI::detail::tuning {

/// How long a thread looks for what it waits for before it sleeps: 46 us of pauses.
inline constexpr std::size_t kSpinPauses = 2000;
/// With a yield now and then, so that whoever we wait for gets the core if there is no other.
inline constexpr std::size_t kPausesAYield = 200;

/// How long a thread tries to lock a mutex, which others hold for a few instructions only, before
/// it sleeps for it: 1.2 us.
inline constexpr int kLockPauses = 50;

/// A worker takes so many jobs at once as it expects to run in this time: short, as the ones
/// behind a long one wait until another worker comes by.
inline constexpr std::chrono::microseconds kBatchTime{20};
/// And so many at most.
inline constexpr std::uint32_t kBatchCapacity = 64;

/// A worker that empties the queue faster than it fills waits until so many jobs are queued, looks
/// at that every 0.23 us and so many times at most, 4.6 us. With half of kPacedQueue W1 costs a
/// fifth more; a look costs a round trip (W3) whose next task comes early.
inline constexpr std::size_t kPacedQueue = 128;
inline constexpr std::size_t kPaceLooks = 20;
inline constexpr std::size_t kPausesALook = 10;

/// The smallest ring of queued jobs, in entries; a power of two.
inline constexpr std::size_t kSmallestRing = 64;

/// So many free blocks of memory move between a thread and the depot at once.
inline constexpr std::size_t kMemoryBatch = 64;

}  // namespace millpond::inline MILLPOND_ABI::detail::tuning

#endif  // MILLPOND_DETAIL_TUNING_HPP
