// SPDX-License-Identifier: MIT
//
// WaiterList: becoming ready once, and telling everybody who waits for it exactly once.
#include <millpond/detail/engine/thread_waiter.hpp>
#include <millpond/detail/engine/waiters.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/thread_watch.hpp"

namespace millpond::test {
namespace {

using detail::ThreadWaiter;
using detail::Waiter;
using detail::WaiterList;
using namespace std::chrono_literals;
using Clock = detail::Deadline::Clock;

// Notes when it is told, in a log that it shares with others.
class NotingWaiter final : public Waiter {
 public:
  NotingWaiter(std::vector<int>& log, int number) : log_(&log), number_(number) {}
  void notify() noexcept override { log_->push_back(number_); }

 private:
  std::vector<int>* log_;
  int number_;
};

// Counts how often it is told; from any thread.
class CountingWaiter final : public Waiter {
 public:
  void notify() noexcept override { ++notified_; }
  int notified() const { return notified_; }

 private:
  std::atomic<int> notified_{0};
};

TEST(WaiterListTest, IsReadyOnceCompleted) {
  WaiterList list;
  EXPECT_FALSE(list.ready());
  list.complete();
  EXPECT_TRUE(list.ready());
}

TEST(WaiterListTest, NotifiesAllWhoWaitInTheOrderInWhichTheyCame) {
  std::vector<int> log;
  NotingWaiter first(log, 1);
  NotingWaiter second(log, 2);
  NotingWaiter third(log, 3);
  WaiterList list;
  EXPECT_TRUE(list.add(first));
  EXPECT_TRUE(list.add(second));
  EXPECT_TRUE(list.add(third));
  EXPECT_FALSE(list.ready());
  EXPECT_EQ(log, std::vector<int>{});
  list.complete();
  EXPECT_EQ(log, (std::vector{1, 2, 3}));
}

TEST(WaiterListTest, IsReadyWhenItNotifies) {
  class AskingWaiter final : public Waiter {
   public:
    explicit AskingWaiter(const WaiterList& list) : list_(&list) {}
    void notify() noexcept override { was_ready = list_->ready(); }
    bool was_ready = false;

   private:
    const WaiterList* list_;
  };
  WaiterList list;
  AskingWaiter waiter(list);
  EXPECT_TRUE(list.add(waiter));
  list.complete();
  EXPECT_TRUE(waiter.was_ready);
}

TEST(WaiterListTest, IsNotCompletedOnceClosed) {
  WaiterList list;
  EXPECT_TRUE(list.close());
  EXPECT_FALSE(list.complete());
  EXPECT_FALSE(list.ready());
}

TEST(WaiterListTest, IsNotClosedOnceReady) {
  WaiterList list;
  EXPECT_TRUE(list.complete());
  EXPECT_FALSE(list.close());
  EXPECT_TRUE(list.ready());
}

TEST(WaiterListTest, RefusesToAddOnceReady) {
  std::vector<int> log;
  NotingWaiter late(log, 1);
  WaiterList list;
  list.complete();
  EXPECT_FALSE(list.add(late));
  EXPECT_FALSE(list.remove(late));
  EXPECT_EQ(log, std::vector<int>{});
}

TEST(WaiterListTest, DoesNotNotifyWhoWasRemoved) {
  for (int removed = 0; removed < 4; ++removed) {
    std::vector<int> log;
    std::array<NotingWaiter, 4> waiters{NotingWaiter(log, 0), NotingWaiter(log, 1),
                                        NotingWaiter(log, 2), NotingWaiter(log, 3)};
    std::vector<int> expected;
    WaiterList list;
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(list.add(waiters.at(static_cast<std::size_t>(i))));
      if (i != removed) expected.push_back(i);
    }
    EXPECT_TRUE(list.remove(waiters.at(static_cast<std::size_t>(removed))));
    EXPECT_FALSE(list.ready());
    list.complete();
    EXPECT_EQ(log, expected) << removed << " was removed";
  }
}

TEST(WaiterListTest, MayBecomeEmptyAgain) {
  std::vector<int> log;
  NotingWaiter first(log, 1);
  NotingWaiter second(log, 2);
  WaiterList list;
  EXPECT_TRUE(list.add(first));
  EXPECT_TRUE(list.add(second));
  EXPECT_TRUE(list.remove(first));
  EXPECT_TRUE(list.remove(second));
  EXPECT_FALSE(list.ready());
  list.complete();
  EXPECT_TRUE(list.ready());
  EXPECT_EQ(log, std::vector<int>{});
}

TEST(WaiterListTest, TakesAWaiterBackAtTheEnd) {
  std::vector<int> log;
  NotingWaiter first(log, 1);
  NotingWaiter second(log, 2);
  WaiterList list;
  EXPECT_TRUE(list.add(first));
  EXPECT_TRUE(list.add(second));
  EXPECT_TRUE(list.remove(first));
  EXPECT_TRUE(list.add(first));
  list.complete();
  EXPECT_EQ(log, (std::vector{2, 1}));
}

TEST(WaiterListTest, AllowsAWaiterToEndItsLifeWhenNotified) {
  class MortalWaiter final : public Waiter {
   public:
    explicit MortalWaiter(int& deaths) : deaths_(&deaths) {}
    void notify() noexcept override {
      ++*deaths_;
      delete this;
    }

   private:
    int* deaths_;
  };
  int deaths = 0;
  WaiterList list;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(list.add(*new MortalWaiter(deaths)));
  list.complete();
  EXPECT_EQ(deaths, 5);
}

// Threads

TEST(ThreadWaiterTest, SleepsUntilNotified) {
  WaiterList list;
  std::atomic<ThreadId> id = -1;
  std::atomic<bool> woken = false;
  std::thread sleeper([&] {
    ThreadWaiter waiter;
    EXPECT_TRUE(list.add(waiter));
    id = this_thread_id();
    waiter.wait();
    EXPECT_TRUE(list.ready());
    woken = true;
  });
  poll_until([&] { return id != -1; });
  wait_until_asleep(id);
  EXPECT_FALSE(woken);
  list.complete();
  sleeper.join();
}

TEST(ThreadWaiterTest, DoesNotSleepWhenNotifiedBefore) {
  ThreadWaiter waiter;
  waiter.notify();
  waiter.wait();
  EXPECT_TRUE(waiter.wait_until(Clock::now() - 1h));
}

TEST(ThreadWaiterTest, SleepsNoLongerThanUntilItsDeadline) {
  ThreadWaiter waiter;
  EXPECT_FALSE(waiter.wait_until(Clock::now() - 1h));
  EXPECT_FALSE(waiter.wait_until(Clock::now() + 1ms));
  waiter.notify();
  EXPECT_TRUE(waiter.wait_until(Clock::now() + 1h));
}

TEST(ThreadWaiterTest, MayGoAfterItsDeadlineOnceItIsRemoved) {
  WaiterList list;
  {
    const auto waiter = std::make_unique<ThreadWaiter>();
    EXPECT_TRUE(list.add(*waiter));
    EXPECT_FALSE(waiter->wait_until(Clock::now() + 1ms));
    EXPECT_TRUE(list.remove(*waiter));
  }
  list.complete();  // would touch the dead waiter
  EXPECT_TRUE(list.ready());
}

// Races. Threads meet at the lists of a round, one list after the other, with a common start.

constexpr int kRounds = 40;
constexpr std::size_t kLists = 50;
constexpr std::size_t kThreads = 4;

// A new array of Case for each round: `step(list's case, thread)` in kThreads threads and
// `here(case)` on this one for each of them, all at once; `check(case)` afterwards.
template <class Case, class Step, class Here, class Check>
void race(Step step, Here here, Check check) {
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Case> cases(kLists);
    Rendezvous start(kThreads + 1);
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        start.arrive_and_wait();
        for (Case& c : cases) step(c, thread);
      });
    }
    start.arrive_and_wait();
    for (Case& c : cases) here(c);
    for (std::thread& thread : threads) thread.join();
    for (Case& c : cases) check(c);
  }
}

TEST(WaiterListRace, EachWaiterIsRefusedOrNotifiedOnce) {
  struct Case {
    WaiterList list;
    int value = 0;  // unprotected: complete() publishes it
    std::array<CountingWaiter, kThreads> waiters;
    std::array<bool, kThreads> added{};
  };
  race<Case>(
      [](Case& c, std::size_t thread) {
        c.added.at(thread) = c.list.add(c.waiters.at(thread));
        if (!c.added.at(thread)) {
          EXPECT_TRUE(c.list.ready());
          EXPECT_EQ(c.value, 7);
        }
      },
      [](Case& c) {
        c.value = 7;
        c.list.complete();
      },
      [](Case& c) {
        for (std::size_t i = 0; i < kThreads; ++i) {
          EXPECT_EQ(c.waiters.at(i).notified(), c.added.at(i) ? 1 : 0);
        }
      });
}

TEST(WaiterListRace, EachWaiterIsRemovedOrNotified) {
  struct Case {
    WaiterList list;
    std::array<CountingWaiter, kThreads> waiters;
    std::array<bool, kThreads> expect_notified{};
  };
  race<Case>(
      [](Case& c, std::size_t thread) {
        CountingWaiter& waiter = c.waiters.at(thread);
        const bool added = c.list.add(waiter);
        c.expect_notified.at(thread) = added && !c.list.remove(waiter);
      },
      [](Case& c) { c.list.complete(); },
      [](Case& c) {
        for (std::size_t i = 0; i < kThreads; ++i) {
          EXPECT_EQ(c.waiters.at(i).notified(), c.expect_notified.at(i) ? 1 : 0);
        }
      });
}

TEST(WaiterListRace, AWaiterMayGoOnceItIsRemovedOrNotified) {
  // As waits do: a waiter on the stack; the timed ones are removed, or else awaited.
  struct Case {
    WaiterList list;
    int value = 0;
  };
  race<Case>(
      [](Case& c, std::size_t thread) {
        const bool timed = thread % 2 == 0;
        for (;;) {
          ThreadWaiter waiter;
          if (!c.list.add(waiter)) break;
          if (timed) {
            if (waiter.wait_until(Clock::now() - 1s)) break;
            if (c.list.remove(waiter)) continue;
          }
          waiter.wait();
          break;
        }
        EXPECT_TRUE(c.list.ready());
        EXPECT_EQ(c.value, 7);
      },
      [](Case& c) {
        c.value = 7;
        c.list.complete();
      },
      [](Case&) {});
}

TEST(WaiterListRace, ComingAndGoingLeavesTheOthersInPlace) {
  struct Case {
    Case() { EXPECT_TRUE(list.add(resident)); }
    WaiterList list;
    CountingWaiter resident;
    CountingWaiter late;
  };
  race<Case>(
      [](Case& c, std::size_t) {
        for (int i = 0; i < 10; ++i) {
          CountingWaiter guest;
          EXPECT_TRUE(c.list.add(guest));
          EXPECT_TRUE(c.list.remove(guest));
          EXPECT_EQ(guest.notified(), 0);
        }
      },
      [](Case& c) { EXPECT_TRUE(c.list.add(c.late)); },
      [](Case& c) {
        EXPECT_FALSE(c.list.ready());
        c.list.complete();
        EXPECT_EQ(c.resident.notified(), 1);
        EXPECT_EQ(c.late.notified(), 1);
      });
}

}  // namespace
}  // namespace millpond::test
