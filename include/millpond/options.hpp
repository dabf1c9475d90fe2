// SPDX-License-Identifier: MIT
#ifndef MILLPOND_OPTIONS_HPP
#define MILLPOND_OPTIONS_HPP

#include <millpond/detail/calls/callback.hpp>
#include <millpond/detail/calls/invoke.hpp>
#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>

namespace millpond::inline MILLPOND_ABI {

/// The order in which the work of a pool starts: first in, first started, for the work that one
/// thread issues. Between threads there is none, but nothing waits for ever.
struct Fifo {};

/// The higher priority first, whoever issued it; first in, first started among equals.
struct Priority {};

/// How a pool is made: `ThreadPool pool({.processes = 4, .thread_name_prefix = "io"})`.
struct PoolOptions {
  /// Number of workers; none: cpu_count().
  std::optional<std::ptrdiff_t> processes = {};
  /// Called once in every worker before its first task.
  std::function<void()> initializer = {};
  /// Workers are named "<prefix>-<index>" where the platform has thread names.
  std::string thread_name_prefix = {};
  /// Told of errors that nobody looked at, on whatever thread lets go of them last. What it
  /// throws is printed to stderr. None: one line on stderr for each.
  std::function<void(std::exception_ptr)> on_unobserved_error = {};
};

/// Options of apply_async for a task that returns R.
template <class R, class Order = Fifo>
struct ApplyOptions {
  /// Told the result, on the pool's callback thread, before the result is ready.
  detail::ResultCallback<R> callback = {};
  /// Told the error instead, as a std::exception_ptr.
  detail::ErrorCallback error_callback = {};
};

/// Options of the blocking maps.
template <class Order = Fifo>
struct BlockingMapOptions {
  /// Items a task; none: chosen so that no worker is left with a straggler.
  std::optional<std::ptrdiff_t> chunksize = {};
};

/// Options of map_async and starmap_async for a function that returns R.
template <class R, class Order = Fifo>
struct MapOptions {
  /// Items a task; none: chosen so that no worker is left with a straggler.
  std::optional<std::ptrdiff_t> chunksize = {};
  /// Told all results (a const std::vector<R>&; nothing if R is void) before they are ready.
  detail::ResultCallback<detail::map_result_t<R>> callback = {};
  /// Told the first error instead.
  detail::ErrorCallback error_callback = {};
};

/// Options of the imap family.
template <class Order = Fifo>
struct BasicImapOptions {
  /// Items a task; none: 1.
  std::optional<std::ptrdiff_t> chunksize = {};
  /// Input is read ahead while fewer chunks than this are issued and not yet yielded; none:
  /// enough to keep every worker busy.
  std::optional<std::ptrdiff_t> buffersize = {};
};
using ImapOptions = BasicImapOptions<>;

// ---- A priority pool's: the same, and .priority ----

template <class R>
struct ApplyOptions<R, Priority> {
  detail::ResultCallback<R> callback = {};
  detail::ErrorCallback error_callback = {};
  /// The higher, the sooner it starts.
  int priority = 0;
};
template <>
struct BlockingMapOptions<Priority> {
  std::optional<std::ptrdiff_t> chunksize = {};
  int priority = 0;
};
template <class R>
struct MapOptions<R, Priority> {
  std::optional<std::ptrdiff_t> chunksize = {};
  detail::ResultCallback<detail::map_result_t<R>> callback = {};
  detail::ErrorCallback error_callback = {};
  int priority = 0;
};
template <>
struct BasicImapOptions<Priority> {
  std::optional<std::ptrdiff_t> chunksize = {};
  std::optional<std::ptrdiff_t> buffersize = {};
  int priority = 0;
};

namespace detail {

/// 0 where the options have none.
template <class Options>
int priority_of(const Options& options) noexcept {
  if constexpr (requires { options.priority; }) {
    return options.priority;
  } else {
    return 0;
  }
}

/// Asked one by one: a user's operator|| must not be asked.
template <class Options>
bool has_callbacks(const Options& options) noexcept {
  if (options.callback) return true;
  return static_cast<bool>(options.error_callback);
}

template <class T>
inline constexpr bool is_apply_options = false;
template <class R, class Order>
inline constexpr bool is_apply_options<ApplyOptions<R, Order>> = true;

/// Whether the arguments after f are a tuple of arguments and options.
template <class... Args>
inline constexpr bool is_tuple_and_options = false;
template <class Tuple, class Options>
inline constexpr bool is_tuple_and_options<Tuple, Options> =
    is_tuple<std::remove_cvref_t<Tuple>> && is_apply_options<std::remove_cvref_t<Options>>;

}  // namespace detail

}  // namespace millpond::inline MILLPOND_ABI

#endif  // MILLPOND_OPTIONS_HPP
