// SPDX-License-Identifier: MIT
#include <iostream>
#include <latch>
#include <thread>

#define LIBRARY this_version
#include "library.hpp"
#undef LIBRARY
#define LIBRARY other_version
#include "library.hpp"

int main() {
  int failures = 0;
  const auto check = [&failures](bool holds, const char* what) {
    if (holds) return;
    std::cerr << "wrong: " << what << '\n';
    ++failures;
  };

  check(this_version::version().starts_with(THIS_VERSION), "this version");
  check(other_version::version().starts_with(OTHER_VERSION), "the other version");

  // A worker of each at the same time, then a worker of one within a task of the other.
  std::latch all(2);
  const auto meet = [&all](int x) {
    all.arrive_and_wait();
    return x;
  };
  int other = 0;
  std::thread thread([&] { other = other_version::run([&] { return meet(2); }); });
  check(this_version::run([&] { return meet(1); }) == 1, "this version's pool");
  thread.join();
  check(other == 2, "the other version's pool");

  check(this_version::run([] { return other_version::run([] { return 3; }); }) == 3, "nesting");
  check(other_version::run([] { return this_version::run([] { return 4; }); }) == 4, "nesting");
  return failures;
}
