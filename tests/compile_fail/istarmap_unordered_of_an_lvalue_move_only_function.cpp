// expect: millpond: this call returns before the work is done, so it copies the function
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <memory>
#include <utility>
#include <vector>

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::pair<int, int>> items{{1, 2}};
  auto f = [owned = std::make_unique<int>(2)](int a, int b) { return a * b * *owned; };
  pool.istarmap_unordered(f, items);
}
