// SPDX-License-Identifier: MIT
//
// How an example checks its own answer.
#ifndef MILLPOND_EXAMPLES_CHECK_HPP
#define MILLPOND_EXAMPLES_CHECK_HPP

#include <cstdio>
#include <cstdlib>
#include <string_view>

/// Ends the program with status 1 unless `holds`. Call it in the main thread.
inline void check(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "wrong: %.*s\n", static_cast<int>(what.size()), what.data());
  std::_Exit(1);  // tasks may be running still: do not wait for them
}

#endif  // MILLPOND_EXAMPLES_CHECK_HPP
