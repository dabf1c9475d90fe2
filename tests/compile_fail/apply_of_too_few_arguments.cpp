// expect: millpond: the function cannot be called with these arguments
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  return pool.apply(add, 1);
}
