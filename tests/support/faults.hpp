// SPDX-License-Identifier: MIT
//
// Where memory and threads may run out: only in the library's own work, and only in a program that
// makes them fail (tests/noise). Everywhere else these are switches without an effect.
#ifndef MILLPOND_TESTS_SUPPORT_FAULTS_HPP
#define MILLPOND_TESTS_SUPPORT_FAULTS_HPP

#include <utility>

namespace millpond::test {

// Whether what the calling thread asks for may fail now. False for the test's own threads; a thread
// of the library's starts with true.
inline constinit thread_local bool faults_may_strike = false;

// Sets the switch as long as it lives.
class FaultScope {
 public:
  explicit FaultScope(bool may_strike) : before_(std::exchange(faults_may_strike, may_strike)) {}
  FaultScope(const FaultScope&) = delete;
  FaultScope& operator=(const FaultScope&) = delete;
  ~FaultScope() { faults_may_strike = before_; }

 private:
  const bool before_;
};

// For a test's own code in tasks and callbacks.
class Sheltered : FaultScope {
 public:
  Sheltered() : FaultScope(false) {}
};

// A call of the library's, which may fail.
template <class Call>
decltype(auto) exposed(Call&& call) {
  const FaultScope scope(true);
  return std::forward<Call>(call)();
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_FAULTS_HPP
