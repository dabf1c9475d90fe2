// SPDX-License-Identifier: MIT
// terminate() and the destructor: what runs ends, all else is given up, nobody waits for ever.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common.hpp"
#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

/// The value 1, or the end of the pool; which of them.
template <class R>
End one_or_terminated(const R& r) {
  const End end = end_of([&] { CHECK(r.get() == 1); });
  CHECK(end == End::value || end == End::terminated);
  return end;
}

// A task that runs keeps its result, those behind it are given up.
SCENARIO(terminate_what_runs_and_what_is_queued) {
  ThreadPool pool(1);
  Gate begun, gate;
  const auto running = pool.apply_async([&] {
    begun.open();
    gate.wait();
    return Value(1);
  });
  const auto queued = pool.apply_async([c = Capture()] { return Value(*c); });
  begun.wait();
  pool.terminate();
  CHECK(queued.ready() && end_of([&] { queued.get(); }) == End::terminated);
  gate.open();
  CHECK(running.get() == 1);
}

// Against the start: the task runs or is given up; never both, never neither.
SCENARIO(terminate_against_the_start, .bound = kUnbounded) {
  int calls = 0;
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    ++calls;
    return Value(1);
  });
  pool.terminate();
  const End end = one_or_terminated(r);
  pool.join();
  CHECK(calls == (end == End::value ? 1 : 0));
}

// Who waits for queued work is woken.
SCENARIO(terminate_wakes_who_waits) {
  ThreadPool pool(1);
  Gate begun, gate;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
    return 1;
  });
  const auto queued = pool.apply_async([c = Capture()] { return Value(*c); });
  begun.wait();
  thread reader([queued] { CHECK(end_of([&] { queued.get(); }) == End::terminated); });
  pool.terminate();
  reader.join();
  gate.open();
  CHECK(busy.get() == 1);
}

// Against an issuing thread: refused, run or given up.
SCENARIO(terminate_against_issue) {
  ThreadPool pool(1);
  thread issuer([&] {
    AsyncResult<Value> r;
    try {
      r = pool.apply_async([c = Capture()] { return Value(*c); });
    } catch (const ValueError&) {
      return;
    }
    one_or_terminated(r);
  });
  pool.terminate();
  issuer.join();
}

// Two terminate at once; each result becomes ready once.
SCENARIO(terminate_against_terminate, .bound = 3) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([c = Capture()] { return Value(*c); });
  const auto b = pool.apply_async([c = Capture()] { return Value(*c); });
  thread other([&] { pool.terminate(); });
  pool.terminate();
  one_or_terminated(a);
  one_or_terminated(b);
  other.join();
}

// The last job is finished by who cancels it, while terminate() is at work and another thread
// joins.
SCENARIO(terminate_between_a_cancel_and_a_join, .bound = 2) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  thread canceller([&] { r.cancel(); });
  thread joiner([&] {
    try {
      pool.join();
    } catch (const ValueError&) {  // not terminated yet
    }
  });
  pool.terminate();
  canceller.join();
  joiner.join();
}

// A task terminates its own pool: what is queued is given up, the task ends well.
SCENARIO(terminate_in_a_task) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    user_code();
    pool.terminate();
    return Value(1);
  });
  AsyncResult<Value> queued;
  try {
    queued = pool.apply_async([c = Capture()] { return Value(*c); });
  } catch (const ValueError&) {
  }
  CHECK(r.get() == 1);
  if (queued.valid()) CHECK(end_of([&] { queued.get(); }) == End::terminated);
}

// What is queued behind a task that runs is given up or runs; all of it becomes ready.
SCENARIO(terminate_what_is_behind) {
  ThreadPool pool(1);
  std::vector<AsyncResult<Value>> results;
  for (int i = 0; i != 5; ++i) {
    results.push_back(pool.apply_async([c = Capture()] { return Value(*c); }));
  }
  results.front().wait();
  pool.terminate();
  for (const auto& r : results) one_or_terminated(r);
}

// A map under way: the items that have started end, the others are given up.
SCENARIO(terminate_a_map_under_way, .bound = kUnbounded) {
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
  pool.terminate();
  CHECK(!r.ready());
  gate.open();
  CHECK(end_of([&] { r.get(); }) == End::terminated);
  CHECK(calls == 1 && r.completed() == 3 && !r.cancelled());
}

// A map against terminate() on another thread, with the caller in the blocking call.
SCENARIO(terminate_against_a_blocking_map) {
  ThreadPool pool(1);
  thread other([&] { pool.terminate(); });
  try {
    const auto values =
        pool.map([c = Capture()](int n) { return n * *c; }, std::vector{1, 2}, {.chunksize = 1});
    CHECK(values == std::vector({1, 2}));
  } catch (const TerminatedError&) {
  } catch (const ValueError&) {
  }
  other.join();
}

// The destructor gives up what has not started and waits for what has.
SCENARIO(destroy_with_work) {
  std::vector<AsyncResult<Value>> results;
  {
    ThreadPool pool(1);
    for (int i = 0; i != 3; ++i) {
      results.push_back(pool.apply_async([c = Capture()] { return Value(*c); }));
    }
  }
  for (const auto& r : results) {
    CHECK(r.ready());
    one_or_terminated(r);
  }
}

// The same with two workers, one of which may sleep.
SCENARIO(destroy_with_two_workers) {
  AsyncResult<Value> r;
  {
    ThreadPool pool(2);
    r = pool.apply_async([c = Capture()] { return Value(*c); });
  }
  CHECK(r.ready());
  one_or_terminated(r);
}

// A task destroys its pool; its thread ends by itself.
SCENARIO(destroy_in_a_task, .bound = kUnbounded) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued;
  const auto r = pool->apply_async([&, c = Capture()] {
    issued.wait();
    pool.reset();
    return Value(*c);
  });
  issued.open();
  CHECK(r.get() == 1);
}

// The pool is owned by the task's capture alone, which dies after the call.
SCENARIO(destroy_in_a_capture, .bound = kUnbounded) {
  auto pool = std::make_unique<ThreadPool>(1);
  ThreadPool& it = *pool;
  Gate go;
  const auto r = it.apply_async([&go, own = std::move(pool)] {
    go.wait();
    return Value(1);
  });
  go.open();
  CHECK(r.get() == 1);
}

// With another task queued, which is given up.
SCENARIO(destroy_in_a_task_with_work_queued) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued;
  const auto r = pool->apply_async([&] {
    issued.wait();
    pool.reset();
    return Value(1);
  });
  const auto queued = pool->apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  CHECK(end_of([&] { queued.get(); }) == End::terminated);
  CHECK(r.get() == 1);
}

// With another worker, asleep or in a task that ends meanwhile.
SCENARIO(destroy_in_a_task_of_two_workers) {
  auto pool = std::make_unique<ThreadPool>(2);
  Gate issued;
  const auto r = pool->apply_async([&] {
    issued.wait();
    pool.reset();
    return Value(1);
  });
  const auto other = pool->apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  one_or_terminated(other);
  CHECK(r.get() == 1);
}

// A task destroys its pool while another thread is in join(): the second item of an imap that
// nobody reads is called only once join() has lifted the look-ahead limit.
SCENARIO(destroy_in_a_task_during_join) {
  auto pool = std::make_unique<ThreadPool>(1);
  ThreadPool& it = *pool;
  int calls = 0;
  const auto results = it.imap(
      [&](int n) {
        user_code();
        ++calls;
        if (n == 1) pool.reset();
        return n;
      },
      std::vector{0, 1}, {.buffersize = 1});
  it.close();
  it.join();
  CHECK(calls == 2);
}

// The same when nothing else is left that refers to the pool.
SCENARIO(destroy_in_a_task_during_join_with_all_handles) {
  auto pool = std::make_unique<ThreadPool>(1);
  ThreadPool& it = *pool;
  std::optional<ImapIterator<int>> results;
  results.emplace(it.imap(
      [&](int n) {
        user_code();
        if (n == 1) {
          results.reset();
          pool.reset();
        }
        return n;
      },
      std::vector{0, 1}, {.buffersize = 1}));
  it.close();
  it.join();
}

// Once something is given up nothing starts any more.
SCENARIO(terminate_and_then_nothing_begins) {
  ThreadPool pool(1);
  Gate begun, gate;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  pool.apply_async([c = Opens(gate)] {});
  pool.apply_async([] { CHECK(!"started"); });
  pool.terminate();
  CHECK(end_of([&] { busy.get(); }) == End::value);
}

// The same with what the task has issued that terminates the pool.
SCENARIO(terminate_in_a_task_and_then_nothing_begins) {
  ThreadPool pool(2);
  Gate begun, gate;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  const auto r = pool.apply_async([&] {
    pool.apply_async([c = Opens(gate)] {});
    pool.apply_async([] { CHECK(!"started"); });
    pool.terminate();
  });
  r.wait();
  CHECK(end_of([&] { busy.get(); }) == End::value);
}

}  // namespace
