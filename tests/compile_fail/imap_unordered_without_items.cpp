// expect: millpond: imap_unordered needs items: imap_unordered(f, items)
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.imap_unordered(twice);
}
