// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_ENTRY_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_ENTRY_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/engine/job.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

namespace millpond::inline MILLPOND_ABI::detail {

/// An imap's entry in the queue of its pool. There is one at most, as it is put in under the imap's
/// mutex only: so whoever holds that and finds no entry knows that there is none.
///
/// An entry that a worker has taken counts until that worker begins to look for something to do.
/// seq_cst, all of it: whoever leaves something to do and then finds an entry knows that the worker
/// who takes it will see what was left.
///
/// Thread safety: members called ..._locked need the imap's mutex; the others, anywhere.
class ImapEntry {
 public:
  explicit ImapEntry(StreamJob& imap) noexcept : imap_(imap) {}
  ImapEntry(const ImapEntry&) = delete;
  ImapEntry& operator=(const ImapEntry&) = delete;

  bool exists() const noexcept { return exists_.load(); }

  /// A worker has taken it, and begins to look.
  void arrive() noexcept { exists_.store(false); }

  /// Needs none to exist.
  void put_locked(Engine& engine, Engine::Place place) noexcept {
    exists_.store(true);
    engine.requeue(imap_, place);
  }

  /// True if it was in the queue: then its reference is the caller's, to be released after
  /// unlocking.
  [[nodiscard]] bool take_out_locked(Engine& engine) noexcept {
    if (!imap_.is_queued() || !engine.unlink(imap_)) return false;
    exists_.store(false);
    return true;
  }

 private:
  StreamJob& imap_;
  atomic<bool> exists_{true};  // a new job is queued
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_ENTRY_HPP
