// SPDX-License-Identifier: MIT
//
// Entries by priority, and in order among equals.
#include <millpond/detail/engine/job_heap.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "../support/test_job.hpp"

namespace millpond::test {
namespace {

using detail::JobHeap;
using detail::Rank;

class Heap : public ::testing::Test {
 protected:
  ~Heap() override { EXPECT_EQ(TestJob::alive, 0); }

  TestJob& push(int number, int priority) {
    auto* const job = new TestJob(number);
    heap_.reserve(1);
    heap_.push(*job, {priority, ++order_});
    return *job;
  }
  // The number of the first live one; -1 if there is none.
  int pop() {
    while (!heap_.empty()) {
      auto* const job = static_cast<TestJob*>(heap_.pop());
      const int number = job->number;
      if (!job->take_entry()) continue;
      job->let_go();
      return number;
    }
    return -1;
  }

  JobHeap heap_;
  std::uint64_t order_ = 0;
};

TEST_F(Heap, GivesTheHigherPriorityFirst) {
  for (const int priority : {3, -1, 7, 0, 5}) push(priority, priority);
  EXPECT_EQ(heap_.first_rank().priority, 7);
  for (const int priority : {7, 5, 3, 0, -1}) EXPECT_EQ(pop(), priority);
  EXPECT_EQ(pop(), -1);
}

TEST_F(Heap, GivesEqualsInTheirOrder) {
  for (int i = 0; i != 100; ++i) push(i, 4);
  for (int i = 0; i != 100; ++i) EXPECT_EQ(pop(), i);
}

TEST_F(Heap, AgreesWithAStableSort) {
  std::mt19937 random(7);
  std::vector<Rank> ranks;
  for (int i = 0; i != 5000; ++i) {
    const int priority = static_cast<int>(random() % 20);
    push(i, priority);
    ranks.push_back({priority, static_cast<std::uint64_t>(i)});
  }
  std::sort(ranks.begin(), ranks.end(),
            [](const Rank& a, const Rank& b) { return a.is_before(b); });
  for (const Rank& rank : ranks) EXPECT_EQ(pop(), static_cast<int>(rank.order));
}

TEST_F(Heap, ForgetsDeadEntriesWhenItIsFull) {
  for (int i = 0; i != 100'000; ++i) {
    TestJob& job = push(i, i % 3);
    if (i == 500) continue;
    EXPECT_TRUE(job.claim());
    job.let_go();
  }
  EXPECT_LT(TestJob::alive, 2000);
  EXPECT_EQ(pop(), 500);
  EXPECT_EQ(pop(), -1);
}

TEST_F(Heap, PutsBackAnEntryWhereItWas) {
  for (int i = 0; i != 3; ++i) push(i, 1);
  const Rank rank = heap_.first_rank();
  detail::Job* const first = heap_.pop();
  push(9, 1);
  heap_.push(*first, rank);
  for (const int number : {0, 1, 2, 9}) EXPECT_EQ(pop(), number);
}

}  // namespace
}  // namespace millpond::test
