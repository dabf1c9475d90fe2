// SPDX-License-Identifier: MIT
// PriorityThreadPool: the higher priority starts first, those of equal priority in their order.
#include <optional>
#include <tuple>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

// What was queued while the only worker was busy starts by priority, equals in order of issue.
SCENARIO(priority_orders_what_is_queued) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
    return 0;
  });
  begun.wait();
  std::vector<AsyncResult<Value>> results;
  for (const int priority : {0, 5, 0, 5}) {
    const int id = 10 * priority + static_cast<int>(results.size());
    results.push_back(pool.apply_async(
        [&started, id] {
          started.push_back(id);
          return Value(id);
        },
        std::tuple{}, {.priority = priority}));
  }
  gate.open();
  for (const auto& r : results) r.wait();
  CHECK(started == std::vector({51, 53, 0, 2}));
  CHECK(busy.get() == 0);
}

// A map makes way between two items to what has a higher priority.
SCENARIO(priority_interrupts_a_map) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto map = pool.map_async(
      [&](int n) {
        started.push_back(n);
        begun.open();
        gate.wait();
        return n;
      },
      std::vector{1, 2}, {.chunksize = 1});
  begun.wait();
  const auto urgent = pool.apply_async(
      [&] {
        started.push_back(9);
        return Value(9);
      },
      std::tuple{}, {.priority = 1});
  gate.open();
  CHECK(map.get() == std::vector({1, 2}));
  CHECK(urgent.get() == 9);
  CHECK(started == std::vector({1, 9, 2}));
}

// Two workers on one map of a priority pool, which they give back after every item.
SCENARIO(priority_map_two_workers) {
  PriorityThreadPool pool(2);
  const auto inc = [c = Capture()](int n) { return n + *c; };
  CHECK(pool.map(inc, std::vector{1, 2, 3}, {.chunksize = 1, .priority = 1}) ==
        std::vector({2, 3, 4}));
}

// Taken out of the middle of the heap: the order of the others stays.
SCENARIO(priority_cancel) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
    return 0;
  });
  begun.wait();
  std::vector<AsyncResult<Value>> results;
  for (const int priority : {1, 2, 3, 4}) {
    results.push_back(pool.apply_async(
        [&started, priority] {
          started.push_back(priority);
          return Value(priority);
        },
        std::tuple{}, {.priority = priority}));
  }
  CHECK(results[2].cancel());
  gate.open();
  CHECK(results[0].get() == 1);
  CHECK(started == std::vector({4, 2, 1}));
  CHECK(busy.get() == 0);
}

// Two threads issue; all of it runs, and terminate() gives up what has not started.
SCENARIO(priority_against_terminate) {
  PriorityThreadPool pool(1);
  const auto a = pool.apply_async([c = Capture()] { return Value(*c); });
  const auto b =
      pool.apply_async([c = Capture()] { return Value(*c); }, std::tuple{}, {.priority = 1});
  thread other([&] { pool.terminate(); });
  for (const auto& r : {a, b}) {
    const End end = end_of([&] { CHECK(r.get() == 1); });
    CHECK(end == End::value || end == End::terminated);
  }
  other.join();
}

// Against close(): everything queued runs, whatever its priority.
SCENARIO(priority_close) {
  PriorityThreadPool pool(2);
  const auto a = pool.apply_async([c = Capture()] { return Value(*c); });
  const auto b =
      pool.apply_async([c = Capture()] { return Value(*c); }, std::tuple{}, {.priority = 1});
  pool.close();
  pool.join();
  CHECK(a.ready() && b.ready() && a.get() + b.get() == 2);
}

// A task waits for one of lower priority, which is in the middle of the heap: it runs it itself.
SCENARIO(priority_nest) {
  PriorityThreadPool pool(1);
  std::vector<int> started;
  const auto r = pool.apply_async([&] {
    user_code();
    const auto low = pool.apply_async(
        [&] {
          started.push_back(1);
          return Value(1);
        },
        std::tuple{}, {.priority = -1});
    const auto high = pool.apply_async(
        [&] {
          started.push_back(2);
          return Value(2);
        },
        std::tuple{}, {.priority = 1});
    return Value(low.get() + high.get());
  });
  CHECK(r.get() == 3);
  CHECK(started == std::vector({1, 2}));
}

}  // namespace
