// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <mutex>

// expect: millpond: this result cannot be moved, so it stays where its handle refers to: auto r =
// pool.apply_async(f), and then r.get()
int main() {
  millpond::ThreadPool pool(1);
  pool.apply([] { return std::mutex(); });
}
