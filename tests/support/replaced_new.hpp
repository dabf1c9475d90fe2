// SPDX-License-Identifier: MIT
//
// Replaces the global operator new by one that fails when the program says so. For one source file
// of a program. Clang's ThreadSanitizer does not let it: there kReplacesOperatorNew is false.
#ifndef MILLPOND_TESTS_SUPPORT_REPLACED_NEW_HPP
#define MILLPOND_TESTS_SUPPORT_REPLACED_NEW_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MILLPOND_TEST_KEEPS_OPERATOR_NEW 1
#endif
#endif

namespace millpond::test {

// To be defined by the program.
bool allocation_fails() noexcept;

// Allocations that have not been given back.
inline constinit std::atomic<std::int64_t> alive_allocations{0};

#if defined(MILLPOND_TEST_KEEPS_OPERATOR_NEW)
inline constexpr bool kReplacesOperatorNew = false;
#else
inline constexpr bool kReplacesOperatorNew = true;

namespace new_detail {

inline void* allocate(std::size_t size) {
  if (allocation_fails()) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) {
    ++alive_allocations;
    return memory;
  }
  throw std::bad_alloc();
}

inline void* allocate(std::size_t size, std::size_t alignment) {
  if (allocation_fails()) throw std::bad_alloc();
#if defined(_WIN32)
  void* memory = _aligned_malloc(size, alignment);
#else
  // aligned_alloc wants a multiple of the alignment.
  void* memory = std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
#endif
  if (memory == nullptr) throw std::bad_alloc();
  ++alive_allocations;
  return memory;
}

inline void release(void* memory) noexcept {
  if (memory != nullptr) --alive_allocations;
  std::free(memory);
}

inline void release_aligned(void* memory) noexcept {
  if (memory != nullptr) --alive_allocations;
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace new_detail
#endif

}  // namespace millpond::test

#if !defined(MILLPOND_TEST_KEEPS_OPERATOR_NEW)

// The array and nothrow forms end up in these.
void* operator new(std::size_t size) { return millpond::test::new_detail::allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return millpond::test::new_detail::allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { millpond::test::new_detail::release(memory); }
void operator delete(void* memory, std::size_t) noexcept {
  millpond::test::new_detail::release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  millpond::test::new_detail::release_aligned(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  millpond::test::new_detail::release_aligned(memory);
}
#endif

#endif  // MILLPOND_TESTS_SUPPORT_REPLACED_NEW_HPP
