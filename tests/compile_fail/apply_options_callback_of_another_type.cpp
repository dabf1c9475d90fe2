// expect: millpond: the callback must be callable with the result
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <string>

int main() {
  millpond::ThreadPool pool(2);
  millpond::ApplyOptions<int> options;
  options.callback = [](const std::string&) {};
  return options.callback ? 1 : 0;
}
