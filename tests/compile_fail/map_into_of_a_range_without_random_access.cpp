// expect: millpond: map_into writes to a random-access range of known size
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <list>
#include <vector>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  std::list<int> out(2);
  pool.map_into(out, twice, items);
}
