// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_ENGINE_JOB_MEMORY_DEPOT_HPP
#define MILLPOND_DETAIL_ENGINE_JOB_MEMORY_DEPOT_HPP

#include <millpond/detail/engine/job_memory.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/made_once.hpp>
#include <millpond/detail/platform/sync.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// At the beginning of each slab, which is aligned to kSlab.
struct alignas(64) JobMemory::Slab {
  Slab* next;            // in the depot's list, guarded by its mutex, as is the rest
  std::uint32_t blocks;  // cut from it so far
  std::uint32_t free;    // found free; only while looking
};

/// The blocks between threads, and all slabs.
struct JobMemory::Depot {
  static constexpr std::size_t kSlab = std::size_t{64} << 10;
  /// A little less, so that the next one fits beside it.
  static constexpr std::size_t kSlabBytes = kSlab - kLine;
  static constexpr std::size_t kKeptBytes = std::size_t{32} << 20;

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
  static Slab* slab_of(Block* block) noexcept {
    return reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) & ~(kSlab - 1));
  }
  static void give_back(Slab* slabs) noexcept {
    while (slabs != nullptr) {
      ::operator delete(std::exchange(slabs, slabs->next), std::align_val_t(kSlab));
    }
  }

  mutex mutex_;  // guards the rest
  std::array<Shelf, kClasses> shelves;
  std::size_t bytes = 0;  // free
  std::size_t limit = kKeptBytes;
  std::size_t pools = 0;
};

inline JobMemory::Depot& JobMemory::depot() noexcept {
  static constinit MadeOncePlace<Depot> place;
  return made_once<[]() -> MadeOncePlace<Depot>& { return place; }>();
}

// ---- Of each thread ----

/// To be called before a magazine gets its first block. A thread at its end, whose thread_local
/// objects are being destroyed, keeps none any more.
inline void JobMemory::empty_when_thread_ends() noexcept {
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

MILLPOND_INLINE void JobMemory::release_slowly(void* memory, std::size_t size_class) noexcept {
  Magazine& magazine = magazines_[size_class];
  if (magazine.count != 0) depot().put(magazine, size_class);
  empty_when_thread_ends();
  put(memory, magazine);
  if (thread_ends_) depot().put(magazine, size_class);
}

MILLPOND_INLINE void JobMemory::refill(Magazine& magazine, std::size_t size_class) {
  empty_when_thread_ends();
  depot().take(magazine, size_class);
  if (!thread_ends_ || magazine.count == 1) return;
  Magazine rest{std::exchange(magazine.head->next, nullptr), magazine.count - 1};
  magazine.count = 1;
  depot().put(rest, size_class);
}

// ---- Of all ----

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
  Depot::give_back(surplus);
}

inline void JobMemory::add_pool() noexcept {
  Depot& depot = JobMemory::depot();
  const lock_guard lock(depot.mutex_);
  if (depot.pools++ == 0) depot.limit = Depot::kKeptBytes;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_ENGINE_JOB_MEMORY_DEPOT_HPP
