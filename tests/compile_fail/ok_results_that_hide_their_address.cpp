// expect-success
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

struct Hidden {
  int value;
  Hidden* operator&() const = delete;
};

int main() {
  millpond::ThreadPool pool(2);
  const auto f = [](int n) { return Hidden{n}; };
  return pool.apply(f, 1).value + pool.apply_async(f, 1).get().value +
         pool.map(f, {1}).front().value + pool.imap(f, {1}).next()->value;
}
