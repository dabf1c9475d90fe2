// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_HAPPENS_BEFORE_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_HAPPENS_BEFORE_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "basics.hpp"

/// What happens before what, by the rules of the C++ memory model: vector clocks for threads,
/// mutexes and atomics, and for plain memory who accessed it last. Two accesses of the same memory
/// that no clock orders are a data race, even in an execution whose order did no harm.

namespace explore {

/// For each thread, up to which of its moments all is known to have happened.
class VectorClock {
 public:
  std::uint32_t& operator[](int thread) noexcept { return at_[static_cast<std::size_t>(thread)]; }
  std::uint32_t operator[](int thread) const noexcept {
    return at_[static_cast<std::size_t>(thread)];
  }
  void join(const VectorClock& other) noexcept {
    for (std::size_t i = 0; i != at_.size(); ++i)
      at_[i] = at_[i] < other.at_[i] ? other.at_[i] : at_[i];
  }

 private:
  std::array<std::uint32_t, kMaxThreads> at_{};
};

inline bool acquires(std::memory_order order) noexcept {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst || order == std::memory_order_consume;
}
inline bool releases(std::memory_order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

/// What a mutex, an atomic or another thing that synchronises has to hand on. Of an atomic also its
/// last values: a load may see an older one than the newest, as long as nothing that happened
/// before the load forbids it. (A mutex uses only `entries[0].released`.)
struct SyncState {
  struct Entry {
    std::uint64_t value = 0;
    VectorClock released;    // what a load that acquires and sees this gets
    VectorClock first_read;  // by thread: when it first saw this value; 0: never
    int writer = 0;
    std::uint32_t written_at = 0;  // 0: the initial value, which all know
    bool seq_cst = false;          // written or read by a sequentially consistent operation
  };
  static constexpr int kKept = 4;

  std::array<Entry, kKept> entries;  // the newest first
  int count = 1;
};

/// Hands out the SyncStates of one execution.
class SyncStates {
 public:
  void map();
  void reset() noexcept { used_ = 0; }
  /// Null if there are no more.
  SyncState* make() noexcept;

 private:
  static constexpr std::size_t kMax = 4096;
  SyncState* states_ = nullptr;
  std::size_t used_ = 0;
};

/// Who accessed which memory last: of the arena, the threads' stacks, the
/// program's own data and its thread_local variables.
class RaceDetector {
 public:
  enum class Access : std::uint8_t { read, write, atomic };
  struct Race {
    int other;  // thread
    Access access;
    Access other_access;
    const void* address;
    const void* other_code;
  };

  void add_region(const void* begin, std::size_t size);
  /// Forgets all, for the next execution.
  void reset() noexcept { ++execution_; }

  /// Notes that `thread`, whose clock this is, accesses memory. A race with an earlier access, if
  /// there is one.
  std::optional<Race> access(const void* address, std::size_t size, Access access, int thread,
                             const VectorClock& clock, const void* code) noexcept;

 private:
  /// Accesses of one granule of 8 bytes; a byte's bit is set in the mask if it was touched.
  struct Slot {
    std::uint32_t execution = 0;
    std::uint32_t moment = 0;
    std::uint8_t thread = 0;
    std::uint8_t mask = 0;
    Access access = Access::read;
    const void* code = nullptr;
  };
  static constexpr std::size_t kGranule = 8;
  static constexpr std::size_t kSlots = 4;
  struct Cell {
    Slot slots[kSlots];
    std::uint8_t next = 0;
  };
  struct Region {
    std::uintptr_t begin = 0;
    std::size_t size = 0;
    Cell* cells = nullptr;
  };

  std::optional<Race> access_granule(Cell& cell, std::uint8_t mask, Access access, int thread,
                                     const VectorClock& clock, const void* address,
                                     const void* code) noexcept;

  std::array<Region, 24> regions_;
  std::size_t region_count_ = 0;
  std::uint32_t execution_ = 1;
};

const char* name_of(RaceDetector::Access access) noexcept;

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_HAPPENS_BEFORE_HPP
