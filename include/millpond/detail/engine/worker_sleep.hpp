// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_WORKER_SLEEP_HPP
#define MILLPOND_DETAIL_ENGINE_WORKER_SLEEP_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>

namespace millpond::inline MILLPOND_ABI::detail {

/// Where a pool's workers sleep, and who of them is awake without a job. States and proof:
/// docs/design/wakeup.md.
///
/// A worker runs a job, searches, or sleeps; one word counts those that search and those that
/// sleep. Whoever has queued a job wakes a sleeper, unless somebody searches: he will find it. The
/// last that stops searching because he has found a job looks whether there is more, and wakes the
/// next.
///
/// Thread safety: all members.
class WorkerSleep {
 public:
  /// All workers begin by searching.
  explicit WorkerSleep(std::size_t workers) noexcept : word_(workers * kSearcher) {}

  /// For whoever has queued a job: whether to call wake(). He has done it by a seq_cst store, or
  /// under the mutex under which `any` of fall_asleep() looks for it.
  bool needs_wake() const noexcept {
    const std::uint64_t word = word_.load(memory_order_seq_cst);
    return sleepers(word) != 0 && searchers(word) == 0;
  }
  /// Wakes a worker if one sleeps and none searches.
  MILLPOND_COLD void wake() noexcept {
    std::uint64_t word = word_.load(memory_order_relaxed);
    do {
      if (sleepers(word) == 0 || searchers(word) != 0) return;
    } while (!word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_seq_cst,
                                          memory_order_relaxed));
    {
      const lock_guard lock(mutex_);
      ++permits_;
    }
    condition_.notify_one();
  }

  void begin_search() noexcept { word_.fetch_add(kSearcher, memory_order_seq_cst); }
  /// Whether the calling thread, which searches, is the only one.
  bool is_only_searcher() const noexcept {
    return searchers(word_.load(memory_order_relaxed)) == 1;
  }
  /// Found a job, or may go. Calls any(), whether there is another job, if it is the one to wake
  /// the next. Returns whether no worker is without a job now.
  template <class Any>
  bool end_search(Any any) noexcept {
    const std::uint64_t word = word_.fetch_sub(kSearcher, memory_order_seq_cst);
    if (searchers(word) == 1 && sleepers(word) != 0 && any()) wake();
    return word == kSearcher;
  }

  /// Sleeps until woken, and searches again. Does not sleep if any() is true, which it calls when
  /// the worker counts as a sleeper already, or once quit() was called.
  template <class Any>
  void fall_asleep(Any any) noexcept {
    word_.fetch_add(kSleeper - kSearcher, memory_order_seq_cst);
    if (any()) {
      std::uint64_t word = word_.load(memory_order_relaxed);
      while (sleepers(word) != 0) {
        if (word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_seq_cst,
                                        memory_order_relaxed)) {
          return;
        }
      }
      // All who sleep have been woken: there is a permit for this one, too, or about to be.
    }
    unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return permits_ != 0 || quit_; });
    if (permits_ != 0) {
      --permits_;
    } else {
      word_.fetch_add(kSearcher - kSleeper, memory_order_seq_cst);
    }
  }

  /// How many search or sleep.
  std::size_t idle() const noexcept {
    const std::uint64_t word = word_.load(memory_order_seq_cst);
    return static_cast<std::size_t>(sleepers(word) + searchers(word));
  }

  /// A step in the order of all that happens to the word: of two threads that do one after they
  /// have written something, the later sees what the earlier wrote.
  void take_turn() noexcept { word_.fetch_add(0, memory_order_seq_cst); }

  /// Nobody need sleep any more: wakes one, and each that leaves the next.
  void quit() noexcept {
    {
      const lock_guard lock(mutex_);
      quit_ = true;
    }
    condition_.notify_one();
  }

 private:
  static constexpr std::uint64_t kSearcher = 1;
  static constexpr std::uint64_t kSleeper = std::uint64_t{1} << 32;
  static std::uint64_t searchers(std::uint64_t word) noexcept { return word % kSleeper; }
  static std::uint64_t sleepers(std::uint64_t word) noexcept { return word / kSleeper; }

  alignas(64) atomic<std::uint64_t> word_;
  alignas(64) mutex mutex_;  // guards the rest
  condition_variable condition_;
  std::size_t permits_ = 0;  // sleepers that were made searchers, and have not come back
  bool quit_ = false;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_WORKER_SLEEP_HPP
