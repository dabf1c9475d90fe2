// expect: millpond: the second argument is not a range of items
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  for (const int result : pool.imap(twice, 5)) return result;
}
