// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_MAP_JOB_HPP
#define MILLPOND_DETAIL_MAP_JOB_HPP

#include <millpond/detail/apply_job.hpp>
#include <millpond/detail/chunking.hpp>
#include <millpond/detail/config.hpp>
#include <millpond/detail/core.hpp>
#include <millpond/detail/items.hpp>
#include <millpond/detail/result_state.hpp>
#include <millpond/detail/thread_context.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace millpond::inline v0_1::detail {

/// A whole map: one entry in the queue, of which workers claim chunk after chunk by moving an
/// atomic cursor.
///
/// Invariants: items before next_ are claimed, by a worker or as given up; done_ counts those
/// claimed items that are finished (run, skipped after an error in their chunk, or given up).
/// Whoever brings done_ to size() finishes the job; that happens once, as each item is claimed
/// once. Whoever brings next_ to size() takes the entry out of the queue.
///
/// Results is one of map_results.hpp, where the results go. F may be a reference (blocking calls
/// borrow the function). Items is a source of items.hpp.
template <class Results, class F, class Items, class Callbacks = NoCallbacks>
class MapJob final : public ResultState<typename Results::Result> {
  using Base = ResultState<typename Results::Result>;

 public:
  using Result = typename Results::Result;
  static constexpr bool kHasCallbacks = !std::is_same_v<Callbacks, NoCallbacks>;

  /// Walks or measures the items here, in the caller: throws what they throw. `output` is what
  /// Results is made from, besides the number of items.
  template <class Holder, class G, class... Output>
  MapJob(Core& core, std::optional<std::ptrdiff_t> chunksize, Holder&& holder, G&& f,
         Output&... output)
      : Base(core, Job::Kind::map, kHasCallbacks),
        work_(std::in_place, std::forward<Holder>(holder), std::forward<G>(f)),
        size_(work_->items.size()),
        chunking_(chunksize, size_, core.size()),
        results_(std::in_place, size_, output...) {}

  void set_callbacks(Callbacks callbacks)
    requires kHasCallbacks
  {
    callbacks_.callbacks.emplace(std::move(callbacks));
  }

  /// Instead of being queued: for a map without items. Consumes one reference.
  void finish_empty() noexcept {
    const CompletionScope scope(&this->core(), this);
    finish_map();
    this->release();
  }

  void run() noexcept override {
    work();
    this->release();
  }

  void abandon(const std::exception_ptr& why) noexcept override { give_up(why); }

  void run_callback() noexcept override {
    if constexpr (kHasCallbacks) this->run_callbacks(callbacks_.callbacks);
  }

  std::size_t completed() const noexcept override { return done_.load(std::memory_order_relaxed); }
  std::size_t total() const noexcept override { return size_; }

 protected:
  void help() noexcept override { work(); }

 private:
  /// Claims and runs chunks until none is left.
  void work() noexcept {
    std::size_t begin = next_.load(std::memory_order_relaxed);
    while (begin < size_) {
      const std::size_t end = begin + chunking_.next(size_ - begin);
      // relaxed: the items were there before the job was queued, under the pool's mutex.
      if (!next_.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
      this->try_claim();  // notes that the job is running
      if (end == size_ && this->core().unlink(*this)) this->release();  // our caller holds another
      run_chunk(begin, end);
      finish_items(end - begin);
      begin = next_.load(std::memory_order_relaxed);
    }
  }

  void run_chunk(std::size_t begin, std::size_t end) noexcept {
    try {
      Work<F, Items>& work = *work_;
      for (std::size_t index = begin; index != end; ++index) {
        results_->set(index,
                      [&]() -> decltype(auto) { return std::invoke(work.f, work.items[index]); });
      }
    } catch (...) {
      fail(std::current_exception());
    }
  }

  /// The first error in time wins.
  void fail(const std::exception_ptr& error) noexcept {
    if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = error;
  }

  void give_up(const std::exception_ptr& why) noexcept {
    const std::size_t begin = next_.exchange(size_, std::memory_order_relaxed);
    if (begin >= size_) return;
    if (!failed_.exchange(true, std::memory_order_relaxed)) {
      error_ = why;
      this->observe();
    }
    finish_items(size_ - begin);
  }

  void finish_items(std::size_t count) noexcept {
    // acq_rel: the last to finish sees the others' results and error_.
    if (done_.fetch_add(count, std::memory_order_acq_rel) + count == size_) finish_map();
  }

  void finish_map() noexcept {
    work_.reset();
    if (error_) {
      // Exchanged: a std::exception_ptr need not give up what it is moved from.
      this->outcome().set_error(std::exchange(error_, nullptr));
    } else {
      this->outcome().run([this] { return results_->take(); });
    }
    results_.reset();
    this->finish();
  }

  std::optional<Work<F, Items>> work_;
  const std::size_t size_;
  const Chunking chunking_;
  atomic<std::size_t> next_{0};
  atomic<std::size_t> done_{0};
  atomic<bool> failed_{false};
  std::exception_ptr error_;  // written by whoever set failed_
  std::optional<Results> results_;
  MILLPOND_NO_UNIQUE_ADDRESS CallbackStore<Callbacks> callbacks_;
};

}  // namespace millpond::inline v0_1::detail

#endif  // MILLPOND_DETAIL_MAP_JOB_HPP
