// expect: millpond: the function cannot be called with an item of this range
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.map(twice, {"1", "2"});
}
