// SPDX-License-Identifier: MIT
#ifndef MILLPOND_IMAP_ITERATOR_HPP
#define MILLPOND_IMAP_ITERATOR_HPP

#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/imap/imap_state.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/errors.hpp>

#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

namespace millpond::inline MILLPOND_ABI {

/// The results of an imap, as they come: a move-only input range, `for (auto&& r : pool.imap(f,
/// items))`, or next(). The values are R; std::monostate for void.
///
/// An item's error is thrown at its position (by next(), or by dereferencing), and iteration goes
/// on after it; an error of the input is thrown after the last item, then comes the end. Dropping
/// the iterator gives up what has not started and does not block. It may outlive its pool.
///
/// Thread safety: several threads may call next(); iterating, moving and dropping are one
/// thread's. May be used in the pool's own tasks: next() runs the awaited item if it has not
/// started.
template <class R>
class ImapIterator {
 public:
  using value_type = detail::imap_value_t<R>;
  class Iterator;

  /// Refers to nothing: iterating and next() throw ValueError.
  ImapIterator() = default;
  ImapIterator(ImapIterator&& other) noexcept { swap(other); }
  ImapIterator& operator=(ImapIterator&& other) noexcept {
    ImapIterator(std::move(other)).swap(*this);
    return *this;
  }
  ~ImapIterator() {
    forget_current();
    if (state_.get() != nullptr) state_->drop();
  }

  /// Waits for the next value; none at the end, again and again.
  std::optional<value_type> next() { return state().next(detail::Deadline::never()); }

  /// The same, but throws TimeoutError if there is none in time; nothing is lost, ask again. Zero
  /// and less only look.
  template <class Rep, class Period>
  std::optional<value_type> next(std::chrono::duration<Rep, Period> timeout) {
    return state().next(detail::Deadline::after(timeout));
  }

  /// Waits for the first value that has not been taken.
  Iterator begin() {
    Iterator it(*this);
    ++it;
    return it;
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  template <class Order>
  friend class BasicThreadPool;

  using State = detail::ImapState<value_type>;

  /// Takes over the reader's reference to a new job.
  explicit ImapIterator(State* state) noexcept : state_(detail::Ref<State>::adopt(state)) {}

  void swap(ImapIterator& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(current_, other.current_);
    std::swap(error_, other.error_);
    std::swap(error_seen_, other.error_seen_);
  }

  /// Before going on. An error that was stepped over is an error that nobody looked at.
  void forget_current() noexcept {
    current_.reset();
    if (error_ && !error_seen_) state_->report(error_);
    error_ = nullptr;
    error_seen_ = false;
  }

  State& state() const {
    if (state_.get() == nullptr) throw ValueError("This ImapIterator refers to nothing");
    return *state_;
  }

  detail::Ref<State> state_;
  std::optional<value_type> current_;  // what an Iterator refers to: a value, an error or the end
  std::exception_ptr error_;
  bool error_seen_ = false;
};

/// Refers to its ImapIterator, which must stay where it is while being iterated over.
template <class R>
class ImapIterator<R>::Iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = ImapIterator::value_type;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;
  Iterator(Iterator&&) noexcept = default;
  Iterator& operator=(Iterator&&) noexcept = default;

  /// Throws the item's error, if it had one.
  value_type& operator*() const {
    if (range_->error_) {
      range_->error_seen_ = true;
      std::rethrow_exception(range_->error_);
    }
    return *range_->current_;
  }

  /// Waits for the next value.
  Iterator& operator++() {
    State& state = range_->state();
    range_->forget_current();
    try {
      std::optional<value_type> next = state.next(detail::Deadline::never());
      if (next.has_value()) range_->current_.emplace(*std::move(next));
    } catch (...) {
      range_->error_ = std::current_exception();
    }
    return *this;
  }
  void operator++(int) { ++*this; }

  bool operator==(std::default_sentinel_t) const noexcept {
    return !range_->current_.has_value() && range_->error_ == nullptr;
  }

 private:
  friend class ImapIterator;
  explicit Iterator(ImapIterator& range) noexcept : range_(&range) {}

  ImapIterator* range_ = nullptr;
};

}  // namespace millpond::inline MILLPOND_ABI

template <class R>
inline constexpr bool std::ranges::enable_view<millpond::ImapIterator<R>> = true;

#if !MILLPOND_IS_COMPILED
#include <millpond/detail/definitions.hpp>
#endif

#endif  // MILLPOND_IMAP_ITERATOR_HPP
