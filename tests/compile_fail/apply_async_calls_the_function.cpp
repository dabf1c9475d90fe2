// expect: millpond: the first argument is not callable; pass the function itself, as in apply(f, x)
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const auto result = pool.apply_async(twice(2));
  result.wait();
}
