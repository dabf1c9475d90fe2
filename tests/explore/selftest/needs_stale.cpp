// SPDX-License-Identifier: MIT
//
// Planted faults that show only if loads see older values: orders that are too weak, where no plain
// memory is involved.

#include "explore/sync.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using mt::atomic;

// Released and acquired only, both threads may miss the other's flag.
SCENARIO(planted_dekker_with_acquire_and_release, .planted = "CHECK") {
  atomic<bool> a{false}, b{false};
  bool a_saw = false, b_saw = false;
  thread t([&] {
    a.store(true, std::memory_order_release);
    a_saw = b.load(std::memory_order_acquire);
  });
  thread u([&] {
    b.store(true, std::memory_order_release);
    b_saw = a.load(std::memory_order_acquire);
  });
  t.join();
  u.join();
  CHECK(a_saw || b_saw);
}

SCENARIO(planted_message_in_a_relaxed_atomic, .planted = "CHECK") {
  atomic<int> message{0};
  atomic<bool> ready{false};
  thread a([&] {
    message.store(1, std::memory_order_relaxed);
    ready.store(true, std::memory_order_relaxed);
  });
  if (ready.load(std::memory_order_acquire)) CHECK(message.load(std::memory_order_relaxed) == 1);
  a.join();
}

}  // namespace
