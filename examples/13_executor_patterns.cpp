// SPDX-License-Identifier: MIT
//
// docs/guide/executor-patterns.md: the usual ways to use Python's ThreadPoolExecutor, with a pool.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <ranges>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "check.hpp"

int task(int n) { return n * n; }

std::vector<int> squares() { return {0, 1, 4, 9, 16, 25, 36, 49, 64, 81}; }

/// A door that tasks wait at, so that a program knows which of them are still running.
class Door {
 public:
  void wait() const { open_.wait(false); }
  void open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  std::atomic<bool> open_ = false;
};

void map_and_wait() {
  millpond::ThreadPool pool(4);
  std::vector<int> used;
  const auto use = [&](int result) { used.push_back(result); };
  // snippet: map
  for (int result : pool.map(task, std::views::iota(0, 10))) use(result);
  // snippet end
  check(used == squares(), "map and wait");
  used.clear();
  // snippet: imap
  for (int result : pool.imap(task, std::views::iota(0, 10))) use(result);
  // snippet end
  check(used == squares(), "imap, in order");
}

void map_two_arguments() {
  millpond::ThreadPool pool(4);
  const auto join = [](const std::string& digit, char letter) { return digit + letter; };
  // snippet: two ranges
  const std::vector<std::string> digits{"1", "2", "3"};
  const std::vector<char> letters{'a', 'b', 'c'};
  const auto joined = pool.map([&](std::size_t i) { return join(digits[i], letters[i]); },
                               std::views::iota(std::size_t{0}, digits.size()));

  const std::vector<std::pair<std::string, char>> pairs{{"1", 'a'}, {"2", 'b'}, {"3", 'c'}};
  const auto the_same = pool.starmap(join, pairs);
  // snippet end
  check(joined == std::vector<std::string>{"1a", "2b", "3c"} && the_same == joined,
        "two arguments for each call");
}

void use_as_completed() {
  Door others_used;
  const auto task = [&](int n) {
    if (n == 0) others_used.wait();  // the slow one
    return n * n;
  };
  std::vector<int> used;
  const auto use = [&](int result) {
    used.push_back(result);
    if (used.size() == 9) others_used.open();
  };
  millpond::ThreadPool pool(4);
  // snippet: as completed
  std::vector<millpond::AsyncResult<int>> results;
  for (int n = 0; n < 10; ++n) results.push_back(pool.apply_async(task, n));
  for (auto& result : millpond::as_completed(results)) use(result.get());
  // snippet end
  check(used.size() == 10 && used.back() == 0, "the slow task comes last");
  std::ranges::sort(used);
  check(used == squares(), "and all have come");
}

void know_which() {
  millpond::ThreadPool pool(4);
  std::vector<std::pair<int, int>> used;
  const auto use = [&](int n, int result) { used.emplace_back(n, result); };
  // snippet: which
  std::unordered_map<millpond::AsyncResult<int>, int> items;  // of each result
  for (int n = 0; n < 10; ++n) items.emplace(pool.apply_async(task, n), n);
  for (auto& result : millpond::as_completed(std::views::keys(items))) {
    use(items.at(result), result.get());
  }
  // snippet end
  check(used.size() == 10 &&
            std::ranges::all_of(used,
                                [](auto pair) { return pair.second == pair.first * pair.first; }),
        "each result with its item");
}

void use_sequentially() {
  millpond::ThreadPool pool(4);
  std::vector<int> used;
  const auto use = [&](int result) { used.push_back(result); };
  // snippet: sequentially
  std::vector<millpond::AsyncResult<int>> results;
  for (int n = 0; n < 10; ++n) results.push_back(pool.apply_async(task, n));
  for (auto& result : results) use(result.get());
  // snippet end
  check(used == squares(), "submit and use sequentially");
}

void use_callback() {
  // snippet: callback
  std::vector<int> seen;  // no lock: one callback at a time
  millpond::ThreadPool pool(4);
  for (int n = 0; n < 10; ++n) {
    pool.apply_async(task, std::tuple{n}, {.callback = [&](int value) { seen.push_back(value); }});
  }
  pool.close();
  pool.join();
  // snippet end
  std::ranges::sort(seen);
  check(seen == squares(), "a callback for each task");
}

void use_several_callbacks() {
  Door added;  // a callback that is added to a ready result runs at once: no order to check then
  const auto task = [&](int n) {
    added.wait();
    return n * n;
  };
  // snippet: done callbacks
  std::mutex mutex;  // done callbacks run on the workers or right here, several at a time
  std::vector<std::pair<int, int>> seen;
  const auto note = [&](int callback, int value) {
    const std::lock_guard lock(mutex);
    seen.emplace_back(callback, value);
  };

  millpond::ThreadPool pool(4);
  for (int n = 0; n < 10; ++n) {
    auto result = pool.apply_async(task, n);
    result.add_done_callback([&](millpond::AsyncResult<int> done) { note(1, done.get()); });
    result.add_done_callback([&](millpond::AsyncResult<int> done) { note(2, done.get()); });
  }
  // snippet end
  added.open();
  pool.close();
  pool.join();
  check(seen.size() == 20, "two callbacks for each of ten tasks");
  for (int value : squares()) {
    const auto first = std::ranges::find(seen, std::pair{1, value});
    const auto second = std::ranges::find(seen, std::pair{2, value});
    check(first < second && second != seen.end(), "in the order of adding");
  }
}

void wait_for_all() {
  std::atomic<int> stored = 0;
  const auto store = [&](int n) { stored += n; };
  millpond::ThreadPool pool(4);
  // snippet: wait for all
  std::vector<millpond::AsyncResult<void>> results;
  for (int n = 0; n < 10; ++n) results.push_back(pool.apply_async(store, n));
  millpond::wait(results);
  // snippet end
  check(stored == 45, "waited for all");
}

void close_and_join() {
  std::atomic<int> stored = 0;
  const auto store = [&](int n) { stored += n; };
  // snippet: shutdown
  {
    millpond::ThreadPool pool(4);
    for (int n = 0; n < 10; ++n) pool.apply_async(store, n);
    pool.close();
    pool.join();  // without these two, tasks that have not started would be given up
  }
  // snippet end
  check(stored == 45, "closed and joined");
}

void wait_for_first() {
  Door door;
  const auto task = [&](int n) {
    if (n != 3) door.wait();
    return n * n;
  };
  millpond::ThreadPool pool(10);
  // snippet: wait for first
  std::vector<millpond::AsyncResult<int>> results;
  for (int n = 0; n < 10; ++n) results.push_back(pool.apply_async(task, n));

  auto [done, not_done] = millpond::wait(results, millpond::ReturnWhen::first_completed);
  const int first = done.front().get();
  pool.terminate();  // gives up what has not started, and does not wait
  // snippet end
  door.open();
  check(first == 9 && done.size() == 1 && not_done.size() == 9, "the first of ten");
  pool.join();
}

void cancel() {
  Door door;
  Door started;
  std::string outcome;
  // snippet: cancel
  millpond::ThreadPool pool(1);
  auto running = pool.apply_async([&] {
    started.open();
    door.wait();
  });
  auto queued = pool.apply_async(task, 2);
  started.wait();

  const bool too_late = !running.cancel();  // true: it has started, and will go on
  const bool in_time = queued.cancel();     // true: it will not start
  try {
    queued.get();
  } catch (const millpond::CancelledError&) {
    outcome = "cancelled";
  }
  // snippet end
  check(too_late && in_time && queued.cancelled() && !running.cancelled(), "cancel");
  check(outcome == "cancelled", "what get() throws then");
  door.open();
}

int main() {
  map_and_wait();
  map_two_arguments();
  use_as_completed();
  know_which();
  use_sequentially();
  use_callback();
  use_several_callbacks();
  wait_for_all();
  close_and_join();
  wait_for_first();
  cancel();
}
