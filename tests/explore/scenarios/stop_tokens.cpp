// SPDX-License-Identifier: MIT
// Stop tokens: who requests stop, and stop callbacks that use the pool.
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "common.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

template <class F>
mt::stop_callback<F> on_stop(const mt::stop_token& token, F f) {
  return mt::stop_callback<F>(token, std::move(f));
}

/// A task that runs until it is asked to stop.
int until_stop(const mt::stop_token& token, Gate& begun) {
  begun.open();
  while (!token.stop_requested()) yield();
  return 7;
}

// cancel() of a running task asks it to stop; it keeps its result.
SCENARIO(stop_by_cancel, .bound = 3) {
  ThreadPool pool(1);
  Gate begun;
  const auto result = pool.apply_async([&](mt::stop_token t) { return until_stop(t, begun); });
  begun.wait();
  CHECK(!result.cancel());
  CHECK(result.get() == 7);
}

// terminate() asks all running tasks.
SCENARIO(stop_by_terminate) {
  ThreadPool pool(2);
  Gate a, b;
  const auto first = pool.apply_async([&](mt::stop_token t) { return until_stop(t, a); });
  const auto second = pool.apply_async([&](mt::stop_token t) { return until_stop(t, b); });
  a.wait();
  b.wait();
  pool.terminate();
  CHECK(first.get() + second.get() == 14);
}

// The destructor asks, and then waits for the task.
SCENARIO(stop_by_destructor, .bound = kUnbounded) {
  Gate begun;
  bool ended = false;
  {
    ThreadPool pool(1);
    pool.apply_async([&](mt::stop_token t) {
      until_stop(t, begun);
      ended = true;
    });
    begun.wait();
  }
  CHECK(ended);
}

// cancel() while the task starts: it never runs, or it is asked.
SCENARIO(stop_or_never_start, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate begun;
  int runs = 0;
  const auto result = pool.apply_async([&](mt::stop_token t) {
    ++runs;
    return until_stop(t, begun);
  });
  const bool cancelled = result.cancel();
  CHECK(end_of([&] { result.get(); }) == (cancelled ? End::cancelled : End::value));
  CHECK(runs == (cancelled ? 0 : 1));
}

// terminate() while the task is issued and starts: it is refused, abandoned, or asked.
SCENARIO(stop_while_issuing) {
  ThreadPool pool(1);
  Gate begun;
  thread other([&] { pool.terminate(); });
  const End end = end_of(
      [&] { pool.apply_async([&](mt::stop_token t) { return until_stop(t, begun); }).get(); });
  CHECK(end == End::value || end == End::terminated || end == End::error);
  other.join();
}

// A map's running chunk is asked, the rest never starts.
SCENARIO(stop_in_a_map, .bound = 3) {
  ThreadPool pool(1);
  Gate begun;
  const auto result = pool.map_async([&](mt::stop_token t, int) { return until_stop(t, begun); },
                                     std::vector{0, 1}, {.chunksize = 1});
  begun.wait();
  CHECK(result.cancel());
  CHECK(end_of([&] { result.get(); }) == End::cancelled);
  CHECK(result.completed() == 2);
}

// An imap's running item is asked by terminate(); it is yielded.
SCENARIO(stop_in_an_imap) {
  ThreadPool pool(1);
  Gate begun;
  auto it = pool.imap([&](mt::stop_token t, int) { return until_stop(t, begun); }, Numbers(2));
  begun.wait();
  pool.terminate();
  CHECK(next_of(it) == 7);
  CHECK(end_of_next(it) == End::terminated);
  CHECK(next_of(it) == -1);
}

// The token is asked when the task has ended, by somebody who is late: nothing is touched.
SCENARIO(stop_of_what_has_ended) {
  ThreadPool pool(1);
  int calls = 0;
  const auto result = pool.apply_async([&, c = Capture()](mt::stop_token t) {
    const auto stop = on_stop(t, [&] {
      user_code();
      ++calls;
    });
    return 6 + *c;
  });
  thread other([&] { result.cancel(); });
  const End end = end_of([&] { CHECK(result.get() == 7); });
  CHECK(end == End::value || end == End::cancelled);
  other.join();
  CHECK(calls <= 1);
}

// Two threads cancel at once.
SCENARIO(stop_twice) {
  ThreadPool pool(1);
  Gate begun;
  int calls = 0;
  const auto result = pool.apply_async([&](mt::stop_token t) {
    const auto stop = on_stop(t, [&] {
      user_code();
      ++calls;
    });
    return until_stop(t, begun);
  });
  begun.wait();
  thread other([&] { CHECK(!result.cancel()); });
  CHECK(!result.cancel());
  other.join();
  CHECK(result.get() == 7);
  CHECK(calls == 1);
}

// A stop callback, on the thread that cancels, waits for new work.
SCENARIO(stop_callback_waits_in_cancel) {
  ThreadPool pool(2);
  Gate begun;
  int got = 0;
  const auto result = pool.apply_async([&](mt::stop_token t) {
    const auto stop = on_stop(t, [&] { got = pool.apply_async(seven).get(); });
    return until_stop(t, begun);
  });
  begun.wait();
  CHECK(!result.cancel());
  CHECK(result.get() == 7);
  CHECK(got == 7);
}

// The same in the cancel() of a map, whose entry must not stand in the way.
SCENARIO(stop_callback_waits_in_cancel_of_a_map, .bound = 1) {
  ThreadPool pool(2);
  Gate begun;
  int got = 0;
  const auto result = pool.map_async(
      [&](mt::stop_token t, int n) {
        if (n == 0) {
          const auto stop = on_stop(t, [&] { got = pool.apply_async(seven).get(); });
          until_stop(t, begun);
        }
        return n;
      },
      std::vector{0, 1, 2}, {.chunksize = 1});
  begun.wait();
  result.cancel();
  result.wait();
  CHECK(got == 7);
}

// A stop callback cancels another task, which is running, and one that is queued.
SCENARIO(stop_callback_cancels) {
  ThreadPool pool(1);
  Gate begun;
  AsyncResult<int> queued;
  const auto result = pool.apply_async([&](mt::stop_token t) {
    const auto stop = on_stop(t, [&] { CHECK(queued.cancel()); });
    return until_stop(t, begun);
  });
  queued = pool.apply_async(seven);
  begun.wait();
  CHECK(!result.cancel());
  CHECK(end_of([&] { queued.get(); }) == End::cancelled);
  CHECK(result.get() == 7);
}

// A stop callback that terminate() runs: issuing is refused, what is queued is given up.
SCENARIO(stop_callback_waits_in_terminate, .bound = 3) {
  ThreadPool pool(1);
  Gate begun;
  bool called = false;
  AsyncResult<int> queued;
  const auto result = pool.apply_async([&](mt::stop_token t) {
    const auto stop = on_stop(t, [&] {
      CHECK(end_of([&] { pool.apply_async(seven); }) == End::error);
      CHECK(end_of([&] { queued.get(); }) == End::terminated);
      called = true;
    });
    return until_stop(t, begun);
  });
  queued = pool.apply_async(seven);
  begun.wait();
  pool.terminate();
  CHECK(result.get() == 7);
  CHECK(called);
}

// A stop callback reads an imap of the pool that is being terminated.
SCENARIO(stop_callback_reads_an_imap) {
  ThreadPool pool(1);
  Gate begun;
  bool called = false;
  std::optional<ImapIterator<Value>> it;
  const auto result = pool.apply_async([&](mt::stop_token t) {
    const auto stop = on_stop(t, [&] {
      CHECK(end_of_next(*it) == End::terminated);
      called = true;
    });
    return until_stop(t, begun);
  });
  it.emplace(pool.imap([](int i) { return Value(i); }, Numbers(2)));
  begun.wait();
  pool.terminate();
  CHECK(result.get() == 7);
  CHECK(called);
}

// A stop callback terminates the pool, within cancel().
SCENARIO(stop_callback_terminates) {
  ThreadPool pool(1);
  Gate begun;
  AsyncResult<int> queued;
  const auto result = pool.apply_async([&](mt::stop_token t) {
    const auto stop = on_stop(t, [&] { pool.terminate(); });
    return until_stop(t, begun);
  });
  queued = pool.apply_async(seven);
  begun.wait();
  CHECK(!result.cancel());
  CHECK(end_of([&] { queued.get(); }) == End::terminated);
  CHECK(result.get() == 7);
}

// terminate() still knows of a task that was issued after another which has ended.
SCENARIO(stop_by_terminate_after_another_has_ended) {
  ThreadPool pool(1);
  Gate issued, begun;
  const auto first = pool.apply_async([&](mt::stop_token) {
    issued.wait();
    return 1;
  });
  const auto second = pool.apply_async([&](mt::stop_token t) { return until_stop(t, begun); });
  issued.open();
  begun.wait();
  pool.terminate();
  CHECK(first.get() + second.get() == 8);
}

}  // namespace
