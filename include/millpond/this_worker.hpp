// SPDX-License-Identifier: MIT
#ifndef MILLPOND_THIS_WORKER_HPP
#define MILLPOND_THIS_WORKER_HPP

#include <millpond/detail/engine/thread_context.hpp>
#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <optional>

namespace millpond::inline MILLPOND_ABI::this_worker {

/// The calling worker's index in its pool, 0 to size() - 1; none on threads that are no worker
/// (a pool's callback thread included). Safe anywhere.
inline std::optional<std::size_t> index() noexcept {
  const detail::ThreadContext* const context = detail::current_thread_context;
  return context != nullptr ? context->worker_index : std::nullopt;
}

}  // namespace millpond::inline MILLPOND_ABI::this_worker

#endif  // MILLPOND_THIS_WORKER_HPP
