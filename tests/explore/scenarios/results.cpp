// SPDX-License-Identifier: MIT
// One call and its result: get, wait, timed waits, handles that are copied and dropped.
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common.hpp"
#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;
using std::chrono::milliseconds;

// A blocking call: the caller sleeps until a worker that may be asleep has run it.
SCENARIO(apply_returns_the_result) {
  ThreadPool pool(1);
  CHECK(pool.apply(
            [c = Capture()](int x) {
              user_code();
              return Value(x + *c);
            },
            6) == 7);
}

// An error comes out of the blocking call, and the worker goes on.
SCENARIO(apply_throws_the_error) {
  ThreadPool pool(1);
  CHECK(end_of([&] {
          pool.apply([] {
            user_code();
            throw std::runtime_error("oops");
          });
        }) == End::error);
  CHECK(pool.apply([] { return Value(1); }) == 1);
}

// A result is there for every get() through an lvalue, and moves out through an rvalue.
SCENARIO(result_is_read_twice_and_moved_out) {
  ThreadPool pool(1);
  auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  CHECK(r.get() == 1);
  CHECK(r.get() == 1);
  CHECK(r.ready() && r.successful() && r.exception() == nullptr && !r.running());
  const Value moved = std::move(r).get();
  CHECK(moved == 1);
}

// All waiters of one result are woken, not only one.
SCENARIO(result_is_awaited_by_two, .bound = 3) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([] { return Value(3); });
  thread reader([r] { CHECK(r.get() == 3); });
  CHECK(r.get() == 3);
  reader.join();
}

// The task runs, and its captures die, though nobody holds its result.
SCENARIO(result_handle_is_dropped_at_once, .bound = kUnbounded) {
  int calls = 0;
  {
    ThreadPool pool(1);
    pool.apply_async([&calls, c = Capture()] {
      ++calls;
      return Value(*c);
    });
    pool.close();
    pool.join();
    CHECK(calls == 1);
  }
}

// A handle goes while its task runs and ends: the result dies once, with whoever is last.
SCENARIO(result_handle_is_dropped_during_the_task) {
  Gate begun;
  ThreadPool pool(1);
  {
    const auto r = pool.apply_async([&] {
      begun.open();
      return Value(1);
    });
    begun.wait();
  }
  CHECK(pool.apply([] { return Value(2); }) == 2);
}

// Two copies of a handle go on two threads, one after having waited.
SCENARIO(result_copies_are_dropped_by_two) {
  ThreadPool pool(1);
  std::optional r = pool.apply_async([] { return Value(1); });
  thread other([copy = *r]() mutable {
    user_code();
    copy = {};
  });
  CHECK(r->get() == 1);
  r.reset();
  other.join();
}

// A timed wait ends in time or with the result; the result is not touched by it.
SCENARIO(result_is_awaited_for_a_time) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([] { return Value(4); });
  const bool in_time = r.wait(milliseconds(1));
  CHECK(!in_time || r.ready());
  CHECK(r.get() == 4);
}

// get() with a timeout: the value or TimeoutError, and then the value.
SCENARIO(result_is_got_within_a_time, .bound = 3) {
  ThreadPool pool(1);
  Gate gate;
  const auto r = pool.apply_async([&] {
    gate.wait();
    return Value(4);
  });
  CHECK(end_of([&] { r.get(milliseconds(1)); }) == End::timeout);
  gate.open();
  const End end = end_of([&] { r.get(milliseconds(1)); });
  CHECK(end == End::value || end == End::timeout);
  CHECK(r.get() == 4);
}

// A timed waiter leaves the list of waiters while another is in it and the result gets ready.
SCENARIO(result_loses_a_timed_waiter_of_two, .bound = 3) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([] { return Value(5); });
  thread timed([r] {
    const bool in_time = r.wait(milliseconds(1));
    CHECK(!in_time || r.ready());
  });
  r.wait();
  CHECK(r.ready() && r.get() == 5);
  timed.join();
}

// Two timed waiters leave at the same time.
SCENARIO(result_loses_both_timed_waiters) {
  Gate gate;
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    gate.wait();
    return Value(5);
  });
  thread timed([r] { CHECK(!r.wait(milliseconds(1))); });
  CHECK(!r.wait(milliseconds(2)));
  timed.join();
  gate.open();
  CHECK(r.get() == 5);
}

// A timed waiter's thread goes on to its next wait: a late notification must not reach that one.
SCENARIO(result_waits_follow_each_other) {
  ThreadPool pool(1);
  const auto first = pool.apply_async([] { return Value(1); });
  const auto second = pool.apply_async([] { return Value(2); });
  first.wait(milliseconds(1));
  CHECK(second.get() == 2);
  CHECK(first.ready() && first.get() == 1);
}

// Polling never sleeps; what it says agrees with what comes.
SCENARIO(result_is_polled) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([] { return Value(6); });
  const bool ready = r.wait(milliseconds(0));
  const End end = end_of([&] { r.get(milliseconds(-1)); });
  CHECK(end == End::value || (end == End::timeout && !ready));
  if (!ready) {
    const End asked = end_of([&] { static_cast<void>(r.successful()); });
    CHECK(asked == End::value || asked == End::error);
  }
  CHECK(r.completed() <= 1 && r.total() == 1);
  CHECK(r.get() == 6);
  CHECK(r.completed() == 1);
}

// A result that is seen as running has not been given up, and is not ready yet.
SCENARIO(result_runs_before_it_is_ready) {
  ThreadPool pool(1);
  Gate begun, end;
  const auto r = pool.apply_async([&] {
    begun.open();
    end.wait();
    return Value(1);
  });
  begun.wait();
  CHECK(r.running() && !r.ready() && !r.cancel());
  end.open();
  r.wait();
  CHECK(!r.running() && r.ready() && !r.cancelled());
}

// A handle outlives its pool, and says what became of the task.
SCENARIO(result_outlives_its_pool, .bound = kUnbounded) {
  AsyncResult<Value> r;
  {
    ThreadPool pool(1);
    r = pool.apply_async([c = Capture()] { return Value(*c); });
  }
  CHECK(r.ready());
  const End end = end_of([&] { CHECK(r.get() == 1); });
  CHECK(end == End::value || end == End::terminated);
  CHECK(r.successful() == (end == End::value));
}

// The captures and arguments are gone when the result is ready.
SCENARIO(result_is_ready_after_its_captures_have_died) {
  struct Counted {
    explicit Counted(int& n) : alive(&n) { ++n; }
    Counted(Counted&& other) noexcept : alive(std::exchange(other.alive, nullptr)) {}
    ~Counted() {
      user_code();
      if (alive != nullptr) --*alive;
    }
    int* alive;
  };
  int alive = 0;
  ThreadPool pool(1);
  const auto r = pool.apply_async(
      [c = Counted(alive)](const Counted& argument) {
        user_code();
        return *c.alive + *argument.alive;
      },
      Counted(alive));
  r.wait();
  CHECK(alive == 0);
  CHECK(r.get() == 4);
}

// Everybody gets the same exception of a failed task.
SCENARIO(result_is_an_error_for_both_who_wait) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([]() -> Value {
    user_code();
    throw std::runtime_error("oops");
  });
  std::exception_ptr seen;
  thread reader([r, &seen] { seen = r.exception(); });
  CHECK(end_of([&] { r.get(); }) == End::error);
  reader.join();
  CHECK(seen != nullptr && seen == r.exception() && !r.successful());
}

// Destroying a pool wakes who waits for a result of it.
SCENARIO(result_is_awaited_when_the_pool_dies) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  const auto r = pool->apply_async([] { return Value(1); });
  thread reader([r] {
    const End end = end_of([&] { CHECK(r.get() == 1); });
    CHECK(end == End::value || end == End::terminated);
  });
  pool.reset();
  CHECK(r.ready());
  reader.join();
}

// The last handle takes the result with it: no worker that has just completed it still has it.
SCENARIO(result_dies_with_its_last_handle) {
  ThreadPool pool(1);
  mt::atomic<int> alive{0};
  {
    const auto r = pool.apply_async([&] { return Counted(alive); });
    r.wait();
  }
  CHECK(alive.load() == 0);
}

// A task has run what it waits for, whose entry is still queued: the result dies with its last
// handle.
SCENARIO(result_dies_though_its_entry_is_queued, .bound = 1) {
  ThreadPool pool(1);
  Gate issued, waited, dead, gate;
  AsyncResult<Opens> wanted;
  const auto r = pool.apply_async([&] {
    issued.wait();
    wanted.wait();
    waited.open();
    gate.wait();
    return Value(1);
  });
  wanted = pool.apply_async([&] {
    user_code();
    return Opens(dead);
  });
  issued.open();
  waited.wait();
  wanted = {};
  dead.wait();
  gate.open();
  CHECK(r.get() == 1);
}

}  // namespace
