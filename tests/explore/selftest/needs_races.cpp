// SPDX-License-Identifier: MIT
//
// Planted faults that only the build with instrumented memory finds.

#include <memory>

#include "explore/sync.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using mt::atomic;

SCENARIO(planted_release_without_acquire, .planted = "data race") {
  int message = 0;
  atomic<bool> ready{false};
  thread a([&] {
    message = 1;
    ready.store(true, std::memory_order_release);
  });
  if (ready.load(std::memory_order_relaxed)) CHECK(message == 1);
  a.join();
}

SCENARIO(planted_acquire_without_release, .planted = "data race") {
  int message = 0;
  atomic<bool> ready{false};
  thread a([&] {
    message = 1;
    ready.store(true, std::memory_order_relaxed);
  });
  if (ready.load(std::memory_order_acquire)) CHECK(message == 1);
  a.join();
}

// The last of two owners destroys; without acquire and release the other may still be reading.
SCENARIO(planted_relaxed_count_of_owners, .planted = "data race") {
  int* const value = new int(1);
  atomic<int> owners{2};
  const auto use = [&, value] {
    CHECK(*value == 1);
    if (owners.fetch_sub(1, std::memory_order_relaxed) == 1) delete value;
  };
  thread a(use), b(use);
  a.join();
  b.join();
}

SCENARIO(planted_unlocked_read, .planted = "data race") {
  mt::mutex m;
  int value = 0;
  thread a([&] {
    const mt::lock_guard lock(m);
    value = 1;
  });
  CHECK(value < 2);
  a.join();
}

}  // namespace
