// expect: millpond: the callback must be callable with the result
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <tuple>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.apply_async(twice, std::tuple{1}, {.callback = twice(2)});
}
