// SPDX-License-Identifier: MIT
#ifndef MILLPOND_ERRORS_HPP
#define MILLPOND_ERRORS_HPP

#include <stdexcept>

namespace millpond::inline v0_1 {

/// A call that the pool or a result cannot take: a wrong argument or the wrong moment.
class ValueError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Base of what can happen to work that was accepted.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A timed wait ended before its result was there. The result is untouched: ask again.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// The work was cancelled before it started.
class CancelledError : public Error {
 public:
  using Error::Error;
};

/// The pool was terminated before the work started.
class TerminatedError : public Error {
 public:
  using Error::Error;
};

}  // namespace millpond::inline v0_1

#endif  // MILLPOND_ERRORS_HPP
