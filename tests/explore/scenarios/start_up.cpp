// SPDX-License-Identifier: MIT
// The constructor: with an initializer, and with one that throws.
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

// The constructor returns when both workers have run the initializer, each once.
SCENARIO(start_up_two_workers, .bound = 3) {
  std::array<int, 2> calls{};
  const ThreadPool pool(2, [&] {
    user_code();
    ++calls[*this_worker::index()];
  });
  CHECK(calls[0] == 1 && calls[1] == 1);
}

// The initializer of two workers runs at the same time.
SCENARIO(start_up_is_parallel) {
  std::array<Gate, 2> gates;
  const ThreadPool pool(2, [&] {
    const std::size_t index = *this_worker::index();
    gates[index].open();
    gates[1 - index].wait();
  });
  CHECK(pool.size() == 2);
}

// Tasks find what the initializer has left on their worker.
SCENARIO(start_up_comes_before_tasks) {
  int initialized = 0;
  ThreadPool pool(
      1,
      [&initialized](int n) {
        user_code();
        initialized = n;
      },
      5);
  CHECK(initialized == 5);
  CHECK(pool.apply([&] { return Value(++initialized); }) == 6);
}

// One of two initializers throws: the constructor throws that, when both threads have ended.
SCENARIO(start_up_of_one_fails) {
  int others = 0;
  const End end = end_of([&] {
    const ThreadPool pool(2, [&] {
      user_code();
      if (this_worker::index() == 1u) throw std::runtime_error("oops");
      ++others;
    });
  });
  CHECK(end == End::error && others == 1);
}

// Both throw: one error comes out, and the other goes.
SCENARIO(start_up_of_both_fails) {
  std::array<int, 2> calls{};
  const End end = end_of([&] {
    const ThreadPool pool(2, [&, c = Capture()] {
      ++calls[*this_worker::index()];
      if (*c == 1) throw std::runtime_error("oops");
    });
  });
  CHECK(end == End::error && calls[0] == 1 && calls[1] == 1);
}

}  // namespace
