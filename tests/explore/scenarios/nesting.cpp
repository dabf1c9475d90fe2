// SPDX-License-Identifier: MIT
// Tasks that issue work to their own pool and wait for it.
#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;
using std::chrono::milliseconds;

// apply() in a task runs right there, on the same worker.
SCENARIO(nest_apply) {
  ThreadPool pool(1);
  CHECK(pool.apply([&] {
    return pool.apply([] {
      CHECK(this_worker::index() == 0u);
      return Value(3);
    }) + 1;
  }) == 4);
}

// The only worker waits for work that only it can run.
SCENARIO(nest_async_one_worker) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const auto inner = pool.apply_async([c = Capture()] { return Value(*c); });
    return Value(inner.get() + 1);
  });
  CHECK(r.get() == 2);
}

// The worker that waits and an idle one both want the inner task: one of them runs it.
SCENARIO(nest_async_two_workers) {
  ThreadPool pool(2);
  int calls = 0;
  const auto r = pool.apply_async([&] {
    const auto inner = pool.apply_async([&] {
      ++calls;
      return Value(1);
    });
    return Value(inner.get() + 1);
  });
  CHECK(r.get() == 2);
  CHECK(calls == 1);
}

int sum_to(ThreadPool& pool, int n) {
  user_code();
  if (n == 0) return 0;
  return n + pool.apply_async(sum_to, std::ref(pool), n - 1).get();
}

// Tasks within tasks within a task.
SCENARIO(nest_depth_two_one_worker, .bound = 3) {
  ThreadPool pool(1);
  CHECK(pool.apply_async(sum_to, std::ref(pool), 2).get() == 3);
}

SCENARIO(nest_depth_two_two_workers) {
  ThreadPool pool(2);
  CHECK(pool.apply_async(sum_to, std::ref(pool), 2).get() == 3);
}

// A map in a task: the worker takes part in it.
SCENARIO(nest_map_one_worker) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    return pool.map([c = Capture()](int n) { return n + *c; }, std::vector{1, 2}, {.chunksize = 1});
  });
  CHECK(r.get() == std::vector({2, 3}));
}

SCENARIO(nest_map_two_workers) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    return pool.map([c = Capture()](int n) { return n + *c; }, std::vector{1, 2}, {.chunksize = 1});
  });
  CHECK(r.get() == std::vector({2, 3}));
}

// Maps in a map, on one worker.
SCENARIO(nest_map_in_map) {
  ThreadPool pool(1);
  const auto r = pool.map_async(
      [&](int n) {
        const auto inner = pool.map([c = Capture()](int m) { return m * *c; }, std::vector{n, 1});
        return inner[0] + inner[1];
      },
      std::vector{1, 2}, {.chunksize = 1});
  CHECK(r.get() == std::vector({2, 3}));
}

// A task waits for one that was issued by somebody else and is queued behind it.
SCENARIO(nest_wait_for_what_is_queued_behind) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<Value> second;
  const auto first = pool.apply_async([&] {
    issued.wait();
    return second.get() + 1;
  });
  second = pool.apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  CHECK(first.get() == 2);
  CHECK(second.get() == 1);
}

// A task waits for one that another worker runs: it sleeps, and is woken at its end.
SCENARIO(nest_wait_for_what_runs) {
  ThreadPool pool(2);
  Gate begun, gate;
  const auto running = pool.apply_async([&] {
    begun.open();
    gate.wait();
    return Value(1);
  });
  begun.wait();
  const auto waiting = pool.apply_async([&] { return Value(running.get() + 1); });
  gate.open();
  CHECK(waiting.get() == 2);
}

// A waiting worker runs what it waits for, and nothing else: the queued stranger runs later.
SCENARIO(nest_no_stranger_on_top) {
  ThreadPool pool(1);
  Gate issued;
  bool waits = false;
  AsyncResult<Value> wanted;
  const auto first = pool.apply_async([&] {
    issued.wait();
    waits = true;
    const int n = wanted.get();
    waits = false;
    return n;
  });
  const auto stranger = pool.apply_async([&] {
    CHECK(!waits);
    return Value(2);
  });
  wanted = pool.apply_async([] { return Value(1); });
  issued.open();
  CHECK(first.get() == 1);
  CHECK(stranger.get() == 2);
}

// Outside and inside wait for the same result; a worker, the waiting task: it runs once.
SCENARIO(nest_inside_and_outside_wait) {
  ThreadPool pool(2);
  mt::atomic<int> calls{0};
  const auto wanted = pool.apply_async([&] {
    user_code();
    return calls.fetch_add(1) + 1;
  });
  const auto waiting = pool.apply_async([&] { return Value(wanted.get()); });
  CHECK(wanted.get() == 1);
  CHECK(waiting.get() == 1);
  CHECK(calls.load() == 1);
}

// A timed wait in a task takes part; a wait of zero only looks.
SCENARIO(nest_timed_wait) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const auto inner = pool.apply_async([c = Capture()] { return Value(*c); });
    CHECK(!inner.wait(milliseconds(0)));
    CHECK(inner.wait(milliseconds(1)));
    return Value(inner.get() + 1);
  });
  CHECK(r.get() == 2);
}

// A timed wait in a task for what another worker runs.
SCENARIO(nest_timed_wait_for_what_runs) {
  ThreadPool pool(2);
  Gate begun, gate;
  const auto running = pool.apply_async([&] {
    begun.open();
    gate.wait();
    return Value(1);
  });
  begun.wait();
  const auto waiting = pool.apply_async([&] {
    CHECK(!running.wait(milliseconds(1)));
    gate.open();
    return Value(running.get() + 1);
  });
  CHECK(waiting.get() == 2);
}

// An inner error comes out of the inner get(), and out of the outer one.
SCENARIO(nest_error) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    return pool
        .apply_async([c = Capture()] {
          if (*c == 1) throw std::runtime_error("oops");
          return 1;
        })
        .get();
  });
  CHECK(end_of([&] { r.get(); }) == End::error);
}

// The pool is terminated while a task issues and waits: its wait ends, the task ends.
SCENARIO(nest_against_terminate) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    user_code();
    AsyncResult<Value> inner;
    try {
      inner = pool.apply_async([c = Capture()] { return Value(*c); });
    } catch (const ValueError&) {
      return End::error;
    }
    return end_of([&] { CHECK(inner.get() == 1); });
  });
  pool.terminate();
  const End outer = end_of([&] {
    const End inner = r.get();
    CHECK(inner == End::value || inner == End::terminated || inner == End::error);
  });
  CHECK(outer == End::value || outer == End::terminated);
}

// A closed pool refuses the inner task, or runs it.
SCENARIO(nest_against_close, .bound = kUnbounded) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    try {
      return pool.apply_async([c = Capture()] { return Value(*c); }).get() + 1;
    } catch (const ValueError&) {
      return 0;
    }
  });
  pool.close();
  pool.join();
  CHECK(r.ready() && (r.get() == 2 || r.get() == 0));
}

// The pool is destroyed while a task waits for a sibling that has not started.
SCENARIO(nest_against_destruction) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  Gate issued;
  AsyncResult<Value> second;
  const auto first = pool->apply_async([&] {
    issued.wait();
    return end_of([&] { CHECK(second.get() == 1); });
  });
  second = pool->apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  pool.reset();
  const End outer = end_of([&] {
    const End inner = first.get();
    CHECK(inner == End::value || inner == End::terminated);
  });
  CHECK(outer == End::value || outer == End::terminated);
}

// Two pools: a task of one waits for a task of the other.
SCENARIO(nest_in_two_pools) {
  ThreadPool first(1), second(1);
  const auto r =
      first.apply_async([&] { return Value(second.apply([c = Capture()] { return *c; }) + 1); });
  CHECK(r.get() == 2);
}

}  // namespace
