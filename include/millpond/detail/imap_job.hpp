// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_JOB_HPP
#define MILLPOND_DETAIL_IMAP_JOB_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/core.hpp>
#include <millpond/detail/imap_state.hpp>
#include <millpond/detail/items.hpp>
#include <millpond/detail/stop.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// The typed part of an imap: reads items from Items (StreamedItems) and calls F on them.
template <class Value, class F, class Items>
class ImapJob final : public ImapState<Value> {
  using Base = ImapState<Value>;
  using typename Base::Chunks;
  using Item = typename Items::Item;

 public:
  template <class Holder, class G>
  ImapJob(Core& core, bool ordered, std::size_t chunksize, std::size_t buffersize, Holder&& holder,
          G&& f)
      : Base(core, ordered, buffersize),
        chunksize_(chunksize),
        work_(std::in_place, std::forward<Holder>(holder), stop_.bind(std::forward<G>(f))) {}
  ~ImapJob() noexcept override = default;  // whatever the user's destructors say

  Stop<F>& stop() noexcept { return stop_; }

 private:
  void step(Chunks chunk) noexcept override {
    std::vector<Item> items;
    bool has_more = false;
    std::exception_ptr input_error;
    try {
      if (chunk.empty()) chunk.emplace_back();
      has_more = work_->items.take(chunksize_, items);
    } catch (...) {
      input_error = std::current_exception();  // items read before it are run all the same
    }
    try {
      if (!items.empty()) chunk.front().slots.reserve(items.size());
    } catch (...) {  // no room for results: the input ends here
      items.clear();
      has_more = false;
      input_error = std::current_exception();
    }
    const bool has_items = !items.empty();
    const auto position = this->commit(chunk, has_items, has_more, std::move(input_error));
    if (position) run_chunk(items, (*position)->slots);
    items.clear();  // before the reader can see that they are done with
    if (position) {
      this->publish(*position);
    } else if (has_items) {
      this->discard();
    }
  }

  void run_chunk(std::vector<Item>& items, std::vector<typename Base::Slot>& slots) noexcept {
    for (Item& item : items) {
      slots.emplace_back().run([&]() -> Value {
        if constexpr (std::is_void_v<std::invoke_result_t<F&, typename Items::Passed>>) {
          std::invoke(work_->f, item.pass());
          return {};
        } else {
          return std::invoke(work_->f, item.pass());
        }
      });
    }
  }

  void destroy_work() noexcept override {
    work_.reset();
    stop_.leave(this->core());
  }

  const std::size_t chunksize_;
  MILLPOND_NO_UNIQUE_ADDRESS Stop<F> stop_;
  std::optional<Work<F, Items>> work_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_JOB_HPP
