// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <iostream>

int main() {
  millpond::ThreadPool pool(2);
  int sum = 0;
  for (const int square : pool.imap([](int x) { return x * x; }, {1, 2, 3})) sum += square;
  std::cout << "millpond " << MILLPOND_VERSION << ": 1 + 4 + 9 = " << sum << '\n';
  return sum == 14 ? 0 : 1;
}
