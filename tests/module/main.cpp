// SPDX-License-Identifier: MIT
//
// Every part of the module once.
#include <coroutine>
#include <exception>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

import millpond;

namespace {

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached add_awaited(millpond::ThreadPool& pool, millpond::AsyncResult<int> first,
                     millpond::AsyncResult<int> second, int& sum) {
  sum += co_await first;
  sum += co_await millpond::resume_on(pool, second);
}

int failures = 0;
void check(bool good, const char* what) {
  if (good) return;
  std::cerr << "wrong: " << what << '\n';
  ++failures;
}

}  // namespace

int main() {
  const auto square = [](int x) { return x * x; };
  int sum = 0;
  {
    millpond::ThreadPool pool({.processes = 2, .thread_name_prefix = "module"});
    check(pool.apply(square, 3) == 9, "apply");
    check(pool.map(square, {1, 2, 3}, 2) == std::vector{1, 4, 9}, "map");
    check(pool.starmap([](int a, int b) { return a + b; }, std::vector{std::tuple{1, 2}}) ==
              std::vector{3},
          "starmap");
    std::vector<int> read;
    for (const int x : pool.imap(square, {1, 2})) read.push_back(x);
    check(read == std::vector{1, 4}, "imap");

    const std::vector results{pool.apply_async(square, 2), pool.apply_async(square, 3)};
    check(millpond::wait(results, millpond::ReturnWhen::all_completed).done.size() == 2, "wait");
    int completed = 0;
    for (const auto& result : millpond::as_completed(results)) completed += result.get();
    check(completed == 13, "as_completed");
    check(pool.apply([] { return millpond::this_worker::index().has_value(); }), "this_worker");
    try {
      pool.join();
      check(false, "join");
    } catch (const millpond::ValueError&) {
    }

    add_awaited(pool, pool.apply_async(square, 1), pool.apply_async(square, 2), sum);
    pool.close();
    pool.join();
    check(pool.state() == millpond::State::close, "state");
  }
  check(sum == 5, "co_await");

  millpond::PriorityThreadPool urgent(1);
  check(urgent.apply_async(square, std::tuple{4}, {.priority = 1}).get() == 16, "priority");
  check(millpond::cpu_count() > 0, "cpu_count");
  return failures;
}
