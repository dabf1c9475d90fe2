// SPDX-License-Identifier: MIT
//
// Planted faults that show only if condition variables wake for no reason.

#include "explore/sync.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;

SCENARIO(planted_if_instead_of_while, .planted = "CHECK") {
  mt::mutex m;
  mt::condition_variable changed;
  bool flag = false;
  thread a([&] {
    bool seen;
    {
      mt::unique_lock lock(m);
      if (!flag) changed.wait(lock);
      seen = flag;
    }
    CHECK(seen);
  });
  {
    const mt::lock_guard lock(m);
    flag = true;
    changed.notify_one();
  }
  a.join();
}

}  // namespace
