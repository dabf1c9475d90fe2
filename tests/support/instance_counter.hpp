// SPDX-License-Identifier: MIT
//
// A value that knows how many of its kind are alive: finds leaks, double destruction, copies that
// should not have been made and objects that were never constructed.
#ifndef MILLPOND_TESTS_SUPPORT_INSTANCE_COUNTER_HPP
#define MILLPOND_TESTS_SUPPORT_INSTANCE_COUNTER_HPP

#include <atomic>
#include <cstdint>
#include <utility>

namespace millpond::test {

// One test's tally. Thread-safe. It must outlive every Counted that it counts.
class InstanceCounter {
 public:
  InstanceCounter() = default;
  InstanceCounter(const InstanceCounter&) = delete;
  InstanceCounter& operator=(const InstanceCounter&) = delete;

  // Objects alive now, moved-from ones included.
  [[nodiscard]] int alive() const { return alive_.load(); }
  // Objects ever constructed, in whatever way.
  [[nodiscard]] int constructed() const { return constructed_.load(); }
  [[nodiscard]] int copies() const { return copies_.load(); }
  [[nodiscard]] int moves() const { return moves_.load(); }
  // Uses of an object that was not alive: destroyed twice, or used after destruction.
  [[nodiscard]] int misuses() const { return misuses_.load(); }
  // Nothing leaked, nothing destroyed twice.
  [[nodiscard]] bool balanced() const { return alive() == 0 && misuses() == 0; }

 private:
  friend class Counted;

  std::atomic<int> alive_{0};
  std::atomic<int> constructed_{0};
  std::atomic<int> copies_{0};
  std::atomic<int> moves_{0};
  std::atomic<int> misuses_{0};
};

// A counted int. Copyable, movable, without a default constructor. A moved-from object holds
// kMovedFrom and is still alive.
class Counted {
 public:
  static constexpr int kMovedFrom = -1;

  explicit Counted(InstanceCounter& counter, int value = 0) : counter_(&counter), value_(value) {
    born();
  }
  Counted(const Counted& other) : counter_(other.counter_), value_(other.value()) {
    born();
    ++counter_->copies_;
  }
  Counted(Counted&& other) noexcept
      : counter_(other.counter_), value_(std::exchange(other.value_, kMovedFrom)) {
    other.check();
    born();
    ++counter_->moves_;
  }
  Counted& operator=(const Counted& other) {
    check();
    value_ = other.value();
    ++counter_->copies_;
    return *this;
  }
  Counted& operator=(Counted&& other) noexcept {
    check();
    other.check();
    value_ = std::exchange(other.value_, kMovedFrom);
    ++counter_->moves_;
    return *this;
  }
  ~Counted() {
    check();
    mark_ = kDead;
    --counter_->alive_;
  }

  [[nodiscard]] int value() const {
    check();
    return value_;
  }
  [[nodiscard]] bool moved_from() const { return value() == kMovedFrom; }

 private:
  static constexpr std::uint32_t kAlive = 0x600DF00DU;
  static constexpr std::uint32_t kDead = 0xDEADBEEFU;

  void born() {
    ++counter_->alive_;
    ++counter_->constructed_;
  }
  void check() const {
    if (mark_ != kAlive) ++counter_->misuses_;
  }

  InstanceCounter* counter_;
  int value_;
  // volatile: the write in the destructor must not be optimised away as a dead store.
  volatile std::uint32_t mark_ = kAlive;
};

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_INSTANCE_COUNTER_HPP
