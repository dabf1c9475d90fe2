// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_FIBER_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_FIBER_HPP

#include <cstddef>
#include <cstdint>

#include "basics.hpp"
#include "happens_before.hpp"

namespace explore {

class Mutex;

/// What a thread is about to do at a scheduling point, or why it cannot go on.
enum class Op : std::uint8_t {
  running,
  start,
  load,
  store,
  exchange,  // any read-modify-write that always writes
  compare_exchange,
  lock,
  try_lock,
  unlock,
  wait,    // is about to sleep on a condition variable
  asleep,  // sleeps there
  relock,  // was woken, and needs the mutex
  notify_one,
  notify_all,
  spawn,
  join,
  detach,
  yield,
  block,  // until a predicate holds
  other,
  ended,
};
const char* name_of(Op op) noexcept;

struct ThreadLocalDestructor {
  void (*destroy)(void*);
  void* object;
};

/// A model thread: a stack, thread_local variables of its own, and where it stands.
struct Fiber {
  static constexpr std::size_t kStackSize = std::size_t{256} << 10;
  static constexpr int kMaxDestructors = 8;

  int id = 0;
  const char* role = "";
  bool ended = false;

  // Where it stands.
  Op op = Op::running;
  const void* object = nullptr;              // that the operation is on
  Mutex* mutex = nullptr;                    // asleep, relock
  Fiber* target = nullptr;                   // join
  bool (*may_go_on)(const void*) = nullptr;  // block
  bool is_timed = false;                     // asleep
  bool timed_out = false;
  std::int64_t deadline = 0;
  Location location{};
  std::uint32_t points = 0;  // scheduling points so far
  int library_locks = 0;     // that it holds

  // What happened before.
  std::uint64_t hash = 0;
  std::uint64_t waker_hash = 0;
  VectorClock clock;
  std::int64_t priority = 0;  // PCT

  // To run it.
  void (*entry)(void*) = nullptr;
  void* argument = nullptr;
  void* stack_pointer = nullptr;
  char* stack = nullptr;
  ThreadLocalDestructor destructors[kMaxDestructors];
  int destructor_count = 0;
  std::uintptr_t thread_pointer = 0;
};

/// Gives fibers thread_local variables, at addresses of their own: those of real threads that do
/// nothing but lend them. A processor's thread pointer is set to a lender's while a fiber runs.
class ThreadStorage {
 public:
  struct Block {
    unsigned char* begin;
    std::size_t size;
  };

  /// Starts the lenders. In the process that explores, as fork() would not copy them.
  void start();
  /// The program's variables (not those of shared libraries) in lender `number`'s storage.
  Block block(int number) const noexcept;
  void initialize(Fiber& fiber) const noexcept;

  static std::uintptr_t thread_pointer() noexcept;
  static void set_thread_pointer(std::uintptr_t pointer) noexcept;

 private:
  std::uintptr_t lenders_[kMaxThreads] = {};
  std::uintptr_t offset_ = 0;  // of the variables, before the thread pointer
  std::size_t size_ = 0;
  const unsigned char* image_ = nullptr;
  std::size_t image_size_ = 0;
};

/// Has the next switch to the fiber call explore_fiber_main().
void prepare_stack(Fiber& fiber) noexcept;

extern "C" {
/// Saves the registers on the stack, `*save` becomes the stack pointer, and goes on at `load`.
void explore_switch(void** save, void* load);
void explore_fiber_main() noexcept;
}

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_FIBER_HPP
