// SPDX-License-Identifier: MIT
// What tasks issue goes to the lane of their worker, what other threads issue to shared ones;
// others find it there, whoever is stuck. Rings of the model have two entries at first.
#include <array>
#include <chrono>
#include <cstddef>
#include <tuple>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

using Results = std::vector<AsyncResult<Value>>;

// A task needs what it has issued, and does not wait for it: another worker, asleep or not, takes
// it.
SCENARIO(lane_of_one_who_is_stuck) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    Gate gate;
    const auto inner = pool.apply_async([&] {
      gate.open();
      return Value(1);
    });
    gate.wait();
    return Value(inner.get() + 0);
  });
  CHECK(r.get() == 1);
}

// Both others are needed: one takes a task and is stuck itself, the third must come.
SCENARIO(lane_of_one_who_is_stuck_wakes_two, .bound = 1) {
  ThreadPool pool(3);
  const auto r = pool.apply_async([&] {
    Gate gate;
    const auto one = pool.apply_async([&] {
      gate.wait();
      return Value(1);
    });
    const auto two = pool.apply_async([&] {
      gate.open();
      return Value(1);
    });
    gate.wait();
    return Value(one.get() + two.get());
  });
  CHECK(r.get() == 2);
}

// The owner takes back the youngest, others take the oldest: each runs once.
SCENARIO(lane_is_taken_from_at_both_ends) {
  ThreadPool pool(2);
  std::array<int, 2> calls{};
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([&] {
      ++calls[0];
      return Value(1);
    });
    const auto b = pool.apply_async([&] {
      ++calls[1];
      return Value(2);
    });
    return Value(b.get() + a.get());
  });
  CHECK(r.get() == 3);
  CHECK(calls == std::array{1, 1});
}

// The owner runs the youngest, which waits for the oldest, and another worker comes to the end that
// was taken back: what it may know of that end is old.
SCENARIO(lane_whose_end_is_taken_back_unseen) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    Gate gate;
    const auto a = pool.apply_async([&] {
      gate.open();
      return Value(1);
    });
    const auto b = pool.apply_async([&] {
      gate.wait();
      return Value(2);
    });
    return Value(b.get() + a.get());
  });
  CHECK(r.get() == 3);
}

// The owner waits for the older one first, which is not at the end.
SCENARIO(lane_is_not_taken_back_from_out_of_turn) {
  ThreadPool pool(1);
  std::vector<int> started;
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([&] {
      started.push_back(1);
      return Value(1);
    });
    const auto b = pool.apply_async([&] {
      started.push_back(2);
      return Value(2);
    });
    return Value(a.get() + b.get());
  });
  CHECK(r.get() == 3);
  CHECK(started == std::vector({1, 2}));
}

// The owner waits for the older one only: the younger one stays.
SCENARIO(lane_keeps_what_is_not_awaited) {
  ThreadPool pool(1);
  AsyncResult<Value> b;
  const auto r = pool.apply_async([&] {
    const auto a = pool.apply_async([] { return Value(1); });
    b = pool.apply_async([] { return Value(2); });
    return Value(a.get() + 0);
  });
  CHECK(r.get() == 1);
  CHECK(b.get() == 2);
}

// Taken back and issued again: the lane goes on.
SCENARIO(lane_goes_on_after_an_entry_was_taken_back) {
  ThreadPool pool(2);
  const auto r = pool.apply_async([&] {
    int sum = 0;
    for (int n = 1; n != 4; ++n) {
      sum += pool.apply_async([n] { return Value(n); }).get();
    }
    Gate gate;
    const auto last = pool.apply_async([&] {
      gate.open();
      return Value(4);
    });
    gate.wait();
    return Value(sum + last.get());
  });
  CHECK(r.get() == 10);
}

// A lane grows while another worker takes from it; each task runs once.
SCENARIO(lane_grows_while_another_takes) {
  ThreadPool pool(2);
  std::array<int, 6> calls{};
  const auto r = pool.apply_async([&] {
    Results results;
    for (std::size_t n = 0; n != calls.size(); ++n) {
      results.push_back(pool.apply_async([&calls, n] {
        ++calls[n];
        return Value(1);
      }));
    }
    int sum = 0;
    for (const auto& each : results) sum += each.get();
    return Value(sum);
  });
  CHECK(r.get() == 6);
  CHECK(calls == std::array{1, 1, 1, 1, 1, 1});
}

// The same in a shared lane, with two workers that take.
SCENARIO(lane_that_is_shared_grows_while_two_take) {
  ThreadPool pool(2);
  std::array<int, 5> calls{};
  Results results;
  for (std::size_t n = 0; n != calls.size(); ++n) {
    results.push_back(pool.apply_async([&calls, n] {
      ++calls[n];
      return Value(1);
    }));
  }
  for (const auto& each : results) CHECK(each.get() == 1);
  CHECK(calls == std::array{1, 1, 1, 1, 1});
}

// Two workers issue their first at the same time: both lanes are found.
SCENARIO(lanes_of_two_who_are_stuck, .bound = 1) {
  ThreadPool pool(3);
  const auto stuck = [&] {
    Gate gate;
    const auto inner = pool.apply_async([&] {
      gate.open();
      return Value(1);
    });
    gate.wait();
    return Value(inner.get() + 0);
  };
  const auto a = pool.apply_async(stuck);
  const auto b = pool.apply_async(stuck);
  CHECK(a.get() + b.get() == 2);
}

// terminate() against a task that issues more than its lane had room for: each is run, given up or
// refused.
SCENARIO(lane_against_terminate) {
  ThreadPool pool(1);
  Gate begun;
  Results results;
  const auto r = pool.apply_async([&] {
    begun.open();
    try {
      for (int n = 0; n != 4; ++n) {
        results.push_back(pool.apply_async([c = Capture()] { return Value(*c); }));
      }
    } catch (const ValueError&) {
    }
    return Value(1);
  });
  begun.wait();
  pool.terminate();
  const End outer = end_of([&] { CHECK(r.get() == 1); });
  CHECK(outer == End::value || outer == End::terminated);
  pool.join();
  for (const auto& each : results) {
    const End end = end_of([&] { CHECK(each.get() == 1); });
    CHECK(end == End::value || end == End::terminated);
  }
}

// A task terminates its pool: what it has issued is given up, what it issues is refused.
SCENARIO(lane_of_one_who_terminates) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([&] {
    const auto inner = pool.apply_async([c = Capture()] { return Value(*c); });
    pool.terminate();
    CHECK(end_of([&] { inner.get(); }) == End::terminated);
    CHECK(end_of([&] { pool.apply_async([] { return Value(1); }); }) == End::error);
    return Value(1);
  });
  CHECK(r.get() == 1);
}

// A task closes its pool: what it has issued runs, what it issues is refused.
SCENARIO(lane_of_one_who_closes) {
  ThreadPool pool(1);
  AsyncResult<Value> inner;
  const auto r = pool.apply_async([&] {
    inner = pool.apply_async([c = Capture()] { return Value(*c); });
    pool.close();
    CHECK(end_of([&] { pool.apply_async([] { return Value(1); }); }) == End::error);
    return Value(1);
  });
  CHECK(r.get() == 1);
  pool.join();
  CHECK(inner.ready() && inner.get() == 1);
}

// A task of a closed pool has issued work, another worker has finished that: the pool does not
// count as finished before the task's callback has run.
SCENARIO(lane_of_a_closed_pool, .bound = 1) {
  ThreadPool pool(2);
  Gate begun;
  int told = 0;
  const auto r = pool.apply_async(
      [&] {
        begun.open();
        try {
          Gate gate;
          const auto inner = pool.apply_async([&] {
            gate.open();
            return Value(1);
          });
          gate.wait();
          inner.wait();
        } catch (const ValueError&) {
        }
        return Value(1);
      },
      std::tuple{}, {.callback = [&](const Value& n) { told += n; }});
  begun.wait();
  pool.close();
  pool.join();
  CHECK(told == 1 && r.ready());
}

/// A task that issues itself again and again.
struct Endless {
  ThreadPool& pool;
  mt::atomic<bool>& stop;
  void operator()() const {
    if (!stop.load()) pool.apply_async(*this);
  }
};

// A worker whose tasks issue one another looks at the shared lanes now and then.
SCENARIO(lane_of_endless_work_lets_others_pass, .bound = 1) {
  ThreadPool pool(1);
  Gate begun, issued;
  mt::atomic<bool> stop{false};
  pool.apply_async([&] {
    begun.open();
    issued.wait();
    pool.apply_async(Endless{pool, stop});
  });
  begun.wait();
  const auto r = pool.apply_async([&] {
    stop.store(true);
    return Value(1);
  });
  issued.open();
  CHECK(r.get() == 1);
  pool.close();
  pool.join();
}

// The same for what is in the lane of a worker that is stuck.
SCENARIO(lane_of_endless_work_and_one_who_is_stuck, .bound = 1) {
  ThreadPool pool(2);
  Gate begun, issued, gate;
  mt::atomic<bool> stop{false};
  const auto stuck = pool.apply_async([&] {
    begun.wait();
    pool.apply_async([&] {
      stop.store(true);
      gate.open();
    });
    issued.open();
    gate.wait();
    return Value(1);
  });
  const auto endless = pool.apply_async([&] {
    begun.open();
    pool.apply_async(Endless{pool, stop});
    issued.wait();
    return Value(1);
  });
  CHECK(stuck.get() + endless.get() == 2);
  pool.close();
  pool.join();
}

// What one thread issues does not keep waiting what another has issued in another lane.
SCENARIO(lanes_of_two_producers_take_turns, .bound = 1) {
  ThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  const auto issue = [&](int from, int count) {
    for (int n = from; n != from + count; ++n) {
      pool.apply_async([&started, n] { started.push_back(n); });
    }
  };
  thread many([&] { issue(0, 6); });
  thread one([&] { issue(10, 1); });
  many.join();
  one.join();
  gate.open();
  pool.close();
  pool.join();
  CHECK(started.size() == 7 && started.back() == 5);
}

// A worker is done and asleep before the pool is closed, or not: it goes.
SCENARIO(lane_is_empty_when_the_pool_is_closed) {
  ThreadPool pool(1);
  pool.apply_async([c = Capture()] { return Value(*c); });
  pool.close();
  pool.join();
}

// What needs no worker ends: the workers stay.
SCENARIO(map_without_items_and_then_a_call) {
  ThreadPool pool(1);
  CHECK(pool.map([](int n) { return n; }, std::vector<int>()).empty());
  CHECK(pool.apply([] { return Value(1); }) == 1);
}

// Dead entries give room to others while a worker takes.
SCENARIO(cancel_and_make_room) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([] { return Value(2); });
  const bool cancelled = a.cancel();
  const auto c = pool.apply_async([] { return Value(3); });
  CHECK(b.get() + c.get() == 5);
  CHECK(cancelled == a.cancelled());
}

}  // namespace
