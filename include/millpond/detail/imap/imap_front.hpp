// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_FRONT_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_FRONT_HPP

#include <millpond/detail/imap/imap_chunk.hpp>
#include <millpond/detail/imap/imap_ring.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// The readers' end of an imap: chunks that are done, and the one whose results they are taking.
/// Ordered imaps take chunks from the ring as they were read; the others from a stack on which the
/// workers put them as they get done, all at once, and turned over.
///
/// Thread safety: members called ..._locked need lock(), which is held for a few instructions and
/// awaited by yielding; so nobody may wait, or run user code, while holding it. The others,
/// anywhere.
template <class Value>
class ImapFront {
 public:
  using Chunk = ImapChunk<Value>;
  using Segment = ImapSegment<Value>;
  using Result = Outcome<Value>;
  using Ring = ImapRing<Chunk>;

  ImapFront(const Ring& ring, bool ordered, std::size_t segment_size) noexcept
      : ring_(ring), ordered_(ordered), segment_size_(segment_size) {}
  ImapFront(const ImapFront&) = delete;
  ImapFront& operator=(const ImapFront&) = delete;

  bool is_ordered() const noexcept { return ordered_; }

  // acquire, release: what is written under the lock is the next one's.
  bool try_lock() noexcept { return !locked_.exchange(true, memory_order_acquire); }
  void lock() noexcept {
    while (!try_lock()) {
      do this_thread::yield();
      while (locked_.load(memory_order_relaxed));
    }
  }
  void unlock() noexcept { locked_.store(false, memory_order_release); }

  /// A chunk is done. seq_cst: so that either a reader who is about to sleep sees it, or the
  /// caller, afterwards, that reader.
  void publish(Chunk& chunk) noexcept {
    if (ordered_) {
      chunk.done.store(true);
      return;
    }
    Chunk* top = done_.load(memory_order_relaxed);
    do chunk.next = top;
    while (!done_.compare_exchange_weak(top, &chunk));
  }

  /// Whether there is a result to take.
  bool available_locked() noexcept { return front_ != nullptr || open_locked(); }

  struct Claim {
    Chunk* chunk = nullptr;  // null: there is none
    Result* result = nullptr;
    bool is_last = false;  // of its chunk
  };
  Claim claim_locked() noexcept {
    if (!available_locked()) return {};
    const Claim claim{front_, segment_->results + slot_, ++index_ == front_->size};
    if (claim.is_last) {
      front_ = nullptr;
    } else if (++slot_ == segment_size_) {
      segment_ = segment_->next;
      slot_ = 0;
    }
    return claim;
  }

  /// How many chunks were put in front so far: the position of the one that comes next.
  std::size_t next() const noexcept { return next_.load(memory_order_relaxed); }
  /// How many chunks have been claimed to the last result.
  std::size_t yielded_locked() const noexcept { return next() - (front_ != nullptr ? 1 : 0); }

  /// A hint, for those who spin.
  bool may_be_available() const noexcept {
    if (!ordered_) return done_.load(memory_order_relaxed) != nullptr;
    const std::size_t position = next();
    if (position >= ring_.read()) return false;
    const Chunk* const chunk = ring_.at(position);  // null, or another, if it is long gone
    return chunk != nullptr && chunk->done.load(memory_order_relaxed);
  }

 private:
  /// Puts the next chunk in front, if it is done.
  bool open_locked() noexcept {
    const std::size_t position = next();
    if (ordered_) {
      if (position >= seen_ && position >= (seen_ = ring_.read())) return false;
      Chunk* const chunk = ring_.at(position);
      if (!chunk->done.load()) return false;  // seq_cst: see publish()
      front_ = chunk;
    } else {
      if (in_turn_ == nullptr) take_all_locked();
      if (in_turn_ == nullptr) return false;
      front_ = std::exchange(in_turn_, in_turn_->next);
    }
    next_.store(position + 1, memory_order_relaxed);
    segment_ = &front_->first;
    index_ = 0;
    slot_ = 0;
    return true;
  }

  void take_all_locked() noexcept {
    if (done_.load() == nullptr) return;  // seq_cst: see publish()
    for (Chunk* chunk = done_.exchange(nullptr, memory_order_acquire); chunk != nullptr;) {
      Chunk* const below = std::exchange(chunk->next, in_turn_);
      in_turn_ = std::exchange(chunk, below);
    }
  }

  const Ring& ring_;
  const bool ordered_;
  const std::size_t segment_size_;
  alignas(64) atomic<Chunk*> done_{nullptr};  // the newest first
  alignas(64) atomic<bool> locked_{false};
  atomic<std::size_t> next_{0};
  std::size_t seen_ = 0;      // of the ring
  Chunk* in_turn_ = nullptr;  // taken from done_, the oldest first
  Chunk* front_ = nullptr;
  Segment* segment_ = nullptr;  // where the next result is
  std::size_t slot_ = 0;        // in that segment
  std::size_t index_ = 0;       // in the chunk
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_FRONT_HPP
