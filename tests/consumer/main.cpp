// SPDX-License-Identifier: MIT
#ifdef SINGLE_HEADER
#include "millpond.hpp"
#else
#include <millpond/millpond.hpp>
#endif

#include <iostream>
#include <string>
#include <vector>

#ifdef SINGLE_HEADER
int mixed(millpond::ThreadPool& pool);  // mixed.cpp
#endif

int main() {
  const std::string spelled = std::to_string(MILLPOND_VERSION_MAJOR) + "." +
                              std::to_string(MILLPOND_VERSION_MINOR) + "." +
                              std::to_string(MILLPOND_VERSION_PATCH);
  // FOUND_VERSION is empty where CMake hands none on to the project that includes it.
  const std::string found = FOUND_VERSION;
  if (spelled != MILLPOND_VERSION || (!found.empty() && found != MILLPOND_VERSION)) {
    std::cerr << "versions differ: " << spelled << ' ' << MILLPOND_VERSION << ' ' << found << '\n';
    return 1;
  }

  millpond::ThreadPool pool(2);
  const std::vector<int> squares = pool.map([](int x) { return x * x; }, {1, 2, 3});
  if (squares != std::vector{1, 4, 9}) {
    std::cerr << "wrong squares\n";
    return 1;
  }
#ifdef SINGLE_HEADER
  if (mixed(pool) != 1) {
    std::cerr << "wrong in mixed.cpp\n";
    return 1;
  }
#endif
  return 0;
}
