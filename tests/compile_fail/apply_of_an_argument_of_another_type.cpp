// expect: millpond: the function cannot be called with these arguments
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <string>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  return pool.apply(twice, std::string("2"));
}
