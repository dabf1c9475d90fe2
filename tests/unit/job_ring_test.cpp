// SPDX-License-Identifier: MIT
//
// A ring of entries: order, growth, dead entries, what its owner takes back, and takers beside it.
#include <millpond/detail/engine/job_ring.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "../support/test_job.hpp"

namespace millpond::test {
namespace {

using detail::Job;
using detail::JobRing;

class Ring : public ::testing::Test {
 protected:
  ~Ring() override { EXPECT_EQ(TestJob::alive, 0); }

  static TestJob& push(JobRing& ring, int number) {
    auto* const job = new TestJob(number);
    ring.reserve(1);
    ring.push(*job);
    return *job;
  }
  // What a worker takes: the number of the call, or -1. The job's life ends.
  static int take(Job* job) {
    if (job == nullptr) return -1;
    auto* const call = static_cast<TestJob*>(job);
    const int number = call->number;
    if (!call->take_entry()) return -2;
    call->let_go();
    return number;
  }
};

TEST_F(Ring, IsEmptyAtFirst) {
  JobRing ring;
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.pop(), nullptr);
  JobRing::Reader reader;
  EXPECT_EQ(reader.pop(ring), nullptr);
}

TEST_F(Ring, GivesTheOldestFirst) {
  JobRing ring;
  for (int i = 0; i != 1000; ++i) push(ring, i);
  for (int i = 0; i != 1000; ++i) EXPECT_EQ(take(ring.pop()), i);
  EXPECT_TRUE(ring.empty());
}

TEST_F(Ring, GivesTheOldestFirstToAReaderWhileItGrows) {
  JobRing ring;
  JobRing::Reader reader;
  int pushed = 0;
  int taken = 0;
  for (int round = 1; round != 60; ++round) {
    for (int i = 0; i != 2 * round; ++i) push(ring, pushed++);
    for (int i = 0; i != round; ++i) EXPECT_EQ(take(reader.pop(ring)), taken++);
  }
  while (taken != pushed) EXPECT_EQ(take(reader.pop(ring)), taken++);
  EXPECT_EQ(reader.pop(ring), nullptr);
}

TEST_F(Ring, HasRoomForAllThatIsReserved) {
  JobRing ring;
  ring.reserve(1000);
  for (int i = 0; i != 1000; ++i) ring.push(*new TestJob(i));
  ring.reserve(5000);
  for (int i = 1000; i != 6000; ++i) ring.push(*new TestJob(i));
  for (int i = 0; i != 6000; ++i) EXPECT_EQ(take(ring.pop()), i);
}

TEST_F(Ring, ForgetsDeadEntriesWhenItIsFull) {
  JobRing ring;
  for (int i = 0; i != 100'000; ++i) {
    TestJob& job = push(ring, i);
    if (i % 1000 == 0) continue;
    EXPECT_TRUE(job.claim());  // somebody else runs it
    job.let_go();
  }
  // As many as a ring holds without growing at each, not as many as were ever there.
  EXPECT_LT(TestJob::alive, 2000);
  int found = 0;
  while (Job* const job = ring.pop()) {
    const int number = take(job);
    if (number == -2) continue;
    EXPECT_EQ(number, 1000 * found);
    ++found;
  }
  EXPECT_EQ(found, 100);
}

TEST_F(Ring, GivesBackTheYoungestIfItIsTheOneAskedFor) {
  JobRing ring;
  TestJob& first = push(ring, 1);
  TestJob& second = push(ring, 2);
  EXPECT_FALSE(ring.pop_back(first));
  EXPECT_TRUE(ring.pop_back(second));
  EXPECT_FALSE(ring.pop_back(second));
  EXPECT_TRUE(ring.pop_back(first));
  EXPECT_TRUE(ring.empty());
  EXPECT_FALSE(ring.pop_back(first));
  EXPECT_EQ(take(&first), 1);
  EXPECT_EQ(take(&second), 2);
  TestJob& third = push(ring, 3);
  EXPECT_EQ(ring.pop(), &third);
  EXPECT_FALSE(ring.pop_back(third));
  EXPECT_EQ(take(&third), 3);
}

TEST_F(Ring, LooksEmptyOnceItIsClosedButForWhoDrainsIt) {
  JobRing ring;
  JobRing::Reader reader;
  push(ring, 1);
  TestJob& second = push(ring, 2);
  ring.close();
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.pop(), nullptr);
  EXPECT_EQ(reader.pop(ring), nullptr);
  EXPECT_FALSE(ring.pop_back(second));
  push(ring, 3);
  for (int i = 1; i != 4; ++i) EXPECT_EQ(take(ring.drain()), i);
  EXPECT_EQ(ring.drain(), nullptr);
}

TEST_F(Ring, MakesNoRoomOnceItIsClosed) {
  JobRing ring;
  ring.reserve(1);
  ring.close();
  int pushed = 0;
  for (; ring.reserve(1); ++pushed) ring.push(*new TestJob(pushed));
  EXPECT_GT(pushed, 0);
  for (int i = 0; i != pushed; ++i) EXPECT_EQ(take(ring.drain()), i);
}

TEST_F(Ring, GivesUpWhatIsLeft) {
  TestJob* job;
  {
    JobRing ring;
    job = &push(ring, 1);
    push(ring, 2).let_go();
  }
  EXPECT_EQ(TestJob::alive, 1);
  job->let_go();
}

// One adds and takes back, the others take: each entry is had once.
TEST_F(Ring, GivesEachEntryOnceWhoeverTakesIt) {
  constexpr int kJobs = 200'000;
  JobRing ring;
  std::atomic<bool> all_pushed{false};
  std::vector<std::atomic<int>> had(kJobs);
  const auto note = [&](Job* job) { ++had[static_cast<std::size_t>(take(job))]; };
  std::vector<std::thread> takers;
  for (int i = 0; i != 2; ++i) {
    takers.emplace_back([&] {
      for (;;) {
        const bool last_look = all_pushed;
        if (Job* const job = ring.pop()) {
          note(job);
        } else if (last_look) {
          return;
        }
      }
    });
  }
  for (int i = 0; i != kJobs; ++i) {
    TestJob& job = push(ring, i);
    // A taker may have it and be done with it by now: then it is not at the back.
    if (i % 2 == 0 && ring.pop_back(job)) note(&job);
  }
  all_pushed = true;
  for (std::thread& taker : takers) taker.join();
  for (const std::atomic<int>& times : had) ASSERT_EQ(times, 1);
}

}  // namespace
}  // namespace millpond::test
