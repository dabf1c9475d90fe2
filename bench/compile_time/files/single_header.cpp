// SPDX-License-Identifier: MIT
#include <vector>

#include "millpond.hpp"

std::vector<int> squares(const std::vector<int>& numbers) {
  millpond::ThreadPool pool;
  return pool.map([](int x) { return x * x; }, numbers);
}
