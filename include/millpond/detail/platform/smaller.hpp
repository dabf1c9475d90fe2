// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_SMALLER_HPP
#define MILLPOND_DETAIL_PLATFORM_SMALLER_HPP

#include <millpond/detail/platform/config.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI::detail {

/// std::min and std::max of sizes: <algorithm> would add 25 ms to each file that uses the library.
constexpr std::size_t smaller(std::size_t a, std::size_t b) noexcept { return a < b ? a : b; }
constexpr std::size_t larger(std::size_t a, std::size_t b) noexcept { return a < b ? b : a; }

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_PLATFORM_SMALLER_HPP
