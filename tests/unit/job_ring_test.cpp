// SPDX-License-Identifier: MIT
//
// JobRing: first in, first out, with holes, however often it grows or wraps around.
#include <millpond/detail/job_ring.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace millpond::test {
namespace {

using detail::Job;
using detail::JobRing;

class IdleJob final : public Job {
 public:
  explicit IdleJob(Kind kind = Kind::call) : Job(kind) {}
  void run() noexcept override {}
  void abandon(const std::exception_ptr&) noexcept override {}
};

class JobRings : public ::testing::Test {
 protected:
  void push(Job& job) {
    ring_.reserve_one();
    ring_.push_back(job);
  }
  Job* pop() {
    Job* const job = ring_.front();
    EXPECT_EQ(job != nullptr, job != nullptr && ring_.erase(*job));
    return job;
  }

  IdleJob a_, b_, c_;
  IdleJob map_{Job::Kind::map};
  JobRing ring_;
};

TEST_F(JobRings, StartEmpty) {
  EXPECT_EQ(ring_.front(), nullptr);
  Job* some[1];
  EXPECT_EQ(ring_.pop_calls(some, 1), 0U);
}

TEST_F(JobRings, AreFirstInFirstOut) {
  push(a_);
  push(map_);
  push(b_);
  EXPECT_TRUE(map_.is_queued());
  EXPECT_EQ(pop(), &a_);
  EXPECT_EQ(ring_.front(), &map_);
  EXPECT_EQ(pop(), &map_);
  EXPECT_FALSE(map_.is_queued());
  EXPECT_EQ(pop(), &b_);
  EXPECT_EQ(pop(), nullptr);
}

TEST_F(JobRings, GiveSeveralCallsUpToALimitOrTheFirstJobOfAnotherKind) {
  push(a_);
  push(b_);
  push(map_);
  push(c_);
  Job* some[4];
  EXPECT_EQ(ring_.pop_calls(some, 0), 0U);
  ASSERT_EQ(ring_.pop_calls(some, 1), 1U);
  EXPECT_EQ(some[0], &a_);
  ASSERT_EQ(ring_.pop_calls(some, 4), 1U);
  EXPECT_EQ(some[0], &b_);
  EXPECT_EQ(ring_.pop_calls(some, 4), 0U);
  EXPECT_EQ(pop(), &map_);
  EXPECT_EQ(ring_.pop_calls(some, 4), 1U);
}

TEST_F(JobRings, EraseAJobWhereverItIsButOnce) {
  push(a_);
  push(b_);
  push(c_);
  EXPECT_TRUE(ring_.erase(b_));
  EXPECT_FALSE(ring_.erase(b_));
  EXPECT_FALSE(b_.is_queued());
  EXPECT_TRUE(ring_.erase(a_));
  EXPECT_EQ(ring_.front(), &c_);
  EXPECT_TRUE(ring_.erase(c_));
  EXPECT_EQ(ring_.front(), nullptr);
  push(a_);  // the same job may come back
  EXPECT_EQ(pop(), &a_);
  EXPECT_FALSE(ring_.erase(a_));
}

TEST_F(JobRings, NoLongerHaveWhatWasTakenTogether) {
  push(a_);
  push(b_);
  EXPECT_TRUE(ring_.erase(b_));
  push(c_);
  Job* some[3];
  ASSERT_EQ(ring_.pop_calls(some, 3), 2U);
  EXPECT_EQ(some[1], &c_);
  EXPECT_FALSE(ring_.erase(a_));
  EXPECT_FALSE(ring_.erase(c_));
}

TEST_F(JobRings, DoNotGrowByWhatIsTakenBackFromTheirEnd) {
  push(a_);
  for (int i = 0; i != 100'000; ++i) {
    push(b_);
    push(c_);
    ASSERT_TRUE(ring_.erase(b_));  // a hole, which goes with the next
    ASSERT_TRUE(ring_.erase(c_));
  }
  EXPECT_LT(ring_.capacity(), 1'000U);
  push(c_);
  EXPECT_EQ(pop(), &a_);
  EXPECT_EQ(pop(), &c_);
}

TEST_F(JobRings, DoNotGrowByWhatIsTakenBackFromTheirMiddle) {
  std::vector<std::unique_ptr<IdleJob>> jobs;
  for (int i = 0; i != 9; ++i) jobs.push_back(std::make_unique<IdleJob>());
  push(a_);  // the front stays
  for (std::size_t i = 0; i != 100'000; ++i) {
    push(*jobs[i % 9]);
    if (i >= 8) {
      ASSERT_TRUE(ring_.erase(*jobs[(i + 1) % 9]));
    }
  }
  EXPECT_LT(ring_.capacity(), 1'000U);
  EXPECT_EQ(pop(), &a_);
  for (std::size_t i = 100'000 - 8; i != 100'000; ++i) EXPECT_EQ(pop(), jobs[i % 9].get());
  EXPECT_EQ(pop(), nullptr);
}

TEST_F(JobRings, KnowWhatWasTakenTogetherWhenHolesHaveGone) {
  std::vector<std::unique_ptr<IdleJob>> jobs;
  for (int i = 0; i != 1'000; ++i) {
    jobs.push_back(std::make_unique<IdleJob>());
    push(*jobs.back());
    if (i % 10 != 0) {
      EXPECT_TRUE(ring_.erase(*jobs.back()));
    }
    if (i % 100 == 99) {
      Job* first;
      ASSERT_EQ(ring_.pop_calls(&first, 1), 1U);
      EXPECT_EQ(first, jobs[static_cast<std::size_t>(i / 100) * 10].get());
      push(map_);
      push(b_);
      EXPECT_TRUE(ring_.erase(map_));
      EXPECT_TRUE(ring_.erase(b_));
      EXPECT_FALSE(ring_.erase(static_cast<IdleJob&>(*first)));
    }
  }
}

TEST_F(JobRings, AreEmptyOnceOnlyHolesAreLeft) {
  push(a_);
  push(b_);
  push(c_);
  EXPECT_TRUE(ring_.erase(b_));
  EXPECT_TRUE(ring_.erase(a_));  // the front is a hole now
  EXPECT_TRUE(ring_.erase(c_));
  EXPECT_EQ(ring_.front(), nullptr);
  push(b_);
  EXPECT_EQ(pop(), &b_);
  EXPECT_EQ(pop(), nullptr);
}

TEST_F(JobRings, KeepTheirOrderWhileTheyGrowShrinkAndWrapAround) {
  std::mt19937 random(5);
  std::vector<std::unique_ptr<IdleJob>> jobs;
  for (int i = 0; i != 200'000; ++i) jobs.push_back(std::make_unique<IdleJob>());
  std::deque<Job*> expected;
  std::size_t next = 0;
  while (next != jobs.size() || !expected.empty()) {
    for (auto count = random() % 10'000; count != 0 && next != jobs.size(); --count) {
      push(*jobs[next]);
      expected.push_back(jobs[next++].get());
    }
    for (auto count = random() % 100; count != 0 && !expected.empty(); --count) {
      const auto it = expected.begin() + static_cast<std::ptrdiff_t>(random() % expected.size());
      ASSERT_TRUE(ring_.erase(**it));
      expected.erase(it);
    }
    for (auto count = random() % 10'000; count != 0 && !expected.empty(); --count) {
      ASSERT_EQ(pop(), expected.front());
      expected.pop_front();
    }
  }
  EXPECT_EQ(ring_.front(), nullptr);
}

}  // namespace
}  // namespace millpond::test
