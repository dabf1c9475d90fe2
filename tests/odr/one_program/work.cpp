// SPDX-License-Identifier: MIT
#include "work.hpp"

millpond::AsyncResult<int> square_later(millpond::ThreadPool& pool, int x) {
  return pool.apply_async([](int y) { return y * y; }, x);
}

int value_of(const millpond::AsyncResult<int>& result) { return result.get(); }

int nested_square(millpond::ThreadPool& pool, int x) {
  return pool.map([](int y) { return y * y; }, {x})[0];
}

bool is_in_worker() { return millpond::this_worker::index().has_value(); }

void terminate(millpond::ThreadPool& pool) { pool.terminate(); }
