// SPDX-License-Identifier: MIT
// Callbacks that wait: the callback thread sleeps until an alarm rings, and runs what it waits for.
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

int two() {
  user_code();
  return 2;
}

// A callback waits for a task: the only worker or this thread runs it.
SCENARIO(callback_waits_for_a_task) {
  ThreadPool pool(1);
  int got = 0;
  const auto result = pool.apply_async(
      two, std::tuple(), {.callback = [&](int) { got = pool.apply_async(two).get(); }});
  CHECK(result.get() == 2);
  CHECK(got == 2);
}

// A callback waits for a task that runs already.
SCENARIO(callback_waits_for_a_running_task) {
  ThreadPool pool(1);
  Gate running, issued, go;
  bool got = false;
  AsyncResult<int> other;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         issued.wait();
                                         go.open();
                                         CHECK(other.get() == 3);
                                         got = true;
                                       }});
  other = pool.apply_async([&] {
    running.open();
    go.wait();
    return 3;
  });
  running.wait();
  issued.open();
  CHECK(result.get() == 2);
  CHECK(got);
}

// A callback asks for its own result, which is there for it alone.
SCENARIO(callback_gets_its_own_result) {
  ThreadPool pool(1);
  AsyncResult<int> result;
  Gate issued;
  bool got = false;
  result = pool.apply_async(
      [&] {
        issued.wait();
        return 7;
      },
      std::tuple(), {.callback = [&](int) {
        CHECK(result.get() == 7);
        CHECK(result.wait(std::chrono::milliseconds(0)) == result.ready());
        got = true;
      }});
  issued.open();
  CHECK(result.get() == 7);
  CHECK(got);
}

// A callback waits for a result whose own callback is due: nobody else could run it.
SCENARIO(callback_waits_for_one_that_is_due) {
  ThreadPool pool(1);
  int told = 0;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         const auto inner = pool.apply_async(
                                             two, std::tuple(), {.callback = [&](int n) {
                                               user_code();
                                               told = n;
                                             }});
                                         CHECK(inner.get() == 2);
                                         CHECK(told == 2);
                                       }});
  CHECK(result.get() == 2);
  CHECK(told == 2);
}

// A callback waits for a task that waits for a result whose callback is due.
SCENARIO(callback_waits_for_a_task_that_waits_for_a_callback) {
  ThreadPool pool(1);
  bool told = false;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         const auto task = pool.apply_async([&] {
                                           return pool
                                               .apply_async(two, std::tuple(),
                                                            {.callback =
                                                                 [&](int) {
                                                                   user_code();
                                                                   told = true;
                                                                 }})
                                               .get();
                                         });
                                         CHECK(task.get() == 2);
                                       }});
  CHECK(result.get() == 2);
  CHECK(told);
}

// Two callbacks that are due, and the first waits for a task that waits for the second.
SCENARIO(callback_runs_the_next_first) {
  ThreadPool pool(1);
  int told = 0;
  Gate issued;
  AsyncResult<int> second, waiting;
  const auto first = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                        issued.wait();
                                        CHECK(waiting.get() == 4);
                                        CHECK(told == 2);
                                      }});
  second = pool.apply_async(two, std::tuple(), {.callback = [&](int n) {
                              user_code();
                              told = n;
                            }});
  waiting = pool.apply_async([&] { return 2 * second.get(); });
  issued.open();
  CHECK(first.get() == 2);
}

// A callback gives up waiting, also when the task ends at that moment.
SCENARIO(callback_waits_in_vain) {
  ThreadPool pool(1);
  Gate go;
  AsyncResult<int> other;
  Gate issued;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         issued.wait();
                                         if (!other.wait(std::chrono::milliseconds(1))) go.open();
                                         CHECK(other.get() == 3);
                                       }});
  Gate running;
  other = pool.apply_async([&] {
    running.open();
    go.wait();
    return 3;
  });
  running.wait();  // so that the callback cannot run it
  issued.open();
  CHECK(result.get() == 2);
}

// A callback waits for a map: it takes chunks, as a worker does.
SCENARIO(callback_waits_for_a_map) {
  ThreadPool pool(1);
  int sum = 0;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         for (const int n : pool.map(
                                                  [](int i) {
                                                    user_code();
                                                    return i;
                                                  },
                                                  std::vector{1, 2}, {.chunksize = 1})) {
                                           sum += n;
                                         }
                                       }});
  CHECK(result.get() == 2);
  CHECK(sum == 3);
}

// A callback waits for a group: its alarm is rung by the result that makes up the number.
SCENARIO(callback_waits_for_a_group) {
  ThreadPool pool(1);
  bool got = false;
  const auto result =
      pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                         const std::vector both{pool.apply_async(two), pool.apply_async(two)};
                         CHECK(wait(both).done.size() == 2);
                         got = true;
                       }});
  CHECK(result.get() == 2);
  CHECK(got);
}

// The pool is closed, terminated or destroyed while a callback waits for a task.
SCENARIO(callback_waits_and_is_closed) {
  ThreadPool pool(1);
  Gate begun;
  int got = 0;
  pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                     const auto task = pool.apply_async(two);
                     begun.open();
                     got = task.get();
                   }});
  begun.wait();
  pool.close();
  pool.join();
  CHECK(got == 2);
}
SCENARIO(callback_waits_and_is_terminated) {
  ThreadPool pool(1);
  Gate begun;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         const auto task = pool.apply_async(two);
                                         begun.open();
                                         const End end = end_of([&] { CHECK(task.get() == 2); });
                                         CHECK(end == End::value || end == End::terminated);
                                       }});
  begun.wait();
  pool.terminate();
  CHECK(result.get() == 2);
}
SCENARIO(callback_waits_and_is_destroyed) {
  Gate begun, go;
  End end = End::timeout;
  {
    ThreadPool pool(1);
    pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                       const auto task = pool.apply_async(
                           two, std::tuple(),
                           {.error_callback = [](const std::exception_ptr&) { user_code(); }});
                       begun.open();
                       end = end_of([&] { CHECK(task.get() == 2); });
                     }});
    begun.wait();
  }
  CHECK(end == End::value || end == End::terminated);
}

// The callback thread sleeps in a callback; the task that it waits for throws.
SCENARIO(callback_waits_for_an_error) {
  ThreadPool pool(1);
  End end = End::value;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         end = end_of([&] {
                                           pool.apply_async([]() -> Value {
                                                 user_code();
                                                 throw std::runtime_error("task");
                                               })
                                               .get();
                                         });
                                       }});
  CHECK(result.get() == 2);
  CHECK(end == End::error);
}

// The callback thread sleeps in a callback; what it waits for is cancelled.
SCENARIO(callback_waits_for_a_cancelled_task) {
  ThreadPool pool(1);
  Gate issued, busy, done;
  AsyncResult<int> queued;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         issued.wait();
                                         const End end = end_of([&] { queued.get(); });
                                         CHECK(end == End::value || end == End::cancelled);
                                         done.open();
                                       }});
  pool.apply_async([&] { done.wait(); });
  queued = pool.apply_async(two);
  issued.open();
  queued.cancel();
  CHECK(result.get() == 2);
}

// A callback that waits for its own result among others has it.
SCENARIO(callback_waits_for_a_group_with_its_own_result) {
  ThreadPool pool(1);
  AsyncResult<int> result;
  Gate issued;
  bool got = false;
  result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                              issued.wait();
                              const std::vector both{result, pool.apply_async(two)};
                              CHECK(wait(both).done.size() == 2);
                              got = true;
                            }});
  issued.open();
  CHECK(result.get() == 2);
  CHECK(got);
}

// A callback waits for a time for a task that ends meanwhile.
SCENARIO(callback_waits_for_a_time) {
  ThreadPool pool(1);
  Gate running, issued;
  AsyncResult<int> other;
  const auto result = pool.apply_async(two, std::tuple(), {.callback = [&](int) {
                                         issued.wait();
                                         const bool in_time =
                                             other.wait(std::chrono::milliseconds(1));
                                         CHECK(!in_time || other.ready());
                                         CHECK(other.get() == 3);
                                       }});
  other = pool.apply_async([&] {
    running.open();
    return 3;
  });
  running.wait();
  issued.open();
  CHECK(result.get() == 2);
}

}  // namespace
