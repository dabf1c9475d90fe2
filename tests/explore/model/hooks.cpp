// SPDX-License-Identifier: MIT
//
// What the explorer puts in place of the language's run-time: memory, the ends of threads, and the
// functions that the compiler calls at each access of memory under -fsanitize=thread. The program
// is not linked with ThreadSanitizer; these are all that there is of it.

#include <cstdint>
#include <cstdlib>
#include <new>

#include "engine.hpp"

using explore::engine;
using Access = explore::RaceDetector::Access;

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  if (engine.in_scenario()) {
    if (engine.fails()) throw std::bad_alloc();
    if (void* const block = engine.arena().allocate(size, alignment)) return block;
    engine.fail("the execution's memory is full");
  }
  void* const block = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void release(void* block, const void* code) noexcept {
  if (block == nullptr) return;
  if (!engine.arena().owns(block)) return std::free(block);
  if (engine.active() && !engine.arena().is_freed(block)) {
    engine.access(block, engine.arena().size_of(block), Access::write, code);
  }
  if (!engine.arena().release(block) && engine.active()) engine.fail("freed twice");
}

}  // namespace

#define CALLER __builtin_return_address(0)

void* operator new(std::size_t size) { return allocate(size, 16); }
void* operator new[](std::size_t size) { return allocate(size, 16); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { release(block, CALLER); }
void operator delete[](void* block) noexcept { release(block, CALLER); }
void operator delete(void* block, std::size_t) noexcept { release(block, CALLER); }
void operator delete[](void* block, std::size_t) noexcept { release(block, CALLER); }
void operator delete(void* block, std::align_val_t) noexcept { release(block, CALLER); }
void operator delete[](void* block, std::align_val_t) noexcept { release(block, CALLER); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  release(block, CALLER);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
  release(block, CALLER);
}

extern "C" {

int __cxa_thread_atexit_impl(void (*)(void*), void*, void*);

int __cxa_thread_atexit(void (*destroy)(void*), void* object, void* module) noexcept {
  if (!engine.active()) return __cxa_thread_atexit_impl(destroy, object, module);
  explore::Fiber& self = engine.current();
  if (self.destructor_count == explore::Fiber::kMaxDestructors) {
    engine.fail("more than %d thread_local destructors", explore::Fiber::kMaxDestructors);
  }
  self.destructors[self.destructor_count++] = {destroy, object};
  return 0;
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

#define EXPLORE_ACCESS(name, size, kind) \
  void __tsan_##name(void* address) { engine.access(address, size, Access::kind, CALLER); }
EXPLORE_ACCESS(read1, 1, read)
EXPLORE_ACCESS(read2, 2, read)
EXPLORE_ACCESS(read4, 4, read)
EXPLORE_ACCESS(read8, 8, read)
EXPLORE_ACCESS(read16, 16, read)
EXPLORE_ACCESS(write1, 1, write)
EXPLORE_ACCESS(write2, 2, write)
EXPLORE_ACCESS(write4, 4, write)
EXPLORE_ACCESS(write8, 8, write)
EXPLORE_ACCESS(write16, 16, write)
EXPLORE_ACCESS(unaligned_read2, 2, read)
EXPLORE_ACCESS(unaligned_read4, 4, read)
EXPLORE_ACCESS(unaligned_read8, 8, read)
EXPLORE_ACCESS(unaligned_read16, 16, read)
EXPLORE_ACCESS(unaligned_write2, 2, write)
EXPLORE_ACCESS(unaligned_write4, 4, write)
EXPLORE_ACCESS(unaligned_write8, 8, write)
EXPLORE_ACCESS(unaligned_write16, 16, write)
void __tsan_read_range(void* address, long size) {
  engine.access(address, static_cast<std::size_t>(size), Access::read, CALLER);
}
void __tsan_write_range(void* address, long size) {
  engine.access(address, static_cast<std::size_t>(size), Access::write, CALLER);
}
void __tsan_vptr_update(void* address, void*) { engine.access(address, 8, Access::write, CALLER); }
void __tsan_vptr_read(void* address) { engine.access(address, 8, Access::read, CALLER); }

/// Atomics that do not go through the model: of the standard library, in headers. Each counts as
/// one that both acquires and releases, in an order of its own for each address.
#define EXPLORE_ATOMIC(bits, type)                                                                 \
  type __tsan_atomic##bits##_load(const volatile type* at, int) { return *at; }                    \
  void __tsan_atomic##bits##_store(volatile type* at, type value, int) { *at = value; }            \
  type __tsan_atomic##bits##_exchange(volatile type* at, type value, int) {                        \
    const type before = *at;                                                                       \
    *at = value;                                                                                   \
    return before;                                                                                 \
  }                                                                                                \
  type __tsan_atomic##bits##_fetch_add(volatile type* at, type value, int) {                       \
    const type before = *at;                                                                       \
    *at = static_cast<type>(before + value);                                                       \
    return before;                                                                                 \
  }                                                                                                \
  type __tsan_atomic##bits##_fetch_sub(volatile type* at, type value, int) {                       \
    const type before = *at;                                                                       \
    *at = static_cast<type>(before - value);                                                       \
    return before;                                                                                 \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile type* at, type* expected, type value, \
                                                    int, int) {                                    \
    if (*at != *expected) {                                                                        \
      *expected = *at;                                                                             \
      return 0;                                                                                    \
    }                                                                                              \
    *at = value;                                                                                   \
    return 1;                                                                                      \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile type* at, type* expected, type value,   \
                                                  int success, int failure) {                      \
    return __tsan_atomic##bits##_compare_exchange_strong(at, expected, value, success, failure);   \
  }
EXPLORE_ATOMIC(8, std::uint8_t)
EXPLORE_ATOMIC(16, std::uint16_t)
EXPLORE_ATOMIC(32, std::uint32_t)
EXPLORE_ATOMIC(64, std::uint64_t)
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}

}  // extern "C"
