// SPDX-License-Identifier: MIT
//
// JobHeap: the highest priority first, in order among equals, whatever is taken out between.
#include <millpond/detail/job_heap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace millpond::test {
namespace {

using detail::Job;
using detail::JobHeap;

class IdleJob final : public Job {
 public:
  IdleJob() : Job(Kind::call) {}
  void run() noexcept override {}
  void abandon(const std::exception_ptr&) noexcept override {}
};

class JobHeaps : public ::testing::Test {
 protected:
  void push(Job& job, int priority, std::int64_t order) {
    job.set_priority(priority);
    heap_.reserve_one();
    heap_.push(job, order);
  }
  Job* pop() {
    Job* const job = heap_.front();
    EXPECT_EQ(job != nullptr, job != nullptr && heap_.erase(*job));
    return job;
  }

  IdleJob a_, b_, c_, d_;
  JobHeap heap_;
};

TEST_F(JobHeaps, StartEmpty) {
  EXPECT_EQ(heap_.front(), nullptr);
  EXPECT_FALSE(heap_.erase(a_));
}

TEST_F(JobHeaps, GiveTheHighestPriorityFirstAndTheLeastOrderAmongEquals) {
  push(a_, 0, 1);
  push(b_, 7, 2);
  push(c_, -3, 3);
  push(d_, 7, 4);
  EXPECT_TRUE(a_.is_queued());
  EXPECT_EQ(pop(), &b_);
  EXPECT_EQ(pop(), &d_);
  EXPECT_EQ(pop(), &a_);
  EXPECT_FALSE(a_.is_queued());
  EXPECT_EQ(pop(), &c_);
  EXPECT_EQ(pop(), nullptr);
}

TEST_F(JobHeaps, EraseAJobWhereverItIsButOnce) {
  push(a_, 1, 1);
  push(b_, 2, 2);
  push(c_, 3, 3);
  EXPECT_TRUE(heap_.erase(b_));
  EXPECT_FALSE(heap_.erase(b_));
  EXPECT_EQ(pop(), &c_);
  EXPECT_EQ(pop(), &a_);
  push(b_, 0, 4);
  EXPECT_EQ(pop(), &b_);
}

TEST_F(JobHeaps, KeepTheirOrderThroughManyChanges) {
  std::mt19937 random(11);
  std::vector<std::unique_ptr<IdleJob>> jobs;
  std::vector<std::tuple<int, std::int64_t, Job*>> expected;  // lowest first
  std::int64_t order = 0;
  for (int step = 0; step != 30'000; ++step) {
    if (random() % 3 != 0 || expected.empty()) {
      jobs.push_back(std::make_unique<IdleJob>());
      const int priority = static_cast<int>(random() % 7) - 3;
      push(*jobs.back(), priority, ++order);
      const std::tuple entry(priority, -order, jobs.back().get());
      expected.insert(std::lower_bound(expected.begin(), expected.end(), entry), entry);
    } else if (random() % 2 == 0) {
      ASSERT_EQ(pop(), std::get<2>(expected.back()));
      expected.pop_back();
    } else {
      const auto it = expected.begin() + static_cast<std::ptrdiff_t>(random() % expected.size());
      ASSERT_TRUE(heap_.erase(*std::get<2>(*it)));
      expected.erase(it);
    }
  }
  for (; !expected.empty(); expected.pop_back()) ASSERT_EQ(pop(), std::get<2>(expected.back()));
}

}  // namespace
}  // namespace millpond::test
