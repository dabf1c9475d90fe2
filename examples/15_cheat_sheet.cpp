// SPDX-License-Identifier: MIT
//
// docs/guide/cheat-sheet.md: every call once, as the page shows them.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>
#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include "check.hpp"

using namespace std::chrono_literals;

int task(int n) { return n * n; }
int add(int a, int b) { return a + b; }

const int a1 = 3;
const int a2 = 4;
const std::vector<int> items{1, 2, 3};

void create() {
  {
    millpond::ThreadPool pool;
  }
  {
    millpond::ThreadPool pool(8);
  }
  std::atomic<int> workers = 0;
  const auto init = [&](int x, int y) { workers += x * y; };
  {
    millpond::ThreadPool pool(8, init, a1, a2);
  }
  check(workers == 8 * a1 * a2, "an initializer with arguments, in eight workers");
  {
    // snippet: initializer
    millpond::ThreadPool pool({.initializer = [&] { init(a1, a2); }});
    // snippet end
  }
  check(workers > 8 * a1 * a2, "and in as many as there are CPUs");
}

void end() {
  {
    millpond::ThreadPool pool;
    std::ostringstream text;
    text << pool;
    check(text.str().find("state=RUN") != std::string::npos, "a pool in words");
    pool.close();
    pool.join();
    check(pool.state() == millpond::State::close, "closed");
  }
  {
    millpond::ThreadPool pool;
    pool.terminate();
    pool.join();
    check(pool.state() == millpond::State::terminate, "terminated");
  }
  std::vector<int> values;
  // snippet: scope
  {
    millpond::ThreadPool pool;
    values = pool.map(task, items);
  }  // terminate() and join()
  // snippet end
  check(values == std::vector{1, 4, 9}, "a pool for a scope");
}

void synchronously() {
  millpond::ThreadPool pool(4);
  auto value = pool.apply(add, a1, a2);
  check(value == 7, "apply");

  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}, {5, 6}};
  int sum = 0;
  const auto use = [&](int val) { sum += val; };
  // snippet: loops
  for (auto&& val : pool.map(task, items)) use(val);
  for (auto&& val : pool.imap(task, items)) use(val);
  for (auto&& val : pool.imap_unordered(task, items)) use(val);
  for (auto&& val : pool.starmap(add, pairs)) use(val);
  // snippet end
  check(sum == 3 * 14 + 21, "four loops");
}

void asynchronously() {
  millpond::ThreadPool pool(4);
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}, {5, 6}};
  {
    auto ar = pool.apply_async(add, a1, a2);
    check(ar.get() == 7, "apply_async");
  }
  {
    auto ar = pool.map_async(task, items);
    check(ar.get() == std::vector{1, 4, 9}, "map_async");
  }
  {
    auto ar = pool.starmap_async(add, pairs);
    check(ar.get() == std::vector{3, 7, 11}, "starmap_async");
  }
}

void chunks() {
  millpond::ThreadPool pool(4);
  check(pool.map(task, items, 5) == std::vector{1, 4, 9}, "a plain chunksize");
  check(pool.map(task, items, {.chunksize = 5}) == std::vector{1, 4, 9}, "a named one");
  auto ar = pool.map_async(task, items, {.chunksize = 5});
  ar.wait();
  for (auto&& val : pool.imap(task, items, 5)) check(val > 0, "imap in chunks");
}

void handles() {
  millpond::ThreadPool pool(4);
  {
    auto ar = pool.apply_async(task, a1);
    auto value = ar.get();
    check(value == 9, "get");
  }
  {
    auto ar = pool.apply_async(task, a1);
    ar.wait(5s);
    ar.wait();
    auto value = ar.get(5s);
    if (ar.ready()) ++value;
    if (ar.successful()) ++value;
    check(value == 11 && ar.exception() == nullptr, "ready and successful");
  }
  int value = 0;
  std::string what;
  // snippet: exception
  auto ar = pool.apply_async([]() -> int { throw std::runtime_error("no such file"); });
  try {
    value = ar.get();
  } catch (const std::exception& e) {
    what = e.what();
  }
  // snippet end
  check(what == "no such file" && value == 0, "an exception");
}

void callbacks() {
  std::atomic<int> told = 0;
  std::atomic<int> errors = 0;
  const auto failing = [](int n) -> int { throw std::out_of_range(std::to_string(n)); };
  millpond::ThreadPool pool(4);
  // snippet: callbacks
  const auto handler = [&](int value) { told += value; };
  const auto error_handler = [&](std::exception_ptr) { ++errors; };
  auto ar = pool.apply_async(task, std::tuple{a1}, {.callback = handler});
  auto bad = pool.apply_async(failing, std::tuple{a1}, {.error_callback = error_handler});
  // snippet end
  ar.wait();
  bad.wait();
  check(told == 9 && errors == 1, "both kinds of callbacks");

  std::size_t size = 0;
  // snippet: map callback
  const auto all_handler = [&](const std::vector<int>& values) { size = values.size(); };
  auto all = pool.map_async(task, items, {.callback = all_handler});
  // snippet end
  all.wait();
  check(size == 3, "a map's callback");
}

void beyond_python() {
  millpond::ThreadPool pool(4);
  std::vector<int> used;
  for (auto&& val : pool.imap(task, std::views::iota(1), {.buffersize = 8})) {
    used.push_back(val);
    if (used.size() == 3) break;
  }
  check(used == std::vector{1, 4, 9}, "endless input, read a bit ahead");

  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  used.clear();
  for (auto&& val : pool.istarmap(add, pairs)) used.push_back(val);
  check(used == std::vector{3, 7}, "istarmap");
  int sum = 0;
  for (auto&& val : pool.istarmap_unordered(add, pairs)) sum += val;
  check(sum == 10, "istarmap_unordered");

  std::vector<int> out(items.size());
  pool.map_into(out, task, items);
  check(out == std::vector{1, 4, 9}, "map_into");

  auto ar = pool.apply_async(task, a1);
  const bool given_up = ar.cancel();  // depends on who was faster
  check(given_up == ar.cancelled(), "cancel");
}

void groups() {
  std::atomic<int> handled = 0;
  const auto handler = [&](const millpond::AsyncResult<int>& ar) { handled += ar.get(); };
  millpond::ThreadPool pool(4);
  std::vector<millpond::AsyncResult<int>> results;
  for (int n : items) results.push_back(pool.apply_async(task, n));
  for (auto& ar : results) ar.add_done_callback(handler);

  auto [done, not_done] = millpond::wait(results);
  check(done.size() == 3 && not_done.empty(), "wait");
  int sum = 0;
  for (auto& ar : millpond::as_completed(results)) sum += ar.get();
  check(sum == 14, "as_completed");
  pool.close();
  pool.join();
  check(handled == 14, "add_done_callback");
}

void priorities() {
  std::atomic<bool> started = false;
  std::atomic<bool> may_end = false;
  std::vector<int> order;  // one worker: no lock
  const auto note = [&](int n) { order.push_back(n); };
  millpond::PriorityThreadPool pool(1);
  pool.apply_async([&] {
    started = true;
    started.notify_all();
    may_end.wait(false);
  });
  started.wait(false);  // the only worker is busy: what follows queues up
  pool.apply_async(note, std::tuple{1}, {.priority = 1});
  pool.apply_async(note, std::tuple{10}, {.priority = 10});
  may_end = true;
  may_end.notify_all();
  pool.close();
  pool.join();
  check(order == std::vector{10, 1}, "the higher priority first");
}

#ifdef __cpp_lib_jthread
void stop_tokens() {
  millpond::ThreadPool pool(1);
  const auto stoppable = [](std::stop_token stop, int n) { return stop.stop_requested() ? 0 : n; };
  auto ar = pool.apply_async(stoppable, 7);
  check(ar.get() == 7, "a task that takes a stop token");
}
#endif

int main() {
  create();
  end();
  synchronously();
  asynchronously();
  chunks();
  handles();
  callbacks();
  beyond_python();
  groups();
  priorities();
#ifdef __cpp_lib_jthread
  stop_tokens();
#endif
}
