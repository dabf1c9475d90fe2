// expect: millpond: a done-callback must be callable with the AsyncResult
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2, 3};
  pool.map_async(twice, items).add_done_callback([](const millpond::AsyncResult<int>&) {});
}
