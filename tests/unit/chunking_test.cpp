// SPDX-License-Identifier: MIT
//
// Chunking: how many items of a map a worker takes at a time, and the sizes that callers give.
#include <millpond/detail/calls/chunking.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../support/throws.hpp"

namespace millpond::test {
namespace {

using detail::Chunking;
using detail::default_chunksize;
using detail::divide_rounding_up;
using detail::to_ptrdiff;

constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
constexpr std::ptrdiff_t kLargest = std::numeric_limits<std::ptrdiff_t>::max();
constexpr std::ptrdiff_t kLeast = std::numeric_limits<std::ptrdiff_t>::min();

// All chunks that a map of n items is cut into.
std::vector<std::size_t> chunks_of(const Chunking& chunking, std::size_t n) {
  std::vector<std::size_t> chunks;
  while (n != 0) {
    chunks.push_back(chunking.next(n));
    if (chunks.back() == 0 || chunks.back() > n) {
      ADD_FAILURE() << "a chunk of " << chunks.back() << " when " << n << " items are left";
      break;
    }
    n -= chunks.back();
  }
  return chunks;
}

TEST(Division, RoundsUpWithoutOverflow) {
  static_assert(divide_rounding_up(0, 1) == 0);
  static_assert(divide_rounding_up(0, kMost) == 0);
  static_assert(divide_rounding_up(1, 3) == 1);
  static_assert(divide_rounding_up(3, 3) == 1);
  static_assert(divide_rounding_up(4, 3) == 2);
  static_assert(divide_rounding_up(kMost, 1) == kMost);
  static_assert(divide_rounding_up(kMost, kMost) == 1);
  static_assert(divide_rounding_up(kMost - 1, kMost) == 1);
  static_assert(divide_rounding_up(kMost, 2) == kMost / 2 + 1);
  SUCCEED();
}

// The default

TEST(DefaultChunksize, IsPythons) {
  constexpr std::size_t kWorkers = 4;
  static_assert(default_chunksize(0, kWorkers) == 0);
  static_assert(default_chunksize(1, kWorkers) == 1);
  static_assert(default_chunksize(16, kWorkers) == 1);
  static_assert(default_chunksize(17, kWorkers) == 2);
  static_assert(default_chunksize(32, kWorkers) == 2);
  static_assert(default_chunksize(33, kWorkers) == 3);
  static_assert(default_chunksize(100, kWorkers) == 7);
  static_assert(default_chunksize(1000, kWorkers) == 63);
  static_assert(default_chunksize(1000, 1) == 250);
  static_assert(default_chunksize(kMost, 1) == kMost / 4 + 1);
  SUCCEED();
}

TEST(DefaultChunksize, IsThatOfTheFirstChunk) {
  for (const std::size_t workers : {1U, 2U, 4U, 8U, 64U}) {
    for (const std::size_t n : {1U, 16U, 17U, 33U, 100U, 1000U, 1000000U}) {
      EXPECT_EQ(Chunking(std::nullopt, n, workers).next(n), default_chunksize(n, workers))
          << n << " items, " << workers << " workers";
    }
  }
}

TEST(DefaultChunksize, CoversAllItemsInChunksThatNeverGrow) {
  for (const std::size_t workers : {1U, 2U, 4U, 8U, 64U}) {
    for (std::size_t n = 1; n <= 300; ++n) {
      const std::vector<std::size_t> chunks = chunks_of(Chunking(std::nullopt, n, workers), n);
      EXPECT_EQ(std::accumulate(chunks.begin(), chunks.end(), std::size_t{0}), n);
      for (std::size_t i = 1; i < chunks.size(); ++i) EXPECT_LE(chunks[i], chunks[i - 1]);
    }
  }
}

TEST(DefaultChunksize, ShrinksTowardsTheEnd) {
  constexpr std::size_t kWorkers = 4;
  constexpr std::size_t kItems = 1000;
  const Chunking chunking(std::nullopt, kItems, kWorkers);
  // Of what is left each of 8 shares, 2 a worker, is smaller than Python's 63 from 496 on.
  EXPECT_EQ(chunking.next(505), 63U);
  EXPECT_EQ(chunking.next(496), 62U);
  EXPECT_EQ(chunking.next(80), 10U);
  EXPECT_EQ(chunking.next(9), 2U);
  EXPECT_EQ(chunking.next(8), 1U);
  EXPECT_EQ(chunking.next(1), 1U);
  // So each worker can take one item of the last ones.
  const std::vector<std::size_t> chunks = chunks_of(chunking, kItems);
  ASSERT_GT(chunks.size(), 8U);
  for (std::size_t i = chunks.size() - 8; i < chunks.size(); ++i) EXPECT_EQ(chunks[i], 1U);
}

TEST(DefaultChunksize, OfAsManyItemsAsCanBeCountedIsNotZero) {
  for (const std::size_t workers :
       {std::size_t{1}, std::size_t{8}, std::numeric_limits<std::size_t>::max() / 8}) {
    const Chunking chunking(std::nullopt, kMost, workers);
    EXPECT_EQ(chunking.next(kMost), default_chunksize(kMost, workers));
    EXPECT_GE(chunking.next(kMost - 1), 1U);
    EXPECT_EQ(chunking.next(1), 1U);
  }
}

TEST(DefaultBuffersize, IsAFewChunksAWorker) {
  static_assert(detail::default_buffersize(1) == 4);
  static_assert(detail::default_buffersize(8) == 32);
  SUCCEED();
}

// A given size

TEST(GivenChunksize, IsKeptExactly) {
  for (const std::ptrdiff_t size : {1, 2, 3, 7, 100, 1000}) {
    for (const std::size_t n : {1U, 2U, 16U, 99U, 1000U, 1001U}) {
      const std::vector<std::size_t> chunks = chunks_of(Chunking(size, n, 4), n);
      const auto given = static_cast<std::size_t>(size);
      ASSERT_EQ(chunks.size(), divide_rounding_up(n, given));
      for (std::size_t i = 0; i + 1 < chunks.size(); ++i) EXPECT_EQ(chunks[i], given);
      EXPECT_EQ(chunks.back(), n - (chunks.size() - 1) * given);
    }
  }
}

TEST(GivenChunksize, MayBeAsLargeAsCanBe) {
  const Chunking chunking(kLargest, kMost, 4);
  EXPECT_EQ(chunking.next(10), 10U);
  EXPECT_EQ(chunking.next(kMost), static_cast<std::size_t>(kLargest));
}

TEST(GivenChunksize, NeedNotBeLargerThanTheMap) {
  const Chunking chunking(kLargest, 10, 4);
  EXPECT_TRUE(chunking.is_fixed());
  EXPECT_EQ(chunking.size(), 10U);
  EXPECT_EQ(chunking.next(10), 10U);
}

TEST(GivenSize, MustBePositive) {
  const auto message = [](const char* name, std::ptrdiff_t size) {
    return message_of<ValueError>([&] {
      detail::check_size(name, size);
      return 0;
    });
  };
  EXPECT_EQ(message("Chunksize", 0), "Chunksize must be 1+, not 0");
  EXPECT_EQ(message("Chunksize", -3), "Chunksize must be 1+, not -3");
  EXPECT_EQ(message("Buffersize", kLeast), "Buffersize must be 1+, not " + std::to_string(kLeast));
  EXPECT_NO_THROW(detail::check_size("Chunksize", 1));
  EXPECT_NO_THROW(detail::check_size("Chunksize", kLargest));
  EXPECT_NO_THROW(detail::check_size("Chunksize", std::nullopt));
}

TEST(GivenSize, ReplacesTheDefault) {
  EXPECT_EQ(detail::size_or(3, 7), 3U);
  EXPECT_EQ(detail::size_or(kLargest, 7), static_cast<std::size_t>(kLargest));
  EXPECT_EQ(detail::size_or(std::nullopt, 7), 7U);
}

TEST(GivenSize, MayBeOfAnyIntegralType) {
  static_assert(to_ptrdiff(5) == 5);
  static_assert(to_ptrdiff(-5) == -5);
  static_assert(to_ptrdiff(5U) == 5);
  static_assert(to_ptrdiff(std::int8_t{-1}) == -1);
  static_assert(to_ptrdiff(std::uint8_t{255}) == 255);
  static_assert(to_ptrdiff(static_cast<short>(7)) == 7);
  static_assert(to_ptrdiff(5ULL) == 5);
  SUCCEED();
}

TEST(GivenSize, ThatDoesNotFitIsTheLimit) {
  static_assert(to_ptrdiff(kMost) == kLargest);
  static_assert(to_ptrdiff(std::numeric_limits<std::uintmax_t>::max()) == kLargest);
  static_assert(to_ptrdiff(kLargest) == kLargest);
  static_assert(to_ptrdiff(kLeast) == kLeast);
  SUCCEED();
}

}  // namespace
}  // namespace millpond::test
