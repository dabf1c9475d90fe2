// SPDX-License-Identifier: MIT
//
// docs/guide/coroutines.md: results in coroutines.

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <coroutine>
#include <exception>
#include <future>
#include <optional>
#include <string>

#include "check.hpp"

// snippet: coroutine type
// A coroutine that runs by itself and sets a promise at its end: of such types there are many in
// other libraries; any will do.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};
// snippet end

int parse(const std::string& text) { return std::stoi(text); }
int square(int x) { return x * x; }

// snippet: one after another
Detached parse_and_square(millpond::ThreadPool& pool, std::string text, std::promise<int>& answer) {
  const int number = co_await pool.apply_async(parse, text);     // no thread waits here
  const int result = co_await pool.apply_async(square, number);  // nor here
  answer.set_value(result);
}
// snippet end

// snippet: errors
Detached parse_or(millpond::ThreadPool& pool, std::string text, int otherwise,
                  std::promise<int>& answer) {
  std::optional<int> number;
  try {
    number = co_await pool.apply_async(parse, text);
  } catch (const std::exception&) {  // the task's own, CancelledError or TerminatedError
  }
  answer.set_value(number.value_or(otherwise));
}
// snippet end

// snippet: on a worker
Detached square_on_a_worker(millpond::ThreadPool& pool, std::promise<int>& answer) {
  const int number = co_await millpond::resume_on(pool, pool.apply_async(parse, "7"));
  answer.set_value(square(number));  // long work may go on here: this is a worker of the pool
}
// snippet end

int main() {
  millpond::ThreadPool pool(2);
  std::promise<int> squared, failed, on_worker;
  parse_and_square(pool, "12", squared);
  check(squared.get_future().get() == 144, "two tasks, one after another");
  parse_or(pool, "twelve", -1, failed);
  check(failed.get_future().get() == -1, "the task's error comes out of co_await");
  square_on_a_worker(pool, on_worker);
  check(on_worker.get_future().get() == 49, "the rest of the coroutine on a worker");
}
