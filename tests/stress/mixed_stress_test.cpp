// SPDX-License-Identifier: MIT
//
// All calls at once, from outside and nested in tasks and callbacks, until the pool ends somehow.
//
// What must hold whatever happens: every result becomes ready, every item runs at most once and, in
// a pool that was closed and joined, exactly once; a thread that waits runs nothing but the work it
// waits for; nothing is left over.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/instance_counter.hpp"
#include "../support/stress.hpp"

namespace millpond {
namespace {

using test::Counted;
using test::InstanceCounter;
using test::Random;
using test::Rounds;
using test::some_workers;

struct Boom : std::runtime_error {
  Boom() : std::runtime_error("boom") {}
};

// The tasks that the calling thread is in the middle of, the innermost last.
thread_local std::vector<int> under_way;

constexpr int kOutside = -1;
constexpr int kMostItems = 6'000;

class Mix {
 public:
  explicit Mix(ThreadPool& pool) : pool_(pool), ran_(kMostItems + 100) {}

  InstanceCounter& counter() { return counter_; }
  // Called once, by the task that has this number: when that many items have been issued.
  void call_when(int items, std::function<void()> action) {
    trigger_ = items;
    action_ = std::move(action);
  }

  // One call chosen at random. Returns false when the pool was not running any more.
  bool act(Random& random, int depth, int parent) {
    if (next_ >= kMostItems) return false;
    try {
      switch (random.between(0, 11)) {
        case 0:
          apply(random, depth, parent);
          break;
        case 1:
          apply_async(random, depth, parent, true);
          break;
        case 2:
          apply_async(random, depth, parent, false);
          break;
        case 3:
          with_callbacks(random, depth, parent);
          break;
        case 4:
          map(random, depth, parent);
          break;
        case 5:
          map_async(random, depth, parent);
          break;
        case 6:
          imap(random, depth, parent, true);
          break;
        case 7:
          imap(random, depth, parent, false);
          break;
        case 8:
          imap_dropped(random, depth, parent);
          break;
        case 9:
          poll(random, depth, parent);
          break;
        case 10:
          empty_calls();
          break;
        case 11:
          several(random, depth, parent);
          break;
      }
    } catch (const TerminatedError&) {
    } catch (const ValueError& error) {
      EXPECT_STREQ(error.what(), "Pool not running");
      return false;
    }
    return true;
  }

  // After the pool has been joined.
  void check(bool nothing_was_abandoned) {
    for (const AsyncResult<int>& result : singles_) ASSERT_TRUE(result.ready());
    for (const auto& result : maps_) ASSERT_TRUE(result.ready());
    for (int id = 0; id < next_; ++id) ASSERT_LE(ran(id), 1) << "item " << id;
    for (const int id : certain_) {
      if (nothing_was_abandoned) {
        ASSERT_EQ(ran(id), 1) << "item " << id;
      }
    }
    ASSERT_EQ(callbacks_due_, callbacks_run_);
    singles_.clear();
    maps_.clear();
    action_ = nullptr;
    ASSERT_TRUE(counter_.balanced()) << counter_.alive() << " alive";
  }

 private:
  static bool throws(int id) { return id % 13 == 0; }
  int ran(int id) const { return ran_.at(static_cast<std::size_t>(id)); }

  int new_ids(int count) { return next_.fetch_add(count); }
  std::vector<int> new_items(Random& random) {
    std::vector<int> items(static_cast<std::size_t>(random.between(0, 6)));
    std::iota(items.begin(), items.end(), new_ids(static_cast<int>(items.size())));
    return items;
  }

  // What every item does: says who runs it where, acts itself, returns its number or throws.
  int run(int id, int depth, int parent, std::uint64_t seed) {
    if (!under_way.empty()) {
      EXPECT_EQ(under_way.back(), parent) << "a waiting thread ran work it does not wait for";
    }
    under_way.push_back(id);
    ++ran_.at(static_cast<std::size_t>(id));
    if (id == trigger_ && action_) action_();
    if (depth > 0) {
      Random random(seed);
      for (int calls = random.between(0, 2); calls > 0; --calls) act(random, depth - 1, id);
    }
    EXPECT_EQ(under_way.back(), id);
    under_way.pop_back();
    if (throws(id)) throw Boom();
    return id;
  }

  auto task(Random& random, int id, int depth, int parent) {
    return [this, id, depth, parent, seed = random.split(), token = Counted(counter_)] {
      return run(id, depth, parent, seed);
    };
  }
  auto function(Random& random, int depth, int parent) {
    return [this, depth, parent, seed = random.split(), token = Counted(counter_)](int id) {
      return run(id, depth, parent, seed + static_cast<std::uint64_t>(id));
    };
  }

  template <class Get>
  void expect_value(int id, Get get) {
    try {
      EXPECT_EQ(get(), id);
      EXPECT_FALSE(throws(id));
      EXPECT_EQ(ran(id), 1);
    } catch (const Boom&) {
      EXPECT_TRUE(throws(id));
      EXPECT_EQ(ran(id), 1);
    } catch (const TerminatedError&) {
      EXPECT_EQ(ran(id), 0) << "a task that has run keeps its result";
    }
  }

  void keep(const AsyncResult<int>& result, int id) {
    const std::lock_guard lock(mutex_);
    singles_.push_back(result);
    certain_.push_back(id);
  }
  void keep(const AsyncResult<std::vector<int>>& result) {
    const std::lock_guard lock(mutex_);
    maps_.push_back(result);
  }

  void apply(Random& random, int depth, int parent) {
    const int id = new_ids(1);
    const auto job = task(random, id, depth, parent);
    expect_value(id, [&] { return pool_.apply(job); });
  }

  void apply_async(Random& random, int depth, int parent, bool waits) {
    const int id = new_ids(1);
    const AsyncResult<int> result = pool_.apply_async(task(random, id, depth, parent));
    keep(result, id);
    if (!waits) return;
    random.dawdle(20);
    expect_value(id, [&] { return result.get(); });
  }

  void with_callbacks(Random& random, int depth, int parent) {
    const int id = new_ids(1);
    const int callback_id = new_ids(1);
    const int callback_depth = depth > 0 && random.one_in(4) ? depth - 1 : 0;
    const auto called = [this, callback_id, callback_depth, seed = random.split(),
                         token = Counted(counter_)](const auto&) {
      const std::lock_guard lock(callback_mutex_);  // nobody else may be in a callback
      ++callbacks_run_;
      // The callback is what waits for the work that it issues, and it is nobody's work.
      std::vector<int> before;
      before.swap(under_way);
      EXPECT_TRUE(before.empty() || before.back() >= 0);
      under_way.push_back(callback_id);
      Random mine(seed);
      if (callback_depth > 0) act_without_callbacks(mine, callback_depth, callback_id);
      under_way.pop_back();
      under_way.swap(before);
    };
    const AsyncResult<int> result =
        pool_.apply_async(task(random, id, depth, parent), std::tuple{},
                          {.callback = called, .error_callback = called});
    ++callbacks_due_;
    keep(result, id);
    if (random.one_in(2)) expect_value(id, [&] { return result.get(); });
  }

  // In a callback: to wait for another result with a callback is asking for oneself.
  void act_without_callbacks(Random& random, int depth, int parent) {
    try {
      if (random.one_in(2)) {
        apply(random, 0, parent);
      } else {
        map(random, 0, parent);
      }
    } catch (const TerminatedError&) {
    } catch (const ValueError&) {
    }
    static_cast<void>(depth);
  }

  void expect_values(const std::vector<int>& values, const std::vector<int>& items) {
    EXPECT_EQ(values, items);
    for (const int id : items) EXPECT_EQ(ran(id), 1);
  }
  static bool any_throws(const std::vector<int>& items) {
    return std::any_of(items.begin(), items.end(), throws);
  }

  void map(Random& random, int depth, int parent) {
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, parent);
    try {
      if (random.one_in(2)) {
        expect_values(pool_.map(f, items, random.between(1, 3)), items);
      } else {
        expect_values(pool_.map(f, items), items);
      }
      EXPECT_FALSE(any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    }
  }

  void map_async(Random& random, int depth, int parent) {
    const std::vector<int> items = new_items(random);
    const AsyncResult<std::vector<int>> result =
        pool_.map_async(function(random, depth, parent), items, random.between(1, 3));
    keep(result);
    if (random.one_in(3)) return;
    try {
      expect_values(result.get(), items);
      EXPECT_FALSE(any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    }
  }

  void imap(Random& random, int depth, int parent, bool ordered) {
    const std::vector<int> items = new_items(random);
    ImapOptions options{.chunksize = random.between(1, 3)};
    if (random.one_in(2)) options.buffersize = random.between(1, 3);
    ImapIterator<int> results =
        ordered ? pool_.imap(function(random, depth, parent), items, options)
                : pool_.imap_unordered(function(random, depth, parent), items, options);
    std::vector<int> values;
    std::size_t booms = 0;
    for (;;) {
      try {
        const std::optional<int> value = results.next();
        if (!value) break;
        values.push_back(*value);
      } catch (const Boom&) {
        ++booms;
      }
    }
    EXPECT_EQ(values.size() + booms, items.size());
    if (ordered) {
      std::vector<int> expected;
      for (const int id : items) {
        if (!throws(id)) expected.push_back(id);
      }
      EXPECT_EQ(values, expected);
    }
    for (const int id : items) EXPECT_EQ(ran(id), 1);
  }

  void imap_dropped(Random& random, int depth, int parent) {
    ImapIterator<int> results = pool_.imap(function(random, depth, parent), new_items(random));
    for (int reads = random.between(0, 3); reads > 0; --reads) {
      try {
        static_cast<void>(results.next());
      } catch (const Boom&) {
      }
    }
  }

  void poll(Random& random, int depth, int parent) {
    const int id = new_ids(1);
    const AsyncResult<int> result = pool_.apply_async(task(random, id, depth, parent));
    keep(result, id);
    for (int polls = random.between(0, 5); polls > 0; --polls) {
      try {
        static_cast<void>(result.get(std::chrono::nanoseconds(random.between(-1, 1000))));
      } catch (const TimeoutError&) {
      } catch (const Boom&) {
      }
    }
    expect_value(id, [&] { return result.get(); });
  }

  void empty_calls() {
    const std::vector<int> nothing;
    const auto never = [](int) -> int {
      ADD_FAILURE() << "an item out of nothing";
      return 0;
    };
    EXPECT_TRUE(pool_.map(never, nothing).empty());
    EXPECT_TRUE(pool_.map_async(never, nothing).get().empty());
    ImapIterator<int> items = pool_.imap(never, nothing);
    EXPECT_EQ(items.next(), std::nullopt);
  }

  // Issued first, waited for in another order.
  void several(Random& random, int depth, int parent) {
    std::vector<std::pair<int, AsyncResult<int>>> results;
    for (int i = random.between(1, 4); i > 0; --i) {
      const int id = new_ids(1);
      results.emplace_back(id, pool_.apply_async(task(random, id, depth, parent)));
      keep(results.back().second, id);
    }
    while (!results.empty()) {
      const int last = static_cast<int>(results.size()) - 1;
      std::swap(results.back(), results.at(static_cast<std::size_t>(random.between(0, last))));
      expect_value(results.back().first, [&] { return results.back().second.get(); });
      results.pop_back();
    }
  }

  InstanceCounter counter_;
  ThreadPool& pool_;
  std::vector<std::atomic<int>> ran_;
  std::atomic<int> next_{0};
  int trigger_ = -1;
  std::function<void()> action_;

  std::mutex mutex_;
  std::vector<AsyncResult<int>> singles_;
  std::vector<AsyncResult<std::vector<int>>> maps_;
  std::vector<int> certain_;  // what runs once unless it is abandoned

  std::mutex callback_mutex_;
  std::atomic<int> callbacks_due_{0};
  std::atomic<int> callbacks_run_{0};
};

enum class End { close, terminate, terminate_in_a_task, close_in_a_task, destructor };

TEST(MixedStress, EveryCallAgainstEveryEnd) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    const End end = static_cast<End>(random.between(0, 4));
    auto pool = std::make_unique<ThreadPool>(
        PoolOptions{.processes = some_workers(random),
                    .on_unobserved_error = [](const std::exception_ptr& error) {
                      EXPECT_THROW(std::rethrow_exception(error), Boom);
                    }});
    ThreadPool& alias = *pool;
    Mix mix(alias);
    if (end == End::terminate_in_a_task) {
      mix.call_when(random.between(0, 150), [&] { alias.terminate(); });
    } else if (end == End::close_in_a_task) {
      mix.call_when(random.between(0, 150), [&] { alias.close(); });
    }
    std::vector<std::thread> callers;
    const int caller_count = random.between(1, 4);
    for (int i = 0; i < caller_count; ++i) {
      callers.emplace_back([&, seed = random.split()] {
        Random mine(seed);
        const int depth = mine.between(0, 3);
        for (int calls = mine.between(1, 30); calls > 0; --calls) {
          if (!mix.act(mine, depth, kOutside)) return;
        }
      });
    }
    random.dawdle(20000);
    if (end == End::terminate) alias.terminate();
    if (end == End::close && random.one_in(2)) alias.close();
    for (std::thread& caller : callers) caller.join();
    switch (end) {
      case End::close:
      case End::close_in_a_task:
      case End::terminate_in_a_task:
        alias.close();
        alias.join();
        break;
      case End::terminate:
        if (random.one_in(2)) alias.join();
        break;
      case End::destructor:
        break;
    }
    pool.reset();
    mix.check(end == End::close || end == End::close_in_a_task);
  }
}

}  // namespace
}  // namespace millpond
