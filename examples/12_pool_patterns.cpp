// SPDX-License-Identifier: MIT
//
// docs/guide/patterns.md: five common ways to use a pool, and good habits.

#include <millpond/millpond.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <ranges>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"

int task(int n) { return n * n; }
int area(int width, int height) { return width * height; }

void map_and_iterate() {
  std::vector<int> used;
  const auto use = [&](int result) { used.push_back(result); };
  // snippet: map
  millpond::ThreadPool pool(4);
  for (int result : pool.map(task, std::views::iota(0, 10))) use(result);
  // snippet end
  check(used == std::vector{0, 1, 4, 9, 16, 25, 36, 49, 64, 81}, "map, in the order of the items");
  used.clear();
  // snippet: starmap
  const std::vector<std::pair<int, int>> sides{{2, 3}, {4, 5}};
  for (int result : pool.starmap(area, sides)) use(result);  // area(2, 3), area(4, 5)
  // snippet end
  check(used == std::vector{6, 20}, "starmap");
}

void apply_and_forget() {
  std::atomic<int> noted = 0;
  // snippet: apply_async
  const auto note = [&](int value) { noted += value; };
  millpond::ThreadPool pool(4);
  pool.apply_async(note, 1);  // nobody keeps the result
  pool.apply_async(note, 2);
  pool.close();
  pool.join();  // both have run
  // snippet end
  check(noted == 3, "apply_async and forget");
}

void map_and_forget() {
  std::atomic<int> noted = 0;
  // snippet: map_async
  std::vector<int> items{1, 2, 3, 4};
  millpond::ThreadPool pool(4);
  pool.map_async([&](int value) { noted += value; }, std::move(items));  // the items, too, are gone
  pool.close();
  pool.join();  // all four have run
  // snippet end
  check(noted == 10, "map_async and forget");
}

void use_as_completed() {
  std::vector<int> used;
  std::atomic<bool> others_used = false;
  const auto task = [&](int n) {
    if (n == 0) others_used.wait(false);  // the slow one
    return n * n;
  };
  const auto use = [&](int result) {
    used.push_back(result);
    if (used.size() < 3) return;
    others_used = true;
    others_used.notify_all();
  };
  // snippet: imap_unordered
  millpond::ThreadPool pool(4);
  for (int result : pool.imap_unordered(task, {0, 1, 2, 3})) use(result);
  // snippet end
  check(used.size() == 4 && used.back() == 0, "the slow item keeps nobody waiting");
}

void wait_for_first() {
  const std::vector<std::string> mirrors{"slow", "slower", "fast"};
  const auto has_answer = [](const std::string& mirror) { return mirror == "fast"; };
  // snippet: first
  std::atomic<bool> answered = false;
  const auto ask = [&](const std::string& mirror) {
    while (!has_answer(mirror) && !answered) std::this_thread::yield();
    return mirror;
  };
  std::optional<std::string> first;
  {
    millpond::ThreadPool pool(3);
    first = pool.imap_unordered(ask, mirrors).next();
    answered = true;  // tells those that still run
  }  // gives up what has not started, waits for what runs
  // snippet end
  check(first == "fast", "the first of three answers");
}

void scope() {
  const std::vector<int> items{1, 2, 3};
  std::vector<int> results;
  // snippet: scope
  {
    millpond::ThreadPool pool(4);
    results = pool.map(task, items);
  }  // no thread of the pool is left, whichever way the scope was left
  // snippet end
  check(results == std::vector{1, 4, 9}, "a pool for a scope");
}

// snippet: member
class WordCounter {
 public:
  void add(std::string word) {
    pool_.apply_async([this](const std::string& w) { count(w); }, std::move(word));
  }
  std::map<std::string, int> finish() {
    pool_.close();
    pool_.join();
    return std::move(counts_);
  }

 private:
  void count(const std::string& word) {
    const std::lock_guard lock(mutex_);
    ++counts_[word];
  }

  std::mutex mutex_;
  std::map<std::string, int> counts_;
  millpond::ThreadPool pool_{4};  // last, so that it goes first: its tasks use the others
};
// snippet end

void member() {
  WordCounter counter;
  for (const char* word : {"mill", "pond", "mill"}) counter.add(word);
  const std::map<std::string, int> expected{{"mill", 2}, {"pond", 1}};
  check(counter.finish() == expected, "a pool as a member");
}

void loop() {
  millpond::ThreadPool pool(4);
  const std::vector<int> items{1, 2, 3, 4};
  // snippet: loop
  std::vector<int> one_by_one;
  for (int item : items) one_by_one.push_back(task(item));

  const std::vector<int> at_once = pool.map(task, items);  // the same results in the same order
  // snippet end
  check(one_by_one == at_once, "a loop and a map");
}

void meanwhile() {
  millpond::ThreadPool pool(4);
  const std::vector<int> items{1, 2, 3, 4};
  const auto something_else = [] { return 5; };
  // snippet: meanwhile
  auto squares = pool.map_async(task, items);
  const int other = something_else();           // in this thread, meanwhile
  const std::vector<int>& all = squares.get();  // waits, if need be
  // snippet end
  check(other == 5 && all == std::vector{1, 4, 9, 16}, "something else meanwhile");
}

void independent() {
  millpond::ThreadPool pool(4);
  const std::vector<int> items{1, 2, 3, 4};
  // snippet: independent
  const std::vector<int> squares = pool.map(task, items);  // tasks share nothing
  const int sum = std::accumulate(squares.begin(), squares.end(), 0);
  // snippet end
  check(sum == 30, "each task its part, one thread the sum");
}

int main() {
  map_and_iterate();
  apply_and_forget();
  map_and_forget();
  use_as_completed();
  wait_for_first();
  scope();
  member();
  loop();
  meanwhile();
  independent();
}
