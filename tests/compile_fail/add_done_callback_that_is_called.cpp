// expect: millpond: a done-callback must be callable with the AsyncResult
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }
bool tell(const millpond::AsyncResult<int>& result) { return result.ready(); }

int main() {
  millpond::ThreadPool pool(2);
  const auto result = pool.apply_async(twice, 1);
  result.add_done_callback(tell(result));
}
