// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_READERS_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_READERS_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/engine/waiters.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// Where the readers of an imap wait until there is something for them.
///
/// Those who sleep all wait for the same chunk, the next one. Its position is kept in wanted_, so
/// that whoever gets a chunk done knows without a lock whether somebody sleeps for it. seq_cst, all
/// of it: a reader announces what he wants and then looks, whoever publishes looks after that.
///
/// Thread safety: members called ..._locked need the imap's mutex; the others, anywhere.
class ImapReaders {
 public:
  explicit ImapReaders(Job& imap) noexcept : imap_(&imap) {}
  ImapReaders(const ImapReaders&) = delete;
  ImapReaders& operator=(const ImapReaders&) = delete;

  /// A reader is about to look for the chunk at this position a last time, and to sleep.
  void announce_locked(std::size_t position) noexcept {
    const std::size_t before = wanted_.exchange(position + 1);
    // Those who sleep for one that was taken meanwhile would not be told of this one.
    if (before != 0 && before != position + 1) notify_locked();
  }
  /// Whether somebody may sleep for the chunk at this position; or for any.
  bool want(std::size_t position) const noexcept { return wanted_.load() == position + 1; }
  bool want_any() const noexcept { return wanted_.load() != 0; }

  /// Sleeps until woken, or for no reason. False if the deadline came.
  bool sleep_locked(unique_lock& lock, Engine& engine, Deadline deadline);

  void wake_all_locked() noexcept {
    wanted_.store(0, memory_order_relaxed);  // who sleeps next announces it under the mutex
    notify_locked();
  }

 private:
  void notify_locked() noexcept;
  bool sleep_in_callback_locked(unique_lock& lock, Engine& engine, Deadline deadline);

  Job* const imap_;
  std::size_t sleepers_ = 0;
  std::vector<Waiter*> alarms_;  // of the callback thread, the innermost last
  condition_variable condition_;
  atomic<std::size_t> wanted_{0};  // the position, plus 1; or 0
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_READERS_HPP
