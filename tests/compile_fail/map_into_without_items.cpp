// expect: millpond: map_into needs items
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  std::vector<int> out(2);
  pool.map_into(out, twice);
}
