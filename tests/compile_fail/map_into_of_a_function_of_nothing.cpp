// expect: millpond: what the function returns cannot be assigned to an element of the output
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

void show(int) {}

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  std::vector<int> out(2);
  pool.map_into(out, show, items);
}
