// expect: millpond: the function returns nothing, so its callback must be callable
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <utility>
#include <vector>

void show(int, int) {}

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::pair<int, int>> items{{1, 2}};
  pool.starmap_async(show, items, {.callback = [](int) {}});
}
