// SPDX-License-Identifier: MIT
//
// What a child of fork() may do with its parent's pools and results: nothing hangs, and the parent
// does not notice.
#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>

#include "check.hpp"
#include "tests/support/gate.hpp"

namespace {

using millpond::AsyncResult;
using millpond::ThreadPool;
using millpond::test::Gate;

constexpr unsigned kSeconds = 20;  // a child that takes longer hangs

template <class F>
bool is_refused(F f) {
  try {
    f();
  } catch (const millpond::ValueError& error) {
    return std::string(error.what()) == "Pool belongs to the parent process";
  }
  return false;
}

/// Runs f in a child; whether all of its checks were right.
template <class F>
void in_child(const char* what, F f) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(kSeconds);
    failures = 0;
    f();
    _exit(failures);
  }
  int status = 0;
  waitpid(child, &status, 0);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, what);
}

struct Coroutine {
  struct promise_type {
    Coroutine get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
};
Coroutine await(AsyncResult<int> result) { co_await result; }

void new_pools_work() {
  ThreadPool pool(2);
  check(pool.apply([] { return 1; }) == 1, "apply() of a new pool");
  check(pool.map([](int x) { return x; }, {1, 2, 3}).size() == 3, "map() of a new pool");
  check(pool.apply([&] { return pool.apply_async([] { return 2; }).get(); }) == 2, "nesting");
  const auto result = pool.apply_async([] { return 3; }, std::tuple(), {.callback = [](int) {}});
  check(result.get() == 3, "a callback of a new pool");
  for (int x : pool.imap([](int y) { return y; }, {1, 2, 3})) check(x != 0, "a new imap");
  pool.close();
  pool.join();
}

/// With a task that runs, one that is queued, a map and an imap under way, and what is ready.
void children_of_a_busy_parent() {
  Gate started;
  Gate finish;
  auto pool = std::make_optional<ThreadPool>(1);
  const auto ready = pool->apply_async([] { return 7; });
  ready.wait();
  auto done_imap = pool->imap([](int x) { return x; }, {1, 2});
  check(done_imap.next() == 1, "an imap in the parent");
  const auto running = pool->apply_async([&] {
    started.open();
    finish.wait();
    return 1;
  });
  started.wait();
  auto queued = pool->apply_async([] { return 2; });
  const auto map = pool->map_async([](int x) { return x; }, {1, 2, 3});
  auto imap = std::make_optional(pool->imap([](int x) { return x; }, {1, 2, 3}));
  const std::vector results{running, queued};
  std::unique_ptr<millpond::AsCompleted<int>> as_completed(
      new auto(millpond::as_completed(results)));

  in_child("issuing", [&] {
    const auto f = [](int x) { return x; };
    check(is_refused([&] { pool->apply(f, 1); }), "apply()");
    check(is_refused([&] { pool->apply_async(f, 1); }), "apply_async()");
    check(is_refused([&] { pool->map(f, {1}); }), "map()");
    check(is_refused([&] { pool->map_async(f, {1}); }), "map_async()");
    check(is_refused([&] { pool->imap(f, {1}); }), "imap()");
    std::vector<int> out(1);
    check(is_refused([&] { pool->map_into(out, f, {1}); }), "map_into()");
    check(is_refused([&] { pool->join(); }), "join()");
    pool->close();
    pool->terminate();
    check(pool->size() == 1, "size()");
    check(is_refused([&] { pool->join(); }), "join() after terminate()");
    pool.reset();
  });
  in_child("waiting", [&] {
    for (const AsyncResult<int>* result :
         {&running, static_cast<const AsyncResult<int>*>(&queued)}) {
      check(!result->ready(), "ready()");
      check(is_refused([&] { result->get(); }), "get()");
      check(is_refused([&] { result->get(std::chrono::seconds(1)); }), "get(timeout)");
      check(is_refused([&] { result->wait(); }), "wait()");
      check(is_refused([&] { result->wait(std::chrono::seconds(1)); }), "wait(timeout)");
      check(is_refused([&] { result->wait_until(std::chrono::system_clock::now()); }),
            "wait_until()");
      check(is_refused([&] { result->exception(); }), "exception()");
      check(is_refused([&] { result->add_done_callback([](auto) {}); }), "add_done_callback()");
      check(is_refused([&] { await(*result); }), "co_await");
      check(!result->cancel(), "cancel()");
    }
    check(is_refused([&] { map.get(); }), "get() of a map");
    check(!map.cancel(), "cancel() of a map");
    check(is_refused([&] { imap->next(); }), "next()");
    check(is_refused([&] { imap->next(std::chrono::seconds(1)); }), "next(timeout)");
    check(is_refused([&] { millpond::wait(results); }), "wait() for a group");
    check(is_refused([&] { millpond::as_completed(results); }), "as_completed()");
    check(is_refused([&] { as_completed->begin(); }), "as_completed() of the parent");
  });
  in_child("what is ready, and letting go", [&] {
    check(ready.get() == 7, "a result that was ready");
    check(millpond::wait({ready}).done.size() == 1, "a group that was ready");
    queued = {};
    imap.reset();
    as_completed.reset();
    pool.reset();
    new_pools_work();
  });
  in_child("a child of a child", [&] {
    ThreadPool own(1);
    in_child("with two dead pools", [&] {
      check(is_refused([&] { own.apply([] {}); }), "the parent's");
      check(is_refused([&] { pool->apply([] {}); }), "the parent's parent's");
      new_pools_work();
    });
    check(own.apply([] { return 1; }) == 1, "the own");
  });

  finish.open();
  check(running.get() == 1, "the parent's running task");
  check(queued.get() == 2, "the parent's queued task");
  check(map.get().size() == 3, "the parent's map");
  check(imap->next() == 1, "the parent's imap");
  check(pool->apply([] { return 3; }) == 3, "the parent's pool");
}

/// Of a pool whose threads have ended but are not joined.
void a_terminated_pool() {
  auto pool = std::make_optional<ThreadPool>(2);
  pool->terminate();
  in_child("a terminated pool", [&] {
    check(is_refused([&] { pool->apply([] {}); }), "issuing");
    pool.reset();
  });
  pool->join();
  in_child("a joined pool", [&] { pool.reset(); });
}

/// While another thread makes the first pool of all, and all that is set up once with it.
void while_the_first_pool_starts() {
  for (int round = 0; round != 50; ++round) {
    in_child("a process without pools", [&] {
      std::atomic<bool> begins{false};
      std::thread other([&] {
        begins = true;
        ThreadPool pool(1);
        check(pool.apply_async([] { return 1; }).get() == 1, "the first pool");
      });
      while (!begins) {
      }
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(4 * round);
      while (std::chrono::steady_clock::now() < end) {
      }
      in_child("a fork while the first pool starts", [] { new_pools_work(); });
      other.join();
    });
  }
}

/// An imap that nobody works at: its window is full, or its input is at its end.
void next_of_an_imap_at_rest() {
  ThreadPool pool(1);
  auto full = pool.imap([](int x) { return x; }, std::vector(100, 1), {.buffersize = 2});
  auto done = pool.imap([](int x) { return x; }, std::vector(2, 1));
  check(full.next() == 1 && done.next() == 1, "imaps in the parent");
  pool.apply([] {});
  in_child("imaps at rest", [&] {
    const auto read = [](auto& imap) {
      return is_refused([&] {
        while (imap.next(std::chrono::seconds(1))) {
        }
      });
    };
    check(read(full), "next() of one whose window is full");
    static_cast<void>(read(done));  // all of its results may have been there
  });
  check(full.next() == 1 && done.next() == 1, "the parent's imaps");
}

/// From a task, whose thread is the only one that the child has.
void in_a_task() {
  ThreadPool pool(2);
  pool.apply([&] {
    const auto queued = pool.apply_async([] { return 1; });
    in_child("in a task", [&] {
      check(is_refused([&] { pool.apply([] {}); }), "apply()");
      if (!queued.ready()) check(is_refused([&] { queued.get(); }), "get()");
      new_pools_work();
    });
    check(queued.get() == 1, "the parent's task");
  });
}

/// While other threads issue, wait, make and destroy pools: each lock is held at some fork.
void while_others_are_busy() {
  std::atomic<bool> stop{false};
  ThreadPool pool(2);
  std::vector<std::thread> threads;
  for (int i = 0; i != 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        std::vector<AsyncResult<int>> results;
        for (int x = 0; x != 300; ++x) results.push_back(pool.apply_async([x] { return x; }));
        (void)millpond::wait(results, millpond::ReturnWhen::first_completed);
        ThreadPool another(1);
        results.push_back(another.apply_async([] { return 1; }));
        for (const auto& result : results) (void)result.get();
      }
    });
  }
  for (int round = 0; round != 60; ++round) {
    auto result = pool.apply_async([] { return 1; });
    in_child("a fork at any time", [&] {
      check(is_refused([&] { pool.apply([] {}); }), "issuing");
      if (!result.ready()) check(is_refused([&] { result.get(); }), "waiting");
      result = {};
      new_pools_work();
    });
    check(result.get() == 1, "the parent's result");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main() {
  while_the_first_pool_starts();  // before this process has had any
  next_of_an_imap_at_rest();
  children_of_a_busy_parent();
  a_terminated_pool();
  in_a_task();
  while_others_are_busy();
  return failures;
}
