// SPDX-License-Identifier: MIT
//
// The standard library's headers, as far as the library includes them. For tests that define
// macros which those headers would not survive, or would undefine.
#ifndef MILLPOND_TESTS_SUPPORT_STANDARD_HEADERS_HPP
#define MILLPOND_TESTS_SUPPORT_STANDARD_HEADERS_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <compare>
#include <concepts>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <functional>
#include <iosfwd>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>
#include <version>
#if defined(__cpp_lib_jthread)
#include <stop_token>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

#endif  // MILLPOND_TESTS_SUPPORT_STANDARD_HEADERS_HPP
