// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_WAITERS_HPP
#define MILLPOND_DETAIL_ENGINE_WAITERS_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Somebody to be told that a result is ready; lives in a WaiterList until told or removed.
class Waiter {
 public:
  enum class Kind : bool {
    sleeper,  // notify() is short
    code,     // it runs what the user has left for this moment; it keeps its result
  };

  explicit Waiter(Kind kind = Kind::sleeper) noexcept : kind_(kind) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Called once, without locks, by the thread that completes the result. May end the life of
  /// *this. For code: at once, or after other code that this thread is running.
  virtual void notify() noexcept = 0;

  /// Called before notify(), in place of it, if that has to come later: when the result may have
  /// given up what it keeps while it is unfinished.
  virtual void put_off() noexcept {}

 protected:
  ~Waiter() = default;

 private:
  friend class WaiterList;
  friend class WaitingCode;
  Waiter* next_ = nullptr;
  const Kind kind_;
};

/// Runs the code that has waited. That code may complete another result, whose code runs on top of
/// it, and so on; but only so deep, as a chain of any length must not fill the stack. What would be
/// deeper runs on the same thread when the deepest has returned.
class WaitingCode {
 public:
  /// One that no list has taken.
  static void run(Waiter& waiter) noexcept {
    waiter.next_ = nullptr;
    run_all(&waiter);
  }
  /// A list, in its order.
  static void run_all(Waiter* first) noexcept {
    if (first == nullptr) return;
    if (depth_ == kDeepest) return put_off(first);
    ++depth_;
    while (first != nullptr) {
      Waiter* const next = first->next_;  // read first: notify() may end the waiter's life
      first->notify();
      first = next;
      if (first == nullptr && depth_ == kDeepest) first = std::exchange(put_off_, nullptr);
    }
    --depth_;
  }

 private:
  static constexpr std::size_t kDeepest = 64;

  static void put_off(Waiter* first) noexcept {
    *(put_off_ == nullptr ? &put_off_ : end_) = first;
    for (;; first = first->next_) {
      first->put_off();
      end_ = &first->next_;
      if (first->next_ == nullptr) return;
    }
  }

  static inline constinit thread_local std::size_t depth_ = 0;
  static inline constinit thread_local Waiter* put_off_ = nullptr;  // a list
  static inline constinit thread_local Waiter** end_ = nullptr;     // its, if there is one
};

/// The one-shot "ready" of a result together with those who wait for it, in one word:
///
///   0 or waiter*    not ready; the head of the list of waiters, newest first
///   waiter* | 2     the same while a thread takes its waiter out (a few instructions long)
///   1               ready, for good; the list has been handed to the completing thread
///   5               nobody waits, or ever will
///
/// Adding and completing are one compare-exchange each; only remove() takes the lock bit. Why no
/// wake-up is lost: a waiter enters the list by a compare-exchange from a word that is not ready,
/// and complete() takes the whole list by the same one that sets ready; so each waiter either
/// finds the word ready or is in the list that gets notified.
///
/// Thread safety: all members, from any thread. Memory ordering: what happened before complete()
/// happens before ready() == true, and before Waiter::notify().
class WaiterList {
 public:
  bool ready() const noexcept {
    return word_.load(memory_order_acquire) == kReady;  // acquire: pairs with complete()
  }

  /// False, and nothing is kept, if already ready.
  bool add(Waiter& waiter) noexcept {
    std::uintptr_t word = word_.load(memory_order_acquire);
    for (;;) {
      word = unlocked(word);
      if (word == kReady) return false;
      waiter.next_ = to_waiter(word);
      // release: hands the waiter's fields to complete() and remove(). acquire: pairs with
      // complete() when it fails on a word that has become ready.
      if (word_.compare_exchange_weak(word, to_word(&waiter), memory_order_acq_rel,
                                      memory_order_acquire)) {
        return true;
      }
    }
  }

  /// False if `waiter` has been or is about to be notified: then its owner must await that.
  bool remove(Waiter& waiter) noexcept {
    std::uintptr_t word = word_.load(memory_order_acquire);
    do {
      word = unlocked(word);
      if (word == kReady) return false;
    } while (!word_.compare_exchange_weak(word, word | kLocked, memory_order_acq_rel,
                                          memory_order_acquire));
    Waiter* head = to_waiter(word);
    Waiter** link = &head;
    while (*link != &waiter) link = &(*link)->next_;
    *link = waiter.next_;
    word_.store(to_word(head), memory_order_release);  // release: pairs with every acquire
    return true;
  }

  /// Makes ready and notifies all who wait, in the order in which they came: first threads, then
  /// the user's code. False, and nothing is done, after close().
  bool complete() noexcept {
    std::uintptr_t word = word_.load(memory_order_acquire);
    do {
      word = unlocked(word);
      if (word == kClosed) return false;
      // release: publishes the outcome to ready(). acquire: pairs with add().
    } while (
        !word_.compare_exchange_weak(word, kReady, memory_order_acq_rel, memory_order_acquire));
    if (word != 0) notify_all(to_waiter(word));
    return true;
  }

  /// Nobody waits, and nobody will. False if it is ready.
  bool close() noexcept {
    std::uintptr_t none = 0;
    // release: what the last who might have waited did comes before what complete() leads to.
    // acquire: pairs with complete().
    return word_.load(memory_order_acquire) == none &&
           word_.compare_exchange_strong(none, kClosed, memory_order_acq_rel, memory_order_acquire);
  }

 private:
  static constexpr std::uintptr_t kReady = 1;
  static constexpr std::uintptr_t kLocked = 2;
  static constexpr std::uintptr_t kClosed = 5;
  static_assert(alignof(Waiter) >= 4, "the two lowest bits of a Waiter* carry the state");

  static Waiter* to_waiter(std::uintptr_t word) noexcept { return reinterpret_cast<Waiter*>(word); }
  static std::uintptr_t to_word(Waiter* waiter) noexcept {
    return reinterpret_cast<std::uintptr_t>(waiter);
  }

  static void notify_all(Waiter* newest) noexcept {
    Waiter* sleepers = nullptr;
    Waiter* code = nullptr;
    while (newest != nullptr) {
      Waiter* const waiter = newest;
      newest = waiter->next_;
      Waiter*& list = waiter->kind_ == Waiter::Kind::sleeper ? sleepers : code;
      waiter->next_ = std::exchange(list, waiter);
    }
    while (sleepers != nullptr) {
      Waiter* const next = sleepers->next_;  // read first: notify() may end the waiter's life
      sleepers->notify();
      sleepers = next;
    }
    WaitingCode::run_all(code);
  }

  /// `word` as it is once nobody holds the lock bit.
  std::uintptr_t unlocked(std::uintptr_t word) const noexcept {
    while ((word & kLocked) != 0) {
      this_thread::yield();
      word = word_.load(memory_order_acquire);
    }
    return word;
  }

  atomic<std::uintptr_t> word_{0};
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_WAITERS_HPP
