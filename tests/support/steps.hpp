// SPDX-License-Identifier: MIT
//
// What each thread of a test is at, so that a watchdog can tell when nothing goes on any more.
#ifndef MILLPOND_TESTS_SUPPORT_STEPS_HPP
#define MILLPOND_TESTS_SUPPORT_STEPS_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <ostream>
#include <vector>

namespace millpond::test {

// Counts what happens: a test that goes on moves it. Relaxed throughout, so that no order comes
// about between threads that the test means to race.
inline std::atomic<std::uint64_t> progress{0};

// The steps that one thread is in, one inside the other.
class StepStack {
 public:
  static constexpr std::size_t kDepth = 12;

  StepStack() {
    const std::lock_guard lock(mutex());
    all().push_back(this);
  }
  StepStack(const StepStack&) = delete;
  StepStack& operator=(const StepStack&) = delete;
  ~StepStack() {
    const std::lock_guard lock(mutex());
    std::erase(all(), this);
  }

  void push(const char* name) {
    const std::size_t depth = depth_.load(std::memory_order_relaxed);
    if (depth < kDepth) names_[depth].store(name, std::memory_order_relaxed);
    depth_.store(depth + 1, std::memory_order_relaxed);
  }
  void pop() {
    depth_.store(depth_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  }

  static StepStack& mine() {
    thread_local StepStack stack;
    return stack;
  }

  // A line for each thread that is in a step.
  static void print_all(std::ostream& out) {
    const std::lock_guard lock(mutex());
    int number = 0;
    for (const StepStack* stack : all()) {
      const std::size_t depth = stack->depth_.load(std::memory_order_relaxed);
      if (depth == 0) continue;
      out << "  thread " << ++number << ":";
      for (std::size_t i = 0; i < std::min(depth, kDepth); ++i) {
        out << (i == 0 ? " " : " > ") << stack->names_[i].load(std::memory_order_relaxed);
      }
      out << "\n";
    }
  }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::vector<const StepStack*>& all() {
    static std::vector<const StepStack*> stacks;
    return stacks;
  }

  std::array<std::atomic<const char*>, kDepth> names_{};
  std::atomic<std::size_t> depth_{0};
};

// The calling thread is at `name`, a literal, as long as this lives.
class Step {
 public:
  explicit Step(const char* name) {
    progress.fetch_add(1, std::memory_order_relaxed);
    StepStack::mine().push(name);
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  ~Step() { StepStack::mine().pop(); }
};

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_STEPS_HPP
