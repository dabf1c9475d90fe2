// expect: millpond: this call returns before the work is done, so it copies the items
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <memory>
#include <vector>

int value_of(const std::unique_ptr<int>& p) { return *p; }

int main() {
  millpond::ThreadPool pool(2);
  std::vector<std::unique_ptr<int>> items(1);
  pool.imap_unordered(value_of, items);
}
