// expect: millpond: the function cannot be called with an item of this range
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

void increment(int& n) { ++n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  pool.map(increment, items);
}
