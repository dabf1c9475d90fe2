// SPDX-License-Identifier: MIT
//
// docs/guide/nesting.md: tasks that issue tasks and wait for them.

#include <millpond/millpond.hpp>

#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "check.hpp"

// snippet: fibonacci
int fibonacci(millpond::ThreadPool& pool, int n) {
  if (n < 2) return n;
  auto left = pool.apply_async([&pool, n] { return fibonacci(pool, n - 1); });
  const int right = fibonacci(pool, n - 2);
  return left.get() + right;
}
// snippet end

void recursion() {
  // snippet: one worker
  millpond::ThreadPool pool(1);
  const int answer = pool.apply([&] { return fibonacci(pool, 12); });  // 144, with one worker
  // snippet end
  check(answer == 144, "a recursive task on one worker");
}

void maps_in_maps() {
  // snippet: maps
  millpond::ThreadPool pool(2);
  const std::vector<std::vector<int>> rows{{1, 2, 3}, {4, 5, 6}};
  const auto sums = pool.map(
      [&](const std::vector<int>& row) {
        const auto squares = pool.map([](int x) { return x * x; }, row);
        return std::accumulate(squares.begin(), squares.end(), 0);
      },
      rows);  // {14, 77}
  // snippet end
  check(sums == std::vector{14, 77}, "maps within a map");
}

void follow_up() {
  int answer = 0;
  // snippet: callback
  millpond::ThreadPool pool(1);
  auto first = pool.apply_async([] { return 20; }, std::tuple{}, {.callback = [&](int x) {
                                  answer = pool.apply([x] { return x + 1; }) * 2;
                                }});
  first.wait();
  // snippet end
  check(answer == 42, "a callback may wait for work");
}

int main() {
  recursion();
  maps_in_maps();
  follow_up();
}
