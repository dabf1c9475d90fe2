// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_FINDABLE_HPP
#define MILLPOND_DETAIL_ENGINE_FINDABLE_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <cstddef>
#include <cstdint>

namespace millpond::inline MILLPOND_ABI::detail {

/// A counted object that is also found by those who hold its address and no reference. It deletes
/// itself with its last reference, of which the creator has the first.
///
/// Thread safety: all public members, from any thread.
class Findable {
 public:
  Findable();
  Findable(const Findable&) = delete;
  Findable& operator=(const Findable&) = delete;
  virtual ~Findable();

  void add_ref() noexcept { refs_.fetch_add(1, memory_order_relaxed); }
  void release() noexcept {
    // acquire: pairs with the release half of the others' decrements, whose writes we destroy.
    if (refs_.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
  }

  /// A number that tells this object from others that had its address before.
  std::uint16_t serial() const noexcept { return serial_; }

  /// A reference to an object that may be gone; null if it is, or about to go.
  static Ref<Findable> find(const Findable* object, std::uint16_t serial) noexcept;

 private:
  class Registry;
  MILLPOND_VISIBLE static Registry& registry() noexcept;

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
