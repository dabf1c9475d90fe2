// SPDX-License-Identifier: MIT
// close() and join(): what was accepted runs, everybody who sleeps is let go.
#include <optional>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

/// Whether the call was refused, as the pool did not run.
template <class F>
bool is_refused(F f) {
  try {
    f();
  } catch (const ValueError&) {
    return true;
  }
  return false;
}

// Idle workers, asleep, on their way to sleep or not started yet, all leave.
SCENARIO(close_idle_workers, .bound = kUnbounded) {
  ThreadPool pool(2);
  pool.close();
  pool.join();
  CHECK(pool.state() == State::close);
}

// The destructor alone does the same.
SCENARIO(destroy_idle_workers, .bound = kUnbounded) { const ThreadPool pool(2); }

// What is queued runs before join() returns.
SCENARIO(close_runs_what_is_queued) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([c = Capture()] { return Value(*c + 1); });
  pool.close();
  pool.join();
  CHECK(a.ready() && b.ready());
  CHECK(a.get() == 1 && b.get() == 2);
}

// The last job ends while the other worker sleeps: it is told that it can go.
SCENARIO(close_with_one_worker_asleep) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([] { return Value(1); });
  pool.close();
  pool.join();
  CHECK(r.ready() && r.get() == 1);
}

// A map is run to its end on a closed pool.
SCENARIO(close_runs_a_map, .bound = kUnbounded) {
  ThreadPool pool(1);
  const auto r = pool.map_async([c = Capture()](int n) { return n * *c; }, std::vector{1, 2},
                                {.chunksize = 1});
  pool.close();
  pool.join();
  CHECK(r.ready() && r.get() == std::vector({1, 2}));
}

// Who waits for a result when the pool is closed gets it.
SCENARIO(close_while_a_result_is_awaited) {
  ThreadPool pool(1);
  thread closer([&] { pool.close(); });
  AsyncResult<Value> r;
  if (is_refused([&] { r = pool.apply_async([c = Capture()] { return Value(*c); }); })) {
    CHECK(!r.valid());
  } else {
    CHECK(r.get() == 1);
  }
  closer.join();
}

// Against an issuing thread: what is accepted runs, what is refused leaves nothing behind.
SCENARIO(close_against_issue, .bound = kUnbounded) {
  ThreadPool pool(1);
  int calls = 0;
  bool refused = false;
  thread issuer([&] {
    refused = is_refused([&] {
      pool.apply_async([&calls, c = Capture()] {
        calls += *c;
        return 0;
      });
    });
  });
  pool.close();
  issuer.join();
  pool.join();
  CHECK(calls == (refused ? 0 : 1));
}

// Two threads join: both return, after the work.
SCENARIO(join_by_two, .bound = 3) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([] { return Value(1); });
  pool.close();
  thread other([&] {
    pool.join();
    CHECK(r.ready());
  });
  pool.join();
  CHECK(r.ready());
  other.join();
}

// join() is refused while the pool runs, and in its own tasks.
SCENARIO(join_is_refused, .bound = kUnbounded) {
  ThreadPool pool(1);
  CHECK(is_refused([&] { pool.join(); }));
  const auto r = pool.apply_async([&] { return is_refused([&] { pool.join(); }); });
  pool.close();
  CHECK(r.get());
  pool.join();
}

// A task closes its pool while another thread joins as soon as it may.
SCENARIO(close_in_a_task, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate issued;
  const auto r = pool.apply_async([&] {
    issued.wait();
    pool.close();
    return Value(1);
  });
  const auto queued = pool.apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  r.wait();
  pool.join();
  CHECK(queued.ready() && queued.get() == 1);
}

// join() waits for a task that issues more as long as it is accepted.
SCENARIO(join_waits_for_nested_work, .bound = kUnbounded) {
  ThreadPool pool(1);
  bool refused = false;
  AsyncResult<Value> inner;
  const auto outer = pool.apply_async([&] {
    user_code();
    refused = is_refused([&] { inner = pool.apply_async([] { return Value(2); }); });
    return Value(1);
  });
  pool.close();
  pool.join();
  CHECK(outer.ready() && inner.valid() != refused);
  if (!refused) CHECK(inner.ready() && inner.get() == 2);
}

// A closed pool is terminated: what has not started is given up, join() returns.
SCENARIO(close_then_terminate) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  pool.close();
  thread joiner([&] {
    pool.join();
    CHECK(r.ready());
  });
  pool.terminate();
  joiner.join();
  const End end = end_of([&] { CHECK(r.get() == 1); });
  CHECK(end == End::value || end == End::terminated);
  CHECK(pool.state() == State::terminate);
}

// close() and terminate() at once: the pool is terminated in the end.
SCENARIO(close_against_terminate, .bound = kUnbounded) {
  ThreadPool pool(1);
  thread closer([&] { pool.close(); });
  pool.terminate();
  closer.join();
  CHECK(pool.state() == State::terminate);
  pool.join();
}

// Both workers are in tasks that end one after the other on a closed pool.
SCENARIO(close_with_both_workers_at_work) {
  ThreadPool pool(2);
  Gate a, b;
  const auto first = pool.apply_async([&] {
    a.open();
    b.wait();
    return 1;
  });
  const auto second = pool.apply_async([&] {
    b.open();
    a.wait();
    return 2;
  });
  pool.close();
  pool.join();
  CHECK(first.get() + second.get() == 3);
}

// A closed pool refuses whatever it is.
SCENARIO(close_refuses_everything) {
  ThreadPool pool(1);
  pool.close();
  CHECK(is_refused([&] { pool.apply_async([] { return Value(1); }); }));
  CHECK(is_refused([&] { pool.map([](int n) { return n; }, std::vector{1}); }));
  CHECK(is_refused([&] { pool.map([](int n) { return n; }, std::vector<int>()); }));
  pool.join();
}

// A map without items is accepted or refused; if accepted, its callback runs.
SCENARIO(close_against_a_map_without_items) {
  ThreadPool pool(1);
  int told = 0;
  bool refused = false;
  thread issuer([&] {
    refused = is_refused([&] {
      pool.map_async([](int n) { return n; }, std::vector<int>(),
                     {.callback = [&](const std::vector<int>&) { ++told; }})
          .wait();
    });
  });
  pool.close();
  pool.join();
  issuer.join();
  CHECK(told == (refused ? 0 : 1));
}

// Two producers wake the worker, or find it awake: it goes all the same.
SCENARIO(close_after_two_producers) {
  ThreadPool pool(1);
  thread other([&] { pool.apply_async([c = Capture()] { return Value(*c); }); });
  const auto r = pool.apply_async([] { return Value(2); });
  other.join();
  CHECK(r.get() == 2);
  CHECK(pool.apply([] { return Value(3); }) == 3);
  pool.close();
  pool.join();
}

}  // namespace
