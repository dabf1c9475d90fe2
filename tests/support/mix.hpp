// SPDX-License-Identifier: MIT
//
// Random calls of a pool, from outside and nested in tasks and callbacks, with every value checked.
//
// What must hold whatever happens: every result becomes ready, every item runs at most once and, in
// a pool that was closed and joined, exactly once; a thread that waits runs nothing but the work it
// waits for; nothing is left over.
#ifndef MILLPOND_TESTS_SUPPORT_MIX_HPP
#define MILLPOND_TESTS_SUPPORT_MIX_HPP

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "faults.hpp"
#include "instance_counter.hpp"
#include "steps.hpp"
#include "stress.hpp"

namespace millpond::test {

struct Boom : std::runtime_error {
  Boom() : std::runtime_error("boom") {}
};

// The tasks that the calling thread is in the middle of, the innermost last.
inline thread_local std::vector<int> under_way;

inline constexpr int kOutside = -1;
inline constexpr int kMostItems = 6'000;

// Acts on a pool in all ways. Thread-safe but for the constructor and check(). Memory and threads
// may run out if `faults`: then a call, or its result, may be that error.
template <class Order>
class Mix {
 public:
  using Pool = BasicThreadPool<Order>;

  explicit Mix(Pool& pool, bool faults = false)
      : pool_(pool), faults_(faults), ran_(kMostItems + 1000) {}
  Mix(const Mix&) = delete;
  Mix& operator=(const Mix&) = delete;
  virtual ~Mix() = default;

  InstanceCounter& counter() { return counter_; }
  // Called once, by the task that has this number: when that many items have been issued.
  void call_when(int items, std::function<void()> action) {
    trigger_ = items;
    action_ = std::move(action);
  }

  // One call chosen at random. Returns false when the pool was not running any more.
  bool act(Random& random, int depth, int parent) {
    if (!has_room()) return false;
    try {
      call(random, depth, parent);
    } catch (const TerminatedError&) {
    } catch (const ValueError& error) {
      EXPECT_STREQ(error.what(), "Pool not running");
      return false;
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(faults_);
    } catch (const std::system_error& error) {
      EXPECT_TRUE(faults_) << error.what();
    }
    return true;
  }

  // After the pool has been joined.
  void check(bool nothing_was_abandoned) {
    for (const AsyncResult<int>& result : singles_) ASSERT_TRUE(result.ready());
    for (const auto& result : maps_) ASSERT_TRUE(result.ready());
    for (int id = 0; id < next_; ++id) ASSERT_LE(ran(id), 1) << "item " << id;
    for (const int id : certain_) {
      if (nothing_was_abandoned && !faults_) {
        ASSERT_EQ(ran(id), 1) << "item " << id;
      }
    }
    ASSERT_EQ(callbacks_due_, callbacks_run_);
    singles_.clear();
    maps_.clear();
    action_ = nullptr;
    ASSERT_TRUE(counter_.balanced()) << counter_.alive() << " alive";
  }

 protected:
  // Whether there are numbers left for more items.
  bool has_room() const { return next_ < kMostItems; }

  virtual void call(Random& random, int depth, int parent) {
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
  }

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
    const Sheltered sheltered;
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

  AsyncResult<int> issue(Random& random, int id, int depth, int parent) {
    auto job = task(random, id, depth, parent);
    return exposed([&] { return pool_.apply_async(std::move(job)); });
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
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(faults_);
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
    const Step step("apply");
    const int id = new_ids(1);
    const auto job = task(random, id, depth, parent);
    expect_value(id, [&] { return exposed([&] { return pool_.apply(job); }); });
  }

  void apply_async(Random& random, int depth, int parent, bool waits) {
    const Step step("apply_async");
    const int id = new_ids(1);
    const AsyncResult<int> result = issue(random, id, depth, parent);
    keep(result, id);
    if (!waits) return;
    random.dawdle(20);
    expect_value(id, [&] { return exposed([&] { return result.get(); }); });
  }

  void with_callbacks(Random& random, int depth, int parent) {
    const Step step("apply_async with callbacks");
    const int id = new_ids(1);
    const int callback_id = new_ids(1);
    const int callback_depth = depth > 0 && random.one_in(4) ? depth - 1 : 0;
    const auto called = [this, callback_id, callback_depth, seed = random.split(),
                         token = Counted(counter_)](const auto&) {
      const Sheltered sheltered;
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
    auto job = task(random, id, depth, parent);
    const AsyncResult<int> result = exposed([&] {
      return pool_.apply_async(std::move(job), std::tuple{},
                               {.callback = called, .error_callback = called});
    });
    ++callbacks_due_;
    keep(result, id);
    if (random.one_in(2)) expect_value(id, [&] { return exposed([&] { return result.get(); }); });
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
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(faults_);
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
    const Step step("map");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, parent);
    try {
      if (random.one_in(2)) {
        const int size = random.between(1, 3);
        expect_values(exposed([&] { return pool_.map(f, items, size); }), items);
      } else {
        expect_values(exposed([&] { return pool_.map(f, items); }), items);
      }
      EXPECT_FALSE(any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    }
  }

  void map_async(Random& random, int depth, int parent) {
    const Step step("map_async");
    const std::vector<int> items = new_items(random);
    const int size = random.between(1, 3);
    const auto f = function(random, depth, parent);
    const AsyncResult<std::vector<int>> result =
        exposed([&] { return pool_.map_async(f, items, size); });
    keep(result);
    if (random.one_in(3)) return;
    try {
      expect_values(exposed([&] { return result.get(); }), items);
      EXPECT_FALSE(any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    }
  }

  void imap(Random& random, int depth, int parent, bool ordered) {
    const Step step("imap");
    const std::vector<int> items = new_items(random);
    BasicImapOptions<Order> options{.chunksize = random.between(1, 3)};
    if (random.one_in(2)) options.buffersize = random.between(1, 3);
    const auto f = function(random, depth, parent);
    ImapIterator<int> results = exposed([&] {
      return ordered ? pool_.imap(f, items, options) : pool_.imap_unordered(f, items, options);
    });
    std::vector<int> values;
    std::size_t booms = 0;
    for (;;) {
      try {
        const std::optional<int> value = exposed([&] { return results.next(); });
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
    const Step step("imap dropped");
    const auto f = function(random, depth, parent);
    const std::vector<int> items = new_items(random);
    ImapIterator<int> results = exposed([&] { return pool_.imap(f, items); });
    for (int reads = random.between(0, 3); reads > 0; --reads) {
      try {
        static_cast<void>(exposed([&] { return results.next(); }));
      } catch (const Boom&) {
      }
    }
  }

  void poll(Random& random, int depth, int parent) {
    const Step step("get with a timeout");
    const int id = new_ids(1);
    const AsyncResult<int> result = issue(random, id, depth, parent);
    keep(result, id);
    for (int polls = random.between(0, 5); polls > 0; --polls) {
      try {
        const std::chrono::nanoseconds timeout(random.between(-1, 1000));
        static_cast<void>(exposed([&] { return result.get(timeout); }));
      } catch (const TimeoutError&) {
      } catch (const Boom&) {
      }
    }
    expect_value(id, [&] { return exposed([&] { return result.get(); }); });
  }

  void empty_calls() {
    const Step step("calls without items");
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
    const Step step("several results");
    std::vector<std::pair<int, AsyncResult<int>>> results;
    for (int i = random.between(1, 4); i > 0; --i) {
      const int id = new_ids(1);
      results.emplace_back(id, issue(random, id, depth, parent));
      keep(results.back().second, id);
    }
    while (!results.empty()) {
      const int last = static_cast<int>(results.size()) - 1;
      std::swap(results.back(), results.at(static_cast<std::size_t>(random.between(0, last))));
      expect_value(results.back().first,
                   [&] { return exposed([&] { return results.back().second.get(); }); });
      results.pop_back();
    }
  }

  InstanceCounter counter_;
  Pool& pool_;
  const bool faults_;
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

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_MIX_HPP
