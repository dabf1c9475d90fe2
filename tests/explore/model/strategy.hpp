// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_STRATEGY_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_STRATEGY_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "basics.hpp"

/// Which of the possible schedules of a program are run.

namespace explore {

enum class Method : int {
  exhaustive,  // depth first: every schedule with at most `bound` deviations
  pct,         // probabilistic concurrency testing: random priorities, changed at few random points
  random,      // any thread at any point
  replay,      // the given choices, else the first
};

struct Options {
  Method method = Method::exhaustive;
  int bound = 2;
  bool prune = true;  // schedules whose events have been seen in another order of the same meaning
  int pct_depth = 3;
  std::uint64_t seed = 1;
  std::uint64_t max_executions = ~std::uint64_t{0};
  double max_seconds = 600;
  std::uint32_t max_points = 6000;  // in an execution; more are taken for a livelock
  std::uint32_t fair = 300;         // points of one thread in a row; more are taken for a busy loop
  std::uint32_t one_in = 16;        // random methods: how seldom something unusual happens
  unsigned table_bits = 22;         // 2 to this many states are remembered
  bool timeouts = true;        // timed waits may end at any point; else only if all else sleeps
  bool spurious = false;       // condition variables may wake for no reason
  bool weak = false;           // compare_exchange_weak and try_lock may fail for no reason
  bool stale = false;          // loads may see older values where the memory model allows it
  bool unlock_points = false;  // other threads may run before each unlock, too
  bool spin = false;           // the library spins before it sleeps
  bool faults = false;         // allocations and thread starts may fail
  bool trace = false;
  bool full_trace = false;
};

/// A choice that was not the first: by thread `thread` at its `point`-th point, the `nth` there.
struct Choice {
  std::uint16_t thread;
  std::uint16_t nth;
  std::uint32_t point;
  std::int32_t option;
  friend bool operator==(const Choice&, const Choice&) = default;
};

/// One way to go on. `cost` is what it takes from the bound: 1 for a preemption, a timeout, a
/// wake-up for no reason, a failing allocation and the like.
struct Alternative {
  int id;  // means the same in every execution that has made the same choices before
  int cost;
};

/// What the strategy is asked about.
struct Decision {
  const Alternative* alternatives;
  int count;
  int ordinary;     // the first so many are threads that can run; the others, events from outside
  bool is_data;     // which value, not which thread
  bool must_yield;  // the thread gives way
  int thread;       // who asks
  std::uint64_t state;  // hash of all events so far
};

/// Set of hashes of a fixed capacity.
class HashSet {
 public:
  explicit HashSet(unsigned bits);
  bool contains(std::uint64_t hash) const noexcept;
  /// False if it is full.
  bool insert(std::uint64_t hash) noexcept;
  std::uint64_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(std::uint64_t* slots) const noexcept { std::free(slots); }
  };
  std::unique_ptr<std::uint64_t[], Free> slots_;  // by calloc: untouched pages cost nothing
  std::uint64_t mask_;
  std::uint64_t size_ = 0;
};

class Strategy {
 public:
  explicit Strategy(const Options& options);

  void begin_execution(std::uint64_t number, std::uint32_t longest);
  /// To the next schedule; false if there is none.
  bool advance(std::uint64_t state);

  /// The number of the alternative to take.
  int choose(const Decision& decision);
  /// Exhaustive: nothing is left to decide in this execution but to go on with the same thread.
  bool goes_straight_on() const noexcept {
    return options_.method == Method::exhaustive && (budget_ == 0 || pruned_) &&
           depth_ >= path_.size();
  }
  void set_replay(std::vector<Choice> choices) { replay_ = std::move(choices); }
  /// Names the place of the next decision, for replays.
  void set_place(std::uint32_t point, std::uint16_t nth) noexcept {
    point_ = point;
    nth_ = nth;
  }
  void begin_thread(int thread) noexcept;

  bool failed_to_repeat() const noexcept { return diverged_; }
  std::uint64_t pruned() const noexcept { return pruned_count_; }
  std::uint64_t distinct() const noexcept { return seen_ends_.size(); }
  bool table_full() const noexcept { return table_full_; }

 private:
  struct Node {
    std::uint16_t count;
    std::uint16_t chosen;
    std::uint64_t state;
  };
  int choose_exhaustively(const Decision& decision);
  int choose_by_priority(const Decision& decision);
  int choose_at_random(const Decision& decision);
  int choose_as_given(const Decision& decision) const;

  const Options options_;
  Random random_;
  std::uint32_t point_ = 0;
  std::uint16_t nth_ = 0;
  std::uint32_t decisions_ = 0;

  // Exhaustive.
  std::vector<Node> path_;
  std::size_t depth_ = 0;
  int budget_ = 0;
  bool pruned_ = false;
  bool diverged_ = false;
  bool table_full_ = false;
  std::uint64_t pruned_count_ = 0;
  HashSet seen_;
  HashSet seen_ends_;

  // PCT.
  std::vector<std::uint32_t> change_points_;
  std::int64_t priorities_[kMaxThreads] = {};
  std::int64_t lowest_ = 0;

  std::vector<Choice> replay_;
};

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_STRATEGY_HPP
