// SPDX-License-Identifier: MIT
// A callback that waits, where the way to what it needs is found only the second time, through what
// a waiting thread runs or gives up, or out of turn.
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

#include "common.hpp"
#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

// The callback that is needed is not the next one that is due.
SCENARIO(callback_needs_one_that_is_due_later) {
  ThreadPool pool(1);
  Gate issued, due;
  AsyncResult<int> needed;
  const auto a = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                    issued.wait();
                                    due.wait();
                                    CHECK(needed.get() == 7);
                                  }});
  const auto b = pool.apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }});
  needed = pool.apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }});
  pool.apply_async([&] { due.open(); });
  issued.open();
  CHECK(a.get() + b.get() == 14);
}

// The callback waits for a task, which waits for a result whose task runs yet.
SCENARIO(callback_needs_one_that_gets_due, .bound = 1) {
  ThreadPool pool(2);
  Gate issued, running, over;
  AsyncResult<int> task;
  const auto inner = pool.apply_async(
      [&] {
        running.open();
        over.wait();
        return 7;
      },
      std::tuple(), {.callback = [](int) { user_code(); }});
  running.wait();
  const auto a = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                    issued.wait();
                                    CHECK(task.get() == 7);
                                  }});
  task = pool.apply_async([&] { return inner.get(); });
  issued.open();
  over.open();
  CHECK(a.get() == 7);
}

// The callback waits for what another task runs while it waits for it, and that waits for a
// callback.
SCENARIO(callback_needs_what_a_waiting_task_runs) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<int> helped;
  const auto a = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                    issued.wait();
                                    CHECK(helped.get() == 7);
                                  }});
  const auto task = pool.apply_async([&] {
    helped = pool.apply_async([&] {
      return pool.apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }}).get();
    });
    issued.open();
    return helped.get();
  });
  CHECK(a.get() + task.get() == 14);
}

/// Waits for a result when it is destroyed.
class Awaits {
 public:
  explicit Awaits(AsyncResult<int> awaited) : awaited_(std::move(awaited)) {}
  Awaits(Awaits&& other) noexcept : awaited_(std::exchange(other.awaited_, {})) {}
  Awaits& operator=(Awaits&&) = delete;
  ~Awaits() {
    if (awaited_.valid()) awaited_.wait();
  }

 private:
  AsyncResult<int> awaited_;
};

// The callback waits for what terminate() gives up, whose capture waits for a callback.
SCENARIO(callback_needs_what_is_given_up) {
  ThreadPool pool(1);
  Gate issued, busy, over;
  AsyncResult<int> abandoned;
  const auto a = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                    issued.wait();
                                    const End end = end_of([&] { CHECK(abandoned.get() == 1); });
                                    CHECK(end == End::value || end == End::terminated);
                                  }});
  const auto due = pool.apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }});
  pool.apply_async([&] {
    busy.open();
    over.wait();
  });
  busy.wait();
  abandoned = pool.apply_async([w = Awaits(due)] { return 1; });
  issued.open();
  pool.terminate();
  over.open();
  CHECK(a.get() + due.get() == 14);
}

// The callback waits for a task that reads an imap, whose item waits for a callback on another
// worker.
SCENARIO(callback_needs_what_an_item_waits_for, .bound = 1) {
  ThreadPool pool(2);
  Gate issued, begun;
  AsyncResult<int> task;
  const auto a = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                    issued.wait();
                                    CHECK(task.get() == 7);
                                  }});
  const auto due = pool.apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }});
  auto it = pool.imap(
      [&](int) {
        begun.open();
        return due.get();
      },
      Numbers(1));
  task = pool.apply_async([&] {
    begun.wait();
    return next_of(it);
  });
  issued.open();
  CHECK(a.get() == 7);
}

}  // namespace
