// SPDX-License-Identifier: MIT
//
// What runs when an object is destroyed, to be captured by a task.
#ifndef MILLPOND_TESTS_SUPPORT_AT_THE_END_HPP
#define MILLPOND_TESTS_SUPPORT_AT_THE_END_HPP

#include <functional>
#include <memory>
#include <utility>

namespace millpond::test {

// Calls `function` when the last copy goes.
inline std::shared_ptr<void> at_the_end(std::function<void()> function) {
  return {nullptr, [function = std::move(function)](void*) { function(); }};
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_AT_THE_END_HPP
