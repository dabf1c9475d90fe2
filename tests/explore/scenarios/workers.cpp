// SPDX-License-Identifier: MIT
// The states of workers: idle, woken one by the other, spinning, several producers, this_worker.
#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

// One after the other: the worker that has just worked spins or falls asleep in between.
SCENARIO(worker_is_woken_again, .bound = 3) {
  ThreadPool pool(1);
  CHECK(pool.apply([] { return Value(1); }) == 1);
  CHECK(pool.apply([] { return Value(2); }) == 2);
  CHECK(pool.apply([] { return Value(3); }) == 3);
}

// A worker that was woken and takes one of two jobs wakes the next: the two tasks need each other.
SCENARIO(worker_wakes_the_next) {
  ThreadPool pool(2);
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
  CHECK(first.get() == 1);
  CHECK(second.get() == 2);
}

// The same after both have slept.
SCENARIO(worker_wakes_the_next_again, .bound = 1) {
  ThreadPool pool(2);
  for (int round = 0; round != 2; ++round) {
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
    CHECK(first.get() == 1);
    CHECK(second.get() == 2);
  }
}

// Three tasks that need each other, on three workers: the chain of wake-ups has two links.
SCENARIO(worker_wakes_two_more, .bound = 1) {
  ThreadPool pool(3);
  std::array<Gate, 3> gates;
  const auto meet = [&](std::size_t n) {
    gates[n].open();
    for (Gate& gate : gates) gate.wait();
    return Value(1);
  };
  const auto a = pool.apply_async(meet, 0u);
  const auto b = pool.apply_async(meet, 1u);
  const auto c = pool.apply_async(meet, 2u);
  CHECK(a.get() + b.get() + c.get() == 3);
}

// Two producers, whose tasks need each other.
SCENARIO(worker_for_two_producers_that_meet, .bound = 1) {
  ThreadPool pool(2);
  Gate a, b;
  thread other([&] {
    CHECK(pool.apply([&] {
      a.open();
      b.wait();
      return 1;
    }) == 1);
  });
  CHECK(pool.apply([&] {
    b.open();
    a.wait();
    return 2;
  }) == 2);
  other.join();
}

// Two producers and one worker: each gets its own result.
SCENARIO(worker_for_two_producers) {
  ThreadPool pool(1);
  thread other([&] { CHECK(pool.apply([] { return Value(1); }) == 1); });
  CHECK(pool.apply([] { return Value(2); }) == 2);
  other.join();
}

// What one thread issues starts in that order, whatever another issues in between.
SCENARIO(worker_keeps_the_order_of_each_producer) {
  ThreadPool pool(1);
  std::vector<int> started;
  const auto start = [&started](int n) {
    user_code();
    started.push_back(n);
  };
  thread other([&] { pool.apply_async(start, 10); });
  pool.apply_async(start, 1);
  pool.apply_async(start, 2);
  other.join();
  pool.close();
  pool.join();
  std::erase(started, 10);
  CHECK(started == std::vector({1, 2}));
}

// The queue grows beyond its smallest ring while a worker takes from it.
SCENARIO(worker_takes_while_the_queue_grows) {
  ThreadPool pool(1);
  int next = 0;
  std::vector<AsyncResult<Value>> results;
  for (int n = 0; n != 6; ++n) {
    results.push_back(pool.apply_async([&next, n] {
      CHECK(next++ == n);
      return Value(n);
    }));
  }
  for (int n = 0; n != 6; ++n) CHECK(results[static_cast<std::size_t>(n)].get() == n);
}

// A task knows its worker; two at the same time are on two workers; others are on none.
SCENARIO(worker_knows_its_index) {
  ThreadPool pool(2);
  Gate a, b;
  const auto index = [](Gate& mine, Gate& other) {
    mine.open();
    other.wait();
    const auto here = this_worker::index();
    CHECK(here && *here < 2);
    return *here;
  };
  const auto first = pool.apply_async([&] { return index(a, b); });
  const auto second = pool.apply_async([&] { return index(b, a); });
  CHECK(!this_worker::index());
  CHECK(first.get() + second.get() == 1);
}

// A worker that waits is still itself in what it runs meanwhile.
SCENARIO(worker_keeps_its_index_in_nested_tasks) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const auto inner = pool.apply_async([] {
      user_code();
      return *this_worker::index();
    });
    const std::size_t index = inner.get();
    CHECK(this_worker::index() == index);
    return index;
  });
  CHECK(r.get() == 0);
}

// A thread with two pools: each runs its own.
SCENARIO(worker_beside_another_pool) {
  ThreadPool first(1), second(1);
  const auto a = first.apply_async([] { return Value(1); });
  const auto b = second.apply_async([] { return Value(2); });
  CHECK(a.get() == 1);
  CHECK(b.get() == 2);
}

}  // namespace
