// expect: millpond: the function cannot be called with an item of this range
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <string>
#include <vector>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::string> items{"1", "2"};
  pool.map(twice, items, 5);
}
