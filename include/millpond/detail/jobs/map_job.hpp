// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_MAP_JOB_HPP
#define MILLPOND_DETAIL_JOBS_MAP_JOB_HPP

#include <millpond/detail/calls/chunking.hpp>
#include <millpond/detail/calls/items.hpp>
#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/jobs/apply_job.hpp>
#include <millpond/detail/jobs/progress.hpp>
#include <millpond/detail/jobs/stop.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/smaller.hpp>
#include <millpond/detail/results/result_state.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// A whole map: as many entries in the queue as workers can be at it. Each claims chunk after chunk
/// by moving an atomic cursor; when all are claimed the entries that are left are dead.
///
/// Invariants: items before next_ are claimed, by a worker or as given up; next_ may go beyond
/// size_. done_ counts those claimed items that are finished (run, skipped after an error in their
/// chunk, or given up), each some time before the thread that claimed it leaves the job. Whoever
/// brings done_ to size_ finishes the job; that happens once, as each item is claimed once.
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
  MapJob(Engine& engine, std::optional<std::ptrdiff_t> chunksize, Holder&& holder, G&& f,
         Output&... output)
      : Base(engine, Job::Kind::other, 0, kHasCallbacks),
        work_(std::in_place, std::forward<Holder>(holder), stop_.bind(std::forward<G>(f))),
        size_(work_->items.size()),
        chunking_(chunksize, size_, engine.size()),
        progress_(make_progress(engine)),
        results_(std::in_place, size_, output...) {}
  ~MapJob() noexcept override = default;  // whatever the user's destructors say

  void set_callbacks(Callbacks callbacks)
    requires kHasCallbacks
  {
    callbacks_.callbacks.emplace(std::move(callbacks));
  }

  /// To be queued: as many entries as workers can be at it at once.
  Engine::Submission enter_queue() noexcept {
    const std::size_t entries = smaller(this->engine().size(), chunking_.at_most_chunks_of(size_));
    this->add_entries(static_cast<std::uint32_t>(entries));
    return {.entries = entries, .has_callbacks = kHasCallbacks, .rank = &rank_};
  }

  /// Instead of being queued: for a map without items.
  void finish_empty() noexcept {
    const CompletionScope scope(&this->engine(), this);
    this->try_claim();
    finish_map();
  }

  /// With priorities a worker makes way after each chunk.
  void run() noexcept override {
    Engine& engine = this->engine();
    if (!engine.takes_turns()) {
      work(~std::size_t{0}, Deadline::never());
    } else {
      work(1, Deadline::never());
      if (!is_spent()) return engine.put_back(*this, rank_);
    }
    this->drop_entry();
  }

  void abandon_entry(const std::exception_ptr& why) noexcept override {
    abandon(why);
    this->drop_entry();
  }

  void abandon(const std::exception_ptr& why) noexcept override {
    const std::size_t begin = claim_rest(size_);
    if (begin >= size_) return;
    this->try_claim();
    give_up(size_ - begin, why, false);
  }

  /// What runs may stop, too. It is asked last, when all that was claimed here is given up: that
  /// runs stop callbacks, which may do anything with the pool.
  bool cancel() noexcept override {
    if (!this->is_of_this_process()) return cancelled();
    const std::size_t begin = claim_rest(kCancelled);
    if (begin < size_) {
      if (begin == 0) this->try_claim_to_cancel();  // else some of it has run
      this->cancel_claimed(
          [&](const std::exception_ptr& why) { give_up(size_ - begin, why, true); });
    }
    stop_.request();
    return begin < size_ || begin >= kCancelled;
  }
  bool cancelled() const noexcept override {
    return next_.load(memory_order_relaxed) >= kCancelled;
  }

  bool is_spent() const noexcept override { return next_.load(memory_order_relaxed) >= size_; }

  Stop<F>& stop() noexcept { return stop_; }

  void run_callback() noexcept override {
    if constexpr (kHasCallbacks) this->run_callbacks(callbacks_.callbacks);
  }
  Job::DueLinks* due_links() noexcept override {
    if constexpr (kHasCallbacks) return &callbacks_.due;
    return nullptr;
  }

  std::size_t completed() const noexcept override {
    return progress_ ? progress_->total() : done_.load(memory_order_relaxed);
  }
  std::size_t total() const noexcept override { return size_; }

 protected:
  void help(Deadline deadline) noexcept override { work(~std::size_t{0}, deadline); }

 private:
  /// For maps of many chunks, where counting would cost most.
  std::optional<Progress> make_progress(const Engine& engine) const {
    const bool many =
        chunking_.is_fixed() && size_ > 2 * kChunksPerWorker * engine.size() * chunking_.size();
    return many ? std::make_optional<Progress>(engine) : std::nullopt;
  }

  struct Range {
    std::size_t begin;
    std::size_t end;
    std::size_t size() const noexcept { return end - begin; }
  };

  /// Empty if there is nothing left.
  Range claim_chunk() noexcept {
    // relaxed: the items were there before the job was issued.
    std::size_t begin = next_.load(memory_order_relaxed);
    if (begin >= size_) return {};
    if (kMayPassTheEnd && chunking_.is_fixed()) {
      // Beyond size_ at most once for each thread: no overflow.
      begin = next_.fetch_add(chunking_.size(), memory_order_relaxed);
      if (begin >= size_) return {};
      return {begin, begin + chunking_.next(size_ - begin)};
    }
    std::size_t end;
    do {
      if (begin >= size_) return {};
      end = begin + chunking_.next(size_ - begin);
    } while (!next_.compare_exchange_weak(begin, end, memory_order_relaxed));
    return {begin, end};
  }

  /// Claims and runs chunks until none is left, so many are done, or the deadline has passed.
  void work(std::size_t chunks, Deadline deadline) noexcept {
    std::size_t finished = 0;
    this->engine().introduce_thread();
    for (; chunks != 0 && !deadline.has_passed(); --chunks) {
      const Range range = claim_chunk();
      if (range.size() == 0) break;
      // terminate() finds what is queued, not what workers are at.
      if (this->engine().state() == State::terminate) {
        give_up(range.size() + size_ - smaller(size_, claim_rest(size_)),
                this->engine().terminated_error(), false);
        break;
      }
      if (!this->claimed()) this->try_claim();  // it is running now
      run_chunk(range.begin, range.end);
      if (progress_) {
        progress_->add(range.size());
        finished += range.size();
      } else {
        finish_items(range.size());
      }
    }
    if (finished != 0) finish_items(finished);
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
    if (!failed_.exchange(true, memory_order_relaxed)) error_ = error;
  }

  /// Claims all that is left, to be given up. Returns the first of it; size_ or more, and does
  /// nothing, if there was nothing.
  std::size_t claim_rest(std::size_t mark) noexcept {
    std::size_t begin = next_.load(memory_order_relaxed);
    while (begin < size_ && !next_.compare_exchange_weak(begin, mark, memory_order_relaxed)) {
    }
    return begin;
  }

  /// So many claimed items.
  void give_up(std::size_t count, const std::exception_ptr& why, bool cancels) noexcept {
    if (!failed_.exchange(true, memory_order_relaxed)) {
      error_ = why;
      if (cancels) this->set_outcome_cancelled();
      this->observe();
    }
    if (progress_) progress_->add(count);
    finish_items(count);
  }

  void finish_items(std::size_t count) noexcept {
    // acq_rel: the last to finish sees the others' results and error_.
    if (done_.fetch_add(count, memory_order_acq_rel) + count == size_) finish_map();
  }

  void finish_map() noexcept {
    work_.reset();
    stop_.leave(this->engine());
    if (error_) {
      // Exchanged: a std::exception_ptr need not give up what it is moved from.
      this->outcome().set_error(std::exchange(error_, nullptr));
    } else {
      this->outcome().run([this] { return results_->take(); });
    }
    results_.reset();
    this->finish();
  }

  /// Whether next_ has room for what goes beyond size_. 32 bits have not.
  static constexpr bool kMayPassTheEnd = sizeof(std::size_t) > 4;
  /// From here on, next_ says that cancel() has claimed what was left.
  static constexpr std::size_t kCancelled =
      kMayPassTheEnd ? ~(~std::size_t{0} >> 1) : ~std::size_t{0};

  MILLPOND_NO_UNIQUE_ADDRESS Stop<F> stop_;
  std::optional<Work<F, Items>> work_;
  const std::size_t size_;
  const Chunking chunking_;
  std::optional<Progress> progress_;  // of what is finished; none: done_ has it
  Rank rank_;                         // of its entries
  atomic<std::size_t> next_{0};
  atomic<std::size_t> done_{0};
  atomic<bool> failed_{false};
  std::exception_ptr error_;  // written by whoever set failed_
  std::optional<Results> results_;
  MILLPOND_NO_UNIQUE_ADDRESS CallbackStore<Callbacks> callbacks_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_MAP_JOB_HPP
