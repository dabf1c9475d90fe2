// SPDX-License-Identifier: MIT
//
// Worker counts for parametrised tests, and ways to keep workers busy or to see them all idle.
#ifndef MILLPOND_TESTS_SUPPORT_WORKERS_HPP
#define MILLPOND_TESTS_SUPPORT_WORKERS_HPP

#include <millpond/millpond.hpp>

#include <cstddef>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "gate.hpp"

namespace millpond::test {

// One worker, some, and more than this machine may have cores.
class WithWorkers : public ::testing::TestWithParam<int> {
 protected:
  static int workers() { return GetParam(); }
};

inline auto worker_counts() { return ::testing::Values(1, 2, 8); }

// Holds `count` workers of a pool in tasks until release() or destruction. When the constructor
// returns they are all held. Declare it after the pool.
class BusyWorkers {
 public:
  BusyWorkers(ThreadPool& pool, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      pool.apply_async([shared = shared_] {
        shared->held.add();
        shared->released.wait();
      });
    }
    shared_->held.wait_until(count);
  }
  explicit BusyWorkers(ThreadPool& pool) : BusyWorkers(pool, pool.size()) {}
  BusyWorkers(const BusyWorkers&) = delete;
  BusyWorkers& operator=(const BusyWorkers&) = delete;
  ~BusyWorkers() { release(); }

  void release() { shared_->released.open(); }

 private:
  // Shared with the tasks, which may still be leaving the gate when this object goes.
  struct Shared {
    EventCount held;
    Gate released;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// Returns when all workers have met in tasks of their own: each of them has finished what it was
// doing when this was called.
inline void visit_every_worker(ThreadPool& pool) {
  const auto meeting = std::make_shared<Rendezvous>(pool.size());
  std::vector<AsyncResult<void>> visits;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    visits.push_back(pool.apply_async([meeting] { meeting->arrive_and_wait(); }));
  }
  for (const AsyncResult<void>& visit : visits) visit.get();
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_WORKERS_HPP
