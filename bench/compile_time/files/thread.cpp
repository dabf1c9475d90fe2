// SPDX-License-Identifier: MIT
#include <thread>
#include <vector>

std::vector<int> squares(const std::vector<int>& numbers) {
  std::vector<int> result(numbers);
  std::thread thread([&result] {
    for (int& x : result) x *= x;
  });
  thread.join();
  return result;
}
