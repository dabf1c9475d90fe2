// SPDX-License-Identifier: MIT
//
// TaskQueue<Fifo>: jobs are taken once, or stay at their place until they are spent.
#include <millpond/detail/task_queue.hpp>

#include <exception>
#include <string>

#include <gtest/gtest.h>

namespace millpond::test {
namespace {

using detail::Job;
using Queue = detail::TaskQueue<Fifo>;

class QueuedJob final : public Job {
 public:
  QueuedJob(Kind kind, int& alive) : Job(kind), alive_(&alive) { ++*alive_; }
  ~QueuedJob() override { --*alive_; }
  void run() noexcept override {}
  void abandon(const std::exception_ptr&) noexcept override {}
  bool is_spent() const noexcept override { return spent; }

  bool spent = false;

 private:
  int* alive_;
};

class TaskQueueTest : public ::testing::Test {
 protected:
  ~TaskQueueTest() override { EXPECT_EQ(alive_, 0); }

  // A job whose one reference is the queue's, as when nobody holds its handle.
  Job& queued(Job::Kind kind) {
    Job* const job = new QueuedJob(kind, alive_);
    job->release();
    queue_.reserve_one();
    queue_.push_back(*job);
    return *job;
  }
  Job& queued_once() { return queued(Job::Kind::call); }
  Job& queued_in_parts() { return queued(Job::Kind::map); }

  int alive_ = 0;
  Queue queue_;
};

TEST_F(TaskQueueTest, StartsEmpty) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.take(), nullptr);
  EXPECT_EQ(queue_.pop(), nullptr);
}

TEST_F(TaskQueueTest, IsNamedAfterThePoolThatHasIt) {
  EXPECT_EQ(std::string(Queue::kPoolName), "ThreadPool");
}

TEST_F(TaskQueueTest, GivesOutJobsInTheOrderInWhichTheyCame) {
  Job& first = queued_once();
  Job& second = queued_once();
  EXPECT_EQ(queue_.take(), &first);
  EXPECT_FALSE(first.is_queued());
  EXPECT_EQ(queue_.take(), &second);
  EXPECT_TRUE(queue_.empty());
  // The queue's references have become ours.
  EXPECT_EQ(alive_, 2);
  first.release();
  second.release();
}

TEST_F(TaskQueueTest, GivesOutAJobPutInFrontFirst) {
  Job& first = queued_once();
  Job& second = queued_once();
  ASSERT_EQ(queue_.take(), &first);
  queue_.push_front(first);
  EXPECT_EQ(queue_.take(), &first);
  EXPECT_EQ(queue_.take(), &second);
  first.release();
  second.release();
}

TEST_F(TaskQueueTest, KeepsAJobInPartsAtItsPlaceWhileItIsTaken) {
  Job& parts = queued_in_parts();
  Job& next = queued_once();
  EXPECT_EQ(queue_.take(), &parts);
  EXPECT_EQ(queue_.take(), &parts);
  EXPECT_TRUE(parts.is_queued());
  // Each taker has a reference of its own.
  parts.release();
  parts.release();
  EXPECT_EQ(alive_, 2);
  EXPECT_TRUE(queue_.erase(parts));
  parts.release();
  EXPECT_EQ(alive_, 1);
  EXPECT_EQ(queue_.take(), &next);
  next.release();
}

TEST_F(TaskQueueTest, DropsAJobInPartsThatIsSpent) {
  Job& parts = queued_in_parts();
  Job& next = queued_once();
  EXPECT_EQ(queue_.take(), &parts);
  static_cast<QueuedJob&>(parts).spent = true;
  EXPECT_EQ(queue_.take(), &next);
  EXPECT_FALSE(parts.is_queued());
  EXPECT_TRUE(queue_.empty());
  EXPECT_FALSE(queue_.erase(parts));
  EXPECT_EQ(alive_, 2);  // the taker's reference
  parts.release();
  next.release();
}

TEST_F(TaskQueueTest, PopsJobsOfBothKinds) {
  Job& parts = queued_in_parts();
  Job& once = queued_once();
  EXPECT_EQ(queue_.pop(), &parts);
  EXPECT_FALSE(parts.is_queued());
  EXPECT_EQ(queue_.pop(), &once);
  EXPECT_TRUE(queue_.empty());
  parts.release();
  once.release();
}

TEST_F(TaskQueueTest, ErasesAJobOnce) {
  Job& first = queued_once();
  Job& second = queued_once();
  Job& third = queued_once();
  EXPECT_TRUE(queue_.erase(second));
  EXPECT_FALSE(queue_.erase(second));
  second.release();
  EXPECT_EQ(alive_, 2);
  EXPECT_EQ(queue_.take(), &first);
  EXPECT_FALSE(queue_.erase(first));
  EXPECT_EQ(queue_.take(), &third);
  first.release();
  third.release();
}

TEST_F(TaskQueueTest, TakesSeveralCallsTogetherButNothingElse) {
  Job& first = queued(Job::Kind::call);
  Job& second = queued(Job::Kind::call);
  Job& third = queued(Job::Kind::call);
  Job& map = queued(Job::Kind::map);
  queued(Job::Kind::call);
  Job* calls[5];
  ASSERT_EQ(queue_.take_calls(calls, 2), 2U);
  EXPECT_EQ(calls[0], &first);
  EXPECT_EQ(calls[1], &second);
  EXPECT_EQ(queue_.size(), 3U);
  ASSERT_EQ(queue_.take_calls(calls, 5), 1U);
  EXPECT_EQ(calls[0], &third);
  ASSERT_EQ(queue_.take_calls(calls, 5), 0U);
  EXPECT_EQ(queue_.size(), 2U);
  EXPECT_EQ(queue_.pop(), &map);
  ASSERT_EQ(queue_.take_calls(calls + 1, 5), 1U);
  ASSERT_EQ(queue_.take_calls(calls + 2, 5), 0U);
  EXPECT_TRUE(queue_.empty());
  for (Job* const job : {&first, &second, &third, &map, calls[1]}) job->release();
}

}  // namespace
}  // namespace millpond::test
