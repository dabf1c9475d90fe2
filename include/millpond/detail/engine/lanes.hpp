// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_LANES_HPP
#define MILLPOND_DETAIL_ENGINE_LANES_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/job_ring.hpp>
#include <millpond/detail/engine/tally.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <array>
#include <cstddef>
#include <memory>

namespace millpond::inline MILLPOND_ABI::detail {

/// The queue of a pool whose work starts in the order in which each thread issues it: a *lane* for
/// each worker, for what its tasks issue, and a few shared ones for all other threads. A thread
/// always uses the same one.
///
/// A worker takes from its own lane and from the shared ones by turns, and looks at one of all
/// lanes in rotation now and then; so nothing is overtaken for ever, whatever is issued. When both
/// are empty it takes the oldest of another worker's.
///
/// Thread safety: as each member says.
class Lanes {
 public:
  /// Shared lanes: four producers on two cores need half the time that they need with one.
  static constexpr std::size_t kShared = tuning::kSharedLanes;

  /// What a worker has of its own. Used by its thread only, but for the ring and the tally.
  struct alignas(64) Own {
    std::size_t turn = 0;    // of taking from lanes
    std::size_t shared = 0;  // the number of the shared lane to look at first
    bool is_listed = false;
    bool streams_next = false;  // for the queue: whether imaps come before lanes this time
    std::array<JobRing::Reader, kShared> readers;
    JobRing ring;
    Tally issued;
  };

  struct alignas(64) Shared {
    mutex lock;  // held by whoever adds entries
    Tally issued;
    JobRing ring;
  };

  explicit Lanes(std::size_t workers) : listed_(std::make_unique<atomic<Own*>[]>(workers)) {}

  /// The shared lane of the calling thread.
  Shared& shared_lane() noexcept { return shared_[thread_number() % kShared]; }

  /// Makes room for `count` entries in the worker's own lane. Throws std::bad_alloc. False if the
  /// lanes were closed.
  bool reserve_own(Own& own, std::size_t count) {
    if (!own.ring.reserve(count)) return false;
    if (!own.is_listed) list(own);
    return true;
  }
  /// Needs room.
  void push_own(Own& own, Job& job) noexcept { own.ring.push(job); }

  /// Takes back the worker's youngest entry if it is this job's (see JobRing::pop_back()).
  bool pop_back(Own& own, const Job& job) noexcept { return own.ring.pop_back(job); }

  /// The next entry for the worker, after take_entry(); null if there is none.
  Job* take(Own& own) noexcept {
    const std::size_t turn = ++own.turn;
    if (turn % tuning::kTurnsOfOthers == 0) {
      ++own.shared;
      if (Job* const job = take_in_rotation(turn / tuning::kTurnsOfOthers)) return job;
    }
    const bool own_first = turn % 2 != 0;
    if (own_first) {
      if (Job* const job = take_own(own)) return job;
    }
    for (std::size_t i = 0; i != kShared; ++i, ++own.shared) {
      const std::size_t lane = own.shared % kShared;
      while (Job* const job = own.readers[lane].pop(shared_[lane].ring)) {
        if (job->take_entry()) return job;
      }
    }
    if (!own_first) {
      if (Job* const job = take_own(own)) return job;
    }
    return take_in_rotation(turn);
  }

  /// For a worker that falls asleep: whether there is an entry. Looks at each lane under the mutex
  /// under which entries are added to it, if there is one.
  bool any() noexcept {
    for (Shared& lane : shared_) {
      const lock_guard lock(lane.lock);
      if (!lane.ring.empty()) return true;
    }
    const std::size_t listed = listed_count_.load(memory_order_seq_cst);
    for (std::size_t i = 0; i != listed; ++i) {
      if (!listed_[i].load(memory_order_relaxed)->ring.empty()) return true;
    }
    return false;
  }

  /// Jobs that were added to shared lanes.
  std::size_t issued_to_shared() const noexcept {
    std::size_t sum = 0;
    for (const Shared& lane : shared_) sum += lane.issued.get();
    return sum;
  }

  /// When this returns, whoever adds an entry to a shared lane has seen what the caller wrote.
  void pass_doors() noexcept {
    for (Shared& lane : shared_) const lock_guard lock(lane.lock);
  }

  /// From now on take() finds nothing.
  void close() noexcept {
    for (Shared& lane : shared_) lane.ring.close();
    const lock_guard lock(list_mutex_);
    closed_ = true;
    const std::size_t listed = listed_count_.load(memory_order_relaxed);
    for (std::size_t i = 0; i != listed; ++i) {
      listed_[i].load(memory_order_relaxed)->ring.close();
    }
  }

  /// Any entry, whatever it is; null if there is none. For whoever gives up everything.
  Job* drain() noexcept {
    for (Shared& lane : shared_) {
      if (Job* const job = lane.ring.drain()) return job;
    }
    const std::size_t listed = listed_count_.load(memory_order_seq_cst);
    for (std::size_t i = 0; i != listed; ++i) {
      if (Job* const job = listed_[i].load(memory_order_relaxed)->ring.drain()) return job;
    }
    return nullptr;
  }

 private:
  static Job* take_from(JobRing& ring) noexcept {
    while (Job* const job = ring.pop()) {
      if (job->take_entry()) return job;
    }
    return nullptr;
  }

  static Job* take_own(Own& own) noexcept { return own.is_listed ? take_from(own.ring) : nullptr; }

  /// From another worker's lane, beginning with the n-th.
  Job* take_in_rotation(std::size_t n) noexcept {
    const std::size_t listed = listed_count_.load(memory_order_acquire);
    for (std::size_t i = 0; i != listed; ++i) {
      Own& other = *listed_[(n + i) % listed].load(memory_order_relaxed);
      if (Job* const job = take_from(other.ring)) return job;
    }
    return nullptr;
  }

  /// Lets others find the lane, which gets its first entry.
  MILLPOND_COLD void list(Own& own) noexcept {
    const lock_guard lock(list_mutex_);
    const std::size_t count = listed_count_.load(memory_order_relaxed);
    listed_[count].store(&own, memory_order_relaxed);
    listed_count_.store(count + 1, memory_order_seq_cst);
    own.is_listed = true;
    if (closed_) own.ring.close();
  }

  std::array<Shared, kShared> shared_;
  const std::unique_ptr<atomic<Own*>[]> listed_;  // workers' lanes that have been used
  atomic<std::size_t> listed_count_{0};
  mutex list_mutex_;
  bool closed_ = false;  // guarded by list_mutex_
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_LANES_HPP
