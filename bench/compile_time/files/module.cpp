// SPDX-License-Identifier: MIT
#include <vector>

import millpond;

std::vector<int> squares(const std::vector<int>& numbers) {
  millpond::ThreadPool pool;
  return pool.map([](int x) { return x * x; }, numbers);
}
