// SPDX-License-Identifier: MIT
// wait() for several results and as_completed() in tasks of their pool.
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;
using std::chrono::milliseconds;

// The only worker runs all that it waits for.
SCENARIO(group_in_a_task_all_one_worker) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([] { return Value(1); });
    const auto b = pool.apply_async([] { return Value(2); });
    CHECK(millpond::wait({a, b}).done.size() == 2);
    return Value(a.get() + b.get());
  });
  CHECK(r.get() == 3);
}

// With another worker that takes some of it.
SCENARIO(group_in_a_task_all_two_workers) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([] { return Value(1); });
    const auto b = pool.apply_async([] { return Value(2); });
    CHECK(millpond::wait({a, b}).done.size() == 2);
    return Value(a.get() + b.get());
  });
  CHECK(r.get() == 3);
}

// The first of two: the only worker has to run one.
SCENARIO(group_in_a_task_first_one_worker) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([] { return Value(1); });
    const auto b = pool.apply_async([] { return Value(2); });
    const auto found = millpond::wait({a, b}, ReturnWhen::first_completed);
    CHECK(found.done.size() == 1 && found.done[0] == a);
    return Value(a.get() + b.get());
  });
  CHECK(r.get() == 3);
}

// The first of two, with another worker.
SCENARIO(group_in_a_task_first_two_workers) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([] { return Value(1); });
    const auto b = pool.apply_async([] { return Value(2); });
    CHECK(!millpond::wait({a, b}, ReturnWhen::first_completed).done.empty());
    return Value(a.get() + b.get());
  });
  CHECK(r.get() == 3);
}

// The same, where the first in the queue is the last of the results.
SCENARIO(group_in_a_task_first_behind_one_that_waits_for_it) {
  AsyncResult<int> outer;
  Gate issued;
  ThreadPool pool(2);
  outer = pool.apply_async([&] {
    issued.wait();
    const auto a = pool.apply_async([] { return Value(1); });
    const auto b = pool.apply_async([&] { return Value(outer.get()); });
    const auto found = millpond::wait({b, a}, ReturnWhen::first_completed);
    CHECK(!found.done.empty() && found.done[0] == a);
    return 7;
  });
  issued.open();
  CHECK(outer.get() == 7);
}

// The first error.
SCENARIO(group_in_a_task_first_exception_beside_one_that_waits_for_it) {
  AsyncResult<int> outer;
  Gate issued;
  ThreadPool pool(2);
  outer = pool.apply_async([&] {
    issued.wait();
    const auto a = pool.apply_async([]() -> Value { throw std::runtime_error("oops"); });
    const auto b = pool.apply_async([&] { return Value(outer.get()); });
    const auto found = millpond::wait({a, b}, ReturnWhen::first_exception);
    CHECK(found.done.size() == 1 && found.done[0] == a);
    CHECK(end_of([&] { a.get(); }) == End::error);
    return 7;
  });
  issued.open();
  CHECK(outer.get() == 7);
}

// The first of two, one of which waits for the task that waits for it; the other comes by itself.
SCENARIO(group_in_a_task_first_beside_one_that_waits_for_it) {
  AsyncResult<int> outer;
  Gate issued;
  ThreadPool pool(2);  // ends before them: nobody waits for b
  outer = pool.apply_async([&] {
    issued.wait();
    const auto a = pool.apply_async([] { return Value(1); });
    const auto b = pool.apply_async([&] { return Value(outer.get()); });
    const auto found = millpond::wait({a, b}, ReturnWhen::first_completed);
    CHECK(!found.done.empty() && found.done[0] == a);
    return 7;
  });
  issued.open();
  CHECK(outer.get() == 7);
}

// The only result that may be run here is claimed, and comes, while this task thinks about it. The
// worker that takes it has to stop twice, and the task once.
SCENARIO(group_in_a_task_whose_last_is_claimed_meanwhile, .bound = 3) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([] { return 1; });
    CHECK(millpond::wait({a}, ReturnWhen::first_exception).done.size() == 1);
  });
  r.wait();
}

// What is awaited is under way elsewhere and comes to wait for this task: it runs the other.
SCENARIO(group_in_a_task_first_is_asked_to_help) {
  ThreadPool pool(2);
  Gate begun, issued;
  AsyncResult<int> outer;
  const auto elsewhere = pool.apply_async([&] {
    begun.open();
    issued.wait();
    return outer.get();
  });
  begun.wait();
  outer = pool.apply_async([&] {
    issued.wait();
    const auto b = pool.apply_async([] {
      user_code();
      return 2;
    });
    const auto found = millpond::wait({elsewhere, b}, ReturnWhen::first_completed);
    CHECK(found.done.size() == 1 && found.done[0] == b);
    return 7;
  });
  issued.open();
  CHECK(outer.get() == 7);
  CHECK(elsewhere.get() == 7);
}

// The first error, in a task.
SCENARIO(group_in_a_task_first_exception) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([c = Capture()] {
      if (*c == 1) throw std::runtime_error("oops");
      return 1;
    });
    const auto b = pool.apply_async([] {
      user_code();
      return 2;
    });
    const auto found = millpond::wait({a, b}, ReturnWhen::first_exception);
    CHECK(found.done.size() == 1 && found.done[0] == a);
    CHECK(end_of([&] { a.get(); }) == End::error);
    return Value(b.get());
  });
  CHECK(r.get() == 2);
}

// As they complete, in a task.
SCENARIO(group_in_a_task_as_completed_one_worker) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const std::vector results{pool.apply_async([] { return Value(1); }),
                              pool.apply_async([] { return Value(2); })};
    int sum = 0;
    for (const auto& each : as_completed(results)) sum += each.get();
    return Value(sum);
  });
  CHECK(r.get() == 3);
}

SCENARIO(group_in_a_task_as_completed_two_workers) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    const std::vector results{pool.apply_async([] { return Value(1); }),
                              pool.apply_async([] { return Value(2); })};
    int sum = 0;
    for (const auto& each : as_completed(results)) sum += each.get();
    return Value(sum);
  });
  CHECK(r.get() == 3);
}

// A group in a task with members that another thread cancels or the pool gives up.
SCENARIO(group_in_a_task_against_terminate) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<Value> a, b;
  const auto r = pool.apply_async([&] {
    issued.wait();
    CHECK(millpond::wait({a, b}).not_done.empty());
    return Value(1);
  });
  a = pool.apply_async([c = Capture()] { return Value(*c); });
  b = pool.apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  pool.terminate();
  const End end = end_of([&] { CHECK(r.get() == 1); });
  CHECK(end == End::value || end == End::terminated);
  CHECK(a.ready() && b.ready());
}

SCENARIO(group_in_a_task_against_cancel) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<Value> a, b;
  const auto r = pool.apply_async([&] {
    issued.wait();
    CHECK(millpond::wait({a, b}).not_done.empty());
    return Value(1);
  });
  a = pool.apply_async([c = Capture()] { return Value(*c); });
  b = pool.apply_async([c = Capture()] { return Value(*c); });
  issued.open();
  const bool cancelled = b.cancel();
  CHECK(r.get() == 1);
  CHECK(end_of([&] { CHECK(b.get() == 1); }) == (cancelled ? End::cancelled : End::value));
}

// A timed group in a task: it may run what it waits for, or the time is over.
SCENARIO(group_in_a_task_for_a_time) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([] { return Value(1); });
    const auto b = pool.apply_async([] { return Value(2); });
    const auto found = millpond::wait({a, b}, milliseconds(1));
    for (const auto& each : found.done) CHECK(each.ready());
    return Value(a.get() + b.get());
  });
  CHECK(r.get() == 3);
}

// A task of one pool waits for the first result of two of another.
SCENARIO(group_in_a_task_of_another_pool) {
  ThreadPool first(1), second(1);
  const auto r = first.apply_async([&] {
    const auto a = second.apply_async([] { return Value(1); });
    const auto b = first.apply_async([] { return Value(2); });
    CHECK(millpond::wait({a, b}).done.size() == 2);
    return Value(a.get() + b.get());
  });
  CHECK(r.get() == 3);
}

// Waits for the first exception of two. The first of them ends well, and its worker is then stuck
// until this task has ended: so the second is run here.
SCENARIO(group_in_a_task_first_exception_after_one_ends_well) {
  ThreadPool pool(2);
  Gate begun, issued, over;
  const auto a = pool.apply_async([&] {
    begun.open();
    issued.wait();
    return 1;
  });
  begun.wait();
  const auto task = pool.apply_async([&] {
    const auto stuck = pool.apply_async([&] { over.wait(); });
    const auto b = pool.apply_async([] {
      user_code();
      return 2;
    });
    issued.open();
    CHECK(millpond::wait({a, b}, ReturnWhen::first_exception).not_done.empty());
    over.open();
    return 3;
  });
  CHECK(task.get() == 3);
}

// What a task that is run here has seen to be ready is among the finished ones, even if the time
// is over then.
SCENARIO(group_in_a_task_knows_what_was_seen) {
  ThreadPool pool(2);
  const auto task = pool.apply_async([&] {
    mt::atomic<bool> saw{false};
    const auto a = pool.apply_async([] { return 1; });
    const auto b = pool.apply_async([&saw, a] {
      if (a.ready()) saw.store(true);
      return 2;
    });
    const auto found =
        millpond::wait({a, b}, ReturnWhen::all_completed, std::chrono::milliseconds(1));
    CHECK(!saw.load() || found.not_done.empty() || found.not_done[0] != a);
    b.wait();
    return 3;
  });
  CHECK(task.get() == 3);
}

// A free worker would do, but the job that it takes first is stuck until this task has ended.
SCENARIO(group_in_a_task_first_behind_one_that_is_stuck) {
  ThreadPool pool(2);
  const auto task = pool.apply_async([&] {
    Gate over;
    const auto stuck = pool.apply_async([&] { over.wait(); });
    const auto call = [] {
      user_code();
      return 1;
    };
    const auto a = pool.apply_async(call);
    const auto b = pool.apply_async(call);
    CHECK(!millpond::wait({a, b}, ReturnWhen::first_completed).done.empty());
    over.open();
    stuck.wait();
    return 3;
  });
  CHECK(task.get() == 3);
}

}  // namespace
