// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_TALLY_HPP
#define MILLPOND_DETAIL_ENGINE_TALLY_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI::detail {

/// A count that one thread at a time adds to and anybody reads. Whoever reads it sees what was
/// written before what it counts.
class Tally {
 public:
  void add_one() noexcept {
    // Not one atomic step: nobody else writes.
    count_.store(count_.load(memory_order_relaxed) + 1, memory_order_release);
  }
  std::size_t get() const noexcept { return count_.load(memory_order_acquire); }

 private:
  atomic<std::size_t> count_{0};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_TALLY_HPP
