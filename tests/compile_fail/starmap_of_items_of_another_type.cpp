// expect: millpond: the function cannot be called with an unpacked item of this range
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <string>
#include <tuple>
#include <vector>

int add(int a, int b) { return a + b; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<std::tuple<int, std::string>> items{{1, "2"}};
  pool.starmap(add, items);
}
