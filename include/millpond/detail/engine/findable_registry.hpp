// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_FINDABLE_REGISTRY_HPP
#define MILLPOND_DETAIL_ENGINE_FINDABLE_REGISTRY_HPP

#include <millpond/detail/engine/findable.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/made_once.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstdint>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

class Findable::Registry {
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

  mutex mutex_;  // guards the rest

 private:
  Findable* first_ = nullptr;
  std::uint16_t serials_ = 0;
};

inline Findable::Registry& Findable::registry() noexcept {
  static constinit MadeOncePlace<Registry> place;
  return made_once<[]() -> MadeOncePlace<Registry>& { return place; }>();
}

MILLPOND_INLINE Findable::Findable() { registry().add(*this); }
MILLPOND_INLINE Findable::~Findable() { registry().remove(*this); }

MILLPOND_INLINE Ref<Findable> Findable::find(const Findable* object,
                                             std::uint16_t serial) noexcept {
  return registry().find(object, serial);
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_FINDABLE_REGISTRY_HPP
