// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_QUEUE_ORDER_HPP
#define MILLPOND_DETAIL_ENGINE_QUEUE_ORDER_HPP

#include <millpond/detail/platform/config.hpp>

namespace millpond::inline MILLPOND_ABI::detail {

/// In which order the queued work of a pool starts.
enum class QueueOrder : bool {
  fifo,      // as each thread issues it
  priority,  // the higher priority first, and as it is issued among equals
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_QUEUE_ORDER_HPP
