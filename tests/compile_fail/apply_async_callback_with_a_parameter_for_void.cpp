// expect: millpond: the function returns nothing, so its callback must be callable
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <tuple>

void show(int) {}

int main() {
  millpond::ThreadPool pool(2);
  pool.apply_async(show, std::tuple{1}, {.callback = [](int) {}});
}
