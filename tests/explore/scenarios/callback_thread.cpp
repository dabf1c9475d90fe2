// SPDX-License-Identifier: MIT
// The callback thread's sleep, idle and in a callback, and each event that must end it.
#include <exception>
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

/// Starts the pool's callback thread; it is idle, or on its way there, when this returns.
void start_callbacks(ThreadPool& pool) {
  int told = 0;
  CHECK(pool.apply_async(seven, std::tuple(),
                         {.callback =
                              [&](int n) {
                                user_code();
                                told = n;
                              }})
            .get() == 7);
  CHECK(told == 7);
}

// Idle: told of the next callback.
SCENARIO(callback_thread_idle_then_told) {
  ThreadPool pool(1);
  start_callbacks(pool);
  start_callbacks(pool);
}

// Idle: it leaves when the pool is closed ...
SCENARIO(callback_thread_idle_then_closed) {
  ThreadPool pool(1);
  start_callbacks(pool);
  pool.close();
  pool.join();
}

// ... or when the last job of a closed pool ends, which has no callback ...
SCENARIO(callback_thread_idle_until_the_last_job) {
  ThreadPool pool(1);
  start_callbacks(pool);
  bool ended = false;
  Gate closed;
  pool.apply_async([&] {
    closed.wait();
    ended = true;
  });
  pool.close();
  closed.open();
  pool.join();
  CHECK(ended);
}

// ... or terminated, or destroyed.
SCENARIO(callback_thread_idle_then_terminated) {
  ThreadPool pool(1);
  start_callbacks(pool);
  pool.terminate();
  pool.join();
}
SCENARIO(callback_thread_idle_then_destroyed) {
  ThreadPool pool(1);
  start_callbacks(pool);
}

// It starts while the pool is being closed, or not at all.
SCENARIO(callback_thread_starts_beside_close) {
  ThreadPool pool(1);
  thread other([&] { pool.close(); });
  int told = 0;
  const End end = end_of([&] {
    pool.apply_async(seven, std::tuple(), {.callback = [&](int n) {
                       user_code();
                       told = n;
                     }});
  });
  other.join();
  pool.join();
  CHECK(told == (end == End::value ? 7 : 0));
}

// In a callback that waits for a running task, which then begins to wait for another callback.
SCENARIO(callback_thread_needed_by_what_it_waits_for) {
  ThreadPool pool(1);
  Gate issued, waiting;
  AsyncResult<int> task;
  bool told = false;
  const auto result = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                         issued.wait();
                                         waiting.open();
                                         CHECK(task.get() == 7);
                                         CHECK(told);
                                       }});
  Gate running;
  task = pool.apply_async([&] {
    running.open();
    waiting.wait();
    return pool
        .apply_async(seven, std::tuple(),
                     {.callback =
                          [&](int) {
                            user_code();
                            told = true;
                          }})
        .get();
  });
  running.wait();
  issued.open();
  CHECK(result.get() == 7);
}

// In a callback that waits for the first of two, while the other one runs on.
SCENARIO(callback_thread_waits_for_the_first, .bound = 1) {
  ThreadPool pool(1);
  Gate issued, running, done;
  AsyncResult<int> slow;
  const auto result = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                         issued.wait();
                                         const std::vector both{slow, pool.apply_async(seven)};
                                         const auto [first, rest] =
                                             wait(both, ReturnWhen::first_completed);
                                         CHECK(first.size() + rest.size() == 2);
                                         CHECK(!first.empty());
                                         done.open();
                                       }});
  slow = pool.apply_async([&] {
    running.open();
    return 1;
  });
  running.wait();
  issued.open();
  CHECK(result.get() == 7);
  done.wait();
}

// In a callback that waits for a group, while the pool is terminated.
SCENARIO(callback_thread_waits_for_a_group_that_is_terminated, .bound = 1) {
  ThreadPool pool(1);
  Gate issued;
  bool got = false;
  const auto result =
      pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                         const std::vector both{pool.apply_async(seven), pool.apply_async(seven)};
                         issued.open();
                         CHECK(wait(both).done.size() == 2);
                         got = true;
                       }});
  issued.wait();
  pool.terminate();
  CHECK(result.get() == 7);
  CHECK(got);
}

// A worker waits for a callback, and the callback thread for a task of that worker's own queue.
SCENARIO(callback_thread_runs_for_the_only_worker) {
  ThreadPool pool(1);
  int got = 0;
  CHECK(pool.apply([&] {
    return pool
        .apply_async(seven, std::tuple(),
                     {.callback = [&](int) { got = pool.apply_async(seven).get(); }})
        .get();
  }) == 7);
  CHECK(got == 7);
}

// Idle in a terminated pool without workers: the last job is one that another thread cancels.
SCENARIO(callback_thread_idle_until_one_is_cancelled) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  start_callbacks(*pool);
  const auto r = pool->apply_async(seven);
  thread other([r] { r.cancel(); });
  pool.reset();
  CHECK(r.ready());
  other.join();
}

// A callback waits for one of two. The first comes to depend on that very callback, and there is no
// worker for the second: it is run here.
SCENARIO(callback_thread_is_asked_to_help) {
  Gate issued, over;
  AsyncResult<int> result;
  ThreadPool pool(1);
  result = pool.apply_async(seven, std::tuple(), {.callback = [&](int) {
                              issued.wait();
                              const std::vector both{pool.apply_async([&] { return result.get(); }),
                                                     pool.apply_async(seven)};
                              const auto found = wait(both, ReturnWhen::first_completed);
                              CHECK(!found.done.empty());
                              over.open();
                            }});
  issued.open();
  CHECK(result.get() == 7);
  over.wait();
}

}  // namespace
