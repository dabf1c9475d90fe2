// expect: millpond: istarmap needs items: istarmap(f, items)
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  pool.istarmap(add);
}
