// SPDX-License-Identifier: MIT
#ifndef MILLPOND_STATE_HPP
#define MILLPOND_STATE_HPP

#include <millpond/detail/platform/config.hpp>

namespace millpond::inline MILLPOND_ABI {

/// A pool's life: it runs, is closed (no new work, the old is finished) and may be terminated
/// (work that has not started is given up). It never goes back.
enum class State { run, close, terminate };

}  // namespace millpond::inline MILLPOND_ABI

#endif  // MILLPOND_STATE_HPP
