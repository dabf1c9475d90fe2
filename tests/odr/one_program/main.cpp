// SPDX-License-Identifier: MIT
#include <iostream>
#include <latch>

#include "work.hpp"

namespace {

int failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "wrong: " << what << '\n';
  ++failures;
}

}  // namespace

int main() {
  millpond::ThreadPool pool(1);
  const auto square = [](int x) { return x * x; };

  check(square_later(pool, 12).get() == 144, "a result from there, read here");
  check(value_of(pool.apply_async(square, 12)) == 144, "a result from here, read there");

  // A thread that was started here is known for a worker there. The only one waits there.
  check(pool.apply(is_in_worker), "a worker is known there");
  check(pool.apply([&pool] { return nested_square(pool, 12); }) == 144, "a nested call");

  std::latch started(1);
  std::latch finish(1);
  pool.apply_async([&] {
    started.count_down();
    finish.wait();
  });
  started.wait();
  const auto given_up = pool.apply_async(square, 12);
  terminate(pool);
  try {
    given_up.get();
    check(false, "a result that was given up");
  } catch (const millpond::TerminatedError&) {
  }
  finish.count_down();
  return failures;
}
