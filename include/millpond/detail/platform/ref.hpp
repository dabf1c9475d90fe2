// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_REF_HPP
#define MILLPOND_DETAIL_PLATFORM_REF_HPP

#include <millpond/detail/platform/config.hpp>

#include <concepts>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// An owning reference to a counted object (a Job or a Engine).
template <class T>
class Ref {
 public:
  Ref() = default;
  /// Takes over a reference that is already counted.
  static Ref adopt(T* object) noexcept {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  /// Counts a new one.
  static Ref share(T* object) noexcept {
    if (object != nullptr) object->add_ref();
    return adopt(object);
  }

  Ref(const Ref& other) noexcept : object_(share(other.object_).detach()) {}
  Ref(Ref&& other) noexcept : object_(other.detach()) {}
  template <std::derived_from<T> U>
  Ref(Ref<U> other) noexcept : object_(other.detach()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->release();
  }

  T* get() const noexcept { return object_; }
  T* detach() noexcept { return std::exchange(object_, nullptr); }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const Ref&, const Ref&) = default;

 private:
  T* object_ = nullptr;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_PLATFORM_REF_HPP
