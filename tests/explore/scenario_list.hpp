// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_SCENARIO_LIST_HPP
#define MILLPOND_TESTS_EXPLORE_SCENARIO_LIST_HPP

#include <vector>

namespace explore {

inline constexpr int kUnbounded = 99;

/// How far a scenario is explored.
struct Limits {
  int bound = 2;        // preemptions and other deviations; kUnbounded: all schedules
  bool faults = false;  // allocations and thread starts may fail
  // For the explorer's own tests:
  const char* planted = nullptr;  // it must fail, with a message that begins so
  unsigned classes = 0;           // in how many ways it can end that differ in meaning; 0: unknown
};

struct Scenario {
  const char* name;
  const char* file;
  void (*body)();
  Limits limits;
};
/// All there are; filled before main().
std::vector<Scenario>& scenarios();

struct Register {
  Register(const char* name, const char* file, void (*body)(), Limits limits) {
    scenarios().push_back({name, file, body, limits});
  }
};

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_SCENARIO_LIST_HPP
