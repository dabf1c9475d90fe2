// expect: millpond: the function cannot be called with these arguments
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <tuple>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  pool.apply_async(add, std::tuple{1, 2});
}
