// SPDX-License-Identifier: MIT
//
// docs/guide/callbacks-and-errors.md: being told of results, and where errors go.

#include <millpond/millpond.hpp>

#include <atomic>
#include <exception>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "check.hpp"

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something else";
  }
}

int half(int x) {
  if (x % 2 != 0) throw std::invalid_argument(std::to_string(x) + " is odd");
  return x / 2;
}

void callbacks() {
  // snippet: callbacks
  std::vector<int> halves;  // no lock: callbacks run one at a time
  std::vector<std::string> errors;
  millpond::ThreadPool pool(4);
  for (int i = 0; i < 10; ++i) {
    pool.apply_async(half, std::tuple{i},
                     {.callback = [&](int x) { halves.push_back(x); },
                      .error_callback = [&](auto e) { errors.push_back(message_of(e)); }});
  }
  pool.close();
  pool.join();  // everything has been told now
  // snippet end
  check(halves.size() == 5 && errors.size() == 5, "five results and five errors were told");
}

void map_callback() {
  millpond::ThreadPool pool(4);
  std::size_t told = 0;
  // snippet: map callback
  auto result = pool.map_async(
      half, {2, 4, 6}, {.callback = [&](const std::vector<int>& all) { told = all.size(); }});
  result.wait();  // ready means that the callback has run
  // snippet end
  check(told == 3, "a map's callback is told everything at once");
}

void called_off() {
  std::atomic<bool> may_end = false;
  std::vector<std::string> errors;
  // snippet: called off
  millpond::ThreadPool pool(1);
  pool.apply_async([&] { may_end.wait(false); });  // keeps the only worker busy
  auto queued = pool.apply_async(half, std::tuple{8}, {.error_callback = [&](auto error) {
                                   errors.push_back(message_of(error));
                                 }});
  queued.cancel();
  queued.wait();  // ready means that the error_callback has run
  // snippet end
  check(errors == std::vector<std::string>{"The task was cancelled"}, "cancelled work is told of");
  may_end = true;
  may_end.notify_all();
}

void done_callback() {
  std::vector<std::string> unseen;
  int told = 0;
  // snippet: done callback
  millpond::ThreadPool pool({.processes = 1, .on_unobserved_error = [&](std::exception_ptr e) {
                               unseen.push_back(message_of(e));
                             }});
  auto result = pool.apply_async(half, 8);
  result.add_done_callback([&](const millpond::AsyncResult<int>& done) { told = done.get(); });
  result.add_done_callback([&](const millpond::AsyncResult<int>&) {
    throw std::runtime_error("a done-callback failed");  // leaves the result as it is
  });
  pool.close();
  pool.join();  // both have run
  // snippet end
  check(told == 4 && result.get() == 4, "told of the result");
  check(unseen == std::vector<std::string>{"a done-callback failed"}, "what it throws is reported");
}

void first_error() {
  millpond::ThreadPool pool(4);
  std::string what;
  // snippet: map error
  try {
    pool.map(half, {2, 3, 4, 6});
  } catch (const std::invalid_argument& e) {
    what = e.what();  // "3 is odd"
  }
  // snippet end
  check(what == "3 is odd", "a map throws its error");
}

void unobserved() {
  // snippet: unobserved
  std::vector<std::string> unseen;
  {
    millpond::ThreadPool pool({.processes = 1, .on_unobserved_error = [&](std::exception_ptr e) {
                                 unseen.push_back(message_of(e));
                               }});
    pool.apply_async(half, 7);  // nobody keeps the result
    pool.close();
    pool.join();
  }
  // snippet end
  check(unseen == std::vector<std::string>{"7 is odd"}, "an error that nobody looked at");
}

int main() {
  callbacks();
  map_callback();
  called_off();
  done_callback();
  first_error();
  unobserved();
}
