// expect: millpond: map_async needs items: map_async(f, items)
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.map_async(twice);
}
