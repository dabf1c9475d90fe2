// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOB_MEMORY_HPP
#define MILLPOND_DETAIL_JOB_MEMORY_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/process.hpp>
#include <millpond/detail/sync.hpp>

#include <array>
#include <cstddef>
#include <new>
#include <utility>

/// Memory for jobs, recycled. Jobs are mostly made on one thread and destroyed on another, which
/// is what malloc is slowest at; here the blocks travel back in batches.
///
/// Each thread keeps a magazine of free blocks for each size class. An allocation takes from it
/// and a release gives to it, without synchronisation; an empty one is refilled from, and a full
/// one emptied into, the depot: batches of kBatch blocks behind a mutex, at most kDepotBytes (the
/// jobs of 380,000 small tasks) in all. What does not fit goes back to the global operator delete.
/// A thread's magazines are emptied when it ends, and the depot when the last pool dies.
///
/// Measured with one worker, instructions a task: 567 with malloc, 386 so (empty tasks, callgrind).
///
/// Off (MILLPOND_RECYCLES_MEMORY 0) in sanitizer builds, so that each use after free is seen.

namespace millpond::inline MILLPOND_ABI::detail {

class JobMemory {
 public:
  static void* allocate(std::size_t size) {
    if (!recycles(size)) return ::operator new(size);
    const std::size_t size_class = class_of(size);
    Magazine& magazine = magazines_[size_class];
    if (magazine.head == nullptr && !refill(magazine, size_class)) {
      return ::operator new(size_of(size_class));
    }
    --magazine.count;
    Block* const block = std::exchange(magazine.head, magazine.head->next);
    // The next one comes from another processor's cache, most likely.
    MILLPOND_PREFETCH(magazine.head);
    MILLPOND_PREFETCH(reinterpret_cast<std::byte*>(magazine.head) + kCacheLine);
    return block;
  }

  static void release(void* memory, std::size_t size) noexcept {
    if (!recycles(size)) return ::operator delete(memory);
    const std::size_t size_class = class_of(size);
    Magazine& magazine = magazines_[size_class];
    if ((magazine.count == 0 && !flush_when_thread_ends()) ||
        (magazine.count == kBatch && !empty_into_depot(magazine, size_class))) {
      return ::operator delete(memory);
    }
    magazine.head = ::new (memory) Block{magazine.head, nullptr};
    ++magazine.count;
  }

  /// A pool counts itself in and out; recycling stops with the last one.
  static void add_pool() noexcept {
    const lock_guard lock(depot().mutex_);
    ++depot().pools;
  }
  static void remove_pool() noexcept;

  /// Empties this thread's magazines: for a worker that ends.
  static void flush_thread() noexcept;

 private:
  /// A free block; both links fit into the smallest class.
  struct Block {
    Block* next;        // in its magazine or batch
    Block* next_batch;  // of a batch's first block in the depot
  };

  struct Magazine {
    Block* head;
    std::size_t count;
  };

  /// Sizes are 24, 40, 56, ... 264 bytes: what malloc, whose header takes 8, has no waste with.
  static constexpr std::size_t kGranule = 16;
  static constexpr std::size_t kSmallest = 24;
  static constexpr std::size_t kClasses = 16;
  static constexpr std::size_t kBatch = tuning::kMemoryBatch;  // blocks
  static constexpr std::size_t kCacheLine = 64;
  static constexpr std::size_t kDepotBytes = std::size_t{32} << 20;  // in the depot at most

  using Magazines = std::array<Magazine, kClasses>;

  /// The blocks between threads.
  struct Depot {
    mutex mutex_;                                  // guards the rest; who only reads takes a hint
    std::array<atomic<Block*>, kClasses> heads{};  // stacks of batches
    atomic<std::size_t> bytes{0};
    std::size_t pools = 0;
  };

  /// To be called before a magazine gets its first block. False if this thread is at its end, has
  /// flushed them and must not fill them again (for destructors of its thread_local objects).
  static bool flush_when_thread_ends() noexcept {
    struct Flusher {
      ~Flusher() {
        flush_thread();
        thread_ends_ = true;
      }
    };
    if (thread_ends_) return false;
    thread_local const Flusher flusher{};
    static_cast<void>(flusher);
    return true;
  }

  static constexpr bool recycles(std::size_t size) noexcept {
    return MILLPOND_RECYCLES_MEMORY != 0 && size <= size_of(kClasses - 1);
  }
  static constexpr std::size_t class_of(std::size_t size) noexcept {
    return size <= kSmallest ? 0 : (size - kSmallest + kGranule - 1) / kGranule;
  }
  static constexpr std::size_t size_of(std::size_t size_class) noexcept {
    return kSmallest + size_class * kGranule;
  }

  static constexpr std::size_t batch_bytes(std::size_t size_class) noexcept {
    return kBatch * size_of(size_class);
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

  static bool refill(Magazine& magazine, std::size_t size_class) noexcept;
  static bool empty_into_depot(Magazine& magazine, std::size_t size_class) noexcept;
  static void free_blocks(Block* block) noexcept;

  static inline constinit thread_local Magazines magazines_{};
  static inline constinit thread_local bool thread_ends_ = false;
};

/// False if the depot has none either.
inline bool JobMemory::refill(Magazine& magazine, std::size_t size_class) noexcept {
  Depot& depot = JobMemory::depot();
  atomic<Block*>& head = depot.heads[size_class];
  if (head.load(memory_order_relaxed) == nullptr) return false;
  if (!flush_when_thread_ends()) return false;
  const lock_guard lock(depot.mutex_);
  Block* const batch = head.load(memory_order_relaxed);
  if (batch == nullptr) return false;
  head.store(batch->next_batch, memory_order_relaxed);
  depot.bytes.fetch_sub(batch_bytes(size_class), memory_order_relaxed);
  magazine = {batch, kBatch};
  return true;
}

/// False if the depot is full.
inline bool JobMemory::empty_into_depot(Magazine& magazine, std::size_t size_class) noexcept {
  Depot& depot = JobMemory::depot();
  const std::size_t bytes = batch_bytes(size_class);
  if (depot.bytes.load(memory_order_relaxed) + bytes > kDepotBytes) return false;
  const lock_guard lock(depot.mutex_);
  if (depot.pools == 0) return false;
  depot.bytes.fetch_add(bytes, memory_order_relaxed);
  atomic<Block*>& head = depot.heads[size_class];
  magazine.head->next_batch = head.load(memory_order_relaxed);
  head.store(magazine.head, memory_order_relaxed);
  magazine = {};
  return true;
}

inline void JobMemory::free_blocks(Block* block) noexcept {
  while (block != nullptr) ::operator delete(std::exchange(block, block->next));
}

inline void JobMemory::flush_thread() noexcept {
  for (Magazine& magazine : magazines_) free_blocks(std::exchange(magazine, {}).head);
}

inline void JobMemory::remove_pool() noexcept {
  flush_thread();
  std::array<Block*, kClasses> batches{};
  {
    Depot& depot = JobMemory::depot();
    const lock_guard lock(depot.mutex_);
    if (--depot.pools != 0) return;
    for (std::size_t i = 0; i != kClasses; ++i) {
      batches[i] = depot.heads[i].exchange(nullptr, memory_order_relaxed);
    }
    depot.bytes.store(0, memory_order_relaxed);
  }
  for (Block* batch : batches) {
    while (batch != nullptr) free_blocks(std::exchange(batch, batch->next_batch));
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOB_MEMORY_HPP
