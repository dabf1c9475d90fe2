// expect: millpond: the first argument is not callable; pass the function itself, as in map(f
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  pool.map_async(twice(1), items);
}
