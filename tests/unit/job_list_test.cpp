// SPDX-License-Identifier: MIT
//
// JobList, the queue's intrusive list, and Ref, the reference to a counted object.
#include <millpond/detail/job.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"

namespace millpond::test {
namespace {

using detail::Job;
using detail::JobList;
using detail::Ref;

// A job that does nothing and notes its death.
class IdleJob final : public Job {
 public:
  explicit IdleJob(int* deaths = nullptr) : Job(Kind::call), deaths_(deaths) {}
  ~IdleJob() override {
    if (deaths_ != nullptr) ++*deaths_;
  }
  void run() noexcept override {}
  void abandon(const std::exception_ptr&) noexcept override {}

 private:
  int* deaths_;
};

std::vector<const Job*> drain(JobList& list) {
  std::vector<const Job*> jobs;
  while (Job* const job = list.front()) {
    jobs.push_back(job);
    EXPECT_TRUE(list.erase(*job));
  }
  return jobs;
}

using Jobs = std::vector<const Job*>;

// The list links jobs and leaves their counts alone: these live on the stack.
class JobLists : public ::testing::Test {
 protected:
  IdleJob a_;
  IdleJob b_;
  IdleJob c_;
  JobList list_;
};

TEST_F(JobLists, StartEmpty) {
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.front(), nullptr);
  EXPECT_EQ(drain(list_), Jobs{});
}

TEST_F(JobLists, AreFirstInFirstOut) {
  list_.push_back(a_);
  list_.push_back(b_);
  list_.push_back(c_);
  EXPECT_FALSE(list_.empty());
  EXPECT_EQ(list_.front(), &a_);
  EXPECT_EQ(drain(list_), (Jobs{&a_, &b_, &c_}));
  EXPECT_TRUE(list_.empty());
}

TEST_F(JobLists, TakeJobsAtTheFrontToo) {
  list_.push_front(a_);
  EXPECT_EQ(list_.front(), &a_);
  list_.push_front(b_);
  list_.push_back(c_);
  EXPECT_EQ(drain(list_), (Jobs{&b_, &a_, &c_}));
}

TEST_F(JobLists, GiveUpAJobAnywhere) {
  const auto remaining = [this](Job& erased) {
    for (Job* const job :
         {static_cast<Job*>(&a_), static_cast<Job*>(&b_), static_cast<Job*>(&c_)}) {
      list_.push_back(*job);
    }
    list_.erase(erased);
    return drain(list_);
  };
  EXPECT_EQ(remaining(a_), (Jobs{&b_, &c_}));
  EXPECT_EQ(remaining(b_), (Jobs{&a_, &c_}));
  EXPECT_EQ(remaining(c_), (Jobs{&a_, &b_}));
}

TEST_F(JobLists, GiveUpTheirOnlyJob) {
  list_.push_back(a_);
  list_.erase(a_);
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.front(), nullptr);
  list_.push_back(b_);
  EXPECT_EQ(drain(list_), (Jobs{&b_}));
}

TEST_F(JobLists, TakeAJobAgain) {
  list_.push_back(a_);
  list_.push_back(b_);
  list_.erase(a_);
  list_.push_back(a_);
  EXPECT_EQ(drain(list_), (Jobs{&b_, &a_}));
  list_.push_front(b_);
  list_.push_front(a_);
  EXPECT_EQ(drain(list_), (Jobs{&a_, &b_}));
}

TEST_F(JobLists, LetAJobMoveToAnother) {
  JobList other;
  list_.push_back(a_);
  list_.push_back(b_);
  list_.erase(a_);
  other.push_back(a_);
  EXPECT_EQ(drain(list_), (Jobs{&b_}));
  EXPECT_EQ(drain(other), (Jobs{&a_}));
}

TEST_F(JobLists, TellAJobWhetherItIsQueued) {
  EXPECT_FALSE(a_.is_queued());
  list_.push_back(a_);
  list_.push_front(b_);
  EXPECT_TRUE(a_.is_queued());
  EXPECT_TRUE(b_.is_queued());
  list_.erase(a_);
  EXPECT_FALSE(a_.is_queued());
  EXPECT_TRUE(b_.is_queued());
  EXPECT_EQ(drain(list_), Jobs{&b_});
  EXPECT_FALSE(b_.is_queued());
}

TEST_F(JobLists, EraseAJobOnce) {
  list_.push_back(a_);
  EXPECT_TRUE(list_.erase(a_));
  EXPECT_FALSE(list_.erase(a_));
  EXPECT_FALSE(list_.erase(b_));
}

// Counting

TEST(JobReferences, AreTwoForANewJob) {
  int deaths = 0;
  auto* const job = new IdleJob(&deaths);
  job->release();
  EXPECT_EQ(deaths, 0);
  job->release();
  EXPECT_EQ(deaths, 1);
}

TEST(JobReferences, KeepAJobAlive) {
  int deaths = 0;
  auto* const job = new IdleJob(&deaths);
  job->add_ref();
  job->release();
  job->release();
  EXPECT_EQ(deaths, 0);
  job->release();
  EXPECT_EQ(deaths, 1);
}

TEST(JobReferences, MayBeGivenUpByManyThreadsAtOnce) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 300; ++round) {
    int deaths = 0;  // unprotected: whoever destroys the job comes after all others
    auto* const job = new IdleJob(&deaths);
    for (int i = 2; i < kThreads; ++i) job->add_ref();
    Rendezvous start(kThreads);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        job->release();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(deaths, 1);
  }
}

// Counts its references in the open. Never dies.
struct Thing {
  void add_ref() noexcept { ++refs; }
  void release() noexcept { --refs; }
  int refs = 0;
};
struct BetterThing : Thing {};

static_assert(std::is_nothrow_copy_constructible_v<Ref<Thing>>);
static_assert(std::is_nothrow_move_constructible_v<Ref<Thing>>);
static_assert(std::is_convertible_v<Ref<BetterThing>, Ref<Thing>>);
static_assert(!std::is_constructible_v<Ref<BetterThing>, Ref<Thing>>);
static_assert(!std::is_constructible_v<Ref<Thing>, Thing*>, "adopt or share?");

TEST(RefTest, StartsEmpty) {
  const Ref<Thing> ref;
  EXPECT_FALSE(ref);
  EXPECT_EQ(ref.get(), nullptr);
  EXPECT_TRUE(ref == Ref<Thing>());
  const Ref<Thing> copy = ref;
  EXPECT_FALSE(copy);
  EXPECT_FALSE(Ref<Thing>::share(nullptr));
}

TEST(RefTest, AdoptsAReferenceThatIsCounted) {
  Thing thing{1};
  {
    const Ref<Thing> ref = Ref<Thing>::adopt(&thing);
    EXPECT_TRUE(ref);
    EXPECT_EQ(ref.get(), &thing);
    EXPECT_EQ(&*ref, &thing);
    EXPECT_EQ(ref->refs, 1);
  }
  EXPECT_EQ(thing.refs, 0);
}

TEST(RefTest, SharesByCountingANewReference) {
  Thing thing{1};
  {
    const Ref<Thing> ref = Ref<Thing>::share(&thing);
    EXPECT_EQ(thing.refs, 2);
  }
  EXPECT_EQ(thing.refs, 1);
}

TEST(RefTest, CountsCopies) {
  Thing thing;
  {
    const Ref<Thing> ref = Ref<Thing>::share(&thing);
    const Ref<Thing> copy = ref;
    EXPECT_EQ(thing.refs, 2);
    EXPECT_TRUE(ref == copy);
    Ref<Thing> assigned;
    assigned = copy;
    EXPECT_EQ(thing.refs, 3);
  }
  EXPECT_EQ(thing.refs, 0);
}

TEST(RefTest, MovesWithoutCounting) {
  Thing thing;
  {
    Ref<Thing> ref = Ref<Thing>::share(&thing);
    const Ref<Thing> moved = std::move(ref);
    EXPECT_EQ(thing.refs, 1);
    EXPECT_EQ(moved.get(), &thing);
    EXPECT_FALSE(ref);  // NOLINT(bugprone-use-after-move): a moved-from Ref is empty
  }
  EXPECT_EQ(thing.refs, 0);
}

TEST(RefTest, ReleasesWhatItIsAssignedOver) {
  Thing first;
  Thing second;
  {
    Ref<Thing> ref = Ref<Thing>::share(&first);
    ref = Ref<Thing>::share(&second);
    EXPECT_EQ(first.refs, 0);
    EXPECT_EQ(second.refs, 1);
    ref = {};
    EXPECT_EQ(second.refs, 0);
  }
  EXPECT_EQ(first.refs, 0);
  EXPECT_EQ(second.refs, 0);
}

TEST(RefTest, MayBeAssignedToItself) {
  Thing thing;
  Ref<Thing> ref = Ref<Thing>::share(&thing);
  Ref<Thing>& same = ref;
  ref = same;
  EXPECT_EQ(thing.refs, 1);
  ref = std::move(same);
  EXPECT_EQ(thing.refs, 1);
  EXPECT_EQ(ref.get(), &thing);
}

TEST(RefTest, HandsOutItsReference) {
  Thing thing;
  Ref<Thing> ref = Ref<Thing>::share(&thing);
  EXPECT_EQ(ref.detach(), &thing);
  EXPECT_FALSE(ref);
  EXPECT_EQ(thing.refs, 1);
}

TEST(RefTest, BecomesARefToTheBaseWithoutCounting) {
  BetterThing thing;
  {
    const Ref<Thing> base = Ref<BetterThing>::share(&thing);
    EXPECT_EQ(thing.refs, 1);
    EXPECT_EQ(base.get(), &thing);
  }
  EXPECT_EQ(thing.refs, 0);
}

TEST(RefTest, DestroysAJobWithTheLastOne) {
  int deaths = 0;
  Ref<Job> first = Ref<IdleJob>::adopt(new IdleJob(&deaths));
  Ref<Job> second = Ref<Job>::adopt(first.get());
  first = {};
  EXPECT_EQ(deaths, 0);
  second = {};
  EXPECT_EQ(deaths, 1);
}

}  // namespace
}  // namespace millpond::test
