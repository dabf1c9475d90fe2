// SPDX-License-Identifier: MIT
// Cancelling: what is queued, maps under way, against the start, the end, terminate() and itself.
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

// A queued task is given up; it never runs, and the queue goes on without it.
SCENARIO(cancel_queued) {
  ThreadPool pool(1);
  Gate gate;
  const auto busy = pool.apply_async([&] {
    gate.wait();
    return Value(1);
  });
  const auto r = pool.apply_async([c = Capture()] {
    CHECK(!"it runs");
    return *c;
  });
  CHECK(r.cancel() && r.cancel() && r.cancelled() && r.ready());
  CHECK(end_of([&] { r.get(); }) == End::cancelled);
  gate.open();
  CHECK(busy.get() == 1);
}

// Cancelled in the middle of the queue: those before and behind it run.
SCENARIO(cancel_in_the_middle_of_the_queue) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([c = Capture()] { return Value(1 + *c); });
  const auto c = pool.apply_async([] { return Value(3); });
  const bool cancelled = b.cancel();
  CHECK(c.get() == 3);
  CHECK(a.get() == 1);
  CHECK(end_of([&] { CHECK(b.get() == 2); }) == (cancelled ? End::cancelled : End::value));
}

// Against a worker that starts it: it is cancelled or it runs, never both, never neither.
SCENARIO(cancel_against_the_start, .bound = kUnbounded) {
  int calls = 0;
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    ++calls;
    return Value(1);
  });
  const bool cancelled = r.cancel();
  CHECK(end_of([&] { CHECK(r.get() == 1); }) == (cancelled ? End::cancelled : End::value));
  CHECK(r.cancelled() == cancelled && r.cancel() == cancelled);
  pool.close();
  pool.join();
  CHECK(calls == (cancelled ? 0 : 1));
}

// Two who cancel are told the same.
SCENARIO(cancel_against_cancel, .bound = 3) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([] { return Value(1); });
  bool other = false;
  thread second([&other, r] { other = r.cancel(); });
  const bool mine = r.cancel();
  CHECK(end_of([&] { CHECK(r.get() == 1); }) == (mine ? End::cancelled : End::value));
  second.join();
  CHECK(mine == other);
}

// Who waits is woken by the cancellation.
SCENARIO(cancel_wakes_who_waits) {
  ThreadPool pool(1);
  Gate gate;
  const auto busy = pool.apply_async([&] {
    gate.wait();
    return 1;
  });
  const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  thread reader([r] { CHECK(end_of([&] { r.get(); }) == End::cancelled); });
  CHECK(r.cancel());
  reader.join();
  gate.open();
}

// Against terminate(): one of the two gives it up, or a worker has started it.
SCENARIO(cancel_against_terminate) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  thread other([&] { pool.terminate(); });
  const bool cancelled = r.cancel();
  const End end = end_of([&] { CHECK(r.get() == 1); });
  CHECK(cancelled ? end == End::cancelled : end == End::value || end == End::terminated);
  other.join();
}

// Against the destructor of the pool.
SCENARIO(cancel_against_destruction) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  const auto r = pool->apply_async([c = Capture()] { return Value(*c); });
  thread other([r] {
    const bool cancelled = r.cancel();
    const End end = end_of([&] { CHECK(r.get() == 1); });
    CHECK(cancelled ? end == End::cancelled : end == End::value || end == End::terminated);
  });
  pool.reset();
  CHECK(r.ready());
  other.join();
}

// One call is given up elsewhere while the workers finish the others and fall asleep, before the
// pool is closed or after.
SCENARIO(cancel_after_the_worker_has_gone_to_sleep) {
  ThreadPool pool(2);
  Gate begun, gate;
  const auto first = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  begun.wait();
  thread other([r] { r.cancel(); });
  gate.open();
  pool.close();
  pool.join();
  CHECK(first.ready() && r.ready());
  other.join();
}

// Of a closed pool: join() returns though the last task will never run.
SCENARIO(cancel_the_last_of_a_closed_pool) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  pool.close();
  thread other([r] { r.cancel(); });
  pool.join();
  CHECK(r.ready());
  other.join();
}

// A map under way: what runs ends, what has not started never does.
SCENARIO(cancel_map_under_way) {
  ThreadPool pool(1);
  Gate begun, gate;
  int calls = 0;
  const auto r = pool.map_async(
      [&, c = Capture()](int n) {
        ++calls;
        begun.open();
        gate.wait();
        return n;
      },
      std::vector{0, 1, 2}, {.chunksize = 1});
  begun.wait();
  CHECK(r.cancel() && r.cancelled() && !r.ready());
  gate.open();
  CHECK(end_of([&] { r.get(); }) == End::cancelled);
  CHECK(calls == 1 && r.completed() == 3);
}

// A map against its workers: told true, it ends cancelled; told false, with all its values.
SCENARIO(cancel_map_against_its_workers) {
  ThreadPool pool(2);
  mt::atomic<int> calls{0};
  const auto r = pool.map_async(
      [&](int n) {
        user_code();
        calls.fetch_add(1);
        return n;
      },
      std::vector{0, 1}, {.chunksize = 1});
  const bool cancelled = r.cancel();
  const End end = end_of([&] { CHECK(r.get() == std::vector({0, 1})); });
  CHECK(end == (cancelled ? End::cancelled : End::value));
  CHECK(cancelled ? calls.load() < 2 : calls.load() == 2);
}

// Two cancel one map.
SCENARIO(cancel_map_against_cancel) {
  ThreadPool pool(1);
  const auto r = pool.map_async([c = Capture()](int n) { return n * *c; }, std::vector{0, 1},
                                {.chunksize = 1});
  bool other = false;
  thread second([&other, r] { other = r.cancel(); });
  const bool mine = r.cancel();
  CHECK(end_of([&] { r.get(); }) == (mine ? End::cancelled : End::value));
  second.join();
  CHECK(mine == other);
}

// A map that is cancelled and terminated at once becomes ready once, with one of the two.
SCENARIO(cancel_map_against_terminate) {
  ThreadPool pool(1);
  const auto r = pool.map_async([c = Capture()](int n) { return n * *c; }, std::vector{0, 1},
                                {.chunksize = 1});
  thread other([&] { pool.terminate(); });
  const bool cancelled = r.cancel();
  const End end = end_of([&] { r.get(); });
  CHECK(cancelled ? end == End::cancelled : end == End::value || end == End::terminated);
  other.join();
}

// Of a map with a failed chunk: the failure came first, so it stays.
SCENARIO(cancel_map_that_has_failed) {
  ThreadPool pool(1);
  Gate second, gate;
  const auto r = pool.map_async(
      [&](int n) {
        if (n == 0) throw std::runtime_error("oops");
        second.open();
        gate.wait();
      },
      std::vector{0, 1, 2}, {.chunksize = 1});
  second.wait();
  CHECK(r.cancel());
  gate.open();
  CHECK(end_of([&] { r.get(); }) == End::error);
}

// Work behind a cancelled map starts while an item of the map still runs.
SCENARIO(cancel_map_lets_others_pass) {
  ThreadPool pool(2);
  Gate begun, gate;
  const auto r = pool.map_async(
      [&](int n) {
        if (n != 0) return user_code();
        begun.open();
        gate.wait();
      },
      std::vector{0, 1, 2}, {.chunksize = 1});
  begun.wait();
  const bool cancelled = r.cancel();
  pool.apply_async([&] { gate.open(); }).get();
  CHECK(end_of([&] { r.get(); }) == (cancelled ? End::cancelled : End::value));
}

// A task that is queued behind one that runs can be cancelled.
SCENARIO(cancel_behind_what_runs) {
  ThreadPool pool(1);
  Gate begun, gate;
  const auto trivial = [] { return Value(1); };
  const auto a = pool.apply_async(trivial);
  const auto b = pool.apply_async([&] {
    begun.open();
    gate.wait();
    return Value(2);
  });
  const auto c = pool.apply_async([] {
    CHECK(!"it runs");
    return Value(3);
  });
  const auto d = pool.apply_async(trivial);
  begun.wait();
  CHECK(c.cancel() && c.ready());
  gate.open();
  CHECK(d.get() == 1 && b.get() == 2 && a.get() == 1);
}

// A task cancels the one that is queued behind it.
SCENARIO(cancel_in_a_task) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<Value> second;
  const auto first = pool.apply_async([&] {
    issued.wait();
    return second.cancel() && second.cancelled();
  });
  second = pool.apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  CHECK(end_of([&] { second.get(); }) == End::cancelled);
  CHECK(first.get());
}

// A waiting task is about to run what another thread cancels.
SCENARIO(cancel_what_a_task_waits_for) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<Value> inner;
  const auto outer = pool.apply_async([&] {
    issued.wait();
    return end_of([&] { CHECK(inner.get() == 1); });
  });
  inner = pool.apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  const bool cancelled = inner.cancel();
  CHECK(outer.get() == (cancelled ? End::cancelled : End::value));
}

// Many are cancelled in the middle of the queue, which closes up then: the first is found all the
// same.
SCENARIO(cancel_after_the_queue_has_closed_up, .bound = 1) {
  ThreadPool pool(1);
  Gate begun, gate;
  mt::atomic<int> told{0};
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  const auto first =
      pool.apply_async([] { return 1; }, std::tuple(),
                       {.error_callback = [&](std::exception_ptr) { told.fetch_add(1); }});
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i != 7; ++i) results.push_back(pool.apply_async([i] { return i; }));
  for (std::size_t i = 0; i != 6; ++i) CHECK(results[i].cancel());
  const auto last = pool.apply_async([] { return 7; });
  CHECK(first.cancel());
  gate.open();
  CHECK(last.get() == 7 && results[6].get() == 6);
  CHECK(end_of([&] { first.get(); }) == End::cancelled);
  CHECK(told.load() == 1);
}

}  // namespace
