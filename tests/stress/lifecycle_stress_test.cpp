// SPDX-License-Identifier: MIT
//
// Pools that live for a moment, and results that are dropped at every moment of theirs.

#include <millpond/millpond.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/instance_counter.hpp"
#include "../support/stress.hpp"

namespace millpond {
namespace {

using test::Counted;
using test::InstanceCounter;
using test::Random;
using test::Rounds;
using test::some_workers;

TEST(LifecycleStress, PoolsComeAndGo) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    InstanceCounter counter;
    std::atomic<int> ran{0};
    std::vector<AsyncResult<int>> results;
    {
      ThreadPool pool(some_workers(random));
      const int tasks = random.between(0, 20);
      for (int i = 0; i < tasks; ++i) {
        results.push_back(pool.apply_async([&ran, i, token = Counted(counter)] {
          ++ran;
          return i;
        }));
      }
      random.dawdle();
    }
    int done = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_TRUE(results[i].ready());
      try {
        ASSERT_EQ(results[i].get(), static_cast<int>(i));
        ++done;
      } catch (const TerminatedError&) {
      }
    }
    ASSERT_EQ(ran, done);
    ASSERT_TRUE(counter.balanced());
  }
}

TEST(LifecycleStress, ClosedPoolsRunEverything) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    std::atomic<int> ran{0};
    ThreadPool pool(some_workers(random));
    const int tasks = random.between(0, 30);
    for (int i = 0; i < tasks; ++i) {
      switch (random.between(0, 3)) {
        case 0:
          pool.apply_async([&] { ++ran; });
          break;
        case 1:
          pool.map_async([&](int) { ++ran; }, std::vector<int>(1));
          break;
        case 2:
          pool.apply_async([] {}, std::tuple{}, {.callback = [&] { ++ran; }});
          break;
        case 3:
          pool.apply_async([&] { pool.apply_async([&] { ++ran; }).get(); }).wait();
          break;
      }
    }
    pool.close();
    random.dawdle();
    pool.join();
    ASSERT_EQ(ran, tasks);
  }
}

TEST(LifecycleStress, AWaiterThatHasReturnedMayDestroyEverything) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    InstanceCounter counter;
    {
      auto value = std::make_unique<Counted>(counter, 5);
      auto pool = std::make_unique<ThreadPool>(some_workers(random));
      switch (random.between(0, 5)) {
        case 0:
          ASSERT_EQ(pool->apply_async([&] { return value->value(); }).get(), 5);
          break;
        case 1:
          ASSERT_EQ(pool->apply([&] { return value->value(); }), 5);
          break;
        case 2: {
          AsyncResult<int> result = pool->apply_async([&] { return value->value(); });
          while (!result.ready()) random.dawdle();
          break;
        }
        case 3: {
          auto items = std::make_unique<std::vector<int>>(random.between(1, 40), 1);
          pool->map([&](int item) { return item + value->value(); }, *items, 1);
          break;
        }
        case 4: {
          int called = 0;
          pool->apply_async([&] { return value->value(); }, std::tuple{},
                            {.callback = [&](const int& got) { called = got; }})
              .get();
          ASSERT_EQ(called, 5);
          break;
        }
        case 5: {
          ImapIterator<int> items =
              pool->imap([&](int item) { return item + value->value(); }, std::vector<int>(3));
          while (items.next()) {
          }
          break;
        }
      }
      // Either may go first: nobody uses them any more.
      if (random.one_in(2)) pool.reset();
      value.reset();
    }
    ASSERT_TRUE(counter.balanced());
  }
}

TEST(LifecycleStress, ResultsAreDroppedAtEveryMoment) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    InstanceCounter counter;
    {
      std::mutex mutex;
      std::vector<AsyncResult<Counted>> shared;  // handles that several threads hold copies of
      ThreadPool pool(PoolOptions{.processes = some_workers(random),
                                  .on_unobserved_error = [](const std::exception_ptr&) {}});
      std::vector<std::thread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, seed = random.split()] {
          Random mine(seed);
          for (int i = 0; i < 40; ++i) {
            const bool fails = mine.one_in(5);
            AsyncResult<Counted> result =
                pool.apply_async([fails, token = Counted(counter, i)]() mutable {
                  if (fails) throw std::runtime_error("boom");
                  return std::move(token);
                });
            switch (mine.between(0, 4)) {
              case 0:
                break;
              case 1:
                mine.dawdle();
                break;
              case 2:
                result.wait();
                break;
              case 3: {
                const std::lock_guard lock(mutex);
                shared.push_back(result);
                break;
              }
              case 4: {
                std::optional<AsyncResult<Counted>> found;
                {
                  const std::lock_guard lock(mutex);
                  if (!shared.empty()) {
                    found = std::move(shared.back());
                    shared.pop_back();
                  }
                }
                if (found && mine.one_in(2)) static_cast<void>(found->exception());
                break;
              }
            }
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      if (random.one_in(2)) shared.clear();
      if (random.one_in(2)) pool.terminate();
    }
    ASSERT_TRUE(counter.balanced()) << counter.alive();
  }
}

TEST(LifecycleStress, PoolsAreDroppedInsideTheirTasksAndCallbacks) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    auto counter = std::make_shared<InstanceCounter>();
    auto pool = std::make_shared<ThreadPool>(some_workers(random));
    std::vector<AsyncResult<void>> results;
    const int tasks = random.between(1, 10);
    for (int i = 0; i < tasks; ++i) {
      if (random.one_in(2)) {
        results.push_back(pool->apply_async([pool, counter, token = Counted(*counter)] {}));
      } else {
        results.push_back(pool->apply_async(
            [pool, counter] {}, std::tuple{},
            {.callback = [pool, counter] {}, .error_callback = [pool](const auto&) {}}));
      }
    }
    if (random.one_in(3)) {
      results.push_back(pool->apply_async([raw = pool.get()] { raw->terminate(); }));
    }
    pool.reset();
    for (const AsyncResult<void>& result : results) result.wait();
  }
}

}  // namespace
}  // namespace millpond
