// expect: millpond: the callback must be callable with the result
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <utility>
#include <vector>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::pair<int, int>> items{{1, 2}};
  pool.starmap_async(add, items, {.callback = [](int) {}});
}
