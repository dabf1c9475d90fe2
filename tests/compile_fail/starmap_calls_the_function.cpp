// expect: millpond: the first argument is not callable; pass the function itself, as in map(f
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <utility>
#include <vector>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::pair<int, int>> items{{1, 2}};
  pool.starmap(add(1, 2), items);
}
