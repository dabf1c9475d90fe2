// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_SCENARIOS_COMMON_HPP
#define MILLPOND_TESTS_EXPLORE_SCENARIOS_COMMON_HPP

#include <millpond/imap_iterator.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "scenario.hpp"

namespace explore {

/// A call, where it does not matter which.
inline int seven() {
  user_code();
  return 7;
}

/// Input of an imap that is read once: 0, 1, ... below `size`. Throws in place of `bad`.
class Numbers {
 public:
  static constexpr int kEndless = 1 << 30;

  explicit Numbers(int size, int bad = -1) : size_(size), bad_(bad) {}

  class Iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;

    Iterator(int size, int bad) : size_(size), bad_(bad) {}

    int operator*() const {
      user_code();
      if (at_ == bad_) throw std::runtime_error("input");
      return at_;
    }
    Iterator& operator++() {
      user_code();
      ++at_;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) {
      user_code();
      return it.at_ == it.size_;
    }

   private:
    int at_ = 0;
    int size_;
    int bad_;
  };

  Iterator begin() const { return {size_, bad_}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  int size_;
  int bad_;
  Capture memory_;  // input that is used after its end is seen
};

/// Counts how many of it live.
class Counted {
 public:
  explicit Counted(mt::atomic<int>& count) : count_(&count) { add(1); }
  Counted(const Counted& other) : count_(other.count_) { add(1); }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { add(-1); }

 private:
  void add(int difference) {
    user_code();
    count_->fetch_add(difference);
  }
  mt::atomic<int>* count_;
};

/// A capture that opens a gate when the last of its copies dies.
class Opens {
 public:
  explicit Opens(Gate& gate) : gate_(&gate, [](Gate* opened) { opened->open(); }) {}

 private:
  std::shared_ptr<Gate> gate_;
};

/// The next value, -1 at the end.
template <class R>
int next_of(millpond::ImapIterator<R>& it) {
  const auto value = it.next();
  return value ? static_cast<int>(*value) : -1;
}

/// How the next call of next() ends.
template <class R>
End end_of_next(millpond::ImapIterator<R>& it) {
  return end_of([&] { it.next(); });
}

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_SCENARIOS_COMMON_HPP
