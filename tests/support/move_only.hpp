// SPDX-License-Identifier: MIT
//
// Value types that lack what a careless library would need.
#ifndef MILLPOND_TESTS_SUPPORT_MOVE_ONLY_HPP
#define MILLPOND_TESTS_SUPPORT_MOVE_ONLY_HPP

#include <utility>

namespace millpond::test {

// An int that can only be moved and has no default. A moved-from object holds kMovedFrom.
class MoveOnly {
 public:
  static constexpr int kMovedFrom = -1;

  explicit MoveOnly(int value) : value_(value) {}
  MoveOnly(MoveOnly&& other) noexcept : value_(std::exchange(other.value_, kMovedFrom)) {}
  MoveOnly& operator=(MoveOnly&& other) noexcept {
    value_ = std::exchange(other.value_, kMovedFrom);
    return *this;
  }
  MoveOnly(const MoveOnly&) = delete;
  MoveOnly& operator=(const MoveOnly&) = delete;
  ~MoveOnly() = default;

  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

// An int that can be copied but neither defaulted nor assigned.
class NoDefault {
 public:
  explicit NoDefault(int value) : value_(value) {}
  NoDefault(const NoDefault&) = default;
  NoDefault& operator=(const NoDefault&) = delete;
  ~NoDefault() = default;

  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_MOVE_ONLY_HPP
