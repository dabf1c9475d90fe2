// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_BASICS_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_BASICS_HPP

#include <cstddef>
#include <cstdint>
#include <source_location>

/// What all parts of the explorer share: numbers, hashes, random numbers.

namespace explore {

using Location = std::source_location;

inline constexpr int kMaxThreads = 12;

/// Mixes two numbers into a hash.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t x = (a ^ 0x9e3779b97f4a7c15U) * 0xff51afd7ed558ccdU + b;
  x ^= x >> 29;
  x *= 0xc4ceb9fe1a85ec53U;
  return x ^ (x >> 32);
}

/// A small random generator, the same on every machine.
class Random {
 public:
  void seed(std::uint64_t seed) noexcept { state_ = seed; }
  std::uint64_t next() noexcept { return mix(state_ += 0x9e3779b97f4a7c15U, 77); }
  /// Less than n.
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32);
  }

 private:
  std::uint64_t state_ = 1;
};

/// Zeroed memory that takes room only where it is used; kept for good.
void* map_pages(std::size_t size);

/// The name of a file without its folders.
const char* base_name(const char* path) noexcept;

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_BASICS_HPP
