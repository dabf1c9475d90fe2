// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_BATCH_HPP
#define MILLPOND_DETAIL_BATCH_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/job.hpp>
#include <millpond/detail/sync.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Jobs that one worker has taken off the queue together, to run one after another without the
/// pool's mutex. Any thread may take from it, oldest first; so idle workers and terminate() reach
/// what it holds. Holds one reference to each job.
///
/// Thread safety: fill() only by the owner, when empty, under the pool's mutex; take() anywhere.
///
/// Both ends are one atomic word. Positions only grow, so a taker whose compare-exchange succeeds
/// has seen the jobs of that very range, however often the batch was refilled meanwhile (but for
/// four billion jobs within one take()). The exchange releases, too: so the slots were read before
/// the owner may fill them again.
class alignas(64) Batch {
 public:
  /// With 32, tiny tasks cost a tenth more.
  static constexpr std::uint32_t kCapacity = tuning::kBatchCapacity;

  void fill(Job* const* jobs, std::uint32_t count) noexcept {
    const std::uint32_t begin = begin_of(range_.load(memory_order_relaxed));
    for (std::uint32_t i = 0; i != count; ++i) {
      slots_[(begin + i) % kCapacity].store(jobs[i], memory_order_relaxed);
    }
    // release: publishes the slots to take().
    range_.store(range_of(begin, begin + count), memory_order_release);
  }

  /// Exact under the pool's mutex if true: only its holder fills batches.
  bool empty() const noexcept {
    const std::uint64_t range = range_.load(memory_order_relaxed);
    return begin_of(range) == end_of(range);
  }

  /// Takes the oldest job; null if there is none.
  Job* take() noexcept {
    std::uint64_t range = range_.load(memory_order_acquire);  // acquire: pairs with fill()
    for (;;) {
      const std::uint32_t begin = begin_of(range);
      if (begin == end_of(range)) return nullptr;
      Job* const job = slot(begin);
      if (move_begin(range, begin + 1)) {
        if (begin + 1 != end_of(range)) MILLPOND_PREFETCH(slot(begin + 1));
        return job;
      }
    }
  }

  /// Takes the older half, rounded up, into `jobs` (room for kCapacity); returns how many.
  std::uint32_t take_half(Job** jobs) noexcept {
    return take([](std::uint32_t size) { return (size + 1) / 2; }, jobs);
  }

  /// Likewise, all of them.
  std::uint32_t take_all(Job** jobs) noexcept {
    return take([](std::uint32_t size) { return size; }, jobs);
  }

  /// Whether there are jobs, and their owner has taken none since this was last asked: it is stuck
  /// in a long one, or has not got a processor. Under the pool's mutex.
  bool is_stuck() noexcept {
    const std::uint64_t range = range_.load(memory_order_relaxed);
    const std::uint64_t seen = std::exchange(seen_, range);
    return begin_of(range) != end_of(range) && range == seen;
  }

 private:
  static constexpr std::uint32_t begin_of(std::uint64_t range) noexcept {
    return static_cast<std::uint32_t>(range >> 32);
  }
  static constexpr std::uint32_t end_of(std::uint64_t range) noexcept {
    return static_cast<std::uint32_t>(range);
  }
  static constexpr std::uint64_t range_of(std::uint32_t begin, std::uint32_t end) noexcept {
    return std::uint64_t{begin} << 32 | end;
  }

  Job* slot(std::uint32_t position) const noexcept {
    return slots_[position % kCapacity].load(memory_order_relaxed);
  }

  /// If the range is still as given.
  bool move_begin(std::uint64_t& range, std::uint32_t begin) noexcept {
    return range_.compare_exchange_weak(range, range_of(begin, end_of(range)), memory_order_acq_rel,
                                        memory_order_acquire);
  }

  template <class Share>
  std::uint32_t take(Share share, Job** jobs) noexcept {
    std::uint64_t range = range_.load(memory_order_acquire);  // acquire: pairs with fill()
    for (;;) {
      const std::uint32_t begin = begin_of(range);
      const std::uint32_t size = end_of(range) - begin;
      if (size == 0) return 0;
      const std::uint32_t count = share(size);
      for (std::uint32_t i = 0; i != count; ++i) jobs[i] = slot(begin + i);
      if (move_begin(range, begin + count)) return count;
    }
  }

  atomic<std::uint64_t> range_{0};
  std::uint64_t seen_ = 0;  // by is_stuck()
  std::array<atomic<Job*>, kCapacity> slots_{};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_BATCH_HPP
