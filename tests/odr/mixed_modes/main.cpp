// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int plus_one(const millpond::AsyncResult<int>& result);  // header_only.cpp

int main() {
  millpond::ThreadPool pool(1);
  return plus_one(pool.apply_async([] { return 1; })) == 2 ? 0 : 1;
}
