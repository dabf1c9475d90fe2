// SPDX-License-Identifier: MIT
// One scenario each for an order of memory that could be too weak: what one thread knows of another
// is as little as can be.
#include <optional>
#include <tuple>
#include <vector>

#include "common.hpp"
#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

// The pool is closed when one worker has finished what a task of the other has issued, and has not
// said so by anything but its tally: the task still counts, and its callback runs.
SCENARIO(order_of_issued_and_finished) {
  ThreadPool pool(2);
  Gate begun, issued, gate;
  int told = 0;
  pool.apply_async([&] { issued.wait(); });
  pool.apply_async(
      [&] {
        begun.open();
        try {
          pool.apply_async([] { user_code(); });
          pool.apply_async([&] { gate.wait(); });
        } catch (const ValueError&) {
        }
        issued.open();
        gate.wait();
        return Value(1);
      },
      std::tuple{}, {.callback = [&](const Value& n) { told += n; }});
  begun.wait();
  pool.close();
  gate.open();
  pool.join();
  CHECK(told == 1);
}

// The pool is closed while a task issues another, and both end: an imap that waits for its reader
// still counts, and needs the worker later.
SCENARIO(order_of_counting_issued_and_finished) {
  ThreadPool pool(1);
  Gate begun;
  auto it = pool.imap([](int n) { return n; }, Numbers(2), {.buffersize = 1});
  pool.apply_async([&] {
    begun.open();
    try {
      pool.apply_async([] { user_code(); });
    } catch (const ValueError&) {
    }
  });
  begun.wait();
  pool.close();
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == 1);
  CHECK(next_of(it) == -1);
}

// A task issues while another worker, which was the only one awake without a job, begins one that
// needs it: the third is woken, by the task or by that worker.
SCENARIO(order_of_the_end_of_a_search, .bound = 1) {
  ThreadPool pool(3);
  Gate begun, go, gate;
  const auto a = pool.apply_async([&] {
    begun.open();
    go.wait();
    pool.apply_async([&] { gate.open(); });
    gate.wait();
    return Value(1);
  });
  begun.wait();
  const auto b = pool.apply_async([&] {
    gate.wait();
    return Value(2);
  });
  go.open();
  CHECK(a.get() + b.get() == 3);
}

// A worker uses its lane for the first time when the lanes have just been closed: its job is given
// up by itself or by terminate().
SCENARIO(order_of_the_first_use_of_a_lane, .bound = 3) {
  ThreadPool pool(1);
  Gate begun, go, issued, gate;
  AsyncResult<Value> inner;
  pool.apply_async([&] {
    begun.open();
    go.wait();
    try {
      inner = pool.apply_async([c = Capture()] { return Value(*c); });
    } catch (const ValueError&) {
    }
    issued.open();
    gate.wait();
  });
  begun.wait();
  go.open();
  pool.terminate();
  issued.wait();
  if (inner.valid()) CHECK(end_of([&] { inner.get(); }) == End::terminated);
  gate.open();
}

}  // namespace
