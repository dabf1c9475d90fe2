// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_PRIMITIVES_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_PRIMITIVES_HPP

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

#include "basics.hpp"
#include "engine.hpp"

/// Mutex, condition variable, atomic and thread of the model. What they do is in primitives.cpp,
/// which is compiled without the instrumentation that watches plain memory.

namespace explore {

class Mutex : public ModelObject {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex();

  void lock(Location location = Location::current()) noexcept;
  bool try_lock(Location location = Location::current()) noexcept;
  void unlock(Location location = Location::current()) noexcept;

  bool is_locked() const noexcept { return owner_ != nullptr; }
  Fiber* owner() const noexcept { return owner_; }

 private:
  friend class ConditionVariable;
  void check(Location location) const noexcept;
  void take(Location location) noexcept;
  void give() noexcept;

  static constexpr std::uint32_t kAlive = 0x4d555458;
  enum class Whose : std::uint8_t { unknown, librarys, scenarios };

  Fiber* owner_ = nullptr;
  std::uint32_t alive_ = kAlive;
  Whose whose_ = Whose::unknown;
};

class LockGuard {
 public:
  explicit LockGuard(Mutex& mutex, Location location = Location::current()) noexcept
      : mutex_(mutex), location_(location) {
    mutex_.lock(location);
  }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;
  ~LockGuard() { mutex_.unlock(location_); }

 private:
  Mutex& mutex_;
  const Location location_;
};

class ConditionVariable : public ModelObject {
 public:
  ConditionVariable() = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;
  ~ConditionVariable();

  void notify_one(Location location = Location::current()) noexcept;
  void notify_all(Location location = Location::current()) noexcept;

  void sleep(Mutex& mutex, Location location) noexcept;
  /// True if the time came first.
  bool sleep_until(Mutex& mutex, std::int64_t time, Location location) noexcept;

  /// `fiber` is woken by something else.
  void forget(const Fiber& fiber) noexcept;

 private:
  bool do_sleep(Mutex& mutex, bool is_timed, std::int64_t time, Location location) noexcept;
  void wake(int number) noexcept;
  void check(Location location) const noexcept;

  static constexpr std::uint32_t kAlive = 0x434f4e44;

  Fiber* sleepers_[kMaxThreads];
  int count_ = 0;
  std::uint32_t alive_ = kAlive;
};

/// An atomic of any type, as 64 bits.
class AtomicBits : public ModelObject {
 public:
  enum class Change : std::uint8_t { exchange, add, subtract, bit_or, bit_and };

  constexpr explicit AtomicBits(std::uint64_t bits) noexcept : bits_(bits) {}
  AtomicBits(const AtomicBits&) = delete;
  AtomicBits& operator=(const AtomicBits&) = delete;

  std::uint64_t load(std::memory_order order, Location location) const noexcept;
  void store(std::uint64_t bits, std::memory_order order, Location location) noexcept;
  /// Returns what it was before. `mask` has the bits of the type.
  std::uint64_t change(Change change, std::uint64_t operand, std::uint64_t mask,
                       std::memory_order order, Location location) noexcept;
  bool compare_exchange(std::uint64_t& expected, std::uint64_t bits, bool is_weak,
                        std::memory_order success, std::memory_order failure,
                        Location location) noexcept;
  /// The newest value; no operation of the model.
  std::uint64_t peek() const noexcept;

 private:
  void at(Op op, Location location) const noexcept;
  void write(std::uint64_t bits, std::memory_order order, bool continues_release) noexcept;

  std::uint64_t bits_;
};

template <class T>
class Atomic {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;

  constexpr Atomic() noexcept : Atomic(T()) {}
  constexpr Atomic(T value) noexcept : bits_(to_bits(value)) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst,
         Location location = Location::current()) const noexcept {
    return from_bits(bits_.load(order, location));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst,
             Location location = Location::current()) noexcept {
    bits_.store(to_bits(value), order, location);
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst,
             Location location = Location::current()) noexcept {
    return change(AtomicBits::Change::exchange, value, order, location);
  }
  T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst,
              Location location = Location::current()) noexcept {
    return change(AtomicBits::Change::add, value, order, location);
  }
  T fetch_sub(T value, std::memory_order order = std::memory_order_seq_cst,
              Location location = Location::current()) noexcept {
    return change(AtomicBits::Change::subtract, value, order, location);
  }
  T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst,
             Location location = Location::current()) noexcept {
    return change(AtomicBits::Change::bit_or, value, order, location);
  }
  T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst,
              Location location = Location::current()) noexcept {
    return change(AtomicBits::Change::bit_and, value, order, location);
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order success,
                               std::memory_order failure,
                               Location location = Location::current()) noexcept {
    return compare_exchange(expected, value, false, success, failure, location);
  }
  bool compare_exchange_strong(T& expected, T value,
                               std::memory_order order = std::memory_order_seq_cst,
                               Location location = Location::current()) noexcept {
    return compare_exchange(expected, value, false, order, for_failure(order), location);
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order success,
                             std::memory_order failure,
                             Location location = Location::current()) noexcept {
    return compare_exchange(expected, value, true, success, failure, location);
  }
  bool compare_exchange_weak(T& expected, T value,
                             std::memory_order order = std::memory_order_seq_cst,
                             Location location = Location::current()) noexcept {
    return compare_exchange(expected, value, true, order, for_failure(order), location);
  }
  T peek() const noexcept { return from_bits(bits_.peek()); }
  operator T() const noexcept { return load(); }
  T operator=(T value) noexcept {
    store(value);
    return value;
  }
  T operator++() noexcept { return static_cast<T>(fetch_add(1) + 1); }
  T operator--() noexcept { return static_cast<T>(fetch_sub(1) - 1); }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--(int) noexcept { return fetch_sub(1); }

 private:
  static constexpr std::uint64_t kMask =
      sizeof(T) == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * sizeof(T) % 64)) - 1;

  static constexpr std::uint64_t to_bits(T value) noexcept {
    if constexpr (std::is_pointer_v<T>) {
      return value == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(value);
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      return static_cast<std::uint64_t>(value) & kMask;
    } else {
      std::uint64_t bits = 0;
      std::memcpy(&bits, &value, sizeof(T));
      return bits;
    }
  }
  static T from_bits(std::uint64_t bits) noexcept {
    if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<T>(static_cast<std::uintptr_t>(bits));
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      return static_cast<T>(bits);
    } else {
      T value;
      std::memcpy(&value, &bits, sizeof(T));
      return value;
    }
  }
  static std::memory_order for_failure(std::memory_order order) noexcept {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    if (order == std::memory_order_release) return std::memory_order_relaxed;
    return order;
  }
  T change(AtomicBits::Change kind, T value, std::memory_order order, Location location) noexcept {
    return from_bits(bits_.change(kind, to_bits(value), kMask, order, location));
  }
  bool compare_exchange(T& expected, T value, bool is_weak, std::memory_order success,
                        std::memory_order failure, Location location) noexcept {
    std::uint64_t bits = to_bits(expected);
    if (bits_.compare_exchange(bits, to_bits(value), is_weak, success, failure, location)) {
      return true;
    }
    expected = from_bits(bits);
    return false;
  }

  AtomicBits bits_;
};

class Thread {
 public:
  class id {
   public:
    id() = default;
    explicit id(int number) noexcept : number_(number) {}
    friend bool operator==(id, id) = default;

   private:
    int number_ = -1;
  };

  Thread() = default;
  /// Throws std::system_error where faults are explored.
  template <class F, class... Args>
    requires(!std::is_same_v<std::decay_t<F>, Thread>)
  explicit Thread(F&& f, Args&&... args) {
    auto call = [f = std::decay_t<F>(std::forward<F>(f)),
                 ... args = std::decay_t<Args>(std::forward<Args>(args))]() mutable {
      std::invoke(std::move(f), std::move(args)...);
    };
    using Call = decltype(call);
    auto* const kept = new Call(std::move(call));
    const auto run = [](void* argument) {
      auto* const mine = static_cast<Call*>(argument);
      (*mine)();
      delete mine;
    };
    const auto drop = [](void* argument) { delete static_cast<Call*>(argument); };
    start(run, drop, kept);
  }
  Thread(Thread&& other) noexcept : fiber_(std::exchange(other.fiber_, nullptr)) {}
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  bool joinable() const noexcept { return fiber_ != nullptr; }
  void join(Location location = Location::current()) noexcept;
  void detach(Location location = Location::current()) noexcept;
  id get_id() const noexcept { return fiber_ != nullptr ? id(number()) : id(); }

  static id current_id() noexcept;
  static std::size_t current_number() noexcept;  // 0 for the scenario's own thread
  static void yield(Location location = Location::current()) noexcept;

 private:
  void start(void (*run)(void*), void (*drop)(void*), void* argument);
  int number() const noexcept;

  Fiber* fiber_ = nullptr;
};

/// The library calls code of the scenario: fails if the thread has a mutex of the library locked.
void user_code(Location location = Location::current()) noexcept;

/// Names the current thread in failures.
void role(const char* name) noexcept;

/// Fails the execution.
[[noreturn]] void check_failed(const char* condition, Location location) noexcept;

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_PRIMITIVES_HPP
