// SPDX-License-Identifier: MIT
//
// Random calls over the whole public interface: what test::Mix and Maps have, and the rest.
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
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/faults.hpp"
#include "../support/instance_counter.hpp"
#include "../support/steps.hpp"
#include "../support/stress.hpp"
#include "../support/thread_watch.hpp"
#include "maps.hpp"

namespace millpond::noise {

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
class Program : public Maps<Order> {
  using Base = Maps<Order>;

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
  using Base::imap_of_failing_input;
  using Base::imap_of_infinite_input;
  using Base::issue;
  using Base::keep;
  using Base::map_into;
  using Base::map_with_callbacks;
  using Base::new_ids;
  using Base::new_items;
  using Base::pool_;
  using Base::ran;
  using Base::several_readers;
  using Base::starmap;
  using Base::throws;
  using Base::timed_imap;
  using Base::wrong_sizes;

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
