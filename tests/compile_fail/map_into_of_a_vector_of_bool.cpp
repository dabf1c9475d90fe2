// expect: millpond: map_into cannot write to a std::vector<bool>
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

bool is_even(int n) { return n % 2 == 0; }

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> items{1, 2};
  std::vector<bool> out(2);
  pool.map_into(out, is_even, items);
}
