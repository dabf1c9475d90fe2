// SPDX-License-Identifier: MIT
//
// Random calls over the whole public interface: what test::Mix has, and the rest.
#ifndef MILLPOND_TESTS_NOISE_PROGRAM_HPP
#define MILLPOND_TESTS_NOISE_PROGRAM_HPP

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/faults.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/mix.hpp"
#include "../support/steps.hpp"
#include "../support/stress.hpp"
#include "../support/thread_watch.hpp"

namespace millpond::noise {

using test::Boom;
using test::Counted;
using test::exposed;
using test::kOutside;
using test::Random;
using test::SayWhen;
using test::Sheltered;
using test::Step;

// What a callback throws.
struct Rude : std::runtime_error {
  Rude() : std::runtime_error("rude") {}
};

// A coroutine that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

template <class Order>
class Program : public test::Mix<Order> {
  using Base = test::Mix<Order>;

 public:
  using typename Base::Pool;

  using Base::Base;

  // After the pool has been joined, or was destroyed in one of its tasks.
  void check(bool nothing_was_abandoned) {
    const Step step("checks what is left");
    // A pool that was destroyed in its own task may be letting go of it.
    test::poll_until([this] { return coroutines_ == 0 && inner_.alive() == 0; });
    Base::check(nothing_was_abandoned);
    ASSERT_EQ(done_callbacks_due_, done_callbacks_run_);
    ASSERT_TRUE(inner_.balanced());
  }

 protected:
  void call(Random& random, int depth, int parent) override {
    if (random.one_in(3)) return Base::call(random, depth, parent);
    switch (random.between(0, 19)) {
      case 0:
        return starmap(random, depth, parent);
      case 1:
        return map_into(random, depth, parent);
      case 2:
        return wrong_sizes(random);
      case 3:
        return imap_of_failing_input(random, depth, parent);
      case 4:
        return imap_of_infinite_input(random, depth, parent);
      case 5:
        return parent == kOutside ? several_readers(random, depth) : call(random, depth, parent);
      case 6:
        return cancel_some(random, depth, parent);
      case 7:
        return cancel_a_map(random, depth, parent);
      case 8:
        return done_callbacks(random, depth, parent);
      case 9:
      case 10:
        return wait_for_some(random, depth, parent);
      case 11:
        return completed_ones(random, depth, parent);
      case 12:
        return stop_token(random);
      case 13:
      case 14:
        return coroutine(random, depth, parent);
      case 15:
        return map_with_callbacks(random, depth, parent);
      case 16:
        return timed_imap(random, depth, parent);
      case 17:
        return pool_that_ends_in_its_task(random);
      case 18:
        return parent == kOutside ? failing_initializer(random) : join_in_a_task();
      case 19:
        return look(random);
    }
  }

 private:
  using Base::any_throws;
  using Base::counter_;
  using Base::expect_value;
  using Base::expect_values;
  using Base::faults_;
  using Base::function;
  using Base::issue;
  using Base::keep;
  using Base::new_ids;
  using Base::new_items;
  using Base::pool_;
  using Base::ran;
  using Base::task;
  using Base::throws;

  // Options of a kind, now and then with a priority.
  template <class Options>
  static Options urgent(Options options, Random& random) {
    if constexpr (requires { options.priority; }) options.priority = random.between(-1, 1);
    return options;
  }

  // A call that yields `items`, or whose error one of them is.
  template <class Call>
  void expect_map(const std::vector<int>& items, Call call) {
    try {
      expect_values(exposed(call), items);
      EXPECT_FALSE(any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    }
  }

  void starmap(Random& random, int depth, int parent) {
    const Step step("starmap");
    const std::vector<int> items = new_items(random);
    std::vector<std::pair<int, int>> pairs;
    for (const int id : items) pairs.emplace_back(id, -id);
    const auto f = [one = function(random, depth, parent)](int id, int minus) {
      EXPECT_EQ(minus, -id);
      return one(id);
    };
    const int size = random.between(1, 3);
    switch (random.between(0, 3)) {
      case 0:
        return expect_map(items, [&] { return pool_.starmap(f, pairs, size); });
      case 1: {
        const auto result = exposed([&] { return pool_.starmap_async(f, pairs, size); });
        keep(result);
        return expect_map(items, [&] { return result.get(); });
      }
      case 2: {
        auto results = exposed([&] { return pool_.istarmap(f, pairs, size); });
        return expect_items(results, items, true);
      }
      default: {
        auto results = exposed([&] { return pool_.istarmap_unordered(f, pairs); });
        return expect_items(results, items, false);
      }
    }
  }

  // Reads to the end.
  void expect_items(ImapIterator<int>& results, std::vector<int> items, bool ordered) {
    std::vector<int> values;
    const std::size_t booms = read(results, values);
    EXPECT_EQ(values.size() + booms, items.size());
    std::erase_if(items, throws);
    if (!ordered) std::sort(values.begin(), values.end());
    EXPECT_EQ(values, items);
  }

  // Appends what this reader gets to `values` and returns how many failed.
  static std::size_t read(ImapIterator<int>& results, std::vector<int>& values) {
    std::size_t booms = 0;
    for (;;) {
      try {
        const std::optional<int> value = exposed([&] { return results.next(); });
        if (!value) return booms;
        values.push_back(*value);
      } catch (const Boom&) {
        ++booms;
      }
    }
  }

  void map_into(Random& random, int depth, int parent) {
    const Step step("map_into");
    const std::vector<int> items = new_items(random);
    std::vector<int> out(items.size(), -1);
    const auto f = function(random, depth, parent);
    const auto options =
        urgent(BlockingMapOptions<Order>{.chunksize = random.between(1, 3)}, random);
    expect_map(items, [&] {
      pool_.map_into(out, f, items, options);
      return out;
    });
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_TRUE(out[i] == items[i] || out[i] == -1);
    }
  }

  template <class Call>
  static void expect_refused(const std::string& sentence, Call call) {
    try {
      call();
      ADD_FAILURE() << "not refused: " << sentence;
    } catch (const ValueError& error) {
      if (error.what() != std::string("Pool not running")) {
        EXPECT_EQ(error.what(), sentence);
      }
    }
  }

  void wrong_sizes(Random& random) {
    const Step step("wrong sizes");
    const std::vector<int> items(3);
    const auto never = [](int item) {
      ADD_FAILURE() << "a task of a call that was refused";
      return item;
    };
    const int size = random.between(-1, 0);
    const std::string chunks = "Chunksize must be 1+, not " + std::to_string(size);
    expect_refused(chunks, [&] { pool_.map(never, items, size); });
    expect_refused(chunks, [&] { pool_.map_async(never, items, size); });
    expect_refused(chunks, [&] { pool_.imap(never, items, size); });
    expect_refused("Buffersize must be 1+, not " + std::to_string(size), [&] {
      pool_.imap_unordered(never, items, {.chunksize = 1, .buffersize = size});
    });
  }

  void imap_of_failing_input(Random& random, int depth, int parent) {
    const Step step("imap of failing input");
    const int count = random.between(0, 6);
    const int first = new_ids(count);
    const auto f = [one = function(random, depth, parent), first](int i) { return one(first + i); };
    const auto options = urgent(BasicImapOptions<Order>{.chunksize = random.between(1, 3)}, random);
    auto input = test::counting_until_throw(count);
    ImapIterator<int> results = exposed([&] { return pool_.imap(f, std::move(input), options); });
    for (int i = 0; i <= count; ++i) {
      try {
        const std::optional<int> value = exposed([&] { return results.next(); });
        EXPECT_EQ(value, std::optional<int>(first + i));
        EXPECT_LT(i, count);
      } catch (const Boom&) {
        EXPECT_TRUE(throws(first + i) && i < count);
      } catch (const SayWhen&) {
        EXPECT_EQ(i, count);
      }
    }
    EXPECT_EQ(exposed([&] { return results.next(); }), std::nullopt);
  }

  void imap_of_infinite_input(Random& random, int depth, int parent) {
    const Step step("imap of infinite input");
    // Its items have numbers as they are read, as long as there are any.
    const auto f = [one = function(random, depth, parent)](int id) {
      const Sheltered sheltered;
      return id < 0 ? id : one(id);
    };
    test::Generated<int> input([this, token = Counted(counter_)]() -> std::optional<int> {
      const Sheltered sheltered;
      return this->has_room() ? new_ids(1) : -1;
    });
    const bool ordered = random.one_in(2);
    const auto options =
        urgent(BasicImapOptions<Order>{.buffersize = random.between(1, 4)}, random);
    ImapIterator<int> results = exposed([&] {
      return ordered ? pool_.imap(f, std::move(input), options)
                     : pool_.imap_unordered(f, std::move(input), options);
    });
    int before = -1;
    for (int reads = random.between(0, 8); reads > 0; --reads) {
      try {
        const std::optional<int> value = exposed([&] { return results.next(); });
        if (!value) {
          ADD_FAILURE() << "an end without TerminatedError";
          return;
        }
        if (*value < 0) continue;
        EXPECT_EQ(ran(*value), 1);
        if (ordered) {
          EXPECT_GT(*value, before);
        }
        before = *value;
      } catch (const Boom&) {
      }
    }
  }

  void several_readers(Random& random, int depth) {
    const Step step("several readers");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, kOutside);
    ImapIterator<int> results = exposed(
        [&] { return pool_.imap_unordered(f, items, {.buffersize = random.between(1, 3)}); });
    std::mutex mutex;
    std::vector<int> values;
    std::size_t booms = 0;
    bool broken = false;  // terminated, or without memory
    const auto reader = [&] {
      const Step inner("a reader");
      std::vector<int> mine;
      std::size_t my_booms = 0;
      bool ended = false;
      while (!ended) {
        try {
          my_booms += read(results, mine);
          ended = true;
        } catch (const TerminatedError&) {
          const std::lock_guard lock(mutex);
          broken = true;
        } catch (const std::bad_alloc&) {
          const std::lock_guard lock(mutex);
          EXPECT_TRUE(faults_);
          broken = true;
        }
      }
      const std::lock_guard lock(mutex);
      values.insert(values.end(), mine.begin(), mine.end());
      booms += my_booms;
    };
    std::vector<std::thread> threads;
    for (int i = random.between(1, 2); i > 0; --i) threads.emplace_back(reader);
    reader();
    for (std::thread& thread : threads) thread.join();
    std::sort(values.begin(), values.end());
    EXPECT_EQ(std::adjacent_find(values.begin(), values.end()), values.end());
    if (!broken) {
      EXPECT_EQ(values.size() + booms, items.size());
    }
  }

  // get() of a result that was asked to be cancelled.
  void expect_cancelled_or_value(const AsyncResult<int>& result, int id, bool cancelled) {
    try {
      expect_value(id, [&] { return exposed([&] { return result.get(); }); });
      EXPECT_FALSE(cancelled && ran(id) != 0);
    } catch (const CancelledError&) {
      EXPECT_TRUE(cancelled);
      EXPECT_EQ(ran(id), 0);
    }
    EXPECT_EQ(result.cancelled(), cancelled);
  }

  void cancel_some(Random& random, int depth, int parent) {
    const Step step("cancel");
    std::vector<std::pair<int, AsyncResult<int>>> results;
    for (int i = random.between(1, 4); i > 0; --i) {
      const int id = new_ids(1);
      results.emplace_back(id, issue(random, id, depth, parent));
    }
    random.dawdle(20);
    for (auto& [id, result] : results) {
      const bool cancelled = random.one_in(2) && result.cancel();
      if (cancelled) {
        EXPECT_TRUE(result.cancel());
      }
      expect_cancelled_or_value(result, id, cancelled);
    }
  }

  void cancel_a_map(Random& random, int depth, int parent) {
    const Step step("cancel a map");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, parent);
    const auto result = exposed([&] { return pool_.map_async(f, items, 1); });
    random.dawdle(50);
    const bool cancelled = result.cancel();
    try {
      expect_values(exposed([&] { return result.get(); }), items);
      EXPECT_FALSE(cancelled);
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    } catch (const CancelledError&) {
      EXPECT_TRUE(cancelled);
    }
    EXPECT_EQ(result.completed(), result.total());
  }

  void done_callbacks(Random& random, int depth, int parent) {
    const Step step("done-callbacks");
    const int id = new_ids(1);
    const AsyncResult<int> result = issue(random, id, depth, parent);
    for (int i = random.between(1, 3); i > 0; --i) {
      auto called = [this, token = Counted(counter_)](const AsyncResult<int>& ended) {
        const Sheltered sheltered;
        EXPECT_TRUE(ended.ready());
        ++done_callbacks_run_;
      };
      exposed([&] { result.add_done_callback(std::move(called)); });
      ++done_callbacks_due_;
      random.dawdle(20);
    }
    if (random.one_in(2)) {
      expect_cancelled_or_value(result, id, result.cancel());
    } else {
      keep(result, id);
    }
  }

  std::vector<AsyncResult<int>> issue_some(Random& random, int depth, int parent,
                                           std::vector<int>& ids) {
    std::vector<AsyncResult<int>> results;
    for (int i = random.between(1, 5); i > 0; --i) {
      ids.push_back(new_ids(1));
      results.push_back(issue(random, ids.back(), depth, parent));
      keep(results.back(), ids.back());
    }
    return results;
  }

  void wait_for_some(Random& random, int depth, int parent) {
    const Step step("wait");
    std::vector<int> ids;
    const auto results = issue_some(random, depth, parent, ids);
    const auto when = static_cast<ReturnWhen>(random.between(0, 2));
    const bool timed = random.one_in(2);
    const std::chrono::microseconds timeout(random.between(-1, 300));
    const auto [done, not_done] =
        exposed([&] { return timed ? wait(results, when, timeout) : wait(results, when); });
    EXPECT_EQ(done.size() + not_done.size(), results.size());
    for (const AsyncResult<int>& result : done) EXPECT_TRUE(result.ready());
    if (!timed && when == ReturnWhen::all_completed) {
      EXPECT_TRUE(not_done.empty());
    }
    if (!timed && when == ReturnWhen::first_completed) {
      EXPECT_FALSE(done.empty());
    }
    if (!timed && when == ReturnWhen::first_exception && !not_done.empty()) {
      EXPECT_TRUE(std::any_of(done.begin(), done.end(),
                              [](const auto& result) { return !result.successful(); }));
    }
    expect_all(results, ids);
  }

  void expect_all(const std::vector<AsyncResult<int>>& results, const std::vector<int>& ids) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      expect_value(ids[i], [&] { return exposed([&] { return results[i].get(); }); });
    }
  }

  void completed_ones(Random& random, int depth, int parent) {
    const Step step("as_completed");
    std::vector<int> ids;
    const auto results = issue_some(random, depth, parent, ids);
    const bool timed = random.one_in(2);
    const std::chrono::microseconds timeout(random.between(-1, 300));
    std::vector<AsyncResult<int>> yielded;
    try {
      auto completed =
          exposed([&] { return timed ? as_completed(results, timeout) : as_completed(results); });
      auto it = exposed([&] { return completed.begin(); });
      for (; it != completed.end(); exposed([&] { ++it; })) {
        EXPECT_TRUE((*it).ready());
        yielded.push_back(*it);
      }
      EXPECT_EQ(yielded.size(), results.size());
    } catch (const TimeoutError& error) {
      EXPECT_TRUE(timed);
      EXPECT_EQ(error.what(), std::to_string(results.size() - yielded.size()) + " (of " +
                                  std::to_string(results.size()) + ") results unfinished");
    }
    for (const AsyncResult<int>& result : yielded) {
      EXPECT_EQ(std::count(yielded.begin(), yielded.end(), result), 1);
    }
    expect_all(results, ids);
  }

  void stop_token([[maybe_unused]] Random& random) {
#if MILLPOND_HAS_STOP_TOKEN
    const Step step("a task that is asked to stop");
    auto until_stopped = [token = Counted(counter_)](std::stop_token stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      return 1;
    };
    const AsyncResult<int> result =
        exposed([&] { return pool_.apply_async(std::move(until_stopped)); });
    random.dawdle();
    const bool cancelled = result.cancel();
    try {
      EXPECT_EQ(result.get(), 1);
      EXPECT_FALSE(cancelled);
    } catch (const CancelledError&) {
      EXPECT_TRUE(cancelled);
    }
#endif
  }

  // Awaits the result, and counts itself as long as it lives.
  Detached await(AsyncResult<int> result, int id, bool on_a_worker, Counted token) {
    ++coroutines_;
    bool went_wrong = false;
    try {
      const int value = on_a_worker ? co_await resume_on(pool_, result) : co_await result;
      EXPECT_EQ(value, id);
    } catch (const Boom&) {
      EXPECT_TRUE(throws(id));
    } catch (const TerminatedError&) {
    } catch (const std::bad_alloc&) {
      went_wrong = true;
    } catch (const std::system_error&) {
      went_wrong = true;
    }
    const Sheltered sheltered;
    EXPECT_TRUE(faults_ || !went_wrong);
    static_cast<void>(token);
    --coroutines_;
  }

  void coroutine(Random& random, int depth, int parent) {
    const Step step("co_await");
    const int id = new_ids(1);
    const AsyncResult<int> result = issue(random, id, depth, parent);
    keep(result, id);
    const bool on_a_worker = random.one_in(2);
    exposed([&] { await(result, id, on_a_worker, Counted(inner_)); });
    if (random.one_in(2)) expect_value(id, [&] { return exposed([&] { return result.get(); }); });
  }

  // One of which throws, perhaps.
  void map_with_callbacks(Random& random, int depth, int parent) {
    const Step step("map_async with callbacks");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, parent);
    const bool rude = random.one_in(4);
    const auto calls = std::make_shared<std::atomic<int>>(0);
    auto options = urgent(MapOptions<int, Order>{.chunksize = random.between(1, 3)}, random);
    options.callback = [calls, rude, items, token = Counted(counter_)](const auto& values) {
      const Sheltered sheltered;
      EXPECT_EQ(values, items);
      ++*calls;
      if (rude) throw Rude();
    };
    options.error_callback = [calls, token = Counted(counter_)](const std::exception_ptr& error) {
      const Sheltered sheltered;
      EXPECT_TRUE(error != nullptr);
      ++*calls;
    };
    const auto result = exposed([&] { return pool_.map_async(f, items, std::move(options)); });
    keep(result);
    if (random.one_in(3)) return;
    try {
      expect_values(exposed([&] { return result.get(); }), items);
      EXPECT_FALSE(rude || any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    } catch (const Rude&) {
      EXPECT_TRUE(rude && !any_throws(items));
    }
    EXPECT_EQ(*calls, 1);
  }

  void timed_imap(Random& random, int depth, int parent) {
    const Step step("imap with timeouts");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, parent);
    const auto options = urgent(BasicImapOptions<Order>{.chunksize = random.between(1, 3)}, random);
    ImapIterator<int> results = exposed([&] { return pool_.imap(f, items, options); });
    std::size_t at = 0;
    for (;;) {
      const std::chrono::microseconds timeout(random.between(-1, 50));
      try {
        const std::optional<int> value = exposed([&] { return results.next(timeout); });
        if (!value) break;
        ASSERT_LT(at, items.size());
        EXPECT_EQ(*value, items[at++]);
      } catch (const Boom&) {
        ASSERT_LT(at, items.size());
        EXPECT_TRUE(throws(items[at++]));
      } catch (const TimeoutError&) {
        // A task that only looks keeps a worker from what it looks for.
        if (parent != kOutside) {
          return;
        }
      }
    }
    EXPECT_EQ(at, items.size());
  }

  void pool_that_ends_in_its_task(Random& random) {
    const Step step("a pool that ends in its task");
    const int workers = random.between(1, 2);
    std::shared_ptr<ThreadPool> pool =
        exposed([&] { return std::make_shared<ThreadPool>(workers); });
    auto last = [pool, token = Counted(inner_)]() mutable {
      pool.reset();
      return 7;
    };
    const AsyncResult<int> result = exposed([&] { return pool->apply_async(std::move(last)); });
    AsyncResult<int> other;
    if (random.one_in(2)) {
      other = exposed([&] { return pool->apply_async([token = Counted(inner_)] { return 8; }); });
    }
    if (random.one_in(4)) pool->terminate();
    pool.reset();
    for (const auto& [handle, value] : {std::pair(result, 7), std::pair(other, 8)}) {
      if (!handle.valid()) continue;
      try {
        EXPECT_EQ(exposed([&] { return handle.get(); }), value);
      } catch (const TerminatedError&) {
      }
    }
  }

  void failing_initializer(Random& random) {
    const Step step("an initializer that throws");
    const int workers = random.between(1, 3);
    std::atomic<int> started{0};
    const auto initializer = [&, last = random.between(1, 3), token = Counted(counter_)] {
      const Sheltered sheltered;
      if (++started == last) throw Rude();
    };
    try {
      exposed([&] {
        const ThreadPool pool(workers, initializer);
        EXPECT_EQ(started, workers);
      });
    } catch (const Rude&) {
      EXPECT_LE(started, workers);
    }
  }

  void join_in_a_task() {
    const Step step("join in a task");
    EXPECT_THROW(pool_.join(), ValueError);
  }

  void look(Random& random) {
    const Step step("looks at the pool");
    EXPECT_TRUE(pool_.to_string().ends_with(" pool_size=" + std::to_string(pool_.size()) + ">"));
    if (pool_.state() == State::run && random.one_in(2)) {
      EXPECT_THROW(AsyncResult<int>().get(), ValueError);
    }
  }

  test::InstanceCounter inner_;  // of what nobody joins: pools that end in a task, coroutines
  std::atomic<int> done_callbacks_due_{0};
  std::atomic<int> done_callbacks_run_{0};
  std::atomic<int> coroutines_{0};  // under way
};

}  // namespace millpond::noise

#endif  // MILLPOND_TESTS_NOISE_PROGRAM_HPP
