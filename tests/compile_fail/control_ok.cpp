// expect-success
// SPDX-License-Identifier: MIT
//
// The positive control: if this does not compile, the failures of the other files prove nothing.
#include <millpond/millpond.hpp>

#include <vector>

int main() {
  millpond::ThreadPool pool(2);
  const std::vector<int> results = pool.map([](int x) { return x; }, std::vector{1, 2, 3});
  return results.size() == 3 ? 0 : 1;
}
