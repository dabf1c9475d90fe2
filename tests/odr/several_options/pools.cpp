// SPDX-License-Identifier: MIT
#include "pools.hpp"

#include <millpond/millpond.hpp>

#include <typeinfo>
#include <vector>

namespace OPTIONS {

std::pair<int, std::string> options_and_pool() {
  const int options = (MILLPOND_HAS_STOP_TOKEN ? 1 : 0) + (MILLPOND_RECYCLES_MEMORY ? 2 : 0) +
                      (MILLPOND_IS_COMPILED ? 4 : 0);
  return {options, typeid(millpond::ThreadPool).name()};
}

int sum_up_to(int n) {
  millpond::ThreadPool pool(2);
  std::vector<millpond::AsyncResult<int>> results;
  for (int i = 1; i <= n; ++i) {
#if MILLPOND_HAS_STOP_TOKEN
    results.push_back(pool.apply_async([](std::stop_token, int x) { return x; }, i));
#else
    results.push_back(pool.apply_async([](int x) { return x; }, i));
#endif
  }
  int sum = 0;
  for (const auto& result : results) sum += result.get();
  pool.terminate();  // looks at all that may be asked to stop
  return sum;
}

}  // namespace OPTIONS
