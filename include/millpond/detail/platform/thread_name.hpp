// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_THREAD_NAME_HPP
#define MILLPOND_DETAIL_PLATFORM_THREAD_NAME_HPP

#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <string_view>

#if defined(MILLPOND_SET_THREAD_NAME)
#include <pthread.h>
#endif

namespace millpond::inline MILLPOND_ABI::detail {

/// Names the calling thread "<prefix>-<suffix>" for debuggers, top and perf. An empty prefix
/// leaves its name alone. Where the platform's limit is met the prefix is cut, never the suffix;
/// a platform without names ignores the call.
inline void name_this_thread([[maybe_unused]] std::string_view prefix,
                             [[maybe_unused]] std::string_view suffix) noexcept {
#if defined(MILLPOND_SET_THREAD_NAME)
  constexpr std::size_t kLongest = 15;  // bytes, Linux
  if (prefix.empty() || suffix.size() + 2 > kLongest) return;
  char name[kLongest + 1] = {};
  std::size_t length = prefix.substr(0, kLongest - 1 - suffix.size()).copy(name, kLongest);
  name[length++] = '-';
  suffix.copy(name + length, kLongest - length);
  MILLPOND_SET_THREAD_NAME(name);
#endif
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_PLATFORM_THREAD_NAME_HPP
