// SPDX-License-Identifier: MIT
//
// Meeting points for tests: threads wait for events, never for time to pass.
#ifndef MILLPOND_TESTS_SUPPORT_GATE_HPP
#define MILLPOND_TESTS_SUPPORT_GATE_HPP

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace millpond::test {

// A door that starts closed and, once open, stays open.
//
// Thread-safe. What happened before open() is visible after wait() has returned. The gate may be
// destroyed as soon as a wait() has returned and open() has been called once only.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Lets everybody through, now and later. Idempotent.
  void open() {
    // Notified under the lock, so that a waiter may destroy the gate as soon as it is through.
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

  [[nodiscard]] bool is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }

  void wait() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

  // Whether the gate was open before `timeout` had passed. Only for tests of something that must
  // not happen, or of a wait that must give up.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return open_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool open_ = false;
};

// Opens a gate when the scope ends, so that a failed assertion leaves no task waiting for ever.
// Declare it after the pool: it then opens before the pool's destructor joins the workers.
class OpenAtExit {
 public:
  explicit OpenAtExit(Gate& gate) : gate_(gate) {}
  OpenAtExit(const OpenAtExit&) = delete;
  OpenAtExit& operator=(const OpenAtExit&) = delete;
  ~OpenAtExit() { gate_.open(); }

 private:
  Gate& gate_;
};

// Counts events; threads wait until a number of them has happened.
class EventCount {
 public:
  EventCount() = default;
  EventCount(const EventCount&) = delete;
  EventCount& operator=(const EventCount&) = delete;

  void add(std::size_t events = 1) {
    const std::lock_guard lock(mutex_);
    count_ += events;
    changed_.notify_all();
  }

  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  void wait_until(std::size_t events) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= events; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::size_t count_ = 0;
};

// Holds everyone who arrives until `parties` threads are there: proof that so many run at once.
class Rendezvous {
 public:
  explicit Rendezvous(std::size_t parties) : parties_(parties) {}
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  void arrive_and_wait() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return arrived_ >= parties_; });
  }

 private:
  const std::size_t parties_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t arrived_ = 0;
};

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_GATE_HPP
