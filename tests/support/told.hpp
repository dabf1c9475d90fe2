// SPDX-License-Identifier: MIT
//
// What a call brings home, in words: for tables of expectations.
#ifndef MILLPOND_TESTS_SUPPORT_TOLD_HPP
#define MILLPOND_TESTS_SUPPORT_TOLD_HPP

#include <millpond/errors.hpp>

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace millpond::test {

inline std::string name_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const TerminatedError&) {
    return "TerminatedError";
  } catch (const CancelledError&) {
    return "CancelledError";
  } catch (const TimeoutError&) {
    return "TimeoutError";
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

// What `call` returns, or the name of what it throws.
template <class Call>
std::string told(Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (...) {
    return name_of(std::current_exception());
  }
}

inline std::string shown(int value) { return std::to_string(value); }
inline std::string shown(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : " ") + std::to_string(value);
  return text;
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_TOLD_HPP
