// SPDX-License-Identifier: MIT
#ifndef MILLPOND_ERRORS_HPP
#define MILLPOND_ERRORS_HPP

#include <millpond/detail/platform/config.hpp>

#include <stdexcept>

namespace millpond::inline MILLPOND_ABI {

/// A call that the pool or a result cannot take: a wrong argument or the wrong moment.
class MILLPOND_VISIBLE ValueError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Base of what can happen to work that was accepted.
class MILLPOND_VISIBLE Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A timed wait ended before its result was there. The result is untouched: ask again.
class MILLPOND_VISIBLE TimeoutError : public Error {
 public:
  using Error::Error;
};

/// The work was cancelled before it started.
class MILLPOND_VISIBLE CancelledError : public Error {
 public:
  using Error::Error;
};

/// The pool was terminated before the work started.
class MILLPOND_VISIBLE TerminatedError : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// A function of its own: to throw an exception is more code than all else that some functions do.
[[noreturn]] MILLPOND_COLD inline void throw_value_error(const char* what) {
  throw ValueError(what);
}

}  // namespace detail

}  // namespace millpond::inline MILLPOND_ABI

#endif  // MILLPOND_ERRORS_HPP
