// expect: millpond: the error_callback must be callable with a std::exception_ptr
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <stdexcept>
#include <tuple>

int twice(int n) { return 2 * n; }

int main() {
  millpond::ThreadPool pool(2);
  pool.apply_async(twice, std::tuple{1}, {.error_callback = [](const std::runtime_error&) {}});
}
