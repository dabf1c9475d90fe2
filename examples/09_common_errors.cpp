// SPDX-License-Identifier: MIT
//
// docs/guide/common-errors.md: what goes wrong in other programs, and what to do about exceptions.
//
// Mistakes that do not compile are in tests/compile_fail; here is how these calls are meant.

#include <millpond/millpond.hpp>

#include <atomic>
#include <exception>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "check.hpp"

int twice(int n) { return 2 * n; }
int add(int a, int b) { return a + b; }

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something else";
  }
}

// ---- The seven common errors ----

void call_instead_of_function() {
  millpond::ThreadPool pool(2);
  // snippet: pass the function
  auto result = pool.apply_async(twice, 21);  // the function, then its arguments
  // snippet end
  check(result.get() == 42, "a function and its argument");
}

void call_instead_of_function_in_map() {
  millpond::ThreadPool pool(2);
  // snippet: pass the function to map
  const std::vector<int> doubled = pool.map(twice, {1, 2, 3});
  // snippet end
  check(doubled == std::vector{2, 4, 6}, "a function and its items");
}

void arguments_of_map() {
  millpond::ThreadPool pool(2);
  // snippet: several arguments
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  const auto sums = pool.starmap(add, pairs);                            // a pair, two arguments
  const auto tens = pool.map([](int n) { return add(10, n); }, {1, 2});  // one of them is fixed
  // snippet end
  check(sums == std::vector{3, 7} && tens == std::vector{11, 12}, "functions of two arguments");
}

void signatures_of_callbacks() {
  millpond::ThreadPool pool(2);
  int told = 0;
  int told_sum = 0;
  bool told_nothing = false;
  std::string told_error;
  // snippet: callbacks
  pool.apply_async(twice, std::tuple{21}, {.callback = [&](int n) { told = n; }});
  pool.map_async(twice, {1, 2}, {.callback = [&](const std::vector<int>& all) {
                   told_sum = std::accumulate(all.begin(), all.end(), 0);
                 }});
  pool.apply_async([] {}, std::tuple{}, {.callback = [&] { told_nothing = true; }});
  pool.apply_async([] { throw std::runtime_error("no luck"); }, std::tuple{},
                   {.error_callback = [&](std::exception_ptr e) { told_error = message_of(e); }});
  // snippet end
  pool.close();
  pool.join();
  check(told == 42 && told_sum == 6 && told_nothing && told_error == "no luck",
        "what callbacks are given");
}

void silent_failure() {
  // snippet: silent
  std::vector<std::string> reported;
  {
    millpond::ThreadPool pool({.processes = 2, .on_unobserved_error = [&](std::exception_ptr e) {
                                 reported.push_back(message_of(e));
                               }});
    auto result = pool.apply_async([] { throw std::runtime_error("Something bad happened"); });
    result.wait();  // not a word: wait() does not throw
  }  // the last handle goes, and nobody has asked
  // snippet end
  check(reported == std::vector<std::string>{"Something bad happened"}, "no task fails silently");
}

void join_while_running() {
  std::string message;
  // snippet: join
  millpond::ThreadPool pool(2);
  auto result = pool.apply_async(twice, 21);
  try {
    pool.join();
  } catch (const millpond::ValueError& e) {
    message = e.what();  // "Pool is still running"
  }
  pool.close();  // or terminate()
  pool.join();
  // snippet end
  check(message == "Pool is still running" && result.get() == 42, "join() comes after close()");
}

void closed_pool() {
  std::string message;
  // snippet: closed
  millpond::ThreadPool pool(2);
  auto result = pool.apply_async(twice, 21);
  pool.close();
  try {
    pool.apply_async(twice, 22);
  } catch (const millpond::ValueError& e) {
    message = e.what();  // "Pool not running"
  }
  const int answer = result.get();  // what was accepted before is done all the same
  // snippet end
  check(message == "Pool not running" && answer == 42, "a closed pool takes no work");
}

// ---- Errors of C++ programs ----

void references() {
  millpond::ThreadPool pool(2);
  // snippet: references
  const auto append = [](std::string& text) { text += "pond"; };
  std::string word = "mill";
  pool.apply_async(append, std::ref(word)).wait();  // word must live until the task has ended
  // snippet end
  check(word == "millpond", "an argument by reference");
}

void order_of_declarations() {
  int sum = 0;
  {
    // snippet: order
    std::atomic<int> total = 0;    // first what tasks refer to ...
    millpond::ThreadPool pool(2);  // ... then the pool: it goes first, and waits for its tasks
    pool.map_async([&](int n) { total += n; }, {1, 2, 3});
    // snippet end
    pool.close();
    pool.join();
    sum = total;
  }
  check(sum == 6, "a pool goes before what its tasks use");
}

void end_of_scope() {
  std::atomic<int> done = 0;
  // snippet: end of scope
  {
    millpond::ThreadPool pool(2);
    for (int i = 0; i < 100; ++i) pool.apply_async([&] { ++done; });
    pool.close();
    pool.join();  // without these two lines some of the hundred might never run
  }
  // snippet end
  check(done == 100, "work that nobody waits for is finished by close() and join()");
}

// ---- Exceptions ----

void exception_in_initializer() {
  std::string what;
  // snippet: in an initializer
  try {
    millpond::ThreadPool pool(2, [] { throw std::runtime_error("Something bad happened!"); });
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  // snippet end
  check(what == "Something bad happened!", "an exception in an initializer");
}

// snippet: risky
int risky(int n) {
  if (n == 2) throw std::runtime_error("Something bad happened!");
  return n;
}
// snippet end

void exception_handled_in_task() {
  millpond::ThreadPool pool(2);
  // snippet: inside the task
  const auto careful = [](int n) -> std::optional<int> {
    try {
      return risky(n);
    } catch (const std::runtime_error&) {
      return std::nullopt;  // "no result" is a result
    }
  };
  const auto values = pool.map(careful, {1, 2, 3});  // {1, none, 3}
  // snippet end
  check(values == std::vector<std::optional<int>>{1, std::nullopt, 3},
        "exceptions handled inside of the tasks");
}

void exception_in_task() {
  millpond::ThreadPool pool(2);
  int caught = 0;
  // snippet: outside the task
  try {
    pool.apply(risky, 2);
  } catch (const std::runtime_error&) {
    ++caught;
  }

  auto result = pool.apply_async(risky, 2);
  try {
    result.get();
  } catch (const std::runtime_error&) {
    ++caught;
  }
  // snippet end
  check(caught == 2, "exceptions handled by who asked");

  std::string what;
  // snippet: without a try
  result.wait();
  if (!result.successful()) what = message_of(result.exception());
  // snippet end
  check(what == "Something bad happened!", "asking whether there was one");
}

void exception_in_map() {
  millpond::ThreadPool pool(2);
  std::vector<int> values;
  std::string what;
  // snippet: in a map
  try {
    values = pool.map(risky, {0, 1, 2, 3, 4});
  } catch (const std::runtime_error& e) {
    what = e.what();  // of the item that failed first; there are no results
  }
  // snippet end
  check(values.empty() && what == "Something bad happened!", "an exception in a map");
}

void exception_in_imap() {
  millpond::ThreadPool pool(2);
  std::vector<int> values;
  int failures = 0;
  // snippet: in an imap
  auto results = pool.imap(risky, {0, 1, 2, 3, 4});
  for (bool more = true; more;) {
    try {
      const std::optional<int> value = results.next();
      more = value.has_value();
      if (value) values.push_back(*value);  // 0, 1, 3, 4
    } catch (const std::runtime_error&) {
      ++failures;  // at the place of 2
    }
  }
  // snippet end
  check(values == std::vector{0, 1, 3, 4} && failures == 1, "an exception in an imap");
}

void exception_in_callback() {
  millpond::ThreadPool pool(2);
  std::string what;
  int later = 0;
  // snippet: in a callback
  auto result = pool.apply_async(twice, std::tuple{11}, {.callback = [](int) {
                                   throw std::runtime_error("Something bad happened!");
                                 }});
  try {
    result.get();  // the task went well, its callback did not
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  later = pool.apply(twice, 21);  // the pool is none the worse
  // snippet end
  check(what == "Something bad happened!" && later == 42, "an exception in a callback");
}

int main() {
  call_instead_of_function();
  call_instead_of_function_in_map();
  arguments_of_map();
  signatures_of_callbacks();
  silent_failure();
  join_while_running();
  closed_pool();

  references();
  order_of_declarations();
  end_of_scope();

  exception_in_initializer();
  exception_handled_in_task();
  exception_in_task();
  exception_in_map();
  exception_in_imap();
  exception_in_callback();
}
