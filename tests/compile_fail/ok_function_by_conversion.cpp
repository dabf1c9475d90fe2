// expect-success
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int twice(int n) { return 2 * n; }

// Has no operator(), and can be called all the same: by way of the pointer that it converts to.
struct ConvertsToAFunction {
  using Function = int (*)(int);
  operator Function() const { return twice; }
};

int main() {
  millpond::ThreadPool pool(2);
  const ConvertsToAFunction f;
  return pool.apply(f, 1) + pool.apply_async(f, 1).get() + pool.map(f, {1}).front() +
         pool.imap(f, {1}).next().value();
}
