// expect: millpond: the function cannot be called with an unpacked item of this range
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <tuple>
#include <vector>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::tuple<int, int, int>> items{{1, 2, 3}};
  pool.istarmap_unordered(add, items);
}
