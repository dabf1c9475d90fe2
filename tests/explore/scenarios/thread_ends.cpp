// SPDX-License-Identifier: MIT
// What a thread of a pool does at its own end, in the destructor of a thread_local object of a task
// or a callback: there it has left the pool, and join() is refused all the same.
#include <memory>
#include <tuple>
#include <utility>

#include "common.hpp"
#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

/// Joins at its end, which must be refused.
struct Joins {
  ThreadPool* pool = nullptr;
  int* refused = nullptr;
  ~Joins() {
    if (pool == nullptr) return;
    try {
      pool->join();
    } catch (const ValueError&) {
      ++*refused;
    }
  }
};
thread_local Joins joins;

/// Destroys the pool at its end.
struct Owns {
  std::unique_ptr<ThreadPool> pool;
  Gate* destroyed = nullptr;
  ~Owns() {
    if (pool == nullptr) return;
    pool.reset();
    destroyed->open();
  }
};
thread_local Owns owns;

SCENARIO(thread_end_of_a_worker_that_joins) {
  int refused = 0;
  {
    ThreadPool pool(1);
    pool.apply_async([&] {
      joins.pool = &pool;
      joins.refused = &refused;
    });
    pool.close();
    pool.join();
  }
  CHECK(refused == 1);
}

SCENARIO(thread_end_of_the_callback_thread_that_joins) {
  int refused = 0;
  {
    ThreadPool pool(1);
    pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                       joins.pool = &pool;
                       joins.refused = &refused;
                     }});
    pool.close();
    pool.join();
  }
  CHECK(refused == 1);
}

SCENARIO(thread_end_of_the_callback_thread_destroys_the_pool) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued, destroyed;
  const auto result = pool->apply_async(seven, std::tuple(), {.callback = [&](int) {
                                          issued.wait();
                                          pool->close();
                                          owns.pool = std::move(pool);
                                          owns.destroyed = &destroyed;
                                        }});
  issued.open();
  CHECK(result.get() == 7);
  destroyed.wait();
}

SCENARIO(thread_end_of_a_worker_destroys_the_pool) {
  auto pool = std::make_unique<ThreadPool>(2);
  Gate issued, destroyed;
  const auto result = pool->apply_async([&] {
    issued.wait();
    pool->close();
    owns.pool = std::move(pool);
    owns.destroyed = &destroyed;
    return 7;
  });
  issued.open();
  CHECK(result.get() == 7);
  destroyed.wait();
}

}  // namespace
