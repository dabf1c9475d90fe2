// SPDX-License-Identifier: MIT
// Any allocation and any start of a thread may fail: the call throws that and has done nothing, or
// the task's result is that error. Nothing leaks, nothing hangs, what was accepted ends.
#include <cstddef>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

/// Runs the rest of a scenario as far as memory and threads last.
template <class F>
void as_far_as_it_goes(F f) {
  try {
    f();
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
}

/// A value, or the failure of an allocation in the task.
template <class R>
bool is_one_or_failed(const R& r) {
  const End end = end_of([&] { CHECK(r.get() == 1); });
  return end == End::value || end == End::error;
}

// Making a pool of two workers and destroying it.
SCENARIO(fault_in_the_constructor, .faults = true) {
  as_far_as_it_goes([] {
    const ThreadPool pool(2);
    CHECK(pool.size() == 2);
  });
}

// The same with an initializer: run by both, or the constructor throws.
SCENARIO(fault_in_the_constructor_with_initializer, .faults = true) {
  mt::atomic<int> calls{0};
  bool made = false;
  as_far_as_it_goes([&] {
    const ThreadPool pool(2, [&calls, c = Capture()] {
      user_code();
      calls.fetch_add(*c);
    });
    made = true;
  });
  CHECK(made ? calls.load() == 2 : calls.load() <= 2);
}

// What cannot be issued has not been; what has been issued becomes ready.
SCENARIO(fault_in_apply_async, .faults = true) {
  as_far_as_it_goes([] {
    ThreadPool pool(1);
    std::vector<AsyncResult<Value>> results;
    as_far_as_it_goes([&] {
      for (int i = 0; i != 3; ++i) {
        results.push_back(pool.apply_async([c = Capture()] { return Value(*c); }));
      }
    });
    for (const auto& r : results) CHECK(is_one_or_failed(r));
    pool.close();
    pool.join();
  });
}

// A task that fails to issue what it would wait for.
SCENARIO(fault_in_a_nested_task, .faults = true) {
  as_far_as_it_goes([] {
    ThreadPool pool(1);
    const auto r = pool.apply_async([&] {
      user_code();
      return pool.apply_async([c = Capture()] { return Value(*c); }).get() + 0;
    });
    CHECK(is_one_or_failed(r));
  });
}

// A map: its results, its job, the values of its items.
SCENARIO(fault_in_a_map, .faults = true) {
  as_far_as_it_goes([] {
    ThreadPool pool(2);
    const auto r = pool.map_async([c = Capture()](int n) { return Value(n + *c); },
                                  std::vector{0, 0}, {.chunksize = 1});
    const End end = end_of([&] {
      CHECK(r.get().size() == 2);
      CHECK(r.get()[1] == 1);
    });
    CHECK(end == End::value || end == End::error);
    CHECK(r.completed() == 2);
  });
}

// Cancelling without memory for the error: it is given up all the same.
SCENARIO(fault_in_cancel, .faults = true) {
  as_far_as_it_goes([] {
    ThreadPool pool(1);
    const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
    const bool cancelled = r.cancel();
    const End end = end_of([&] { CHECK(r.get() == 1); });
    CHECK(cancelled ? end != End::value : end == End::value || end == End::error);
  });
}

// Terminating and destroying a pool never needs memory that may not be there.
SCENARIO(fault_in_terminate, .faults = true) {
  as_far_as_it_goes([] {
    std::optional<ThreadPool> pool(std::in_place, 1);
    const auto a = pool->apply_async([c = Capture()] { return Value(*c); });
    const auto b = pool->map_async([](int) { user_code(); }, std::vector{0, 0}, {.chunksize = 1});
    pool.reset();
    CHECK(a.ready() && b.ready());
    CHECK(end_of([&] { a.get(); }) != End::cancelled);
  });
}

// A group that cannot be made leaves the results alone; one that has been made can wait.
SCENARIO(fault_in_a_group, .faults = true) {
  as_far_as_it_goes([] {
    ThreadPool pool(1);
    const auto a = pool.apply_async([c = Capture()] { return Value(*c); });
    const auto b = pool.apply_async([c = Capture()] { return Value(*c); });
    as_far_as_it_goes([&] { CHECK(millpond::wait({a, b}).done.size() == 2); });
    CHECK(is_one_or_failed(a) && is_one_or_failed(b));
  });
}

// The queue cannot grow: refused with std::bad_alloc, or queued. The order stays.
SCENARIO(fault_when_the_queue_grows, .bound = 1, .faults = true) {
  as_far_as_it_goes([] {
    int last = 0;
    Gate issued;
    ThreadPool pool(1);
    const auto busy = pool.apply_async([&] { issued.wait(); });
    as_far_as_it_goes([&] {
      for (int n = 1; n <= 5; ++n) {
        pool.apply_async([&last, n] {
          CHECK(last < n);
          last = n;
        });
      }
    });
    issued.open();
    pool.close();
    pool.join();
    CHECK(busy.ready());
  });
}

// The callback thread cannot be started: the call that needs it is refused and the pool goes on.
SCENARIO(fault_in_the_first_callback, .faults = true) {
  as_far_as_it_goes([] {
    int told = 0;
    ThreadPool pool(1);
    as_far_as_it_goes([&] {
      const auto r = pool.apply_async([c = Capture()] { return Value(*c); }, std::tuple{},
                                      {.callback =
                                           [&](const Value& n) {
                                             user_code();
                                             told += n;
                                           },
                                       .error_callback =
                                           [&](const std::exception_ptr&) {
                                             user_code();
                                             ++told;
                                           }});
      r.wait();
      CHECK(told == 1);
    });
    CHECK(is_one_or_failed(pool.apply_async([c = Capture()] { return Value(*c); })));
  });
}

// A task's own lane cannot grow: what is in it already is taken by the other worker all the same.
SCENARIO(fault_when_a_lane_grows, .bound = 2, .faults = true) {
  as_far_as_it_goes([] {
    ThreadPool pool(2);
    const auto r = pool.apply_async([&] {
      Gate gate;
      int issued = 0;
      as_far_as_it_goes([&] {
        pool.apply_async([&] { gate.open(); });
        ++issued;
        for (; issued != 4; ++issued) pool.apply_async([c = Capture()] {});
      });
      if (issued != 0) gate.wait();
      return Value(1);
    });
    CHECK(is_one_or_failed(r));
  });
}

// The same while the pool is terminated: what the lane has hidden meanwhile is given up all the
// same.
SCENARIO(fault_when_a_lane_grows_as_the_pool_is_terminated, .bound = 2, .faults = true) {
  as_far_as_it_goes([] {
    ThreadPool pool(1);
    Gate begun;
    pool.apply_async([&] {
      begun.open();
      try {
        for (int n = 0; n != 3; ++n) pool.apply_async([c = Capture()] {});
      } catch (const std::bad_alloc&) {
      } catch (const ValueError&) {
      }
    });
    begun.wait();
    pool.terminate();
  });
}

// A map makes way while the heap is as full as it can be: to put it back needs no memory.
SCENARIO(fault_when_a_map_is_put_back, .bound = 1, .faults = true) {
  as_far_as_it_goes([] {
    PriorityThreadPool pool(1);
    Gate begun, gate;
    const auto map = pool.map_async(
        [&](int n) {
          begun.open();
          gate.wait();
          return n;
        },
        std::vector{1, 1}, {.chunksize = 1});
    begun.wait();
    as_far_as_it_goes([&] {
      for (int n = 0; n != 2; ++n) pool.apply_async([c = Capture()] {});
    });
    gate.open();
    CHECK(map.get() == std::vector({1, 1}));
  });
}

}  // namespace
