// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_SUPPORT_THROWS_HPP
#define MILLPOND_TESTS_SUPPORT_THROWS_HPP

#include <concepts>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace millpond::test {

// The message of the Exception that `call` throws. Exceptions of other types pass through, so the
// type is checked as well.
template <class Exception, std::invocable Call>
std::string message_of(Call&& call) {
  try {
    static_cast<void>(std::invoke(std::forward<Call>(call)));
  } catch (const Exception& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

// The same for an exception that has been caught already.
template <class Exception>
std::string message_of(const std::exception_ptr& error) {
  if (!error) return "(no exception)";
  return message_of<Exception>([&] { std::rethrow_exception(error); });
}

// Whether `error` holds an Exception or something derived from it.
template <class Exception>
bool holds(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const Exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_THROWS_HPP
