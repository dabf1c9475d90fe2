// SPDX-License-Identifier: MIT
// PriorityThreadPool: the higher priority starts first, those of equal priority in their order.
#include <initializer_list>
#include <optional>
#include <tuple>
#include <vector>

#include "common.hpp"
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

// A map that made way goes on at its old place: before what was issued later.
SCENARIO(priority_map_keeps_its_place) {
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
      std::vector{1, 2}, {.chunksize = 1, .priority = 1});
  begun.wait();
  const auto later = pool.apply_async(
      [&] {
        started.push_back(9);
        return Value(9);
      },
      std::tuple{}, {.priority = 1});
  gate.open();
  CHECK(map.get() == std::vector({1, 2}));
  CHECK(later.get() == 9);
  CHECK(started == std::vector({1, 2, 9}));
}

// A map under way is terminated between two items: it is not put back for nobody.
SCENARIO(priority_map_against_terminate) {
  PriorityThreadPool pool(1);
  const auto map = pool.map_async([c = Capture()](int n) { return n + *c; }, std::vector{0, 0},
                                  {.chunksize = 1});
  pool.terminate();
  const End end = end_of([&] { CHECK(map.get() == std::vector({1, 1})); });
  CHECK(end == End::value || end == End::terminated);
}

// Against close(): what is accepted runs.
SCENARIO(priority_close_against_issue) {
  PriorityThreadPool pool(1);
  int calls = 0;
  bool refused = false;
  thread issuer([&] {
    try {
      pool.apply_async([&calls, c = Capture()] { calls += *c; });
    } catch (const ValueError&) {
      refused = true;
    }
  });
  pool.close();
  issuer.join();
  pool.join();
  CHECK(calls == (refused ? 0 : 1));
}

// Two tasks that need each other: the second worker is woken.
SCENARIO(priority_wakes_the_next) {
  PriorityThreadPool pool(2);
  Gate a, b;
  const auto first = pool.apply_async([&] {
    a.open();
    b.wait();
    return Value(1);
  });
  const auto second = pool.apply_async([&] {
    b.open();
    a.wait();
    return Value(2);
  });
  CHECK(first.get() + second.get() == 3);
}

// An imap makes way to calls of a higher priority, and to no others.
SCENARIO(priority_of_an_imap) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto start = [&](int n) {
    started.push_back(n);
    if (n == 0) {
      begun.open();
      gate.wait();
    }
    return Value(n);
  };
  auto it = pool.imap(start, Numbers(2), {.buffersize = 2, .priority = 1});
  begun.wait();
  const auto low = pool.apply_async(start, 7);
  const auto high = pool.apply_async(start, std::tuple(9), {.priority = 2});
  gate.open();
  CHECK(low.get() + high.get() == 16);
  CHECK(started == std::vector({0, 9, 1, 7}));
  CHECK(next_of(it) == 0);
}

// Dead entries are forgotten when the heap has to grow: the order of the others stays.
SCENARIO(priority_cancel_and_grow, .bound = 1) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  std::vector<AsyncResult<void>> results;
  const auto issue = [&](int priority) {
    results.push_back(pool.apply_async([&started, priority] { started.push_back(priority); },
                                       std::tuple{}, {.priority = priority}));
  };
  for (const int priority : {10, 3, 9, 1, 2, 8, 7}) issue(priority);
  CHECK(results[1].cancel());
  issue(0);
  gate.open();
  pool.close();
  pool.join();
  CHECK(started == std::vector({10, 9, 8, 7, 2, 1, 0}));
}

/// What the first item does: says that it has begun, and waits.
auto first_waits(Gate& begun, Gate& gate, std::vector<int>& started, int offset) {
  return [&, offset](int i) {
    if (i == 0) {
      begun.open();
      gate.wait();
    } else {
      started.push_back(offset + i);
    }
    return Value(offset + i);
  };
}

// The later of two that want a worker is dropped: the other goes on.
SCENARIO(priority_of_two_imaps_one_is_dropped, .bound = 1) {
  PriorityThreadPool pool(2);
  Gate begun_a, begun_b, gate_a, gate_b;
  std::vector<int> started;
  std::optional a(
      pool.imap(first_waits(begun_a, gate_a, started, 0), Numbers(2), {.buffersize = 2}));
  begun_a.wait();
  auto b = pool.imap(first_waits(begun_b, gate_b, started, 10), Numbers(3),
                     {.buffersize = 2, .priority = 1});
  begun_b.wait();
  a.reset();
  gate_b.open();
  for (int n = 10; n != 13; ++n) CHECK(next_of(b) == n);
  CHECK(next_of(b) == -1);
  gate_a.open();
}

// An imap that reads on since its reader has taken a value lines up behind its equals.
SCENARIO(priority_imap_makes_way, .bound = 1) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto start = [&started](int i) {
    started.push_back(i);
    return Value(i);
  };
  auto it = pool.imap(start, Numbers(2), {.buffersize = 1});
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  const auto call = pool.apply_async(start, 7);
  CHECK(next_of(it) == 0);
  gate.open();
  CHECK(call.get() == 7);
  CHECK(next_of(it) == 1);
  CHECK(started == std::vector({0, 7, 1}));
}

// Once something is given up nothing starts any more.
SCENARIO(priority_terminate_and_then_nothing_begins) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  pool.apply_async([c = Opens(gate)] {}, std::tuple{}, {.priority = 1});
  pool.apply_async([] { CHECK(!"started"); });
  pool.terminate();
  CHECK(end_of([&] { busy.get(); }) == End::value);
}

/// Issues calls of these priorities, cancels the one with that number, issues the rest, and tells
/// in which order they start.
std::vector<int> order_of(std::initializer_list<int> priorities, int cancelled,
                          std::initializer_list<int> rest) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  std::vector<AsyncResult<void>> results;
  const auto issue = [&](int priority) {
    const int id = static_cast<int>(results.size());
    results.push_back(pool.apply_async([&started, id] { started.push_back(id); }, std::tuple{},
                                       {.priority = priority}));
  };
  for (const int priority : priorities) issue(priority);
  if (cancelled >= 0) CHECK(results[static_cast<std::size_t>(cancelled)].cancel());
  for (const int priority : rest) issue(priority);
  gate.open();
  pool.close();
  pool.join();
  return started;
}

// The highest comes last, when there is room for it without mending the heap.
SCENARIO(priority_of_the_last) { CHECK(order_of({0, 0, 5}, -1, {}) == std::vector({2, 0, 1})); }

// Equals keep their order.
SCENARIO(priority_of_equals) { CHECK(order_of({0, 0, 0, 0}, -1, {}) == std::vector({0, 1, 2, 3})); }

// The heap has lost its first when it needs room.
SCENARIO(priority_without_the_first) {
  CHECK(order_of({10, 2, 9}, 0, {1}) == std::vector({2, 1, 3}));
}

// An imap goes on with its turn before its equals.
SCENARIO(priority_imap_goes_on_with_its_turn) {
  PriorityThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto start = [&](int n) {
    started.push_back(n);
    if (n == 0) {
      begun.open();
      gate.wait();
    }
    return Value(n);
  };
  auto it = pool.imap(start, Numbers(3), {.buffersize = 3});
  begun.wait();
  const auto call = pool.apply_async(start, 7);
  gate.open();
  CHECK(call.get() == 7);
  CHECK(started == std::vector({0, 1, 2, 7}));
  CHECK(next_of(it) == 0);
}

}  // namespace
