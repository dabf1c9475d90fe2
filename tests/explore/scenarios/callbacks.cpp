// SPDX-License-Identifier: MIT
// Callbacks and error callbacks: who is told what, once, and before the result is ready.
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

int fail() {
  user_code();
  throw std::runtime_error("task");
}

// The callback has run when the result is ready, and not a moment later.
SCENARIO(callback_before_ready, .bound = 3) {
  ThreadPool pool(1);
  AsyncResult<Value> result;
  Gate issued;
  int told = 0;
  result = pool.apply_async(
      [&] {
        issued.wait();
        return Value(7);
      },
      std::tuple(), {.callback = [&, c = Capture()](const Value& v) {
        CHECK(!result.ready());
        told += v * *c;
      }});
  issued.open();
  CHECK(result.get() == 7);
  CHECK(told == 7);
}

// An error goes to the error callback alone.
SCENARIO(callback_error_is_told_once, .bound = 3) {
  ThreadPool pool(1);
  int told = 0;
  const auto result = pool.apply_async(fail, std::tuple(),
                                       {.callback = [](int) { CHECK(false); },
                                        .error_callback =
                                            [&](const std::exception_ptr& e) {
                                              CHECK(e != nullptr);
                                              ++told;
                                            }});
  CHECK(end_of([&] { result.get(); }) == End::error);
  CHECK(told == 1);
}

// A callback that throws makes the result an error; the callback thread lives on.
SCENARIO(callback_throws) {
  ThreadPool pool(1);
  const auto result =
      pool.apply_async([] { return Value(1); }, std::tuple(),
                       {.callback =
                            [](const Value&) {
                              user_code();
                              throw std::runtime_error("callback");
                            },
                        .error_callback = [](const std::exception_ptr&) { CHECK(false); }});
  CHECK(end_of([&] { result.get(); }) == End::error);
  int told = 0;
  CHECK(pool.apply_async([] { return 2; }, std::tuple(),
                         {.callback =
                              [&](int n) {
                                user_code();
                                told = n;
                              }})
            .get() == 2);
  CHECK(told == 2);
}

// An error callback that throws leaves the original error; the handler is told of the other one.
SCENARIO(callback_of_an_error_throws) {
  int handled = 0;
  {
    ThreadPool pool({.processes = 1, .on_unobserved_error = [&](const std::exception_ptr& e) {
                       CHECK(end_of([&] { std::rethrow_exception(e); }) == End::timeout);
                       ++handled;
                     }});
    const auto result =
        pool.apply_async(fail, std::tuple(), {.error_callback = [](const std::exception_ptr&) {
                           user_code();
                           throw TimeoutError("callback");
                         }});
    CHECK(end_of([&] { result.get(); }) == End::error);
  }
  CHECK(handled == 1);
}

// Two workers, one callback thread: one at a time, each once. All are told before join() returns.
SCENARIO(callback_one_at_a_time, .bound = 1) {
  ThreadPool pool(2);
  bool in_one = false;
  int sum = 0;
  const auto tell = [&](int n) {
    CHECK(!in_one);
    in_one = true;
    user_code();
    sum += n;
    in_one = false;
  };
  pool.apply_async([] { return 1; }, std::tuple(), {.callback = tell});
  pool.apply_async([] { return 2; }, std::tuple(), {.callback = tell});
  pool.close();
  pool.join();
  CHECK(sum == 3);
}

// One worker: the order of completion.
SCENARIO(callback_order) {
  ThreadPool pool(1);
  int last = 0;
  const auto tell = [&](int n) {
    CHECK(n == last + 1);
    last = n;
  };
  pool.apply_async([] { return 1; }, std::tuple(), {.callback = tell});
  const auto second = pool.apply_async([] { return 2; }, std::tuple(), {.callback = tell});
  CHECK(second.get() == 2);
  CHECK(last == 2);
}

// The empty map needs no worker, but its callback is told all the same.
SCENARIO(callback_of_the_empty_map, .bound = 3) {
  ThreadPool pool(1);
  int told = 0;
  const auto result = pool.map_async(
      [](int n) {
        CHECK(false);
        return n;
      },
      std::vector<int>(), {.callback = [&](const std::vector<int>& v) {
        CHECK(v.empty());
        ++told;
      }});
  CHECK(result.get().empty());
  CHECK(told == 1);
}

// A map's callback: once, with all of it, whichever worker was the last.
SCENARIO(callback_of_a_map, .bound = 1) {
  ThreadPool pool(2);
  int told = 0;
  const auto result = pool.map_async(
      [](int n) {
        user_code();
        return n + 1;
      },
      std::vector{1, 2}, {.chunksize = 1, .callback = [&](const std::vector<int>& v) {
                            CHECK(v == std::vector({2, 3}));
                            ++told;
                          }});
  CHECK(result.get().size() == 2);
  CHECK(told == 1);
}

// Two chunks fail: one error is told.
SCENARIO(callback_of_a_failing_map, .bound = 1) {
  ThreadPool pool(2);
  int told = 0;
  const auto result = pool.map_async([](int) { return fail(); }, std::vector{1, 2},
                                     {.chunksize = 1,
                                      .callback = [](const std::vector<int>&) { CHECK(false); },
                                      .error_callback =
                                          [&](const std::exception_ptr&) {
                                            user_code();
                                            ++told;
                                          }});
  CHECK(end_of([&] { result.get(); }) == End::error);
  CHECK(told == 1);
}

// A cancelled call: its error callback is told before it is ready; cancelled or run, never both.
SCENARIO(callback_of_a_cancelled_call) {
  ThreadPool pool(1);
  int values = 0, errors = 0;
  const auto result =
      pool.apply_async([] { return 1; }, std::tuple(),
                       {.callback =
                            [&](int) {
                              user_code();
                              ++values;
                            },
                        .error_callback =
                            [&](const std::exception_ptr& e) {
                              CHECK(end_of([&] { std::rethrow_exception(e); }) == End::cancelled);
                              ++errors;
                            }});
  const bool cancelled = result.cancel();
  CHECK(end_of([&] { result.get(); }) == (cancelled ? End::cancelled : End::value));
  CHECK(errors == (cancelled ? 1 : 0));
  CHECK(values == (cancelled ? 0 : 1));
}

// A terminated one, with the worker busy until it has been told.
SCENARIO(callback_of_a_terminated_call) {
  ThreadPool pool(1);
  Gate told;
  pool.apply_async([&] { told.wait(); });
  const auto result = pool.apply_async(
      [] { return 1; }, std::tuple(), {.error_callback = [&](const std::exception_ptr& e) {
        CHECK(end_of([&] { std::rethrow_exception(e); }) == End::terminated);
        told.open();
      }});
  pool.terminate();
  CHECK(end_of([&] { result.get(); }) == End::terminated);
  told.open();  // whoever was not started
}

// The destructor returns after the callback of what it gave up.
SCENARIO(callback_before_the_destructor_returns) {
  int told = 0;
  {
    ThreadPool pool(1);
    pool.apply_async([] { return 1; }, std::tuple(),
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
  }
  CHECK(told == 1);
}

// Closed by the callback itself, which may not join, and may not issue after that.
SCENARIO(callback_closes) {
  ThreadPool pool(1);
  bool told = false;
  const auto result =
      pool.apply_async([] { return 1; }, std::tuple(), {.callback = [&](int) {
                         pool.close();
                         CHECK(end_of([&] { pool.join(); }) == End::error);
                         CHECK(end_of([&] { pool.apply_async([] {}); }) == End::error);
                         told = true;
                       }});
  CHECK(result.get() == 1);
  CHECK(told);
  pool.join();
}

// Terminated by the callback: what is queued is given up by the callback thread.
SCENARIO(callback_terminates) {
  ThreadPool pool(1);
  Gate issued;
  const auto first = pool.apply_async([] { return 1; }, std::tuple(), {.callback = [&](int) {
                                        issued.wait();
                                        pool.terminate();
                                      }});
  const auto second = pool.apply_async([] { return 2; });
  issued.open();
  CHECK(first.get() == 1);
  const End end = end_of([&] { CHECK(second.get() == 2); });
  CHECK(end == End::value || end == End::terminated);
}

// The callback of one cancels another that is queued.
SCENARIO(callback_cancels) {
  ThreadPool pool(1);
  Gate issued, done;
  AsyncResult<int> third;
  const auto first = pool.apply_async([] { return 1; }, std::tuple(), {.callback = [&](int) {
                                        issued.wait();
                                        CHECK(third.cancel());
                                        done.open();
                                      }});
  pool.apply_async([&] { done.wait(); });
  third = pool.apply_async([] { return 3; });
  issued.open();
  CHECK(first.get() == 1);
  CHECK(end_of([&] { third.get(); }) == End::cancelled);
}

// What a callback has captured has died when the result is ready.
SCENARIO(callback_dies_before_ready) {
  ThreadPool pool(1);
  mt::atomic<int> alive{0};
  const auto result = pool.apply_async([] { return 1; }, std::tuple(),
                                       {.callback = [c = Counted(alive)](int) { user_code(); }});
  CHECK(result.get() == 1);
  CHECK(alive.load() == 0);
}

}  // namespace
