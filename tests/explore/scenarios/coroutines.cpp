// SPDX-License-Identifier: MIT
// Coroutines that await results: resumed once, on the right thread, whatever becomes of the pool.
#include <millpond/coroutine.hpp>

#include <coroutine>
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

/// A coroutine that runs at once and owns itself; it must not throw.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { CHECK(false); }
  };
};

/// How it ended.
Detached await_call(AsyncResult<int> result, End& end, Gate& over) {
  const Capture frame;
  user_code();
  try {
    CHECK(co_await result == 7 * *frame);
    end = End::value;
  } catch (const TerminatedError&) {
    end = End::terminated;
  } catch (const CancelledError&) {
    end = End::cancelled;
  } catch (const std::exception&) {
    end = End::error;
  }
  over.open();
}

// Awaited while it completes: the coroutine goes on here, or on the callback thread.
SCENARIO(coroutine_awaits_a_call) {
  ThreadPool pool(1);
  Gate over;
  End end = End::timeout;
  await_call(pool.apply_async(seven), end, over);
  over.wait();
  CHECK(end == End::value);
}

// An error arrives as an exception.
SCENARIO(coroutine_awaits_an_error) {
  ThreadPool pool(1);
  Gate over;
  End end = End::timeout;
  await_call(pool.apply_async([]() -> int {
    user_code();
    throw std::runtime_error("task");
  }),
             end, over);
  over.wait();
  CHECK(end == End::error);
}

// What is ready does not suspend.
SCENARIO(coroutine_awaits_what_is_ready, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate over;
  End end = End::timeout;
  const auto result = pool.apply_async(seven);
  result.wait();
  await_call(result, end, over);
  CHECK(end == End::value);
}

// The pool is destroyed while the coroutine is suspended: it has been resumed by then.
SCENARIO(coroutine_awaits_and_pool_is_destroyed) {
  Gate over;
  End end = End::timeout;
  {
    ThreadPool pool(1);
    await_call(pool.apply_async(seven), end, over);
  }
  CHECK(end == End::value || end == End::terminated);
}

// Cancelled while the coroutine is suspended.
SCENARIO(coroutine_awaits_a_cancelled_call) {
  ThreadPool pool(1);
  Gate over;
  End end = End::timeout;
  const auto result = pool.apply_async(seven);
  await_call(result, end, over);
  const bool cancelled = result.cancel();
  over.wait();
  CHECK(end == (cancelled ? End::cancelled : End::value));
}

// join() of a closed pool returns after the coroutine has been resumed.
SCENARIO(coroutine_awaits_and_pool_is_joined) {
  ThreadPool pool(1);
  Gate over;
  End end = End::timeout;
  await_call(pool.apply_async(seven), end, over);
  pool.close();
  pool.join();
  CHECK(end == End::value);
}

// One await after another; the second is issued by the coroutine where it was resumed.
Detached await_two(ThreadPool& pool, int& sum, Gate& over) {
  user_code();
  sum += co_await pool.apply_async(seven);
  sum += co_await pool.apply_async(seven);
  user_code();
  over.open();
}
SCENARIO(coroutine_awaits_twice) {
  ThreadPool pool(1);
  Gate over;
  int sum = 0;
  await_two(pool, sum, over);
  over.wait();
  CHECK(sum == 14);
}

// Where it was resumed, the coroutine may wait for other work, and for a callback that is due.
Detached await_and_wait(ThreadPool& pool, int& sum, Gate& over) {
  user_code();
  sum += co_await pool.apply_async(seven);
  sum += pool.apply_async(seven, std::tuple(), {.callback = [](int) { user_code(); }}).get();
  over.open();
}
SCENARIO(coroutine_waits_where_it_was_resumed) {
  ThreadPool pool(1);
  Gate over;
  int sum = 0;
  await_and_wait(pool, sum, over);
  over.wait();
  CHECK(sum == 14);
}

// resume_on: the rest runs on a worker of that pool.
Detached await_on(ThreadPool& pool, AsyncResult<int> result, int& got, Gate& over) {
  user_code();
  got = co_await resume_on(pool, result);
  CHECK(this_worker::index() == 0U);
  over.open();
}
SCENARIO(coroutine_resumes_on_a_pool) {
  ThreadPool pool(1);
  Gate over;
  int got = 0;
  await_on(pool, pool.apply_async(seven), got, over);
  over.wait();
  CHECK(got == 7);
}

// The rest counts as work of the pool: join() returns when it has ended.
Detached await_on_and_wait(ThreadPool& pool, AsyncResult<int> result, int& sum, Gate& over) {
  user_code();
  sum += co_await resume_on(pool, std::move(result));
  sum += pool.apply_async(seven).get();  // run by this worker, there is no other
  over.open();
  sum += 1;
}
SCENARIO(coroutine_works_on_a_pool) {
  ThreadPool pool(1);
  Gate over;
  int sum = 0;
  await_on_and_wait(pool, pool.apply_async(seven), sum, over);
  over.wait();
  pool.close();
  pool.join();
  CHECK(sum == 15);
}

// The pool takes no more work by then: the coroutine is resumed all the same, once.
Detached await_on_closed(ThreadPool& pool, AsyncResult<int> result, End& end, Gate& over) {
  user_code();
  try {
    CHECK(co_await resume_on(pool, result) == 7);
    end = End::value;
  } catch (const TerminatedError&) {
    end = End::terminated;
  }
  over.open();
}
SCENARIO(coroutine_resumes_on_a_closed_pool) {
  ThreadPool pool(1);
  Gate over;
  End end = End::timeout;
  await_on_closed(pool, pool.apply_async(seven), end, over);
  pool.close();
  pool.join();
  CHECK(end == End::value);
}
SCENARIO(coroutine_resumes_on_a_terminated_pool) {
  ThreadPool pool(1);
  Gate over;
  End end = End::timeout;
  await_on_closed(pool, pool.apply_async(seven), end, over);
  pool.terminate();
  over.wait();
  CHECK(end == End::value || end == End::terminated);
}

// Awaited in one pool, resumed on another, which is destroyed meanwhile.
SCENARIO(coroutine_resumes_on_another_pool, .bound = 1) {
  Gate over;
  End end = End::timeout;
  ThreadPool pool(1);
  {
    ThreadPool target(1);
    await_on_closed(target, pool.apply_async(seven), end, over);
  }
  over.wait();
  CHECK(end == End::value);
}

// Two await one result: the frame of the first may be gone while the second is told.
SCENARIO(coroutines_await_one_call) {
  ThreadPool pool(1);
  Gate go;
  Gate over[2];
  End ends[2] = {End::timeout, End::timeout};
  const auto result = pool.apply_async([&] {
    go.wait();
    return 7;
  });
  for (int i = 0; i != 2; ++i) await_call(result, ends[i], over[i]);
  go.open();
  for (int i = 0; i != 2; ++i) {
    over[i].wait();
    CHECK(ends[i] == End::value);
  }
}

// A task destroys its pool. Only then its result is awaited, which needs a callback thread.
SCENARIO(coroutine_awaits_a_call_that_has_destroyed_its_pool) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  Gate destroyed, awaited, over;
  End end = End::timeout;
  const auto result = pool->apply_async([&] {
    pool.reset();
    destroyed.open();
    awaited.wait();
    return 7;
  });
  destroyed.wait();
  await_call(result, end, over);
  awaited.open();
  over.wait();
  CHECK(end == End::value);
}

}  // namespace
