// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_STATE_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_STATE_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/imap/imap_chunk.hpp>
#include <millpond/detail/imap/imap_front.hpp>
#include <millpond/detail/imap/imap_readers.hpp>
#include <millpond/detail/imap/imap_stream.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/spin.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/errors.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace millpond::inline MILLPOND_ABI::detail {

/// What an imap of a function that returns R yields.
template <class R>
using imap_value_t = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

/// An imap as its reader sees it. How its items get done is ImapStream's.
///
/// Thread safety: all public members, from any thread. May be used from the pool's own tasks.
template <class Value>
class ImapState : public ImapStream<Value> {
  using Base = ImapStream<Value>;

 public:
  using typename Base::Chunk;
  using typename Base::Front;
  using typename Base::Result;

  /// The next value; none at the end. Throws the item's error; after the last item the input's, or
  /// TerminatedError if the pool was terminated before the input's end, once; TimeoutError.
  /// On a thread of the pool runs the item that it waits for if that has not started. On a
  /// terminated pool gives up what has not started itself, and does not wait for terminate() to.
  std::optional<Value> next(Deadline deadline) {
    if (front().try_lock()) {
      if (const auto claim = front().claim_locked(); claim.chunk != nullptr) return take(claim);
      front().unlock();
    }
    return wait_for_next(deadline);
  }

  /// The reader goes: gives up what has not started. Does not block.
  void drop() noexcept {
    if (!this->engine().is_of_this_process()) return;
    const CompletionScope scope(&this->engine(), this);
    this->give_up(false);
  }

  /// Tells of an error that the reader has taken and not looked at.
  void report(const std::exception_ptr& error) const noexcept { this->engine().report(error); }

 protected:
  using Base::Base;
  ~ImapState() override = default;

 private:
  /// Values that are moved without code of the user's.
  static constexpr bool kIsTrivial = std::is_trivially_copyable_v<Value> &&
                                     std::is_trivially_move_constructible_v<Value> &&
                                     std::is_trivially_destructible_v<Value>;

  Front& front() noexcept { return this->front_; }

  std::optional<Value> take(const typename Front::Claim& claim);
  std::optional<Value> wait_for_next(Deadline deadline);
  bool sleep(ThreadContext* context, Deadline deadline);
};

/// Unlocks the front. Values with code of the user's are moved out after that; then the chunk is
/// used again when the last of them has been.
template <class Value>
std::optional<Value> ImapState<Value>::take(const typename Front::Claim& claim) {
  Result& result = *claim.result;
  const bool makes_room = claim.is_last && this->return_room_locked(false);
  if constexpr (kIsTrivial) {
    std::exception_ptr error;
    std::optional<Value> value;
    if (result.is_error()) [[unlikely]] {
      error = result.take_error();
      result.reset();
    } else {
      value.emplace(result.take());  // and is left behind: readers write to no place of workers
    }
    if (claim.is_last) this->chunks_.give_back(*claim.chunk);
    front().unlock();
    if (makes_room) this->go_on();
    if (error) [[unlikely]]
      std::rethrow_exception(std::move(error));
    return value;
  } else {
    front().unlock();
    if (makes_room) this->go_on();
    struct Emptied {
      ~Emptied() {
        result.reset();
        // acq_rel: the last reader sees the others done before the chunk is used again.
        if (size != 1 && chunk.emptied.fetch_add(1, memory_order_acq_rel) + 1 != size) return;
        state.front().lock();
        state.chunks_.give_back(chunk);
        state.front().unlock();
      }
      ImapState& state;
      Chunk& chunk;
      Result& result;
      std::size_t size;
    } const emptied{*this, *claim.chunk, result, claim.chunk->size};
    if (result.is_error()) std::rethrow_exception(result.take_error());
    return std::optional<Value>(result.take());
  }
}

template <class Value>
std::optional<Value> ImapState<Value>::wait_for_next(Deadline deadline) {
  Engine& engine = this->engine();
  engine.check_process();
  engine.introduce_thread();
  bool timed_out = deadline.is_poll();
  bool has_spun = false;  // since it last slept
  for (;;) {
    const bool finished = this->finished_.load(memory_order_acquire);  // pairs with finish()
    front().lock();
    if (const auto claim = front().claim_locked(); claim.chunk != nullptr) return take(claim);
    const std::size_t wanted = front().next();
    const bool makes_room = this->return_room_locked(true);
    front().unlock();
    if (makes_room) this->go_on();
    if (finished) {
      if (const std::exception_ptr error = this->take_end()) std::rethrow_exception(error);
      return std::nullopt;
    }
    if (timed_out) throw TimeoutError("No result within the timeout");
    if (engine.state() == State::terminate && this->may_be_given_up()) {
      // Perhaps it is this thread that is giving up one after another: do not wait for oneself.
      const CompletionScope scope(&engine, this);
      this->give_up(true);
      continue;
    }
    ThreadContext* const context = context_in(&engine);
    if (context != nullptr && this->help(*context, wanted)) continue;
    if (!std::exchange(has_spun, true) && spinning_pays()) {
      spin_until([&] {
        return front().may_be_available() || this->finished_.load(memory_order_relaxed) ||
               deadline.has_passed();
      });
    } else {
      timed_out = !sleep(context, deadline);
      has_spun = false;
    }
  }
}

/// Sleeps until there is something for readers, or for no reason. False if the deadline came.
template <class Value>
bool ImapState<Value>::sleep(ThreadContext* context, Deadline deadline) {
  unique_lock lock(this->mutex_, std::defer_lock);
  lock_spinning(lock);
  if (this->announce_sleep_locked(context != nullptr)) return true;
  return this->readers_.sleep_locked(lock, this->engine(), deadline);
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_STATE_HPP
