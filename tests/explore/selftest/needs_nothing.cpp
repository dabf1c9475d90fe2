// SPDX-License-Identifier: MIT
//
// A planted fault of the library's, for which this file counts: mutexes that are locked in the file
// selftest.cpp are the user's.

#include "explore/sync.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;

SCENARIO(planted_user_code_under_a_lock, .planted = "code of the user's") {
  mt::mutex m;
  const mt::lock_guard lock(m);
  user_code();
}

}  // namespace
