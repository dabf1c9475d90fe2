// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_PROCESS_CHECK_HPP
#define MILLPOND_TESTS_PROCESS_CHECK_HPP

#include <iostream>

/// Of programs that are tests by themselves: what was wrong, and how often.
inline int failures = 0;

inline void check(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "wrong: " << what << '\n';
  ++failures;
}

#endif  // MILLPOND_TESTS_PROCESS_CHECK_HPP
