// SPDX-License-Identifier: MIT
// What a worker has taken from the queue together, and not begun, is not its own: others take it,
// cancel it, wait for it, give it up. Batches are of four calls at most in the model.
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

// One worker takes several at a time: each runs once, in the order of issue.
SCENARIO(batch_of_one_worker) {
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

// The owner of a batch is stuck in a task that waits for the one behind it, in the batch: the other
// worker takes it from there.
SCENARIO(batch_is_taken_from_one_who_is_stuck, .bound = 1) {
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
SCENARIO(batch_is_taken_by_one_who_was_asleep, .bound = 1) {
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

// A task waits for one in its own worker's batch, behind it: it runs that one, and it alone.
SCENARIO(batch_holds_what_its_owner_waits_for) {
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

// A task on another worker waits for what is in a batch.
SCENARIO(batch_holds_what_another_waits_for, .bound = 1) {
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

// Batches of a closed pool are run to their end before join() returns.
SCENARIO(batch_of_a_closed_pool, .bound = 1) {
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

// A task terminates the pool while its own worker has a batch.
SCENARIO(batch_is_given_up_by_its_owner) {
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
SCENARIO(batch_against_terminate, .bound = 1) {
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

// Two workers are stuck, one of them with a batch: the third, which sleeps, is woken to take it.
SCENARIO(batch_is_taken_by_a_third, .bound = 1) {
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

// What is stolen from a batch is several jobs: all of them run.
SCENARIO(batch_is_stolen_by_halves, .bound = 1) {
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

// terminate() gives up what is in the batch of a worker that is stuck.
SCENARIO(batch_of_one_who_is_stuck_is_given_up) {
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

// A callback waits for a task in a batch, which waits for another callback: that one runs first.
SCENARIO(batch_holds_what_a_callback_waits_for) {
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

// What was cancelled in the queue leaves no trace in a batch.
SCENARIO(batch_is_taken_over_a_hole) {
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

// A map is never in a batch, where only one worker would be at it: its items need each other.
SCENARIO(batch_ends_before_a_map, .bound = 1) {
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
