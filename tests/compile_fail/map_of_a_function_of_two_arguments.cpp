// expect: millpond: the function cannot be called with an item of this range
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  pool.map(add, items);
}
