// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_PROGRESS_HPP
#define MILLPOND_DETAIL_JOBS_PROGRESS_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI::detail {

/// How many items of a map are finished, for those who ask meanwhile. Each worker counts on its
/// own, on a cache line of its own: a count of all would have to be fetched from another processor
/// for every chunk.
///
/// Thread safety: all members, from any thread.
class Progress {
 public:
  explicit Progress(const Engine& engine)
      : engine_(&engine), workers_(engine.size()), counts_(new Count[workers_ + 1]) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { delete[] counts_; }

  void add(std::size_t items) noexcept {
    const ThreadContext* const context = context_in(engine_);
    if (context != nullptr && !context->is_callback_thread()) {
      atomic<std::size_t>& count = counts_[*context->worker_index].items;
      count.store(count.load(memory_order_relaxed) + items, memory_order_relaxed);
    } else {
      counts_[workers_].items.fetch_add(items, memory_order_relaxed);
    }
  }

  std::size_t total() const noexcept {
    std::size_t sum = 0;
    for (std::size_t i = 0; i <= workers_; ++i) {
      sum += counts_[i].items.load(memory_order_relaxed);
    }
    return sum;
  }

 private:
  struct alignas(64) Count {
    atomic<std::size_t> items{0};
  };

  const Engine* engine_;  // only compared: it may be gone
  std::size_t workers_;
  Count* const counts_;  // the workers', and one that all other threads share
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_PROGRESS_HPP
