// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_WORKER_HPP
#define MILLPOND_DETAIL_WORKER_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/lanes.hpp>
#include <millpond/detail/tally.hpp>

namespace millpond::inline MILLPOND_ABI::detail {

/// What the core has of each of its workers.
struct Worker {
  Lanes::Own lane;
  Tally finished;      // jobs
  bool paces = false;  // nobody waits for the last of them; used by its thread only
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_WORKER_HPP
