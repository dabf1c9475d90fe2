// expect: millpond: the function cannot be called with these arguments
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

void increment(int& n) { ++n; }

int main() {
  millpond::ThreadPool pool(2);
  int n = 1;
  pool.apply_async(increment, n);
  return n;
}
