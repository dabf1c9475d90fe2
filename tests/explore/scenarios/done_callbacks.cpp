// SPDX-License-Identifier: MIT
// Done-callbacks against completion: each runs once, after the result is ready, in order.
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "common.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

// Added while the result completes: called by one of the two threads, once.
SCENARIO(done_callback_added_while_completing, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate called;
  int calls = 0;
  const auto result = pool.apply_async(seven);
  result.add_done_callback([&, c = Capture()](const AsyncResult<int>& r) {
    CHECK(r.ready() && r == result && r.get() == 7);
    calls += *c;
    called.open();
  });
  called.wait();
  CHECK(calls == 1);
}

// Two of one thread: in the order in which they were added.
SCENARIO(done_callbacks_in_order, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate called, added;
  int calls = 0;
  {
    const auto result = pool.apply_async([&] { added.wait(); });
    result.add_done_callback([&](const AsyncResult<void>&) { CHECK(calls++ == 0); });
    result.add_done_callback([&](const AsyncResult<void>&) {
      CHECK(calls++ == 1);
      called.open();
    });
  }
  added.open();
  called.wait();
}

// Two threads add, and wait, while the result completes: nobody is lost in the list.
SCENARIO(done_callback_beside_waiters) {
  ThreadPool pool(1);
  mt::atomic<int> calls = 0;
  const auto result = pool.apply_async(seven);
  const auto count = [&](const AsyncResult<int>&) {
    user_code();
    calls.fetch_add(1);
  };
  thread other([&] {
    result.add_done_callback(count);
    CHECK(result.get() == 7);
  });
  result.add_done_callback(count);
  CHECK(result.get() == 7);
  other.join();
  pool.close();
  pool.join();
  CHECK(calls.load() == 2);
}

// A waiter that gives up leaves the list from between two done-callbacks.
SCENARIO(done_callback_beside_one_who_leaves) {
  ThreadPool pool(1);
  int calls = 0;
  Gate called, added;
  const auto result = pool.apply_async([&] {
    added.wait();
    return 7;
  });
  const auto count = [&](const AsyncResult<int>&) {
    user_code();
    if (++calls == 2) called.open();
  };
  result.add_done_callback(count);
  thread other([&] {
    const bool ready = result.wait(std::chrono::milliseconds(1));
    CHECK(!ready || result.get() == 7);
  });
  result.add_done_callback(count);
  added.open();
  called.wait();
  other.join();
  CHECK(calls == 2);
}

// A done-callback adds another one, which runs at once.
SCENARIO(done_callback_adds_another, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate called;
  const auto result = pool.apply_async(seven);
  result.add_done_callback([&](const AsyncResult<int>& r) {
    bool inner = false;
    r.add_done_callback([&](const AsyncResult<int>&) {
      user_code();
      inner = true;
    });
    CHECK(inner);
    called.open();
  });
  called.wait();
}

// A done-callback cancels the next one in the queue.
SCENARIO(done_callback_cancels_the_next, .bound = 3) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<int> next;
  const auto result = pool.apply_async([&] {
    issued.wait();
    return 7;
  });
  next = pool.apply_async(seven);
  result.add_done_callback([&](const AsyncResult<int>&) { CHECK(next.cancel()); });
  issued.open();
  CHECK(end_of([&] { next.get(); }) == End::cancelled);
  CHECK(result.get() == 7);
}

// What it throws goes to the handler, and the next one is called.
SCENARIO(done_callback_throws, .bound = 3) {
  int handled = 0, calls = 0;
  {
    ThreadPool pool({.processes = 1, .on_unobserved_error = [&](const std::exception_ptr& e) {
                       CHECK(end_of([&] { std::rethrow_exception(e); }) == End::error);
                       ++handled;
                     }});
    Gate called;
    const auto result = pool.apply_async(seven);
    result.add_done_callback([](const AsyncResult<int>&) {
      user_code();
      throw std::runtime_error("done-callback");
    });
    result.add_done_callback([&](const AsyncResult<int>&) {
      ++calls;
      called.open();
    });
    called.wait();
  }
  CHECK(handled == 1);
  CHECK(calls == 1);
}

// A done-callback issues and waits on the only worker, for its own result, too.
SCENARIO(done_callback_waits) {
  ThreadPool pool(1);
  Gate called;
  const auto result = pool.apply_async(seven);
  result.add_done_callback([&](const AsyncResult<int>& r) {
    CHECK(pool.apply_async(seven).get() == r.get());
    called.open();
  });
  called.wait();
}

// It comes after the callback, on the callback thread, where it may wait for another callback.
SCENARIO(done_callback_after_the_callback) {
  ThreadPool pool(1);
  Gate called;
  bool told = false;
  const auto result = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                         user_code();
                                         told = true;
                                       }});
  result.add_done_callback([&](const AsyncResult<int>&) {
    CHECK(told);
    CHECK(pool.apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }}).get() == 7);
    called.open();
  });
  called.wait();
}

// Of a cancelled call: on the thread that cancels, once.
SCENARIO(done_callback_of_a_cancelled_call, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate called;
  int calls = 0;
  const auto result = pool.apply_async(seven);
  result.add_done_callback([&](const AsyncResult<int>& r) {
    const End end = end_of([&] { CHECK(r.get() == 7); });
    CHECK(end == (r.cancelled() ? End::cancelled : End::value));
    ++calls;
    called.open();
  });
  CHECK(result.cancel() == result.cancelled());
  called.wait();
  CHECK(calls == 1);
}

// Of a terminated one, which it gets though no other handle is left.
SCENARIO(done_callback_of_a_terminated_call, .bound = kUnbounded) {
  int calls = 0;
  {
    ThreadPool pool(1);
    pool.apply_async(seven).add_done_callback([&](const AsyncResult<int>& r) {
      const End end = end_of([&] { CHECK(r.get() == 7); });
      CHECK(end == End::value || end == End::terminated);
      ++calls;
    });
  }
  CHECK(calls == 1);
}

// A done-callback terminates: the call behind it is given up by this worker.
SCENARIO(done_callback_terminates) {
  ThreadPool pool(1);
  const auto result = pool.apply_async(seven);
  result.add_done_callback([&](const AsyncResult<int>&) { pool.terminate(); });
  AsyncResult<int> next;
  const End issued = end_of([&] { next = pool.apply_async(seven); });
  CHECK(result.get() == 7);
  if (issued == End::value) {
    const End end = end_of([&] { CHECK(next.get() == 7); });
    CHECK(end == End::value || end == End::terminated);
  }
}

// A done-callback closes, and another thread joins: the last unfinished job is this very one.
SCENARIO(done_callback_closes, .bound = kUnbounded) {
  ThreadPool pool(1);
  bool called = false;
  Gate closed;
  pool.apply_async(seven).add_done_callback([&](const AsyncResult<int>&) {
    pool.close();
    closed.open();
    called = true;
  });
  closed.wait();
  pool.join();
  CHECK(called);
}

// Threads that wait are told before done-callbacks run, which may need them.
SCENARIO(done_callback_needs_who_waits) {
  ThreadPool pool(1);
  Gate issued, got, over;
  const auto result = pool.apply_async([&] {
    issued.wait();
    return 7;
  });
  result.add_done_callback([&](const AsyncResult<int>&) {
    got.wait();
    over.open();
  });
  issued.open();
  CHECK(result.get() == 7);
  got.open();
  over.wait();
}

// Added when the result is ready and the pool has gone: it runs here, and its error goes to stderr.
SCENARIO(done_callback_added_after_the_pool_has_gone) {
  AsyncResult<int> result;
  {
    ThreadPool pool(1);
    result = pool.apply_async(seven);
    CHECK(result.get() == 7);
  }
  int calls = 0;
  result.add_done_callback([&](const AsyncResult<int>& r) {
    ++calls;
    CHECK(r.get() == 7);
    throw std::runtime_error("done-callback");
  });
  CHECK(calls == 1);
}

}  // namespace
