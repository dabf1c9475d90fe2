// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_JOB_MEMORY_HPP
#define MILLPOND_DETAIL_ENGINE_JOB_MEMORY_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

/// Memory for jobs, recycled. Jobs are mostly made on one thread and destroyed on another, which
/// is what malloc is slowest at; here the blocks travel back in batches.
///
/// Blocks are a multiple of a cache line and lie in slabs, one size to a slab. Each thread keeps a
/// magazine of free blocks for each size. An allocation takes from it and a release gives to it,
/// without synchronisation; an empty one is refilled from, and a full one emptied into, the depot:
/// batches of kBatch blocks behind a mutex, and the slabs that new batches are cut from. A thread's
/// magazines are emptied when it ends.
///
/// Slabs all of whose blocks are in the depot are given back when the depot holds more than 32 MiB
/// (64 KiB if no pool is alive), and when the last pool dies. To find them every free block is
/// looked at; so the next time is when twice as much as was left then is free.
///
/// Off (MILLPOND_RECYCLES_MEMORY 0) in sanitizer builds, so that each use after free is seen.

namespace millpond::inline MILLPOND_ABI::detail {

class JobMemory {
 public:
  static void* allocate(std::size_t size) {
    if (!recycles(size)) return ::operator new(size);
    const std::size_t size_class = class_of(size);
    Magazine& magazine = magazines_[size_class];
    if (magazine.head == nullptr) refill(magazine, size_class);
    --magazine.count;
    Block* const block = std::exchange(magazine.head, magazine.head->next);
    // The next one comes from another processor's cache, most likely.
    MILLPOND_PREFETCH(magazine.head);
    return block;
  }

  static void release(void* memory, std::size_t size) noexcept {
    if (!recycles(size)) return ::operator delete(memory);
    const std::size_t size_class = class_of(size);
    Magazine& magazine = magazines_[size_class];
    if (magazine.count - 1 >= kBatch - 1) return release_slowly(memory, size_class);
    put(memory, magazine);
  }

  /// A pool counts itself in and out.
  static void add_pool() noexcept;
  static void remove_pool() noexcept;

  /// Empties this thread's magazines: for a worker that ends.
  static void flush_thread() noexcept;

 private:
  /// A free block.
  struct Block {
    Block* next;        // in its magazine or batch
    Block* next_batch;  // of a batch's first block in the depot
    std::size_t count;  // of the blocks of that batch
  };

  struct Magazine {
    Block* head;
    std::size_t count;
  };

  struct Slab;
  struct Depot;

  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kClasses = 4;
  static constexpr std::size_t kBatch = tuning::kMemoryBatch;  // blocks

  using Magazines = std::array<Magazine, kClasses>;

  static constexpr bool recycles(std::size_t size) noexcept {
    return MILLPOND_RECYCLES_MEMORY != 0 && size <= kClasses * kLine;
  }
  static constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / kLine; }
  static constexpr std::size_t size_of(std::size_t size_class) noexcept {
    return (size_class + 1) * kLine;
  }
  static void put(void* memory, Magazine& magazine) noexcept {
    magazine.head = ::new (memory) Block{magazine.head, nullptr, 0};
    ++magazine.count;
  }
  /// The magazine is empty or full.
  MILLPOND_COLD static void release_slowly(void* memory, std::size_t size_class) noexcept;
  MILLPOND_COLD static void refill(Magazine& magazine, std::size_t size_class);
  static Depot& depot() noexcept;
  static void empty_when_thread_ends() noexcept;

  static inline constinit thread_local Magazines magazines_{};
  static inline constinit thread_local bool thread_ends_ = false;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_JOB_MEMORY_HPP
