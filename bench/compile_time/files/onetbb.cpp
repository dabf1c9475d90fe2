// SPDX-License-Identifier: MIT
#include <cstddef>
#include <vector>

#include <oneapi/tbb/parallel_for.h>

std::vector<int> squares(const std::vector<int>& numbers) {
  std::vector<int> result(numbers.size());
  oneapi::tbb::parallel_for(std::size_t{0}, numbers.size(),
                            [&](std::size_t i) { result[i] = numbers[i] * numbers[i]; });
  return result;
}
