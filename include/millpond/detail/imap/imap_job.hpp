// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_JOB_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_JOB_HPP

#include <millpond/detail/calls/items.hpp>
#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/imap/imap_state.hpp>
#include <millpond/detail/jobs/stop.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/smaller.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// The typed part of an imap: reads items from Items (StreamedItems) and calls F on them.
template <class Value, class F, class Items>
class ImapJob final : public ImapState<Value> {
  using Base = ImapState<Value>;
  using typename Base::Chunk;
  using typename Base::Result;
  using Segment = ImapSegment<Value>;
  using Item = typename Items::Item;

 public:
  template <class Holder, class G>
  ImapJob(Engine& engine, bool ordered, std::size_t chunksize, std::size_t buffersize,
          bool may_grow, Holder&& holder, G&& f)
      : Base(engine, ordered,
             {.chunksize = chunksize,
              .buffersize = buffersize,
              .may_grow = may_grow,
              .item_size = sizeof(Item),
              .item_alignment = alignof(Item),
              .reads_runs = Items::kNeverWaits}),
        chunksize_(chunksize),
        work_(std::in_place, std::forward<Holder>(holder), stop_.bind(std::forward<G>(f))) {}
  ~ImapJob() noexcept override = default;  // whatever the user's destructors say

  Stop<F>& stop() noexcept { return stop_; }

 private:
  bool fill(Chunk& chunk, std::exception_ptr& error) noexcept override {
    Segment* segment = &chunk.first;
    std::size_t slot = 0;
    std::size_t size = 0;
    bool has_more = false;
    try {
      has_more = work_->items.take(
          chunksize_,
          [&]() -> void* {
            if (slot == this->segment_size()) {
              segment = &this->after(*segment);
              slot = 0;
            }
            return item_of(*segment, slot++);
          },
          size);
    } catch (...) {
      error = std::current_exception();  // items read before it are run all the same
    }
    chunk.size = size;
    return has_more;
  }

  void execute(Chunk& chunk) noexcept override {
    for_each_slot(chunk, [this](Item& item, Result& result) {
      result.run([&]() -> Value {
        if constexpr (std::is_void_v<std::invoke_result_t<F&, typename Items::Passed>>) {
          std::invoke(work_->f, item.pass());
          return {};
        } else {
          return std::invoke(work_->f, item.pass());
        }
      });
      std::destroy_at(&item);
    });
  }

  void discard(Chunk& chunk) noexcept override {
    for_each_slot(chunk, [](Item& item, Result&) { std::destroy_at(&item); });
  }

  template <class Visit>
  void for_each_slot(Chunk& chunk, Visit visit) noexcept {
    std::size_t left = chunk.size;
    for (Segment* segment = &chunk.first;; segment = segment->next) {
      const std::size_t count = smaller(left, this->segment_size());
      for (std::size_t slot = 0; slot != count; ++slot) {
        visit(*std::launder(static_cast<Item*>(item_of(*segment, slot))), segment->results[slot]);
      }
      left -= count;
      if (left == 0) return;
    }
  }

  static void* item_of(const Segment& segment, std::size_t slot) noexcept {
    return segment.items + slot * sizeof(Item);
  }

  void destroy_work() noexcept override {
    work_.reset();
    stop_.leave(this->engine());
  }

  const std::size_t chunksize_;
  MILLPOND_NO_UNIQUE_ADDRESS Stop<F> stop_;
  std::optional<Work<F, Items>> work_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_JOB_HPP
