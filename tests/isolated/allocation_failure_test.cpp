// SPDX-License-Identifier: MIT
//
// What happens when memory runs out: every allocation that a call makes is failed once, the first,
// the second, ... until the call makes no more of them. A call that fails has changed nothing, and
// the pool goes on. And whether all memory comes back, whoever let go of it.
//
// This program replaces the global operator new, and so it stands alone. Clang's ThreadSanitizer
// does not let it: there the tests are skipped.

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/instance_counter.hpp"
#include "../support/replaced_new.hpp"
#include "../support/thread_watch.hpp"
#include "../support/workers.hpp"

namespace {

// Allocations until the one that fails, this thread's and everybody's; negative: none fails.
thread_local constinit std::int64_t until_mine_fails = -1;
constinit std::atomic<std::int64_t> until_anyones_fails{-1};
// Once it has failed, so do all that follow.
constinit std::atomic<bool> memory_is_exhausted{false};
constinit std::atomic<bool> exhausts{false};
thread_local constinit bool mine_failed = false;
constinit std::atomic<bool> anyones_failed{false};

}  // namespace

// Whether this one fails; operator new asks.
bool millpond::test::allocation_fails() noexcept {
  if (until_mine_fails >= 0 && until_mine_fails-- == 0) {
    mine_failed = true;
    return true;
  }
  if (until_anyones_fails.load() >= 0 && until_anyones_fails.fetch_sub(1) == 0) {
    anyones_failed = true;
    if (exhausts) memory_is_exhausted = true;
    return true;
  }
  return memory_is_exhausted;
}

namespace millpond {
namespace {

using test::Counted;
using test::Gate;
using test::InstanceCounter;
using namespace std::chrono_literals;

class AllocationFailure : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::kReplacesOperatorNew) GTEST_SKIP() << "operator new cannot be replaced here";
  }
};

// While one lives, this thread's allocation number n fails.
class MyAllocationFails {
 public:
  explicit MyAllocationFails(int n) {
    mine_failed = false;
    until_mine_fails = n;
  }
  MyAllocationFails(const MyAllocationFails&) = delete;
  MyAllocationFails& operator=(const MyAllocationFails&) = delete;
  ~MyAllocationFails() { until_mine_fails = -1; }
};

enum class After { goes_on, is_exhausted };

// While one lives, allocation number n of the process fails, and perhaps all after it.
class AnyAllocationFails {
 public:
  AnyAllocationFails(int n, After after) {
    anyones_failed = false;
    exhausts = after == After::is_exhausted;
    until_anyones_fails = n;
  }
  AnyAllocationFails(const AnyAllocationFails&) = delete;
  AnyAllocationFails& operator=(const AnyAllocationFails&) = delete;
  ~AnyAllocationFails() {
    until_anyones_fails = -1;
    memory_is_exhausted = false;
  }
};

constexpr int kEnough = 500;  // no call makes as many allocations
constexpr int kItems = 5;

// What the calls issue. Everything in it counts itself.
struct Work {
  explicit Work(InstanceCounter& c)
      : counter(&c), items(kItems, Counted(c, 1)), list(kItems, Counted(c, 1)) {
    for (int i = 0; i < kItems; ++i) pairs.emplace_back(Counted(c, 1), 0);
  }

  auto task() {
    return [token = Counted(*counter), this] {
      ++ran;
      return 1;
    };
  }
  auto function() {
    return [token = Counted(*counter), this](const Counted& item) {
      ++ran;
      return item.value();
    };
  }
  auto function_of_two() {
    return [token = Counted(*counter), this](const Counted& item, int nothing) {
      ++ran;
      return item.value() + nothing;
    };
  }
  auto callback() {
    return [token = Counted(*counter), this](const auto&) { ++called; };
  }

  InstanceCounter* counter;
  std::vector<Counted> items;
  std::list<Counted> list;
  std::vector<std::pair<Counted, int>> pairs;
  std::atomic<int> ran{0};
  std::atomic<int> called{0};
};

// What a call brought, when there is memory again. Each returns the sum of the results.
int sum_of(int value) { return value; }
int sum_of(const std::vector<int>& values) {
  int sum = 0;
  for (const int value : values) sum += value;
  return sum;
}
template <class R>
int sum_of(const AsyncResult<R>& result) {
  return sum_of(result.get());
}
int sum_of(ImapIterator<int>& items) {
  int sum = 0;
  while (const std::optional<int> item = items.next()) sum += *item;
  return sum;
}

template <class Issue>
struct Call {
  const char* name;
  int tasks;
  bool has_callback;
  Issue issue;
};
template <class Issue>
Call(const char*, int, bool, Issue) -> Call<Issue>;

// Calls `visit` with each way to issue work.
template <class Visit>
void for_each_call(Visit visit) {
  visit(Call{"apply", 1, false, [](ThreadPool& p, Work& w) { return p.apply(w.task()); }});
  visit(Call{"apply_async", 1, false,
             [](ThreadPool& p, Work& w) { return p.apply_async(w.task()); }});
  visit(Call{"apply_async with a large argument", 1, false, [](ThreadPool& p, Work& w) {
               return p.apply_async(
                   [&w, token = Counted(*w.counter)](const std::string& text) {
                     ++w.ran;
                     return text.size() == 1000 ? 1 : 0;
                   },
                   std::string(1000, 'x'));
             }});
  visit(Call{"apply_async with callbacks", 1, true, [](ThreadPool& p, Work& w) {
               return p.apply_async(w.task(), std::tuple{},
                                    {.callback = w.callback(), .error_callback = w.callback()});
             }});
  visit(Call{"map", kItems, false,
             [](ThreadPool& p, Work& w) { return p.map(w.function(), w.items); }});
  visit(Call{"map of a list", kItems, false,
             [](ThreadPool& p, Work& w) { return p.map(w.function(), w.list, 2); }});
  visit(Call{"map_async", kItems, false,
             [](ThreadPool& p, Work& w) { return p.map_async(w.function(), w.items); }});
  visit(Call{"map_async of a list", kItems, false,
             [](ThreadPool& p, Work& w) { return p.map_async(w.function(), w.list, 2); }});
  visit(Call{"map_async with callbacks", kItems, true, [](ThreadPool& p, Work& w) {
               return p.map_async(w.function(), w.items,
                                  {.callback = w.callback(), .error_callback = w.callback()});
             }});
  visit(Call{"starmap", kItems, false,
             [](ThreadPool& p, Work& w) { return p.starmap(w.function_of_two(), w.pairs); }});
  visit(Call{"starmap_async", kItems, false, [](ThreadPool& p, Work& w) {
               return p.starmap_async(w.function_of_two(), w.pairs, 1);
             }});
  visit(Call{"imap", kItems, false,
             [](ThreadPool& p, Work& w) { return p.imap(w.function(), w.items); }});
  visit(Call{"imap of a list", kItems, false,
             [](ThreadPool& p, Work& w) { return p.imap(w.function(), w.list, 2); }});
  visit(Call{"imap_unordered", kItems, false,
             [](ThreadPool& p, Work& w) { return p.imap_unordered(w.function(), w.items); }});
  visit(Call{"istarmap", kItems, false,
             [](ThreadPool& p, Work& w) { return p.istarmap(w.function_of_two(), w.pairs); }});
  visit(Call{"istarmap_unordered", kItems, false, [](ThreadPool& p, Work& w) {
               return p.istarmap_unordered(w.function_of_two(), w.pairs);
             }});
}

void expect_that_it_goes_on(ThreadPool& pool) {
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
  EXPECT_EQ(pool.map([](int item) { return item; }, std::vector<int>{1, 2, 3}),
            (std::vector<int>{1, 2, 3}));
  test::visit_every_worker(pool);
}

enum class Caller { outside, task };

template <class Issue>
void fail_each_allocation_of(const Call<Issue>& call, Caller caller, bool warm) {
  SCOPED_TRACE(call.name);
  bool failed = true;
  for (int n = 0; failed; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    ASSERT_LT(n, kEnough) << "it never works";
    InstanceCounter counter;
    {
      Work work(counter);
      ThreadPool pool(2);
      if (warm) {  // what the pool keeps for the next time may spare it allocations
        for (int i = 0; i < 10; ++i) pool.apply_async([] {}).get();
        pool.apply_async([] {}, std::tuple{}, {.callback = [] {}}).get();
      }
      bool thrown = false;
      const auto make_the_call = [&] {
        std::optional<decltype(call.issue(pool, work))> outcome;
        try {
          const MyAllocationFails armed(n);
          outcome.emplace(call.issue(pool, work));
        } catch (const std::bad_alloc&) {
          thrown = true;
        }
        failed = mine_failed;
        if (outcome) {
          EXPECT_EQ(sum_of(*outcome), call.tasks);
        }
      };
      if (caller == Caller::outside) {
        make_the_call();
      } else {
        pool.apply(make_the_call);
      }
      EXPECT_TRUE(failed || !thrown);
      expect_that_it_goes_on(pool);
      pool.close();
      pool.join();  // would hang if the call that failed were still waited for
      EXPECT_EQ(work.ran, thrown ? 0 : call.tasks);
      EXPECT_EQ(work.called, thrown || !call.has_callback ? 0 : 1);
    }
    EXPECT_TRUE(counter.balanced()) << counter.alive() << " alive";
  }
}

TEST_F(AllocationFailure, IsTheCallsErrorAndChangesNothing) {
  for_each_call([](const auto& call) {
    fail_each_allocation_of(call, Caller::outside, false);
    fail_each_allocation_of(call, Caller::outside, true);
  });
}

TEST_F(AllocationFailure, InsideATaskIsTheCallsErrorAndChangesNothing) {
  for_each_call([](const auto& call) {
    fail_each_allocation_of(call, Caller::task, false);
    fail_each_allocation_of(call, Caller::task, true);
  });
}

TEST_F(AllocationFailure, InAConstructorLeavesNothingBehind) {
  const std::size_t threads = test::settled_thread_count();
  const auto construct = [&](auto make, auto arm) {
    bool failed = true;
    for (int n = 0; failed; ++n) {
      ASSERT_LT(n, kEnough) << "it never works";
      InstanceCounter counter;
      bool thrown = false;
      try {
        const auto armed = arm(n);
        const std::unique_ptr<ThreadPool> pool = make(counter);
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      failed = mine_failed || anyones_failed;
      EXPECT_TRUE(failed || !thrown);
      EXPECT_TRUE(counter.balanced());
      test::wait_for_thread_count(threads);
    }
  };
  const auto mine = [](int n) { return std::make_unique<MyAllocationFails>(n); };
  const auto anyones = [](int n) {
    return std::make_unique<AnyAllocationFails>(n, After::goes_on);
  };
  const auto plain = [](InstanceCounter&) { return std::make_unique<ThreadPool>(8); };
  const auto with_initializer = [](InstanceCounter& counter) {
    return std::make_unique<ThreadPool>(
        8, [](const Counted& value) { return value.value(); }, Counted(counter, 1));
  };
  const auto with_options = [](InstanceCounter& counter) {
    return std::make_unique<ThreadPool>(
        PoolOptions{.processes = 8,
                    .initializer = [token = Counted(counter)] {},
                    .thread_name_prefix = "a-prefix-of-more-than-fifteen-characters"});
  };
  mine_failed = false;
  anyones_failed = false;
  construct(plain, mine);
  construct(with_initializer, mine);
  construct(with_options, mine);
  mine_failed = false;
  construct(plain, anyones);
  construct(with_initializer, anyones);
  construct(with_options, anyones);
}

TEST_F(AllocationFailure, OnAnyThreadIsTheCallsErrorOrTheResults) {
  for_each_call([](const auto& call) {
    SCOPED_TRACE(call.name);
    bool failed = true;
    for (int n = 0; failed; ++n) {
      SCOPED_TRACE("allocation " + std::to_string(n));
      ASSERT_LT(n, kEnough) << "it never works";
      InstanceCounter counter;
      {
        Work work(counter);
        ThreadPool pool(2);
        bool thrown = false;
        {
          std::optional<decltype(call.issue(pool, work))> outcome;
          try {
            const AnyAllocationFails armed(n, After::goes_on);
            outcome.emplace(call.issue(pool, work));
            // The tasks run while it may still strike.
            if constexpr (requires { outcome->wait(); }) outcome->wait();
          } catch (const std::bad_alloc&) {
            thrown = true;
          }
          if (outcome) {
            try {
              const int sum = sum_of(*outcome);
              EXPECT_EQ(sum, call.tasks);
            } catch (const std::bad_alloc&) {
              thrown = true;
            }
          }
          failed = anyones_failed;
        }
        EXPECT_TRUE(failed || !thrown);
        expect_that_it_goes_on(pool);
        pool.close();
        pool.join();
        EXPECT_LE(work.ran, call.tasks);
        EXPECT_LE(work.called, 1);
        if (!thrown) {
          EXPECT_EQ(work.ran, call.tasks);
        }
      }
      EXPECT_TRUE(counter.balanced()) << counter.alive() << " alive";
    }
  });
}

// The work was issued while there was memory: whoever waits for it gets it, or may try again.
// `read(handle, sum)` adds what it gets to `sum` at once.
template <class Issue, class Read>
void fail_each_allocation_of_waiting(int expected, Issue issue, Read read) {
  bool failed = true;
  for (int n = 0; failed; ++n) {
    ASSERT_LT(n, kEnough) << "it never works";
    InstanceCounter counter;
    {
      Work work(counter);
      ThreadPool pool(2);
      int sum = 0;
      auto handle = issue(pool, work);
      try {
        const MyAllocationFails armed(n);
        read(handle, sum);
      } catch (const std::bad_alloc&) {
        read(handle, sum);
      }
      failed = mine_failed;
      EXPECT_EQ(sum, expected);
    }
    EXPECT_TRUE(counter.balanced());
  }
}

TEST_F(AllocationFailure, WhileWaitingLosesNoResult) {
  const auto apply = [](ThreadPool& pool, Work& work) { return pool.apply_async(work.task()); };
  const auto map = [](ThreadPool& pool, Work& work) {
    return pool.map_async(work.function(), work.items);
  };
  const auto imap = [](ThreadPool& pool, Work& work) {
    return pool.imap(work.function(), work.items);
  };
  const auto imap_unordered = [](ThreadPool& pool, Work& work) {
    return pool.imap_unordered(work.function(), work.items, 2);
  };
  const auto get = [](auto& result, int& sum) { sum += sum_of(result.get()); };
  const auto timed_get = [](auto& result, int& sum) { sum += sum_of(result.get(1h)); };
  const auto wait = [](auto& result, int& sum) {
    result.wait();
    sum += sum_of(result.get());
  };
  const auto next = [](auto& items, int& sum) {
    while (const std::optional<int> item = items.next()) sum += *item;
  };
  const auto timed_next = [](auto& items, int& sum) {
    while (const std::optional<int> item = items.next(1h)) sum += *item;
  };
  fail_each_allocation_of_waiting(1, apply, get);
  fail_each_allocation_of_waiting(1, apply, timed_get);
  fail_each_allocation_of_waiting(1, apply, wait);
  fail_each_allocation_of_waiting(kItems, map, get);
  fail_each_allocation_of_waiting(kItems, map, timed_get);
  fail_each_allocation_of_waiting(kItems, imap, next);
  fail_each_allocation_of_waiting(kItems, imap, timed_next);
  fail_each_allocation_of_waiting(kItems, imap_unordered, next);
  fail_each_allocation_of_waiting(kItems, imap_unordered, timed_next);
}

// Ends a pool whose queue is full of every kind of work while allocations fail.
template <class End>
void fail_each_allocation_of_ending(After after, End end) {
  bool failed = true;
  for (int n = 0; failed; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    ASSERT_LT(n, kEnough) << "it never works";
    InstanceCounter counter;
    {
      Work work(counter);
      Gate finish;
      auto pool = std::make_unique<ThreadPool>(2);
      test::EventCount running;
      const auto hold = [&] {
        running.add();
        finish.wait();
        return 1;
      };
      const AsyncResult<int> first = pool->apply_async(hold);
      const AsyncResult<int> second = pool->apply_async(hold);
      running.wait_until(2);
      const AsyncResult<int> plain = pool->apply_async(work.task());
      const AsyncResult<int> called =
          pool->apply_async(work.task(), std::tuple{},
                            {.callback = work.callback(), .error_callback = work.callback()});
      const AsyncResult<std::vector<int>> map = pool->map_async(work.function(), work.items);
      ImapIterator<int> items = pool->imap(work.function(), work.items);
      // Lets the running tasks end when the queued ones have been abandoned.
      std::thread opener([&] {
        test::poll_until([&] { return plain.ready(); });
        finish.open();
      });
      {
        const AnyAllocationFails armed(n, after);
        end(pool);
      }
      failed = anyones_failed;
      opener.join();

      EXPECT_EQ(first.get(), 1);
      EXPECT_EQ(second.get(), 1);
      EXPECT_THROW(plain.get(), TerminatedError);
      EXPECT_THROW(called.get(), TerminatedError);
      EXPECT_THROW(map.get(), TerminatedError);
      EXPECT_THROW(items.next(), TerminatedError);
      EXPECT_EQ(items.next(), std::nullopt);
      pool.reset();
      EXPECT_EQ(work.ran, 0);
      EXPECT_EQ(work.called, 1);
    }
    EXPECT_TRUE(counter.balanced()) << counter.alive() << " alive";
  }
}

TEST_F(AllocationFailure, DoesNotKeepTerminateFromAbandoningEverything) {
  for (const After after : {After::goes_on, After::is_exhausted}) {
    fail_each_allocation_of_ending(
        after, [](const std::unique_ptr<ThreadPool>& pool) { pool->terminate(); });
  }
}

TEST_F(AllocationFailure, DoesNotDisturbTheDestructor) {
  for (const After after : {After::goes_on, After::is_exhausted}) {
    fail_each_allocation_of_ending(after, [](std::unique_ptr<ThreadPool>& pool) { pool.reset(); });
  }
}

TEST_F(AllocationFailure, DoesNotDisturbCancel) {
  ThreadPool pool(1);
  test::BusyWorkers busy(pool);
  test::EventCount told;
  const auto on_error = [&](const std::exception_ptr&) { told.add(); };
  const AsyncResult<int> call = pool.apply_async([] { return 1; });
  const AsyncResult<int> called =
      pool.apply_async([] { return 1; }, std::tuple{}, {.error_callback = on_error});
  const AsyncResult<void> map = pool.map_async([](int) {}, std::vector<int>(100));
  {
    const AnyAllocationFails armed(0, After::is_exhausted);
    EXPECT_TRUE(call.cancel());
    EXPECT_TRUE(called.cancel());
    EXPECT_TRUE(map.cancel());
    called.wait();
  }
  EXPECT_THROW(call.get(), CancelledError);
  EXPECT_THROW(called.get(), CancelledError);
  EXPECT_THROW(map.get(), CancelledError);
  EXPECT_EQ(told.count(), 1U);
}

// --- Memory comes back -------------------------------------------------------------------------

// What is alive after `use` has been called many times, compared with after one time.
template <class Use>
void expect_that_memory_comes_back(Use use) {
  constexpr int kTimes = 300;
  use();  // what is made once, such as a thread's first, is made
  const std::int64_t before = test::alive_allocations;
  for (int i = 0; i < kTimes; ++i) use();
  EXPECT_LT(test::alive_allocations - before, kTimes / 3) << "after " << kTimes << " times";
}

using Memory = AllocationFailure;

TEST_F(Memory, ComesBackFromPools) {
  expect_that_memory_comes_back([] {
    ThreadPool pool(2);
    for (int i = 0; i < 100; ++i) pool.apply_async([] {}, std::tuple{}, {.callback = [] {}});
    pool.map([](int item) { return item; }, std::vector<int>(100));
    pool.close();
    pool.join();
  });
}

TEST_F(Memory, ComesBackFromThreadsThatDropTheLastHandle) {
  ThreadPool pool(1);
  expect_that_memory_comes_back([&] {
    std::thread([&] {
      AsyncResult<void> result = pool.apply_async([] {});
      pool.apply_async([] {}).get();  // the worker has let go of the result before it
      result = {};
    }).join();
  });
}

TEST_F(Memory, ComesBackFromThreadsThatIssueWork) {
  ThreadPool pool(1);
  // Much has been used and is free to be used again.
  std::vector<AsyncResult<void>> results;
  for (int i = 0; i < 20'000; ++i) results.push_back(pool.apply_async([] {}));
  for (const AsyncResult<void>& result : results) result.get();
  results.clear();
  const std::int64_t before = test::alive_allocations;
  expect_that_memory_comes_back(
      [&] { std::thread([&] { pool.apply_async([] {}).get(); }).join(); });
  std::thread([&] {
    for (int i = 0; i < 20'000; ++i) results.push_back(pool.apply_async([] {}));
  }).join();
  for (const AsyncResult<void>& result : results) result.get();
  results.clear();
  EXPECT_LT(test::alive_allocations - before, 2'000)
      << "what was free has been lost, not used again";
}

// A coroutine that awaits `result` when it is resumed, and then is done.
struct Awaiting {
  struct promise_type {
    Awaiting get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};
Awaiting await(AsyncResult<int> result, bool& failed, Gate& done) {
  try {
    co_await result;
  } catch (const std::bad_alloc&) {
    failed = true;
  }
  until_mine_fails = -1;
  done.open();
}

// The first co_await of a pool starts its callback thread; that fails first.
TEST_F(Memory, ComesBackFromAnAwaitThatFails) {
  int n = 0;
  for (bool any_failed = true; any_failed; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    ASSERT_LT(n, kEnough) << "it never works";
    any_failed = false;
    expect_that_memory_comes_back([&] {
      Gate finish, done;
      bool failed = false;
      ThreadPool pool(1);
      const AsyncResult<int> result = pool.apply_async([&] {
        finish.wait();
        return 1;
      });
      const Awaiting awaiting = await(result, failed, done);
      {
        const MyAllocationFails armed(n);
        awaiting.handle.resume();
      }
      finish.open();
      done.wait();
      any_failed = any_failed || failed;
    });
  }
  EXPECT_GT(n, 1) << "nothing has failed";
}

TEST_F(Memory, ComesBackFromHandlesThatOutliveThePool) {
  expect_that_memory_comes_back([] {
    std::vector<AsyncResult<int>> results;
    {
      ThreadPool pool(2);
      for (int i = 0; i < 200; ++i) results.push_back(pool.apply_async([] { return 1; }));
    }
    std::thread([&] { results.clear(); }).join();
  });
}

}  // namespace
}  // namespace millpond
