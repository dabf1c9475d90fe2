// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_RING_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_RING_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// The chunks of an imap in the order in which they were read: a ring that grows. One thread at a
/// time pushes; any number claim, each the oldest one that nobody has.
///
/// Positions only grow. A claim reads the place before it moves the cursor: if it succeeds the
/// place was unclaimed all the time, and no place of an unclaimed chunk is used again. An old array
/// is kept when the ring grows, as a claim may be looking at it; what it finds there is still right
/// if the cursor has not moved.
///
/// Thread safety: reserve() and push(), one thread at a time; the others, anywhere.
template <class Chunk>
class ImapRing {
 public:
  explicit ImapRing(std::size_t capacity) : places_(new Places(std::bit_ceil(capacity))) {}
  ImapRing(const ImapRing&) = delete;
  ImapRing& operator=(const ImapRing&) = delete;
  ~ImapRing() { delete places_.load(memory_order_relaxed); }

  /// Makes room for one more, if places from `first_used` on are in use. Throws std::bad_alloc.
  void reserve_one(std::size_t first_used);
  /// Needs room.
  void push(Chunk& chunk) noexcept {
    const std::size_t position = read_.load(memory_order_relaxed);
    place(position).store(&chunk, memory_order_release);  // pairs with at()
    // release: pairs with read(); publishes the chunk, its items, and the array.
    read_.store(position + 1, memory_order_release);
  }

  /// How many were ever pushed.
  std::size_t read() const noexcept { return read_.load(memory_order_acquire); }
  /// How many were ever claimed.
  std::size_t claimed() const noexcept { return claimed_.load(memory_order_seq_cst); }
  bool any_unclaimed() const noexcept {
    const std::size_t claimed = this->claimed();  // first: so it cannot be the larger one
    return claimed != read();
  }

  struct Claim {
    Chunk* chunk = nullptr;  // null: there was none
    std::size_t position = 0;
  };
  Claim claim() noexcept {
    std::size_t position = claimed();
    for (;;) {
      const Claim claim = claim_at(position);
      if (claim.chunk != nullptr || position == read()) return claim;
    }
  }
  /// Only the one at `position`, which becomes the first that is unclaimed if that is another.
  Claim claim_at(std::size_t& position) noexcept {
    if (position >= read()) return {};
    Chunk* const chunk = at(position);
    // seq_cst: whoever puts off to come for more, and then looks here, sees it (pass_on()).
    if (!claimed_.compare_exchange_strong(position, position + 1)) return {};
    return {chunk, position};
  }

  /// The chunk at a position before read(), as long as that place is in use; else another, or null.
  Chunk* at(std::size_t position) const noexcept {
    return place(position).load(memory_order_acquire);  // pairs with push()
  }

 private:
  struct Places {
    explicit Places(std::size_t capacity)
        : mask(capacity - 1), places(new atomic<Chunk*>[capacity]) {}
    const std::size_t mask;
    const std::unique_ptr<atomic<Chunk*>[]> places;
    std::unique_ptr<Places> older;
  };

  atomic<Chunk*>& place(std::size_t position) const noexcept {
    // acquire: pairs with reserve_one().
    const Places& places = *places_.load(memory_order_acquire);
    return places.places[position & places.mask];
  }

  atomic<Places*> places_;
  alignas(64) atomic<std::size_t> read_{0};
  alignas(64) atomic<std::size_t> claimed_{0};
};

template <class Chunk>
void ImapRing<Chunk>::reserve_one(std::size_t first_used) {
  Places* const old = places_.load(memory_order_relaxed);
  const std::size_t end = read_.load(memory_order_relaxed);
  if (end - first_used <= old->mask) return;
  auto larger = std::make_unique<Places>(2 * (old->mask + 1));
  for (std::size_t i = first_used; i != end; ++i) {
    larger->places[i & larger->mask].store(at(i), memory_order_release);  // pairs with at()
  }
  larger->older.reset(old);
  places_.store(larger.release(), memory_order_release);  // release: pairs with place()
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_RING_HPP
