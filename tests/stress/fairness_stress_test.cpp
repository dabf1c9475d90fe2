// SPDX-License-Identifier: MIT
//
// Work that was issued first is not overtaken for ever by work that was issued later.

#include <millpond/millpond.hpp>

#include <atomic>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/stress.hpp"
#include "../support/workers.hpp"

namespace millpond {
namespace {

using test::EventCount;
using test::Gate;
using test::Rounds;

class FairnessStress : public test::WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, FairnessStress, test::worker_counts(),
                         ::testing::PrintToStringParamName());

// Jobs that issue their successor: the queue is never empty until stop() is called.
class EndlessWork {
 public:
  EndlessWork(ThreadPool& pool, int jobs) : pool_(pool) {
    for (int i = 0; i < jobs; ++i) issue();
  }
  EndlessWork(const EndlessWork&) = delete;
  EndlessWork& operator=(const EndlessWork&) = delete;
  void stop() { stopped_ = true; }

 private:
  void issue() {
    pool_.apply_async([this] {
      try {
        if (!stopped_) issue();
      } catch (const ValueError&) {
        // Closed meanwhile.
      }
    });
  }

  ThreadPool& pool_;
  std::atomic<bool> stopped_{false};
};

TEST_P(FairnessStress, ATaskIsNotOvertakenForEverByLaterOnes) {
  ThreadPool pool(workers());
  EndlessWork endless(pool, 50);
  for (int i = 0; i < 100; ++i) pool.apply_async([] {}).get();
  pool.map([](int item) { return item; }, std::vector<int>(100), 1);
  endless.stop();
  pool.close();
  pool.join();
}

// The tasks behind a blocked one are others' to run, though the queue never runs empty.
// Tasks that wait for each other all start, as long as there are workers: none is left in a batch
// while a worker sleeps.
TEST_P(FairnessStress, AsManyTasksAsWorkersRunAtOnce) {
  for (Rounds rounds(300); rounds.next();) {
    ThreadPool pool(workers());
    for (int again = 0; again != 5; ++again) {
      const std::size_t count = pool.size();
      EventCount started;
      std::vector<AsyncResult<void>> results;
      const auto issue = [&] {
        for (std::size_t i = 0; i != count; ++i) {
          results.push_back(pool.apply_async([&] {
            started.add();
            started.wait_until(count);
          }));
        }
      };
      if (again % 2 == 0) {
        issue();
      } else {
        pool.apply(issue);
      }
      for (const AsyncResult<void>& result : results) result.get();
    }
  }
}

TEST_P(FairnessStress, ATaskBehindABlockedOneIsNotOvertakenForEver) {
  if (workers() == 1) GTEST_SKIP() << "the lone worker is blocked";
  for (Rounds rounds(20); rounds.next();) {
    Gate first_gate, other_gates, blocked_gate, blocked;
    EventCount occupied;
    ThreadPool pool(workers());
    // All workers are occupied; the queue gets deep.
    for (int i = 0; i < workers(); ++i) {
      Gate& gate = i == 0 ? first_gate : other_gates;
      pool.apply_async([&] {
        occupied.add();
        gate.wait();
      });
    }
    occupied.wait_until(static_cast<std::size_t>(workers()));
    pool.apply_async([&] {
      blocked.open();
      blocked_gate.wait();
    });
    std::vector<AsyncResult<int>> behind;
    for (int i = 0; i < 100; ++i) behind.push_back(pool.apply_async([i] { return i; }));
    EndlessWork endless(pool, 100);
    // One worker comes back and takes the task that blocks; then the others come back.
    first_gate.open();
    blocked.wait();
    other_gates.open();
    for (int i = 0; i < 100; ++i) ASSERT_EQ(behind.at(static_cast<std::size_t>(i)).get(), i);
    blocked_gate.open();
    endless.stop();
    pool.close();
    pool.join();
  }
}

}  // namespace
}  // namespace millpond
