// SPDX-License-Identifier: MIT
#include <future>
#include <thread>
#include <vector>

std::vector<int> squares(const std::vector<int>& numbers) {
  std::vector<std::future<int>> futures;
  for (const int x : numbers) futures.push_back(std::async([x] { return x * x; }));
  std::vector<int> result;
  for (std::future<int>& future : futures) result.push_back(future.get());
  return result;
}
