// SPDX-License-Identifier: MIT
// Wake-ups that meet one another, or a worker that stays awake by itself: afterwards the count of
// sleepers is still right, which is seen by the next wake-up, by the end of the pool, and by a task
// that relies on a free worker.
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

/// Waits for the first of two calls that it has issued: runs one itself, as no worker is free.
int first_of_two(ThreadPool& pool) {
  const auto call = [] {
    user_code();
    return 1;
  };
  const auto a = pool.apply_async(call);
  const auto b = pool.apply_async(call);
  CHECK(!millpond::wait({a, b}, ReturnWhen::first_completed).done.empty());
  return 7;
}

// Two threads wake the worker at the same time, and later one does again.
SCENARIO(wake_up_by_two_and_again) {
  ThreadPool pool(1);
  CHECK(pool.apply([] { return Value(1); }) == 1);
  thread other([&] { pool.apply_async([c = Capture()] { return Value(*c); }); });
  const auto r = pool.apply_async([] { return Value(2); });
  other.join();
  CHECK(r.get() == 2);
  CHECK(pool.apply([] { return Value(3); }) == 3);
}

// The second comes when the worker is at work.
SCENARIO(wake_up_by_two_of_a_task_that_needs_a_worker) {
  ThreadPool pool(1);
  CHECK(pool.apply([] { return Value(1); }) == 1);
  Gate issued;
  thread other([&] { pool.apply_async([c = Capture()] { return Value(*c); }); });
  const auto r = pool.apply_async([&] {
    issued.wait();
    return first_of_two(pool);
  });
  issued.open();
  CHECK(r.get() == 7);
  other.join();
}

// The worker is woken when it has just fallen asleep.
SCENARIO(wake_up_of_one_that_sees_the_task_itself) {
  ThreadPool pool(1);
  Gate begun;
  pool.apply_async([&] { begun.open(); });
  begun.wait();
  const auto r = pool.apply_async([&] { return first_of_two(pool); });
  CHECK(r.get() == 7);
}

// Woken once, the worker falls asleep again, and goes when the pool is closed.
SCENARIO(wake_up_and_close) {
  ThreadPool pool(1);
  CHECK(pool.apply([] { return Value(1); }) == 1);
  CHECK(pool.apply([] { return Value(2); }) == 2);
  Gate gate;
  const auto r = pool.apply_async([&] {
    gate.wait();
    return Value(3);
  });
  pool.close();
  gate.open();
  pool.join();
  CHECK(r.ready() && r.get() == 3);
}

}  // namespace
