// expect-success
// SPDX-License-Identifier: MIT
//
// <windows.h> defines min and max as macros unless it is asked not to.
#include "../support/standard_headers.hpp"

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#if !defined(min) || !defined(max)
#error "somebody has undefined them"
#endif

int main() {
  millpond::ThreadPool pool(2);
  return pool.map([](int n) { return n; }, {1}, 1).front() +
         pool.imap([](int n) { return n; }, {1}).next().value();
}
