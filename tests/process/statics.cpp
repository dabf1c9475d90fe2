// SPDX-License-Identifier: MIT
//
// Pools that outlive main(). The argument says which program this is; all but quick_exit end with
// what the destructor of `last_check` finds.
#include <millpond/millpond.hpp>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "tests/support/gate.hpp"

namespace {

using millpond::AsyncResult;
using millpond::ThreadPool;

/// The first static object, so destroyed last.
std::atomic<int> tasks_run{0};
std::atomic<int> captures{0};
struct LastCheck {
  ~LastCheck() {
    check(captures == 0, "whatever the tasks had is destroyed");
    if (failures != 0) std::_Exit(1);
  }
} last_check;

/// Counts those that live; destroyed with the task that has it.
class Capture {
 public:
  Capture() { ++captures; }
  Capture(const Capture&) { ++captures; }
  ~Capture() { --captures; }
};

/// Before the pool: outlives it. Results may be read, and dropped, when their pool is gone.
struct Results {
  std::vector<AsyncResult<int>> all;
  ~Results() {
    for (const auto& result : all) {
      try {
        check(result.ready() && result.get() == 1, "a result after its pool");
      } catch (const millpond::TerminatedError&) {
      }
    }
  }
} results;

std::unique_ptr<ThreadPool> pool_before;

/// Constructed before the library's own statics are used for the first time.
struct StaticPool {
  ThreadPool pool{2};
} static_pool;

/// After the pool: destroyed before it, so it may still use it.
struct UsesPool {
  ~UsesPool() {
    check(static_pool.pool.apply([] { return 1; }) == 1, "a static that uses an older pool");
  }
} uses_pool;

ThreadPool& local_pool() {
  static ThreadPool pool(1);
  return pool;
}

void leave_work(ThreadPool& pool) {
  for (int i = 0; i != 1000; ++i) {
    results.all.push_back(pool.apply_async([capture = Capture()] {
      ++tasks_run;
      return 1;
    }));
  }
}

/// Uses the pool when its thread ends: before the statics' destructors if that is the main thread.
struct AtThreadEnd {
  ~AtThreadEnd() {
    check(local_pool().apply([] { return 1; }) == 1, "a thread_local that uses a pool");
    leave_work(static_pool.pool);
  }
};
thread_local std::unique_ptr<AtThreadEnd> at_thread_end;

}  // namespace

int main(int, char** arguments) {
  const std::string program = arguments[1];
  leave_work(static_pool.pool);
  if (program == "return") {
    leave_work(local_pool());
  } else if (program == "exit") {
    leave_work(local_pool());
    std::exit(0);
  } else if (program == "exit_with_local_pool") {
    // Not destroyed: exit() does not unwind. Its threads end with the process.
    ThreadPool* const pool = new ThreadPool(2);
    millpond::test::Gate started;
    pool->apply_async([&] { started.open(); });
    started.wait();
    std::exit(0);
  } else if (program == "exit_in_a_task") {
    // The statics are destroyed on a worker of the pool that is one of them.
    static_pool.pool.apply([] { std::exit(0); });
  } else if (program == "exit_in_another_thread") {
    // main() waits for ever, in a task of neither.
    std::thread([] { std::exit(0); }).detach();
    millpond::test::Gate().wait();
  } else if (program == "quick_exit") {
    std::quick_exit(0);
  } else if (program == "thread_locals") {
    at_thread_end = std::make_unique<AtThreadEnd>();
    std::thread([] { at_thread_end = std::make_unique<AtThreadEnd>(); }).join();
  } else if (program == "running") {
    // A task that runs when main() ends is waited for.
    millpond::test::Gate started;
    static std::atomic<bool> ended{false};
    static_pool.pool.apply_async([&started] {
      started.open();
      std::this_thread::yield();
      ended = true;
    });
    started.wait();
  } else {
    return 2;
  }
}
