// expect: millpond: the second argument is not a range of items
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  pool.starmap(add, 5);
}
