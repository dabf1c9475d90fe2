// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CHUNK_FRONT_HPP
#define MILLPOND_DETAIL_CHUNK_FRONT_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/sync.hpp>

#include <cstddef>
#include <cstdint>

namespace millpond::inline MILLPOND_ABI::detail {

/// The chunk whose slots an imap's readers are taking, one after another, without the mutex.
///
/// One word holds the number of the chunk (a new one each time, 24 bits) and the next slot (40
/// bits); a slot is claimed by moving it on. Before another chunk is put in place the word is
/// closed: so whoever has read what belongs to the new chunk fails with a claim in the old one, and
/// the other way round (but for a reader that stands still for 16 million chunks).
///
/// Thread safety: claim(), anywhere; the others, under the imap's mutex.
template <class Chunk, class Slot>
class ChunkFront {
 public:
  bool is_open() const noexcept { return !is_closed(word_.load(memory_order_relaxed)); }
  /// All slots are claimed.
  bool is_spent() const noexcept {
    // acquire: pairs with the releases of all claims, so that what they read may be overwritten.
    const std::uint64_t word = word_.load(memory_order_acquire);
    return !is_closed(word) && next_of(word) == size_.load(memory_order_relaxed);
  }

  /// Only while closed.
  void open(Chunk& chunk, Slot* slots, std::size_t size) noexcept {
    chunk_.store(&chunk, memory_order_relaxed);
    slots_.store(slots, memory_order_relaxed);
    size_.store(size, memory_order_release);  // after the word was closed: see claim()
    word_.store(word_.load(memory_order_relaxed) + kOneChunk - kClosed,
                memory_order_release);  // release: publishes the slots
  }
  void close() noexcept {
    const std::uint64_t word = word_.load(memory_order_relaxed);
    word_.store((word & ~kNextMask) | kClosed, memory_order_relaxed);
  }

  struct Claim {
    Chunk* chunk = nullptr;  // null: there was none
    Slot* slot = nullptr;
    bool is_last = false;
    std::size_t size = 0;
  };
  Claim claim() noexcept {
    std::uint64_t word = word_.load(memory_order_acquire);
    for (;;) {
      // acquire: if it is the next chunk's, the exchange below sees that the word was closed.
      const std::size_t size = size_.load(memory_order_acquire);
      const std::size_t next = next_of(word);
      if (is_closed(word) || next >= size) return {};
      const Claim claim{chunk_.load(memory_order_relaxed), slots_.load(memory_order_relaxed) + next,
                        next + 1 == size, size};
      // release: the reads above come before what follows is_spent().
      if (word_.compare_exchange_weak(word, word + 1, memory_order_acq_rel, memory_order_acquire)) {
        return claim;
      }
    }
  }

 private:
  static constexpr std::uint64_t kOneChunk = std::uint64_t{1} << 40;
  static constexpr std::uint64_t kNextMask = kOneChunk - 1;
  static constexpr std::uint64_t kClosed = kNextMask;  // as the next slot

  static bool is_closed(std::uint64_t word) noexcept { return (word & kNextMask) == kClosed; }
  static std::size_t next_of(std::uint64_t word) noexcept {
    return static_cast<std::size_t>(word & kNextMask);
  }

  atomic<std::uint64_t> word_{kClosed};
  atomic<std::size_t> size_{0};
  atomic<Slot*> slots_{nullptr};
  atomic<Chunk*> chunk_{nullptr};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CHUNK_FRONT_HPP
