// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_MADE_ONCE_HPP
#define MILLPOND_DETAIL_PLATFORM_MADE_ONCE_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/process.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <atomic>
#include <cstddef>
#include <new>
#include <thread>
#include <type_traits>

namespace millpond::inline MILLPOND_ABI::detail {

/// A place for a T that is made when it is first asked for, and never destroyed: who is destroyed
/// after main() may still use it. To be a static variable of a function, which needs no guard.
template <class T>
class MadeOncePlace {
 public:
  T& object() noexcept { return *std::launder(reinterpret_cast<T*>(memory_)); }

 private:
  template <auto kPlace>
  friend auto& made_once();

  static constexpr Process::Id kNotMade = 0;
  static constexpr Process::Id kMade = -1;

  std::atomic<Process::Id> state_{kNotMade};  // or the process in which a thread makes it
  alignas(T) std::byte memory_[sizeof(T)]{};
};

/// What is at the place that kPlace() gives. Its mutex_ is held while the process is copied by
/// fork(): so it is free in the child, and what it guards is whole.
///
/// A static variable that is initialised when it is first used would do, but for its guard: a child
/// of fork() would wait for ever for a thread that only its parent has. Here it sees that, and
/// makes the object itself.
template <auto kPlace>
auto& made_once() {
  auto& place = kPlace();
  // acquire, here and below: pairs with the release that says that it is made.
  using Place = std::remove_reference_t<decltype(place)>;
  using T = std::remove_reference_t<decltype(place.object())>;
  Process::Id state = place.state_.load(std::memory_order_acquire);
  const Process::Id here = Process::id() != 0 ? Process::id() : 1;
  while (state != Place::kMade) {
    if (state == here) {
      std::this_thread::yield();
      state = place.state_.load(std::memory_order_acquire);
    } else if (place.state_.compare_exchange_strong(state, here, std::memory_order_acquire)) {
      ::new (static_cast<void*>(place.memory_)) T;
      Process::hold_during_fork<[]() -> mutex& { return kPlace().object().mutex_; }>();
      place.state_.store(state = Place::kMade, std::memory_order_release);
    }
  }
  return place.object();
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_PLATFORM_MADE_ONCE_HPP
