// SPDX-License-Identifier: MIT
//
// Batches: who gets what from whose.
#include <millpond/detail/batches.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millpond::test {
namespace {

using detail::Batches;
using detail::Job;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class IdleJob final : public Job {
 public:
  IdleJob() : Job(Kind::call) {}
  void run() noexcept override {}
  void abandon(const std::exception_ptr&) noexcept override {}
};

class BatchesTest : public ::testing::Test {
 protected:
  void fill(std::size_t worker, std::size_t count) {
    std::vector<Job*> some;
    for (; count != 0; --count) {
      made_.push_back(std::make_unique<IdleJob>());
      some.push_back(made_.back().get());
    }
    batches_.fill_locked(worker, some.data(), some.size());
  }
  // Numbers, in the order of filling, of what is left in a worker's batch.
  std::vector<std::size_t> drain(std::size_t worker) {
    std::vector<std::size_t> numbers;
    while (const Job* const job = batches_.take(worker)) numbers.push_back(number_of(job));
    return numbers;
  }
  std::size_t number_of(const Job* job) const {
    std::size_t number = 0;
    while (made_.at(number).get() != job) ++number;
    return number;
  }

  Batches batches_{3};
  std::vector<std::unique_ptr<IdleJob>> made_;
};

TEST_F(BatchesTest, GiveNothingAtFirst) {
  EXPECT_FALSE(batches_.in_use_locked());
  EXPECT_FALSE(batches_.any_job_locked());
  EXPECT_EQ(batches_.steal_locked(0).job, nullptr);
  EXPECT_EQ(batches_.rescue_locked(0).job, nullptr);
  EXPECT_EQ(batches_.take(0), nullptr);
  EXPECT_EQ(batches_.drain(), nullptr);
}

TEST_F(BatchesTest, AreInUseUntilTheirOwnersFindThemEmpty) {
  fill(1, 1);
  EXPECT_TRUE(batches_.in_use_locked());
  EXPECT_TRUE(batches_.any_job_locked());
  EXPECT_THAT(drain(1), ElementsAre(0));
  EXPECT_TRUE(batches_.in_use_locked());
  EXPECT_FALSE(batches_.any_job_locked());
  batches_.emptied_locked();
  EXPECT_FALSE(batches_.in_use_locked());
}

TEST_F(BatchesTest, GiveAThiefTheOlderHalfOfWhoeverHasAny) {
  fill(1, 5);
  const Batches::Taken taken = batches_.steal_locked(2);
  EXPECT_EQ(number_of(taken.job), 0U);
  EXPECT_TRUE(taken.has_batch);
  EXPECT_THAT(drain(2), ElementsAre(1, 2));
  EXPECT_THAT(drain(1), ElementsAre(3, 4));
}

TEST_F(BatchesTest, GiveALoneJobWithoutABatch) {
  fill(1, 1);
  const Batches::Taken taken = batches_.steal_locked(2);
  EXPECT_EQ(number_of(taken.job), 0U);
  EXPECT_FALSE(taken.has_batch);
  EXPECT_THAT(drain(2), IsEmpty());
}

// Two rounds of looks at three batches.
TEST_F(BatchesTest, AreRescuedWholeIfTheirOwnersTakeNothing) {
  fill(1, 5);
  std::size_t looks = 0;
  Batches::Taken taken;
  for (; taken.job == nullptr && looks != 100; ++looks) taken = batches_.rescue_locked(2);
  EXPECT_LE(looks, 6U);
  EXPECT_EQ(number_of(taken.job), 0U);
  EXPECT_TRUE(taken.has_batch);
  EXPECT_THAT(drain(2), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(drain(1), IsEmpty());
}

TEST_F(BatchesTest, AreLeftToOwnersThatTakeJobs) {
  fill(1, 20);
  for (int i = 0; i != 10; ++i) {
    for (int look = 0; look != 3; ++look) EXPECT_EQ(batches_.rescue_locked(2).job, nullptr);
    EXPECT_NE(batches_.take(1), nullptr);
  }
}

TEST_F(BatchesTest, AreDrainedOfEverything) {
  fill(0, 2);
  fill(2, 3);
  std::size_t count = 0;
  while (batches_.drain() != nullptr) ++count;
  EXPECT_EQ(count, 5U);
}

}  // namespace
}  // namespace millpond::test
