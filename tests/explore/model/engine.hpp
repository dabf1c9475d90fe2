// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_ENGINE_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_ENGINE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arena.hpp"
#include "basics.hpp"
#include "fiber.hpp"
#include "happens_before.hpp"
#include "strategy.hpp"

namespace explore {

/// Base of everything that threads of the model synchronise by. The hashes stand for the operations
/// on it so far, up to the order of those that commute: two executions with the same hashes mean
/// the same. All is of one execution and forgotten in the next.
struct ModelObject {
  mutable std::uint64_t written = 0;  // hash of the last write
  mutable std::uint64_t read = 0;     // of the reads since
  mutable std::uint32_t execution = 0;
  mutable SyncState* sync = nullptr;
};

/// What an exploration found; in memory that the exploring process shares with its parent.
struct Report {
  static constexpr int kMaxChoices = 4096;
  static constexpr std::size_t kMaxTrace = std::size_t{1} << 20;

  volatile std::uint64_t progress;
  std::uint64_t executions, points, longest, decisions, distinct, pruned, busy_loops;
  int threads;
  bool failed, complete, table_full;
  double seconds;
  int choice_count;
  std::size_t trace_size;
  char message[8192];
  Choice choices[kMaxChoices];
  char trace[kMaxTrace];
};

/// Runs a scenario in one schedule after another: its threads are fibers of one thread of the
/// system, and each operation on a primitive of the model is a point at which another may go on.
class Engine {
 public:
  using Body = void (*)();

  /// Once, before anything else.
  void set_up();

  /// Explores; what is found is in report(). Never returns normally if an execution fails: then it
  /// ends the process with kFailed.
  void explore(Body body, const Options& options, std::vector<Choice> replay);
  Report& report() noexcept { return *report_; }
  static constexpr int kFailed = 3;

  // All that follows is for the primitives, in an execution.

  /// Whether a scenario is running, and not the model itself or its surroundings.
  bool active() const noexcept { return active_; }
  bool in_scenario() const noexcept { return active_ && !in_model_; }
  const Options& options() const noexcept { return options_; }
  Fiber& current() noexcept { return *current_; }
  Arena& arena() noexcept { return arena_; }

  /// The current thread is about to do `op`; returns when it is its turn and it can.
  void point(Op op, const void* object, Location location) noexcept;
  /// A point that may be passed once the predicate holds.
  void block(bool (*may_go_on)(const void*), const void* object, Location location) noexcept;
  /// Something that the environment decides: less than count, 0 being the ordinary.
  int choose(int count, int cost) noexcept;
  /// Whether something fails that may.
  bool fails() noexcept { return options_.faults && choose(2, 1) == 1; }

  Fiber& start_thread(void (*entry)(void*), void* argument, Location location) noexcept;

  std::int64_t now() noexcept;
  std::int64_t time() const noexcept { return time_; }

  // Events, for the hashes.
  void local_event(std::uint64_t kind) noexcept;
  void read_event(const ModelObject& object, std::uint64_t kind) noexcept;
  void write_event(const ModelObject& object, std::uint64_t kind) noexcept;

  // Happens-before.
  void acquire(const ModelObject& object) noexcept;
  void release(const ModelObject& object) noexcept;
  void acquire_thread(const Fiber& ended) noexcept;
  SyncState& sync_of(const ModelObject& object, std::uint64_t initial_value = 0) noexcept;
  void tick(Fiber& fiber) noexcept { ++fiber.clock[fiber.id]; }
  /// An access of memory by the current thread.
  void access(const void* address, std::size_t size, RaceDetector::Access access,
              const void* code) noexcept;
  void check_alive(const void* object, Location location) noexcept;

  [[noreturn, gnu::format(printf, 2, 3)]] void fail(const char* format, ...) noexcept;

  void fiber_main() noexcept;

 private:
  struct TraceEntry {
    enum class Kind : std::uint8_t { point, timeout, spurious };
    int thread;
    Op op;
    Kind kind;
    Location location;
  };

  void execute();
  void switch_to(Fiber& to) noexcept;
  Fiber* pick() noexcept;
  bool can_go_on(const Fiber& fiber) const noexcept;
  void wake_from_outside(Fiber& fiber, bool by_timeout) noexcept;
  int decide(const Decision& decision, std::uint16_t nth) noexcept;
  void refresh(const ModelObject& object) noexcept;
  void trace(int thread, Op op, TraceEntry::Kind kind, Location location) noexcept;
  void write_trace();
  std::string describe_threads() const;

  bool active_ = false;
  bool in_model_ = false;
  Options options_;
  Body body_ = nullptr;
  Report* report_ = nullptr;
  std::unique_ptr<Strategy> strategy_;
  Arena arena_;
  SyncStates sync_states_;
  RaceDetector races_;
  ThreadStorage storage_;

  Fiber fibers_[kMaxThreads];
  int fiber_count_ = 0;
  Fiber* current_ = nullptr;
  void* root_stack_pointer_ = nullptr;

  std::uint32_t execution_ = 0;
  std::uint32_t points_ = 0;
  std::uint32_t decisions_ = 0;
  std::uint32_t in_a_row_ = 0;  // points of one thread
  std::uint64_t state_ = 0;     // sum of all threads' hashes
  std::int64_t time_ = 0;       // ns
  ModelObject clock_;
  std::vector<TraceEntry> trace_;
};

extern Engine engine;

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_ENGINE_HPP
