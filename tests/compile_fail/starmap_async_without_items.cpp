// expect: millpond: starmap_async needs items: starmap_async(f, items)
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  pool.starmap_async(add);
}
