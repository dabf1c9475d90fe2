// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_NOISE_OPTIONS_HPP
#define MILLPOND_TESTS_NOISE_OPTIONS_HPP

#include <cstdint>

namespace millpond::noise {

// What the command line says.
struct Options {
  double seconds = 10;
  std::uint64_t seed = 0;
  bool faults = false;
  double patience = 120;  // seconds without progress until the watchdog gives up
};

inline Options& options() {
  static Options options;
  return options;
}

}  // namespace millpond::noise

#endif  // MILLPOND_TESTS_NOISE_OPTIONS_HPP
