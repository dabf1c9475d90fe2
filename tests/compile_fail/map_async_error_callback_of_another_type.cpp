// expect: millpond: the error_callback must be callable with a std::exception_ptr
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <stdexcept>
#include <vector>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  pool.map_async(twice, items, {.error_callback = [](const std::runtime_error&) {}});
}
