// SPDX-License-Identifier: MIT
#include "library.hpp"

#include <millpond/millpond.hpp>

namespace LIBRARY {

std::string version() { return MILLPOND_VERSION; }

int run(const std::function<int()>& f) {
  millpond::ThreadPool pool(1);
  int sum = 0;
  for (const int x : pool.imap([&f](int) { return f(); }, {0})) sum += x;
  return sum;
}

}  // namespace LIBRARY
