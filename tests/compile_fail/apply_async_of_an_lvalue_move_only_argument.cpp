// expect: millpond: this call returns before the work is done, so it copies the arguments
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <memory>

int value_of(std::unique_ptr<int> p) { return *p; }

int main() {
  millpond::ThreadPool pool(2);
  auto number = std::make_unique<int>(2);
  pool.apply_async(value_of, number);
}
