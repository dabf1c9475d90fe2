// SPDX-License-Identifier: MIT
// What is queued behind a task that runs: other workers take it, threads cancel it and wait for it,
// terminate() gives it up.
#include <cstddef>
#include <tuple>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

using Results = std::vector<AsyncResult<Value>>;

/// Issues so many tasks that do nothing.
void issue_some(ThreadPool& pool, Results& results, int count) {
  for (int i = 0; i != count; ++i) {
    results.push_back(pool.apply_async([c = Capture()] { return Value(*c); }));
  }
}

void check_all(const Results& results) {
  for (const auto& r : results) CHECK(r.get() == 1);
}

// One worker and several tasks: each runs once, in the order of issue.
SCENARIO(queued_for_one_worker) {
  ThreadPool pool(1);
  int next = 0;
  Results results;
  for (int n = 0; n != 7; ++n) {
    results.push_back(pool.apply_async([&next, n] {
      CHECK(next++ == n);
      return Value(1);
    }));
  }
  check_all(results);
  CHECK(next == 7);
}

// A worker is stuck in a task that waits for the one queued behind it: the other worker takes that.
SCENARIO(queued_behind_one_who_is_stuck, .bound = 1) {
  ThreadPool pool(2);
  Gate gate;
  Results results;
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async([&] {
    gate.wait();
    return Value(1);
  }));
  results.push_back(pool.apply_async([&] {
    gate.open();
    return Value(1);
  }));
  issue_some(pool, results, 3);
  check_all(results);
}

// The same when the other worker sleeps, and the queue is empty but for what comes later.
SCENARIO(queued_and_taken_by_one_who_was_asleep, .bound = 1) {
  ThreadPool pool(2);
  Gate begun, first, second;
  const auto blocks = [](Gate& gate) {
    return [&gate] {
      gate.wait();
      return Value(1);
    };
  };
  Results results;
  results.push_back(pool.apply_async([&] {
    begun.open();
    first.wait();
    return Value(1);
  }));
  begun.wait();
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async(blocks(second)));
  results.push_back(pool.apply_async([&] {
    second.open();
    return Value(1);
  }));
  issue_some(pool, results, 2);
  first.open();
  check_all(results);
}

// A task waits for one behind it in the queue: it runs that one, and it alone.
SCENARIO(queued_behind_who_waits_for_it) {
  ThreadPool pool(1);
  Gate issued;
  Results results;
  AsyncResult<Value> wanted;
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async([&] {
    issued.wait();
    return Value(int{wanted.get()});
  }));
  issue_some(pool, results, 1);
  wanted = pool.apply_async([] { return Value(1); });
  results.push_back(wanted);
  issue_some(pool, results, 1);
  issued.open();
  check_all(results);
}

// A task on another worker waits for what is queued.
SCENARIO(queued_while_another_waits_for_it, .bound = 1) {
  ThreadPool pool(2);
  Gate issued;
  Results results;
  AsyncResult<Value> wanted;
  results.push_back(pool.apply_async([&] {
    issued.wait();
    return Value(int{wanted.get()});
  }));
  issue_some(pool, results, 3);
  wanted = pool.apply_async([] { return Value(1); });
  issued.open();
  issue_some(pool, results, 1);
  check_all(results);
}

// What is queued in a closed pool is run to their end before join() returns.
SCENARIO(queued_in_a_closed_pool, .bound = 1) {
  Results results;
  {
    ThreadPool pool(2);
    issue_some(pool, results, 6);
    pool.close();
    pool.join();
    for (const auto& r : results) CHECK(r.ready());
  }
  check_all(results);
}

// A task terminates the pool while others are queued behind it.
SCENARIO(queued_behind_who_terminates) {
  ThreadPool pool(1);
  Gate issued;
  Results results;
  issue_some(pool, results, 1);
  const auto last = pool.apply_async([&] {
    issued.wait();
    pool.terminate();
    return Value(1);
  });
  issue_some(pool, results, 3);
  issued.open();
  CHECK(last.get() == 1);
  for (std::size_t i = 1; i != results.size(); ++i) {
    CHECK(end_of([&] { results[i].get(); }) == End::terminated);
  }
  CHECK(results[0].get() == 1);
}

// terminate() against the owner, who takes from the other end, and a worker that steals.
SCENARIO(queued_against_terminate, .bound = 1) {
  ThreadPool pool(2);
  Results results;
  issue_some(pool, results, 6);
  results.front().wait();
  pool.terminate();
  for (const auto& r : results) {
    const End end = end_of([&] { CHECK(r.get() == 1); });
    CHECK(end == End::value || end == End::terminated);
  }
}

// Two workers are stuck: the third, which sleeps, is woken for what is queued.
SCENARIO(queued_and_taken_by_a_third, .bound = 1) {
  ThreadPool pool(3);
  Gate begun, first, second;
  const auto stuck = [&second] {
    second.wait();
    return Value(1);
  };
  Results results;
  results.push_back(pool.apply_async([&] {
    begun.open();
    first.wait();
    return Value(1);
  }));
  begun.wait();
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async(stuck));
  results.push_back(pool.apply_async([&] {
    second.open();
    return Value(1);
  }));
  results.push_back(pool.apply_async(stuck));
  first.open();
  check_all(results);
}

// Several tasks are queued for two of three workers: all of them run.
SCENARIO(queued_for_two_of_three, .bound = 1) {
  ThreadPool pool(2);
  Gate begun, first, second;
  Results results;
  results.push_back(pool.apply_async([&] {
    begun.open();
    first.wait();
    return Value(1);
  }));
  begun.wait();
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async([&] {
    second.wait();
    return Value(1);
  }));
  issue_some(pool, results, 3);
  results.push_back(pool.apply_async([&] {
    second.open();
    return Value(1);
  }));
  issue_some(pool, results, 4);
  first.open();
  check_all(results);
}

// terminate() gives up what is queued behind a worker that is stuck.
SCENARIO(queued_behind_one_who_is_stuck_and_given_up) {
  ThreadPool pool(1);
  Gate issued, stuck, over;
  Results results;
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async([&] {
    issued.wait();
    return Value(1);
  }));
  results.push_back(pool.apply_async([&] {
    stuck.open();
    over.wait();
    return Value(1);
  }));
  issue_some(pool, results, 3);
  issued.open();
  stuck.wait();
  pool.terminate();
  for (std::size_t i = 3; i != results.size(); ++i) {
    CHECK(end_of([&] { results[i].get(); }) == End::terminated);
  }
  over.open();
  CHECK(results[2].get() == 1);
}

// A callback waits for a queued task, which waits for another callback: that one runs first.
SCENARIO(queued_and_a_callback_waits_for_it) {
  ThreadPool pool(1);
  Gate issued, told;
  Results results;
  AsyncResult<Value> task;
  const auto value = [] { return Value(1); };
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async(value, std::tuple(), {.callback = [&](const Value&) {
                                       issued.wait();
                                       CHECK(task.get() == 1);
                                       told.open();
                                     }}));
  issue_some(pool, results, 2);
  task = pool.apply_async([&] {
    return Value(int{
        pool.apply_async(value, std::tuple(), {.callback = [](const Value& n) { CHECK(n == 1); }})
            .get()});
  });
  issue_some(pool, results, 2);
  issued.open();
  told.wait();
  check_all(results);
}

// What was cancelled in the queue is skipped.
SCENARIO(queued_behind_what_is_cancelled) {
  ThreadPool pool(1);
  Gate begun, gate;
  Results results;
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async([&] {
    begun.open();
    gate.wait();
    return Value(1);
  }));
  begun.wait();
  issue_some(pool, results, 2);  // the first is measured, the second taken with those behind it
  const auto cancelled = pool.apply_async([] { return Value(2); });
  issue_some(pool, results, 4);
  CHECK(cancelled.cancel());
  gate.open();
  check_all(results);
}

// A map behind calls is for several workers: its items need each other.
SCENARIO(queued_in_front_of_a_map, .bound = 1) {
  ThreadPool pool(2);
  Gate begun, gate, gates[2];
  Results results;
  issue_some(pool, results, 1);
  results.push_back(pool.apply_async([&] {
    begun.open();
    gate.wait();
    return Value(1);
  }));
  begun.wait();
  issue_some(pool, results, 1);
  const auto map = pool.map_async(
      [&](int i) {
        gates[i].open();
        gates[1 - i].wait();
        return i;
      },
      std::vector{0, 1}, {.chunksize = 1});
  issue_some(pool, results, 2);
  gate.open();
  CHECK(map.get() == std::vector{0, 1});
  check_all(results);
}

}  // namespace
