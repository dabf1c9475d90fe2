// SPDX-License-Identifier: MIT
//
// Batch: what its owner fills in, everybody takes out, oldest first and each job once.
#include <millpond/detail/batch.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace millpond::test {
namespace {

using detail::Batch;
using detail::Job;

class NumberedJob final : public Job {
 public:
  explicit NumberedJob(std::size_t n) : Job(Kind::call), number(n) {}
  void run() noexcept override {}
  void abandon(const std::exception_ptr&) noexcept override {}
  const std::size_t number;
};

std::vector<std::unique_ptr<NumberedJob>> jobs(std::size_t count) {
  std::vector<std::unique_ptr<NumberedJob>> made;
  for (std::size_t i = 0; i != count; ++i) made.push_back(std::make_unique<NumberedJob>(i));
  return made;
}

std::size_t number_of(const Job* job) { return static_cast<const NumberedJob*>(job)->number; }

TEST(Batch, IsEmptyAtFirst) {
  Batch batch;
  Job* some[Batch::kCapacity];
  EXPECT_EQ(batch.take(), nullptr);
  EXPECT_EQ(batch.take_half(some), 0U);
}

TEST(Batch, GivesTheOldestFirstHoweverOftenItIsRefilled) {
  const auto made = jobs(3);
  Job* const three[] = {made[0].get(), made[1].get(), made[2].get()};
  Batch batch;
  for (int round = 0; round != 100; ++round) {
    batch.fill(three, 3);
    for (std::size_t i = 0; i != 3; ++i) ASSERT_EQ(batch.take(), three[i]);
    ASSERT_EQ(batch.take(), nullptr);
  }
}

TEST(Batch, GivesAll) {
  const auto made = jobs(3);
  Job* const three[] = {made[0].get(), made[1].get(), made[2].get()};
  Batch batch;
  batch.fill(three, 3);
  EXPECT_EQ(batch.take(), three[0]);
  Job* some[Batch::kCapacity];
  ASSERT_EQ(batch.take_all(some), 2U);
  EXPECT_EQ(some[0], three[1]);
  EXPECT_EQ(some[1], three[2]);
  EXPECT_TRUE(batch.empty());
}

TEST(Batch, IsStuckIfItHasJobsAndNoneWasTakenBetweenTwoLooks) {
  const auto made = jobs(3);
  Job* const three[] = {made[0].get(), made[1].get(), made[2].get()};
  Batch batch;
  EXPECT_FALSE(batch.is_stuck());
  EXPECT_FALSE(batch.is_stuck());
  batch.fill(three, 3);
  EXPECT_FALSE(batch.is_stuck());
  batch.take();
  EXPECT_FALSE(batch.is_stuck());
  EXPECT_TRUE(batch.is_stuck());
  batch.take();
  EXPECT_FALSE(batch.is_stuck());
  batch.take();
  EXPECT_FALSE(batch.is_stuck());
  batch.fill(three, 3);
  EXPECT_FALSE(batch.is_stuck());
  EXPECT_TRUE(batch.is_stuck());
}

TEST(Batch, GivesTheOlderHalfRoundedUp) {
  const auto made = jobs(5);
  std::array<Job*, 5> five{};
  for (std::size_t i = 0; i != 5; ++i) five[i] = made[i].get();
  Batch batch;
  batch.fill(five.data(), 5);
  Job* some[Batch::kCapacity];
  ASSERT_EQ(batch.take_half(some), 3U);
  EXPECT_EQ(some[0], five[0]);
  EXPECT_EQ(some[2], five[2]);
  ASSERT_EQ(batch.take_half(some), 1U);
  EXPECT_EQ(some[0], five[3]);
  EXPECT_EQ(batch.take(), five[4]);
  EXPECT_EQ(batch.take(), nullptr);
}

// One owner refills and takes, others take one or half: a taker that lost a race for the last job
// must not keep it. The owner fills only an empty batch, as a worker does.
TEST(Batch, GivesEachJobToOneTakerOnly) {
  constexpr std::size_t kRounds = 60'000;
  constexpr std::uint32_t kFill = 4;
  const auto made = jobs(kFill * kRounds);
  std::vector<std::atomic<int>> taken(made.size());
  std::atomic<std::size_t> taken_in_all{0};
  const auto note = [&](const Job* job) {
    ++taken[number_of(job)];
    ++taken_in_all;
  };
  Batch batch;
  std::vector<std::thread> thieves;
  for (int thief = 0; thief != 2; ++thief) {
    thieves.emplace_back([&, thief] {
      while (taken_in_all < made.size()) {
        if (thief == 0) {
          if (const Job* const job = batch.take()) note(job);
        } else {
          Job* some[Batch::kCapacity];
          const std::uint32_t count = batch.take_half(some);
          for (std::uint32_t i = 0; i != count; ++i) note(some[i]);
        }
        std::this_thread::yield();
      }
    });
  }
  for (std::size_t round = 0; round != kRounds; ++round) {
    Job* fill[kFill];
    for (std::uint32_t i = 0; i != kFill; ++i) fill[i] = made[round * kFill + i].get();
    batch.fill(fill, kFill);
    while (const Job* const job = batch.take()) note(job);
  }
  for (std::thread& thief : thieves) thief.join();
  for (const std::atomic<int>& times : taken) ASSERT_EQ(times, 1);
}

}  // namespace
}  // namespace millpond::test
