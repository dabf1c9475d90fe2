// expect: millpond: the first argument is not callable; pass the function itself, as in apply(f, x)
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const int result = pool.apply(twice(2));
  return result;
}
