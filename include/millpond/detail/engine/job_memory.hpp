// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_JOB_MEMORY_HPP
#define MILLPOND_DETAIL_ENGINE_JOB_MEMORY_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/process.hpp>
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
  static void add_pool() noexcept {
    Depot& depot = JobMemory::depot();
    const lock_guard lock(depot.mutex_);
    if (depot.pools++ == 0) depot.limit = kKeptBytes;
  }
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

  /// At the beginning of each slab, which is aligned to kSlab.
  struct alignas(64) Slab {
    Slab* next;            // in the depot's list, guarded by its mutex, as is the rest
    std::uint32_t blocks;  // cut from it so far
    std::uint32_t free;    // found free; only while looking
  };

  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kClasses = 4;
  static constexpr std::size_t kBatch = tuning::kMemoryBatch;  // blocks
  static constexpr std::size_t kSlab = std::size_t{64} << 10;
  /// A little less, so that the next one fits beside it.
  static constexpr std::size_t kSlabBytes = kSlab - kLine;
  static constexpr std::size_t kKeptBytes = std::size_t{32} << 20;

  using Magazines = std::array<Magazine, kClasses>;

  /// The blocks between threads, and all slabs.
  struct Depot {
    /// Of one size.
    struct Shelf {
      Block* batches = nullptr;
      std::size_t free_blocks = 0;
      Slab* slabs = nullptr;    // the first is the one that batches are cut from
      std::size_t cut = kSlab;  // bytes of it
    };

    void take(Magazine& magazine, std::size_t size_class);
    void put(Magazine& magazine, std::size_t size_class) noexcept;
    void cut_batch_locked(Magazine& magazine, std::size_t size_class);
    Slab* trim_locked() noexcept;
    static Slab* trim_locked(Shelf& shelf) noexcept;

    mutex mutex_;  // guards the rest
    std::array<Shelf, kClasses> shelves;
    std::size_t bytes = 0;  // free
    std::size_t limit = kKeptBytes;
    std::size_t pools = 0;
  };

  static constexpr bool recycles(std::size_t size) noexcept {
    return MILLPOND_RECYCLES_MEMORY != 0 && size <= kClasses * kLine;
  }
  static constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / kLine; }
  static constexpr std::size_t size_of(std::size_t size_class) noexcept {
    return (size_class + 1) * kLine;
  }
  static Slab* slab_of(Block* block) noexcept {
    return reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) & ~(kSlab - 1));
  }

  /// Never destroyed: jobs may be released by destructors of static objects.
  static Depot& depot() noexcept {
    alignas(Depot) static std::byte memory[sizeof(Depot)];
    static Depot* const depot = [] {
      Process::hold_during_fork<[]() -> mutex& { return JobMemory::depot().mutex_; }>();
      return ::new (static_cast<void*>(memory)) Depot;
    }();
    return *depot;
  }

  /// To be called before a magazine gets its first block. A thread at its end, whose thread_local
  /// objects are being destroyed, keeps none any more.
  static void empty_when_thread_ends() noexcept {
    struct Flusher {
      ~Flusher() {
        flush_thread();
        thread_ends_ = true;
      }
    };
    if (thread_ends_) return;
    thread_local const Flusher flusher{};
    static_cast<void>(flusher);
  }

  static void put(void* memory, Magazine& magazine) noexcept {
    magazine.head = ::new (memory) Block{magazine.head, nullptr, 0};
    ++magazine.count;
  }
  /// The magazine is empty or full.
  MILLPOND_COLD static void release_slowly(void* memory, std::size_t size_class) noexcept {
    Magazine& magazine = magazines_[size_class];
    if (magazine.count != 0) depot().put(magazine, size_class);
    empty_when_thread_ends();
    put(memory, magazine);
    if (thread_ends_) depot().put(magazine, size_class);
  }

  MILLPOND_COLD static void refill(Magazine& magazine, std::size_t size_class) {
    empty_when_thread_ends();
    depot().take(magazine, size_class);
    if (!thread_ends_ || magazine.count == 1) return;
    Magazine rest{std::exchange(magazine.head->next, nullptr), magazine.count - 1};
    magazine.count = 1;
    depot().put(rest, size_class);
  }
  static void give_back(Slab* slabs) noexcept {
    while (slabs != nullptr) {
      ::operator delete(std::exchange(slabs, slabs->next), std::align_val_t(kSlab));
    }
  }

  static inline constinit thread_local Magazines magazines_{};
  static inline constinit thread_local bool thread_ends_ = false;
};

/// Throws std::bad_alloc.
inline void JobMemory::Depot::take(Magazine& magazine, std::size_t size_class) {
  Shelf& shelf = shelves[size_class];
  const lock_guard lock(mutex_);
  Block* const batch = shelf.batches;
  if (batch == nullptr) return cut_batch_locked(magazine, size_class);
  shelf.batches = batch->next_batch;
  shelf.free_blocks -= batch->count;
  bytes -= batch->count * size_of(size_class);
  magazine = {batch, batch->count};
}

inline void JobMemory::Depot::cut_batch_locked(Magazine& magazine, std::size_t size_class) {
  Shelf& shelf = shelves[size_class];
  const std::size_t size = size_of(size_class);
  if (shelf.cut + size > kSlabBytes) {
    void* const memory = ::operator new(kSlabBytes, std::align_val_t(kSlab));
    shelf.slabs = ::new (memory) Slab{shelf.slabs, 0, 0};
    shelf.cut = sizeof(Slab);
  }
  auto* const slab = reinterpret_cast<std::byte*>(shelf.slabs);
  Block** link = &magazine.head;
  std::size_t count = 0;
  for (; count != kBatch && shelf.cut + size <= kSlabBytes; ++count, shelf.cut += size) {
    Block* const block = ::new (static_cast<void*>(slab + shelf.cut)) Block{nullptr, nullptr, 0};
    *link = block;
    link = &block->next;
  }
  shelf.slabs->blocks += static_cast<std::uint32_t>(count);
  magazine.count = count;
}

inline void JobMemory::Depot::put(Magazine& magazine, std::size_t size_class) noexcept {
  if (magazine.count == 0) return;
  Slab* surplus = nullptr;
  {
    const lock_guard lock(mutex_);
    Shelf& shelf = shelves[size_class];
    magazine.head->next_batch = std::exchange(shelf.batches, magazine.head);
    magazine.head->count = magazine.count;
    shelf.free_blocks += magazine.count;
    bytes += magazine.count * size_of(size_class);
    if (bytes > limit) surplus = trim_locked();
  }
  magazine = {};
  give_back(surplus);
}

/// Takes out the slabs all of whose blocks are here.
inline JobMemory::Slab* JobMemory::Depot::trim_locked() noexcept {
  Slab* surplus = nullptr;
  bytes = 0;
  for (std::size_t i = 0; i != kClasses; ++i) {
    Slab* const free = trim_locked(shelves[i]);
    bytes += shelves[i].free_blocks * size_of(i);
    if (free == nullptr) continue;
    Slab* last = free;
    while (last->next != nullptr) last = last->next;
    last->next = std::exchange(surplus, free);
  }
  const std::size_t kept = pools != 0 ? kKeptBytes : kSlab;
  limit = 2 * bytes > kept ? 2 * bytes : kept;
  return surplus;
}

inline JobMemory::Slab* JobMemory::Depot::trim_locked(Shelf& shelf) noexcept {
  for (Block* batch = shelf.batches; batch != nullptr; batch = batch->next_batch) {
    for (Block* block = batch; block != nullptr; block = block->next) ++slab_of(block)->free;
  }
  Block* blocks = nullptr;  // those that stay, in one list
  for (Block* batch = std::exchange(shelf.batches, nullptr); batch != nullptr;) {
    Block* block = std::exchange(batch, batch->next_batch);
    while (block != nullptr) {
      Block* const next = block->next;
      if (slab_of(block)->free != slab_of(block)->blocks)
        block->next = std::exchange(blocks, block);
      block = next;
    }
  }
  shelf.free_blocks = 0;
  while (blocks != nullptr) {
    Block* const batch = blocks;
    std::size_t count = 1;
    Block* last = batch;
    for (; count != kBatch && last->next != nullptr; ++count) last = last->next;
    blocks = std::exchange(last->next, nullptr);
    batch->next_batch = std::exchange(shelf.batches, batch);
    batch->count = count;
    shelf.free_blocks += count;
  }
  Slab* surplus = nullptr;
  for (Slab** link = &shelf.slabs; *link != nullptr;) {
    Slab* const slab = *link;
    if (std::exchange(slab->free, 0) != slab->blocks) {
      link = &slab->next;
      continue;
    }
    if (slab == shelf.slabs) shelf.cut = kSlab;
    *link = slab->next;
    slab->next = std::exchange(surplus, slab);
  }
  return surplus;
}

inline void JobMemory::flush_thread() noexcept {
  for (std::size_t i = 0; i != kClasses; ++i) {
    if (magazines_[i].count != 0) depot().put(magazines_[i], i);
  }
}

inline void JobMemory::remove_pool() noexcept {
  flush_thread();
  Slab* surplus = nullptr;
  {
    Depot& depot = JobMemory::depot();
    const lock_guard lock(depot.mutex_);
    if (--depot.pools != 0) return;
    surplus = depot.trim_locked();
  }
  give_back(surplus);
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_JOB_MEMORY_HPP
