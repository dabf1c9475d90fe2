// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_WORKER_HPP
#define MILLPOND_DETAIL_ENGINE_WORKER_HPP

#include <millpond/detail/engine/lanes.hpp>
#include <millpond/detail/engine/tally.hpp>
#include <millpond/detail/platform/config.hpp>

namespace millpond::inline MILLPOND_ABI::detail {

/// What the engine has of each of its workers.
struct Worker {
  Lanes::Own lane;
  Tally finished;      // jobs
  bool paces = false;  // nobody waits for the last of them; used by its thread only
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_WORKER_HPP
