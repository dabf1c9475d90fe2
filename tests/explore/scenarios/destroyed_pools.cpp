// SPDX-License-Identifier: MIT
// A pool that is destroyed by its own callback, done-callback, task, or by what it gives up.
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

// By the callback: the callback thread waits for the worker, and is detached.
SCENARIO(destroyed_in_a_callback) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued, destroyed;
  const auto result = pool->apply_async(seven, std::tuple(), {.callback = [&](int) {
                                          issued.wait();
                                          pool.reset();
                                          destroyed.open();
                                        }});
  issued.open();
  CHECK(result.get() == 7);
  destroyed.wait();
}

// While another callback is due, and a task is queued: both are told first.
SCENARIO(destroyed_in_a_callback_before_another) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued, destroyed;
  int told = 0;
  pool->apply_async(seven, std::tuple(), {.callback = [&](int) {
                      issued.wait();
                      pool.reset();
                      CHECK(told == 1);
                      destroyed.open();
                    }});
  const auto second = pool->apply_async(seven, std::tuple(),
                                        {.callback =
                                             [&](int) {
                                               user_code();
                                               ++told;
                                             },
                                         .error_callback =
                                             [&](const std::exception_ptr&) {
                                               user_code();
                                               ++told;
                                             }});
  issued.open();
  destroyed.wait();
  const End end = end_of([&] { CHECK(second.get() == 7); });
  CHECK(end == End::value || end == End::terminated);
}

// While the worker waits for a result whose callback only this thread can run.
SCENARIO(destroyed_in_a_callback_under_a_waiting_task) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued, destroyed;
  bool ended = false;
  AsyncResult<int> inner;
  pool->apply_async(seven, std::tuple(), {.callback = [&](int) {
                      issued.wait();
                      pool.reset();
                      CHECK(ended);
                      destroyed.open();
                    }});
  Gate running;
  pool->apply_async([&] {
    inner = pool->apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }});
    running.open();
    const End end = end_of([&] { CHECK(inner.get() == 7); });
    CHECK(end == End::value || end == End::terminated);
    ended = true;
  });
  running.wait();
  issued.open();
  destroyed.wait();
}

// By the error callback of a call that is cancelled.
SCENARIO(destroyed_in_an_error_callback) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued, destroyed, running;
  pool->apply_async([&] {
    running.open();
    issued.wait();
  });
  running.wait();
  const auto result =
      pool->apply_async(seven, std::tuple(), {.error_callback = [&](const std::exception_ptr&) {
                          issued.wait();
                          pool.reset();
                          destroyed.open();
                        }});
  CHECK(result.cancel());
  issued.open();
  CHECK(end_of([&] { result.get(); }) == End::cancelled);
  destroyed.wait();
}

// By a done-callback, on the worker.
SCENARIO(destroyed_in_a_done_callback, .bound = kUnbounded) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued, destroyed;
  const auto result = pool->apply_async([&] { issued.wait(); });
  result.add_done_callback([&](const AsyncResult<void>& r) {
    CHECK(r.ready());
    pool.reset();
    destroyed.open();
  });
  issued.open();
  result.get();
  destroyed.wait();
}

// By a done-callback on the callback thread.
SCENARIO(destroyed_in_a_done_callback_after_a_callback) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued, destroyed;
  const auto result =
      pool->apply_async([&] { issued.wait(); }, std::tuple(), {.callback = [] { user_code(); }});
  result.add_done_callback([&](const AsyncResult<void>& r) {
    CHECK(r.ready());
    pool.reset();
    destroyed.open();
  });
  issued.open();
  result.get();
  destroyed.wait();
}

// By a task, while the other worker runs one and a callback is due.
SCENARIO(destroyed_in_a_task, .bound = 1) {
  auto pool = std::make_unique<ThreadPool>(2);
  Gate issued, destroyed;
  int told = 0;
  const auto other = pool->apply_async(seven, std::tuple(),
                                       {.callback =
                                            [&](int) {
                                              user_code();
                                              ++told;
                                            },
                                        .error_callback =
                                            [&](const std::exception_ptr&) {
                                              user_code();
                                              ++told;
                                            }});
  pool->apply_async([&] {
    issued.wait();
    pool.reset();
    CHECK(told == 1);
    destroyed.open();
  });
  issued.open();
  destroyed.wait();
  CHECK(other.ready());
}

// By the capture of a task that terminate() abandons: the pool goes within its own terminate().
SCENARIO(destroyed_by_an_abandoned_capture) {
  auto pool = std::make_shared<ThreadPool>(1);
  ThreadPool& it = *pool;
  Gate running;
  it.apply_async([&](mt::stop_token token) {
    running.open();
    while (!token.stop_requested()) yield();
  });
  running.wait();
  const auto result = it.apply_async([p = std::move(pool)] { return 7; });
  const auto behind = it.apply_async(seven);
  it.terminate();
  CHECK(end_of([&] { result.get(); }) == End::terminated);
  CHECK(end_of([&] { behind.get(); }) == End::terminated);
}

// By the capture of a call that is cancelled, or has run: the last reference goes where it ends.
SCENARIO(destroyed_by_a_cancelled_capture, .bound = kUnbounded) {
  auto pool = std::make_shared<ThreadPool>(1);
  ThreadPool& it = *pool;
  const auto result = it.apply_async([p = std::move(pool)] { return 7; });
  const bool cancelled = result.cancel();
  CHECK(end_of([&] { result.get(); }) == (cancelled ? End::cancelled : End::value));
}

// By the function of an imap, when its iterator is dropped.
SCENARIO(destroyed_by_a_dropped_imap) {
  auto pool = std::make_shared<ThreadPool>(1);
  ThreadPool& the_pool = *pool;
  auto it = the_pool.imap([p = std::move(pool)](int i) { return Value(i); },
                          Numbers(Numbers::kEndless), {.buffersize = 1});
  CHECK(next_of(it) == 0);
}

// By the input of an imap at its end, on the worker that reads.
SCENARIO(destroyed_by_the_input_of_an_imap) {
  auto pool = std::make_shared<ThreadPool>(1);
  ThreadPool& the_pool = *pool;
  auto it = the_pool.imap([p = std::move(pool)](int i) { return Value(i); }, Numbers(1));
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == -1);
}

// By a stop callback, within cancel() or within terminate(), on this thread.
void destroy_in_a_stop_callback(void (*stop)(ThreadPool&, const AsyncResult<int>&)) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate begun;
  bool destroyed = false;
  const std::function<void()> destroy = [&] {
    user_code();
    pool.reset();
    destroyed = true;
  };
  std::optional<mt::stop_callback<std::function<void()>>> on_stop;
  const auto result = pool->apply_async([&](mt::stop_token token) {
    on_stop.emplace(token, destroy);
    begun.open();
    while (!token.stop_requested()) yield();
    return 7;
  });
  begun.wait();
  stop(*pool, result);
  CHECK(destroyed);
  CHECK(result.get() == 7);
}
SCENARIO(destroyed_in_a_stop_callback_of_cancel, .bound = kUnbounded) {
  destroy_in_a_stop_callback([](ThreadPool&, const AsyncResult<int>& r) { CHECK(!r.cancel()); });
}
SCENARIO(destroyed_in_a_stop_callback_of_terminate, .bound = kUnbounded) {
  destroy_in_a_stop_callback([](ThreadPool& p, const AsyncResult<int>&) { p.terminate(); });
}

// By the task that holds the last reference, with its result waited for elsewhere.
SCENARIO(destroyed_by_its_last_task, .bound = kUnbounded) {
  auto pool = std::make_shared<ThreadPool>(1);
  ThreadPool& it = *pool;
  const auto result = it.apply_async([p = std::move(pool)]() mutable {
    p.reset();
    return 7;
  });
  CHECK(result.get() == 7);
}

// By a task, while another thread gives up a call: that one, too, may be the last to let go.
SCENARIO(destroyed_in_a_task_during_a_cancel) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate begun, go, destroyed;
  const auto task = pool->apply_async([&] {
    begun.open();
    go.wait();
    pool.reset();
    destroyed.open();
    return 7;
  });
  begun.wait();
  struct Meets {
    Gate* go;
    Gate* destroyed;
    Meets(Gate& first, Gate& second) : go(&first), destroyed(&second) {}
    Meets(Meets&& other) noexcept
        : go(std::exchange(other.go, nullptr)), destroyed(other.destroyed) {}
    ~Meets() {
      if (go == nullptr) return;
      go->open();
      destroyed->wait();
    }
  };
  const auto other = pool->apply_async([m = Meets(go, destroyed)] { return 7; });
  CHECK(other.cancel());
  CHECK(task.get() == 7);
}

}  // namespace
