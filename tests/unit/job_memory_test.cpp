// SPDX-License-Identifier: MIT
//
// JobMemory: blocks come back, on the same thread and through the depot to another; big ones are
// malloc's. In sanitizer builds nothing is recycled and these show only that memory is memory.
#include <millpond/detail/engine/job_memory_depot.hpp>
#include <millpond/detail/platform/fork.hpp>

#include <cstddef>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#if defined(__GLIBC__) && MILLPOND_RECYCLES_MEMORY
#if __GLIBC_PREREQ(2, 33)
#include <malloc.h>
#define MILLPOND_TEST_SEES_HEAP 1
#endif
#endif
#if !defined(MILLPOND_TEST_SEES_HEAP)
#define MILLPOND_TEST_SEES_HEAP 0
#endif

namespace millpond::test {
namespace {

using detail::JobMemory;

class JobMemoryTest : public ::testing::Test {
 protected:
  JobMemoryTest() { JobMemory::add_pool(); }
  ~JobMemoryTest() override { JobMemory::remove_pool(); }
};

std::vector<void*> allocate(std::size_t count, std::size_t size) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i != count; ++i) {
    blocks.push_back(JobMemory::allocate(size));
    std::memset(blocks.back(), 0x5a, size);
  }
  return blocks;
}

void release(const std::vector<void*>& blocks, std::size_t size) {
  for (void* const block : blocks) JobMemory::release(block, size);
}

TEST_F(JobMemoryTest, GivesDistinctBlocksOfEverySize) {
  for (const std::size_t size : {1U, 24U, 25U, 40U, 41U, 88U, 96U, 255U, 264U, 265U, 5000U}) {
    const auto blocks = allocate(200, size);
    EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size()) << size;
    release(blocks, size);
  }
}

TEST_F(JobMemoryTest, UsesABlockAgain) {
  if (MILLPOND_RECYCLES_MEMORY == 0) GTEST_SKIP() << "off in this build";
  void* const block = JobMemory::allocate(80);
  JobMemory::release(block, 80);
  void* const other = JobMemory::allocate(88);  // of the same size class
  EXPECT_EQ(other, block);
  JobMemory::release(other, 88);
}

TEST_F(JobMemoryTest, LetsBlocksTravelBackToTheThreadThatAllocates) {
  if (MILLPOND_RECYCLES_MEMORY == 0) GTEST_SKIP() << "off in this build";
  constexpr std::size_t kMany = 1000;
  const auto blocks = allocate(kMany, 96);
  std::thread([&] { release(blocks, 96); }).join();
  const std::set<void*> first(blocks.begin(), blocks.end());
  const auto again = allocate(kMany, 96);
  std::size_t seen_before = 0;
  for (void* const block : again) seen_before += first.count(block);
  // All but what the other thread kept in its last magazine and freed when it ended.
  EXPECT_GE(seen_before, kMany - 2 * 64);
  release(again, 96);
}

// Once the last pool has died, little is kept. The next pool begins with the whole limit again.
TEST_F(JobMemoryTest, KeepsBlocksForAPoolThatIsNotTheFirst) {
  if (MILLPOND_RECYCLES_MEMORY == 0) GTEST_SKIP() << "off in this build";
  JobMemory::remove_pool();
  JobMemory::add_pool();
  constexpr std::size_t kMany = 2000;
  const auto blocks = allocate(kMany, 96);
  release(blocks, 96);
  const std::set<void*> first(blocks.begin(), blocks.end());
  const auto again = allocate(kMany, 96);
  for (void* const block : again) EXPECT_EQ(first.count(block), 1U);
  release(again, 96);
}

#if MILLPOND_TEST_SEES_HEAP
// A thread_local object that was made before the thread's first block is destroyed after the
// thread's magazines: what it releases must not end up in them.
TEST_F(JobMemoryTest, IsNotLeakedByThreadLocalObjects) {
  struct Holder {
    ~Holder() { release(blocks, 88); }
    std::vector<void*> blocks;
  };
  const auto hold = [] {
    thread_local Holder holder;
    holder.blocks = allocate(64, 88);
    release(allocate(1, 88), 88);
  };
  constexpr std::size_t kThreads = 100;
  std::thread(hold).join();
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i != kThreads; ++i) std::thread(hold).join();
  EXPECT_LT(mallinfo2().uordblks, before + kThreads * 64 * 88 / 4);
}
#endif

TEST_F(JobMemoryTest, MayBeReleasedAfterTheLastPool) {
  const auto blocks = allocate(500, 96);
  JobMemory::remove_pool();
  release(blocks, 96);
  JobMemory::add_pool();
}

}  // namespace
}  // namespace millpond::test
