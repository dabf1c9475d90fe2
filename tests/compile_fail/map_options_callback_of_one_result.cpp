// expect: millpond: the callback must be callable with the result
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int main() {
  millpond::ThreadPool pool(2);
  millpond::MapOptions<int> options;
  options.callback = [](int) {};
  return options.callback ? 1 : 0;
}
