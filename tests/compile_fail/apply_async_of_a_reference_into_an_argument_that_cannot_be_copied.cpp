// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <mutex>

struct Lockable {
  Lockable() = default;
  Lockable(const Lockable&) {}
  std::mutex mutex;
};

// expect: millpond: this call returns a reference into one of its kept arguments, which die before
// the result is ready, and what it refers to cannot be copied or moved; pass std::ref(x)
int main() {
  millpond::ThreadPool pool(1);
  const Lockable x;
  pool.apply_async(&Lockable::mutex, x);
}
