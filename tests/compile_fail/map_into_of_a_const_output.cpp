// expect: millpond: what the function returns cannot be assigned to an element of the output
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  const std::vector<int> out(2);
  pool.map_into(out, twice, items);
}
