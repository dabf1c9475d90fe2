// SPDX-License-Identifier: MIT
// What once hung or was lost: docs/design/defects.md.
#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <utility>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

/// Calls a function at its end.
template <class F>
struct AtTheEnd {
  explicit AtTheEnd(F function) : f(std::move(function)) {}
  AtTheEnd(AtTheEnd&& other) noexcept : f(std::move(other.f)), on(std::exchange(other.on, false)) {}
  AtTheEnd(const AtTheEnd&) = delete;
  AtTheEnd& operator=(const AtTheEnd&) = delete;
  ~AtTheEnd() {
    if (!on) return;
    user_code();
    f();
  }
  F f;
  bool on = true;
};

// A stop callback that cancel() of a map runs waits for what is queued behind the map.
SCENARIO(defect_map_cancel_stop_callback_waits) {
  ThreadPool pool(2);
  Gate running;
  int got = 0;
  const auto map = pool.map_async(
      [&](mt::stop_token token, int) {
        const mt::stop_callback wait(token, [&] {
          user_code();
          got += pool.apply_async([] { return 1; }).get();
        });
        running.open();
        while (!token.stop_requested()) yield();
      },
      std::vector<int>(3), 1);
  running.wait();
  CHECK(map.cancel());
  CHECK(end_of([&] { map.get(); }) == End::cancelled);
  CHECK(got >= 1);
}

// A stop callback destroys the pool: the token was kept, so that the callback is on no worker's
// stack.
SCENARIO(defect_map_cancel_stop_callback_destroys_pool) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate running;
  std::optional<mt::stop_token> kept;
  const auto map = pool->map_async(
      [&](mt::stop_token token, int item) {
        if (item == 0) {
          kept = token;
          running.open();
        }
        while (!token.stop_requested()) yield();
      },
      std::vector<int>{0, 1}, 1);
  running.wait();
  const mt::stop_callback stop(*kept, [&] {
    user_code();
    pool.reset();
  });
  CHECK(map.cancel());
  CHECK(!pool && map.ready());
}

// A claimer may be kept from taking the spent map out of the queue: the others pass it by.
SCENARIO(defect_spent_map_at_the_head) {
  ThreadPool pool(2);
  const auto map = pool.map_async([](int i) { return Value(i); }, std::vector<int>{1, 2}, 1);
  const auto r = pool.apply_async([c = Capture()] { return Value(*c); });
  CHECK(r.get() == 1);
  CHECK(map.get().size() == 2);
}

// terminate() gives up a capture that reads an imap behind it.
SCENARIO(defect_terminate_destructor_reads_imap) {
  ThreadPool pool(1);
  Gate hold, held;
  std::optional<ImapIterator<int>> items;
  End end = End::value;
  pool.apply_async([&] {
    held.open();
    hold.wait();
  });
  held.wait();
  pool.apply_async(
      [d = AtTheEnd([&] { end = end_of([&] { (void)items->next(); }); })] { (void)d; });
  items.emplace(pool.imap([](int i) { return i; }, std::vector<int>{1, 2}));
  pool.terminate();
  hold.open();
  CHECK(end == End::terminated);
  CHECK(!items->next());
}

// A task that terminate() waits for reads an imap.
SCENARIO(defect_imap_read_on_after_terminate) {
  ThreadPool pool(1);
  Gate queued, reading;
  End end = End::value;
  const auto r = pool.apply_async([&] {
    queued.wait();
    auto items = pool.imap([](int i) { return i; }, std::views::iota(0), {.buffersize = 1});
    end = end_of([&] {
      while (items.next()) reading.open();
    });
  });
  pool.apply_async([d = AtTheEnd([&] { r.wait(); })] { (void)d; });
  queued.open();
  reading.wait();
  pool.terminate();
  CHECK(r.ready());
  CHECK(end == End::terminated);
}

// Two readers of an imap that terminate() has not come to yet: one of them is told, unless the
// input ends before.
SCENARIO(defect_terminate_with_two_readers) {
  ThreadPool pool(1);
  auto items = pool.imap([](int i) { return i; }, std::views::iota(0, 2), {.buffersize = 1});
  int ends = 0;
  mt::thread reader([&] {
    role("reader");
    const End end = end_of([&] {
      while (items.next()) {
      }
    });
    if (end == End::terminated) ++ends;
  });
  pool.terminate();
  reader.join();
  const End end = end_of([&] {
    while (items.next()) {
    }
  });
  if (end == End::terminated) ++ends;
  CHECK(ends <= 1);
  CHECK(!items.next());
}

// What a task waits for first waits for the task; a free worker takes one of them.
SCENARIO(defect_wait_first_runs_what_waits_for_it) {
  ThreadPool pool(2);
  Gate issued;
  AsyncResult<int> outer, other, last;
  outer = pool.apply_async([&] {
    issued.wait();
    return int(wait({other, last}, ReturnWhen::first_completed).done.size());
  });
  other = pool.apply_async([&] {
    issued.wait();
    return outer.get() + 1;
  });
  last = pool.apply_async([] { return 3; });
  issued.open();
  CHECK(outer.get() == 1);
  CHECK(other.get() == 2);
}

// The worker that was free takes what the pool cannot know to depend on the task: which then runs
// one itself.
SCENARIO(defect_wait_first_when_the_free_worker_is_taken) {
  ThreadPool pool(2);
  Gate done;
  const auto outer = pool.apply_async([&] {
    pool.apply_async([&] { done.wait(); });
    const auto a = pool.apply_async([] { return 1; });
    const auto b = pool.apply_async([] { return 2; });
    const auto count = wait({a, b}, ReturnWhen::first_completed).done.size();
    done.open();
    return int(count);
  });
  CHECK(outer.get() >= 1);
}

// As each result comes, with a worker that is free at first.
SCENARIO(defect_as_completed_in_a_task) {
  ThreadPool pool(2);
  const int sum = pool.apply_async([&] {
                        std::vector<AsyncResult<int>> results;
                        for (int i = 1; i != 4; ++i) {
                          results.push_back(pool.apply_async([i] { return i; }));
                        }
                        int seen = 0;
                        for (auto& r : as_completed(results)) seen += r.get();
                        return seen;
                      })
                      .get();
  CHECK(sum == 6);
}

// The iterator goes while the input is being read, which then fails.
SCENARIO(defect_dropped_imap_input_error) {
  int told = 0;
  ThreadPool pool({.processes = 1, .on_unobserved_error = [&](std::exception_ptr) {
                     user_code();
                     ++told;
                   }});
  bool read = false;
  (void)pool.imap([](int i) { return i; },
                  std::views::iota(0, 1) | std::views::transform([&](int i) -> int {
                    user_code();
                    read = true;
                    if (i == 0) throw std::runtime_error("disk");
                    return i;
                  }));
  pool.close();
  pool.join();
  CHECK(told == (read ? 1 : 0));
}

// Done-callbacks that complete the next result, beside a worker that does as well.
SCENARIO(defect_done_callbacks_that_cancel) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([] { return 1; });
  const auto b = pool.apply_async([] { return 2; });
  std::atomic<int> called = 0;
  a.add_done_callback([&](auto) {
    user_code();
    b.cancel();
    ++called;
  });
  b.add_done_callback([&](auto) {
    user_code();
    a.cancel();
    ++called;
  });
  a.cancel();
  pool.close();
  pool.join();
  CHECK(called == 2);
}

// A suspended coroutine is destroyed before its result is there.
struct Owned {
  struct promise_type {
    Owned get_return_object() {
      return Owned(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  explicit Owned(std::coroutine_handle<promise_type> h) : handle(h) {}
  Owned(Owned&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (handle) handle.destroy();
  }
  std::coroutine_handle<promise_type> handle;
};

SCENARIO(defect_suspended_coroutine_is_destroyed) {
  ThreadPool pool(1);
  Gate hold;
  const auto r = pool.apply_async([&] {
    hold.wait();
    return Value(1);
  });
  {
    const auto await = [](AsyncResult<Value> result, Capture) -> Owned {
      co_await result;
      CHECK(!"it goes on");
    };
    const Owned coroutine = await(r, Capture());
  }
  hold.open();
  CHECK(r.get() == 1);
}

}  // namespace
