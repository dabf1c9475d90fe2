// expect: millpond: a done-callback must be callable with the AsyncResult
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.apply_async(twice, 1).add_done_callback([] {});
}
