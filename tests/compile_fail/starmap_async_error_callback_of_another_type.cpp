// expect: millpond: the error_callback must be callable with a std::exception_ptr
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::pair<int, int>> items{{1, 2}};
  pool.starmap_async(add, items, {.error_callback = [](const std::runtime_error&) {}});
}
