// SPDX-License-Identifier: MIT
//
// ChunkFront: each slot of each chunk is claimed once, whoever claims.
#include <millpond/detail/chunk_front.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace millpond::test {
namespace {

struct Chunk {
  std::vector<int> slots;
};
using Front = detail::ChunkFront<Chunk, int>;

void open(Front& front, Chunk& chunk) { front.open(chunk, chunk.slots.data(), chunk.slots.size()); }

TEST(ChunkFront, HasNothingAtFirst) {
  Front front;
  EXPECT_FALSE(front.is_open());
  EXPECT_FALSE(front.is_spent());
  EXPECT_EQ(front.claim().chunk, nullptr);
}

TEST(ChunkFront, GivesTheSlotsOfAChunkInOrder) {
  Front front;
  Chunk chunk{{7, 8}};
  open(front, chunk);
  EXPECT_TRUE(front.is_open());
  const Front::Claim first = front.claim();
  EXPECT_EQ(first.chunk, &chunk);
  EXPECT_EQ(first.slot, &chunk.slots[0]);
  EXPECT_EQ(first.size, 2U);
  EXPECT_FALSE(first.is_last);
  EXPECT_FALSE(front.is_spent());
  const Front::Claim second = front.claim();
  EXPECT_EQ(second.slot, &chunk.slots[1]);
  EXPECT_TRUE(second.is_last);
  EXPECT_TRUE(front.is_spent());
  EXPECT_EQ(front.claim().chunk, nullptr);
}

TEST(ChunkFront, TakesOneChunkAfterAnother) {
  Front front;
  std::vector<Chunk> chunks{{{1}}, {{2, 3}}, {{4}}};
  int expected = 0;
  for (Chunk& chunk : chunks) {
    open(front, chunk);
    while (const int* const slot = front.claim().slot) EXPECT_EQ(*slot, ++expected);
    EXPECT_TRUE(front.is_spent());
    front.close();
    EXPECT_FALSE(front.is_open());
    EXPECT_EQ(front.claim().chunk, nullptr);
  }
  EXPECT_EQ(expected, 4);
}

TEST(ChunkFront, GivesEachSlotToOneOfManyThreads) {
  constexpr std::size_t kChunks = 3000;
  constexpr std::size_t kThreads = 4;
  Front front;
  std::mutex mutex;
  std::vector<Chunk> chunks(kChunks);
  for (std::size_t i = 0; i != kChunks; ++i) chunks[i].slots.resize(1 + i % 5);
  std::vector<std::atomic<int>> claims(5 * kChunks);
  std::size_t next = 0;
  std::atomic<bool> over{false};
  const auto read = [&] {
    while (!over) {
      const Front::Claim claim = front.claim();
      if (claim.chunk != nullptr) {
        const auto chunk = static_cast<std::size_t>(claim.chunk - chunks.data());
        const auto slot = static_cast<std::size_t>(claim.slot - claim.chunk->slots.data());
        ++claims[5 * chunk + slot];
        if (!claim.is_last) continue;
      }
      const std::lock_guard lock(mutex);
      if (front.is_spent()) front.close();
      if (front.is_open()) continue;
      if (next == kChunks) {
        over = true;
      } else {
        open(front, chunks[next++]);
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i != kThreads; ++i) threads.emplace_back(read);
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i != kChunks; ++i) {
    for (std::size_t slot = 0; slot != 5; ++slot) {
      ASSERT_EQ(claims[5 * i + slot], slot < chunks[i].slots.size() ? 1 : 0) << i << " " << slot;
    }
  }
}

}  // namespace
}  // namespace millpond::test
