// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_FINDABLE_HPP
#define MILLPOND_DETAIL_ENGINE_FINDABLE_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/process.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// A counted object that is also found by those who hold its address and no reference. It deletes
/// itself with its last reference, of which the creator has the first.
///
/// Thread safety: all public members, from any thread.
class Findable {
 public:
  Findable() { registry().add(*this); }
  Findable(const Findable&) = delete;
  Findable& operator=(const Findable&) = delete;
  virtual ~Findable() { registry().remove(*this); }

  void add_ref() noexcept { refs_.fetch_add(1, memory_order_relaxed); }
  void release() noexcept {
    // acquire: pairs with the release half of the others' decrements, whose writes we destroy.
    if (refs_.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
  }

  /// A number that tells this object from others that had its address before.
  std::uint16_t serial() const noexcept { return serial_; }

  /// A reference to an object that may be gone; null if it is, or about to go.
  static Ref<Findable> find(const Findable* object, std::uint16_t serial) noexcept {
    return registry().find(object, serial);
  }

 private:
  class Registry {
   public:
    void add(Findable& object) {
      const lock_guard lock(mutex_);
      object.serial_ = ++serials_;
      object.next_ = std::exchange(first_, &object);
    }
    void remove(Findable& object) noexcept {
      const lock_guard lock(mutex_);
      Findable** link = &first_;
      while (*link != &object) link = &(*link)->next_;
      *link = object.next_;
    }
    Ref<Findable> find(const Findable* object, std::uint16_t serial) noexcept {
      const lock_guard lock(mutex_);
      for (Findable* live = first_; live != nullptr; live = live->next_) {
        if (live != object || live->serial_ != serial) continue;
        return live->try_add_ref() ? Ref<Findable>::adopt(live) : Ref<Findable>();
      }
      return {};
    }

   private:
    friend class Findable;
    mutex mutex_;
    Findable* first_ = nullptr;
    std::uint16_t serials_ = 0;
  };

  /// Never destroyed: pools and results may be static objects.
  MILLPOND_VISIBLE static Registry& registry() noexcept {
    alignas(Registry) static std::byte memory[sizeof(Registry)];
    static Registry* const registry = [] {
      Process::hold_during_fork<[]() -> mutex& { return Findable::registry().mutex_; }>();
      return ::new (static_cast<void*>(memory)) Registry;
    }();
    return *registry;
  }

  bool try_add_ref() noexcept {
    std::size_t refs = refs_.load(memory_order_relaxed);
    while (refs != 0 && !refs_.compare_exchange_weak(refs, refs + 1, memory_order_relaxed)) {
    }
    return refs != 0;
  }

  atomic<std::size_t> refs_{1};
  std::uint16_t serial_ = 0;
  Findable* next_ = nullptr;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_FINDABLE_HPP
