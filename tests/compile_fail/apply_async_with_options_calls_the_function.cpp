// expect: millpond: the first argument is not callable; pass the function itself, as in apply(f, x)
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <tuple>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.apply_async(twice(2), std::tuple{}, {.callback = [](int) {}});
}
