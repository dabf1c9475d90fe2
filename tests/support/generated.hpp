// SPDX-License-Identifier: MIT
//
// Single-pass input ranges made by a function, for tests that must see how input is read.
#ifndef MILLPOND_TESTS_SUPPORT_GENERATED_HPP
#define MILLPOND_TESTS_SUPPORT_GENERATED_HPP

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace millpond::test {

// A range of whatever `step` returns, until it returns nothing. Like a Python generator: it can be
// walked once, cannot be copied, and `step` runs when the range is begun and at each advance.
template <class T>
class Generated {
  using Step = std::function<std::optional<T>()>;
  struct Walk {
    explicit Walk(Step s) : step(std::move(s)) {}
    void advance() {
      current.reset();
      current = step();
    }
    Step step;
    std::optional<T> current;
  };

 public:
  explicit Generated(Step step) : walk_(std::make_unique<Walk>(std::move(step))) {}

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Walk& walk) : walk_(&walk) {}
    Iterator(Iterator&&) noexcept = default;
    Iterator& operator=(Iterator&&) noexcept = default;

    T& operator*() const { return *walk_->current; }
    Iterator& operator++() {
      walk_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& self, std::default_sentinel_t) {
      return !self.walk_->current.has_value();
    }

   private:
    Walk* walk_;
  };

  Iterator begin() {
    walk_->advance();
    return Iterator(*walk_);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::unique_ptr<Walk> walk_;
};

// 0, 1, ..., count - 1.
inline Generated<int> counting(int count) {
  return Generated<int>([next = 0, count]() mutable -> std::optional<int> {
    if (next == count) return std::nullopt;
    return next++;
  });
}

struct SayWhen : std::runtime_error {
  SayWhen() : std::runtime_error("somebody said when") {}
};

// 0, 1, ..., when - 1, and then SayWhen is thrown in place of the next item.
inline Generated<int> counting_until_throw(int when) {
  return Generated<int>([next = 0, when]() mutable -> std::optional<int> {
    if (next == when) throw SayWhen();
    return next++;
  });
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_GENERATED_HPP
