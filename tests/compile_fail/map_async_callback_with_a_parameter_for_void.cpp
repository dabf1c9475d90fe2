// expect: millpond: the function returns nothing, so its callback must be callable
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

void show(int) {}

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  pool.map_async(show, items, {.callback = [](int) {}});
}
