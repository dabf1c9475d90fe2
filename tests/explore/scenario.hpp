// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_SCENARIO_HPP
#define MILLPOND_TESTS_EXPLORE_SCENARIO_HPP

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "scenario_list.hpp"

/// What a scenario is written with. A scenario is a small program that uses the library's public
/// interface and asserts every answer; the explorer runs it in one schedule after another. It must
/// do the same each time: no time but the model's, no addresses as values, nothing that outlives
/// it.

namespace explore {

namespace mt = millpond::detail;  // threads, mutexes, atomics and stop callbacks of the model
using mt::thread;

/// SCENARIO(name) { ... } or SCENARIO(name, .bound = 3) { ... }
#define SCENARIO(name, ...)                                                  \
  void name();                                                               \
  const ::explore::Register register_##name(#name, __FILE__, name,           \
                                            ::explore::Limits{__VA_ARGS__}); \
  void name()

#define CHECK(...)                                                           \
  do {                                                                       \
    ::explore::user_code();                                                  \
    if (!(__VA_ARGS__)) {                                                    \
      ::explore::check_failed(#__VA_ARGS__, ::explore::Location::current()); \
    }                                                                        \
  } while (false)

inline void yield(Location location = Location::current()) { mt::this_thread::yield(location); }

/// Opened once, for good.
class Gate {
 public:
  void open(Location location = Location::current()) noexcept {
    user_code(location);
    open_.store(true, std::memory_order_seq_cst, location);
  }
  void wait(Location location = Location::current()) noexcept {
    user_code(location);
    engine.block([](const void* gate) { return static_cast<const Gate*>(gate)->is_open(); }, this,
                 location);
    open_.load(std::memory_order_seq_cst, location);
  }

 private:
  bool is_open() const noexcept { return open_.peek(); }
  Atomic<bool> open_{false};
};

/// A value on the heap: one too many or too few, or one used after its end, is seen.
class Value {
 public:
  explicit Value(int value) : value_(std::make_unique<int>(value)) { user_code(); }
  Value(Value&& other) noexcept : value_(std::move(other.value_)) { user_code(); }
  Value& operator=(Value&& other) noexcept {
    user_code();
    value_ = std::move(other.value_);
    return *this;
  }
  ~Value() { user_code(); }
  operator int() const {
    user_code();
    return *value_;
  }

 private:
  std::unique_ptr<int> value_;
};

/// A capture on the heap, which can be copied.
class Capture {
 public:
  Capture() : value_(std::make_unique<int>(1)) { user_code(); }
  Capture(const Capture& other) : value_(std::make_unique<int>(*other.value_)) { user_code(); }
  Capture(Capture&& other) noexcept : value_(std::move(other.value_)) { user_code(); }
  Capture& operator=(Capture other) noexcept {
    user_code();
    value_ = std::move(other.value_);
    return *this;
  }
  ~Capture() { user_code(); }
  int operator*() const {
    user_code();
    return *value_;
  }

 private:
  std::unique_ptr<int> value_;
};

/// How a call ended.
enum class End { value, error, terminated, cancelled, timeout };
template <class F>
End end_of(F f) {
  try {
    f();
    return End::value;
  } catch (const millpond::TerminatedError&) {
    return End::terminated;
  } catch (const millpond::CancelledError&) {
    return End::cancelled;
  } catch (const millpond::TimeoutError&) {
    return End::timeout;
  } catch (const std::exception&) {
    return End::error;
  }
}

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_SCENARIO_HPP
