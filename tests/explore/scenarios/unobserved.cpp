// SPDX-License-Identifier: MIT
// Errors that nobody looked at go to the pool's handler, each exactly once; no others do.
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

int oops() {
  user_code();
  throw std::runtime_error("oops");
}

/// Options of a pool that counts what its handler is told.
PoolOptions counting(mt::atomic<int>& told, int processes = 1) {
  return {.processes = processes, .on_unobserved_error = [&told](std::exception_ptr error) {
            CHECK(error != nullptr);
            told.fetch_add(1);
          }};
}

// Without a handle: told before join() returns.
SCENARIO(unobserved_without_handles, .bound = kUnbounded) {
  mt::atomic<int> told{0};
  ThreadPool pool(counting(told));
  pool.apply_async(oops);
  pool.close();
  pool.join();
  CHECK(told.load() == 1);
}

// The last handle goes while the task fails, or before, or after: told once.
SCENARIO(unobserved_when_the_handle_goes_meanwhile, .bound = kUnbounded) {
  mt::atomic<int> told{0};
  ThreadPool pool(counting(told));
  Gate begun;
  {
    const auto r = pool.apply_async([&] {
      begun.open();
      return oops();
    });
    begun.wait();
  }
  pool.close();
  pool.join();
  CHECK(told.load() == 1);
}

// Two handles go on two threads: told once.
SCENARIO(unobserved_by_two, .bound = 3) {
  mt::atomic<int> told{0};
  ThreadPool pool(counting(told));
  std::optional r = pool.apply_async(oops);
  thread other([copy = *r]() mutable {
    copy.wait();
    copy = {};
  });
  r.reset();
  other.join();
  CHECK(told.load() == 1);
}

// Whoever has seen the error in any way keeps it from the handler, but for waiting.
SCENARIO(unobserved_is_what_was_only_awaited) {
  mt::atomic<int> told{0};
  {
    ThreadPool pool(counting(told));
    pool.apply_async(oops).wait();
    CHECK(told.load() == 1);
    CHECK(pool.apply_async(oops).exception() != nullptr);
    CHECK(end_of([&] { pool.apply_async(oops).get(); }) == End::error);
  }
  CHECK(told.load() == 1);
}

// One handle is looked through while another is dropped.
SCENARIO(unobserved_is_not_what_another_handle_saw) {
  mt::atomic<int> told{0};
  {
    ThreadPool pool(counting(told));
    std::optional r = pool.apply_async(oops);
    thread other([copy = *r] { CHECK(end_of([&] { copy.get(); }) != End::value); });
    r.reset();
    other.join();
  }
  CHECK(told.load() == 0);
}

// A handle that outlives its pool: the handler is told when it goes.
SCENARIO(unobserved_after_the_pool_has_gone, .bound = kUnbounded) {
  mt::atomic<int> told{0};
  std::optional<AsyncResult<int>> r;
  {
    ThreadPool pool(counting(told));
    r = pool.apply_async(oops);
    pool.close();
    pool.join();
  }
  CHECK(told.load() == 0);
  r.reset();
  CHECK(told.load() == 1);
}

// A map's one error, of two: told once.
SCENARIO(unobserved_in_a_map) {
  mt::atomic<int> told{0};
  ThreadPool pool(counting(told, 2));
  pool.map_async([c = Capture()](int n) { return oops() + n + *c; }, std::vector{0, 1},
                 {.chunksize = 1});
  pool.close();
  pool.join();
  CHECK(told.load() == 1);
}

// What was cancelled or given up is nothing to tell.
SCENARIO(unobserved_are_no_cancelled_results, .bound = kUnbounded) {
  mt::atomic<int> told{0};
  {
    ThreadPool pool(counting(told));
    Gate begun, gate;
    pool.apply_async([&] {
      begun.open();
      gate.wait();
    });
    begun.wait();
    pool.apply_async(oops).cancel();
    pool.apply_async(oops);
    pool.terminate();
    gate.open();
  }
  CHECK(told.load() == 0);
}

// A failure against a cancellation: either nothing to tell, or once.
SCENARIO(unobserved_against_cancel, .bound = kUnbounded) {
  mt::atomic<int> told{0};
  bool cancelled = false;
  ThreadPool pool(counting(told));
  {
    const auto r = pool.apply_async(oops);
    cancelled = r.cancel();
  }
  pool.close();
  pool.join();
  CHECK(told.load() == (cancelled ? 0 : 1));
}

// wait() for several is not to look at their errors.
SCENARIO(unobserved_after_a_group) {
  mt::atomic<int> told{0};
  ThreadPool pool(counting(told));
  {
    const auto a = pool.apply_async(oops), b = pool.apply_async(oops);
    CHECK(millpond::wait({a, b}).done.size() == 2);
  }
  pool.close();
  pool.join();
  CHECK(told.load() == 2);
}

// The error of a nested task that nobody waited for.
SCENARIO(unobserved_in_a_task, .bound = kUnbounded) {
  mt::atomic<int> told{0};
  ThreadPool pool(counting(told));
  const auto r = pool.apply_async([&] {
    pool.apply_async(oops);
    return Value(1);
  });
  CHECK(r.get() == 1);
  pool.close();
  pool.join();
  CHECK(told.load() == 1);
}

// The handler uses the pool: it issues a task and waits for it, on the pool's only worker.
SCENARIO(unobserved_handler_uses_the_pool) {
  std::optional<ThreadPool> pool;
  int seen = 0;
  pool.emplace(PoolOptions{.processes = 1, .on_unobserved_error = [&](const std::exception_ptr&) {
                             const auto inner =
                                 pool->apply_async([c = Capture()] { return Value(*c); });
                             seen += inner.get();
                           }});
  pool->apply_async(oops);
  CHECK(pool->apply([] { return Value(2); }) == 2);
  CHECK(seen == 1);
}

// An error that an error_callback was told has been seen.
SCENARIO(unobserved_is_not_what_a_callback_was_told) {
  mt::atomic<int> told{0};
  {
    ThreadPool pool(counting(told));
    pool.apply_async(oops, std::tuple(),
                     {.error_callback = [](std::exception_ptr error) { CHECK(error != nullptr); }});
    pool.close();
    pool.join();
  }
  CHECK(told.load() == 0);
}

// An error of a late done-callback finds its pool, or finds it gone, while the pool dies.
SCENARIO(unobserved_while_the_pool_dies) {
  mt::atomic<int> told{0};
  std::optional<ThreadPool> pool(std::in_place, counting(told));
  const auto r = pool->apply_async([] { return 1; });
  CHECK(r.get() == 1);
  thread other([r] { r.add_done_callback([](const AsyncResult<int>&) { oops(); }); });
  pool.reset();
  other.join();
  CHECK(told.load() <= 1);
}

}  // namespace
