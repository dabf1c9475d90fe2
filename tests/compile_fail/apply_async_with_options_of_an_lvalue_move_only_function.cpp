// expect: millpond: this call returns before the work is done, so it copies the function
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <memory>
#include <tuple>

int main() {
  millpond::ThreadPool pool(2);
  auto f = [owned = std::make_unique<int>(2)] { return *owned; };
  pool.apply_async(f, std::tuple{}, {.callback = [](int) {}});
}
