// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_WINDOW_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_WINDOW_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/smaller.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>

namespace millpond::inline MILLPOND_ABI::detail {

/// How many chunks of an imap may be read ahead of its readers, how many are, and for how many the
/// imap keeps its place at the front of the queue: its turn.
///
/// A window that nobody has given a size grows while a whole one is taken in so short a time that
/// threads can hardly meet in it. That bounds its memory, too: it holds what is made in that time.
///
/// Thread safety: members called ..._locked need the imap's mutex, return_room() the front's lock;
/// the others, anywhere.
class ImapWindow {
 public:
  ImapWindow(std::size_t size, bool may_grow, std::size_t chunksize) noexcept
      : first_size_(size),
        largest_size_(may_grow ? larger(size, smaller(kMostItems / chunksize, kMostChunks)) : size),
        size_(size) {}
  ImapWindow(const ImapWindow&) = delete;
  ImapWindow& operator=(const ImapWindow&) = delete;

  /// Chunks that readers have taken wholly, as far as they were returned. seq_cst: whoever parks
  /// looks here after that, and whoever returns room looks whether somebody has parked.
  std::size_t yielded() const noexcept { return yielded_.load(); }

  /// For how many more there is room when so many were read.
  template <class Read>
  std::size_t room(Read read) const noexcept {
    const std::size_t yielded = this->yielded();  // first: so it cannot be the larger one
    const std::size_t used = read() - yielded;
    const std::size_t size = this->size();
    return used < size ? size - used : 0;
  }

  /// Readers have taken so many. Of a large window they return halves, unless `all` is asked for:
  /// so that there is something to do for whoever comes. True if any were returned.
  bool return_room(std::size_t yielded, bool all) noexcept {
    const std::size_t unreturned = yielded - yielded_.load(memory_order_relaxed);
    if (unreturned == 0) return false;
    const std::size_t size = this->size();
    if (!all && size >= kLarge && unreturned < smaller(size / 2, kMostUnreturned)) return false;
    yielded_.store(yielded);
    return true;
  }

  /// The imap was put at the queue's back when so many were claimed.
  void begin_turn_locked(std::size_t claimed) noexcept {
    turn_begin_.store(claimed, memory_order_relaxed);
    if (largest_size_ != first_size_) turn_time_.store(now(), memory_order_relaxed);
  }
  /// Whether it had its turn: a window's chunks; but if it has grown and they last, fewer.
  bool turn_is_over(std::size_t claimed) const noexcept {
    const std::size_t count = claimed - turn_begin_.load(memory_order_relaxed);
    if (count < first_size_) return false;
    return count >= size() ||
           (count % first_size_ == 0 &&
            now() - turn_time_.load(memory_order_relaxed) > tuning::kShortWindow.count());
  }

  bool may_grow() const noexcept { return size() != largest_size_; }
  /// When it is full.
  void grow_locked() noexcept {
    const std::int64_t now = this->now();
    const std::size_t yielded = this->yielded();
    const std::size_t size = this->size();
    if (yielded - yielded_before_ < size) return;
    if (now - time_before_ < tuning::kShortWindow.count()) {
      size_.store(smaller(2 * size, largest_size_), memory_order_relaxed);
    }
    yielded_before_ = yielded;
    time_before_ = now;
  }

 private:
  static constexpr std::size_t kMostItems = 16384;
  static constexpr std::size_t kMostChunks = 2048;
  static constexpr std::size_t kLarge = 16;
  static constexpr std::size_t kMostUnreturned = 1024;

  static std::int64_t now() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               steady_clock::now().time_since_epoch())
        .count();
  }
  // relaxed, as all of size_ and of the turn: they count, and publish nothing.
  std::size_t size() const noexcept { return size_.load(memory_order_relaxed); }

  const std::size_t first_size_;
  const std::size_t largest_size_;
  atomic<std::size_t> size_;
  atomic<std::size_t> turn_begin_{0};
  atomic<std::int64_t> turn_time_{0};
  std::size_t yielded_before_ = 0;  // when grow_locked() last saw a whole window taken
  std::int64_t time_before_ = 0;
  alignas(64) atomic<std::size_t> yielded_{0};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_WINDOW_HPP
