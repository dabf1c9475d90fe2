// SPDX-License-Identifier: MIT
#include <vector>

std::vector<int> squares(const std::vector<int>& numbers) {
  std::vector<int> result(numbers);
  for (int& x : result) x *= x;
  return result;
}
