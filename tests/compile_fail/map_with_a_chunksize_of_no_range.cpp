// expect: millpond: the second argument is not a range of items
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.map(twice, 5, 2);
}
