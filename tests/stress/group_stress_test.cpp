// SPDX-License-Identifier: MIT
//
// millpond::wait(), as_completed() and done-callbacks against completion, cancel() and terminate().

#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/instance_counter.hpp"
#include "../support/stress.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;
using Results = std::vector<AsyncResult<int>>;

class GroupStress : public WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, GroupStress, worker_counts(),
                         ::testing::PrintToStringParamName());

ReturnWhen some_way(Random& random) {
  constexpr std::array kWays{ReturnWhen::all_completed, ReturnWhen::first_completed,
                             ReturnWhen::first_exception};
  return kWays.at(static_cast<std::size_t>(random.between(0, 2)));
}

std::chrono::microseconds some_timeout(Random& random) {
  return std::chrono::microseconds(random.between(-5, 200));
}

// An error other than that the result was cancelled. Looks at it.
bool failed(const AsyncResult<int>& result) {
  const std::exception_ptr error = result.exception();
  return error != nullptr && !holds<CancelledError>(error);
}

// Some hundred steps of work, which fail now and then.
int work(std::uint64_t seed, bool may_fail) {
  Random random(seed);
  random.dawdle();
  if (may_fail && random.one_in(10)) throw std::runtime_error("boom");
  return 1;
}

// A task of any kind: short, with callbacks, failing, or one that itself waits for a group.
AsyncResult<int> issue(ThreadPool& pool, Random& random) {
  const std::uint64_t seed = random.split();
  switch (random.between(0, 5)) {
    case 0:
      return pool.apply_async(
          work, std::tuple{seed, true},
          {.callback = [](const int&) {}, .error_callback = [](const std::exception_ptr&) {}});
    case 1:
      return pool.apply_async([&pool, seed] {
        Random mine(seed);
        const Results parts{pool.apply_async(work, mine.split(), false),
                            pool.apply_async(work, mine.split(), false)};
        int sum = 0;
        if (mine.one_in(2)) {
          for (AsyncResult<int>& part : as_completed(parts)) sum += part.get();
        } else {
          for (const AsyncResult<int>& part : wait(parts, some_way(mine)).done) sum += part.get();
        }
        return sum > 0 ? 1 : 0;
      });
    default:
      return pool.apply_async(work, seed, true);
  }
}

// Checks what wait() says of `results`, which have no duplicates.
void check_wait(const Results& results, Random& random, bool may_block) {
  const ReturnWhen way = some_way(random);
  const bool timed = !may_block || random.one_in(2);
  const auto [done, not_done] =
      timed ? wait(results, way, some_timeout(random)) : wait(results, way);
  ASSERT_EQ(done.size() + not_done.size(), results.size());
  std::size_t next_done = 0;
  std::size_t next_not_done = 0;
  for (const AsyncResult<int>& result : results) {
    if (next_done != done.size() && result == done[next_done]) {
      ++next_done;
    } else {
      ASSERT_TRUE(result == not_done.at(next_not_done++));
    }
  }
  for (const AsyncResult<int>& result : done) ASSERT_TRUE(result.ready());
  if (timed || results.empty()) return;
  switch (way) {
    case ReturnWhen::all_completed:
      ASSERT_TRUE(not_done.empty());
      break;
    case ReturnWhen::first_completed:
      ASSERT_FALSE(done.empty());
      break;
    case ReturnWhen::first_exception:
      ASSERT_TRUE(not_done.empty() || std::any_of(done.begin(), done.end(), failed));
      break;
  }
}

// Checks what as_completed() yields: each once, ready, all of them or until the time is up.
void check_as_completed(const Results& results, Random& random, bool may_block) {
  std::unordered_set<AsyncResult<int>> seen;
  const std::size_t stop_at = random.one_in(4) ? results.size() / 2 + 1 : results.size() + 1;
  const auto take_all = [&](auto&& range) {
    for (AsyncResult<int>& result : range) {
      ASSERT_TRUE(result.ready());
      ASSERT_TRUE(seen.insert(result).second);
      if (seen.size() == stop_at) break;
    }
  };
  if (may_block && random.one_in(2)) {
    take_all(as_completed(results));
    ASSERT_EQ(seen.size(), std::min(stop_at, results.size()));
    return;
  }
  try {
    take_all(as_completed(results, some_timeout(random)));
    ASSERT_EQ(seen.size(), std::min(stop_at, results.size()));
  } catch (const TimeoutError& error) {
    ASSERT_LT(seen.size(), results.size());
    ASSERT_EQ(error.what(), std::to_string(results.size() - seen.size()) + " (of " +
                                std::to_string(results.size()) + ") results unfinished");
  }
}

void look_at_all(const Results& results) {
  for (const AsyncResult<int>& result : results) static_cast<void>(result.exception());
}

TEST_P(GroupStress, WaitersMeetCompletionAndCancel) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(workers());
    Results results;
    const int count = random.between(1, 60);
    for (int i = 0; i < count; ++i) results.push_back(issue(pool, random));
    const int cancel_one_in = random.between(1, 10);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, seed = random.split()] {
        Random mine(seed);
        for (int k = 0; k < 5; ++k) {
          if (mine.one_in(2)) {
            check_wait(results, mine, true);
          } else {
            check_as_completed(results, mine, true);
          }
        }
      });
    }
    threads.emplace_back([&, seed = random.split()] {
      Random mine(seed);
      for (const AsyncResult<int>& result : results) {
        mine.dawdle();
        if (mine.one_in(cancel_one_in)) result.cancel();
      }
    });
    for (std::thread& thread : threads) thread.join();
    look_at_all(results);
  }
}

TEST_P(GroupStress, WaitersMeetTerminate) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    Results results;
    {
      ThreadPool pool(workers());
      const int count = random.between(1, 60);
      // No nesting: what a task issues to a terminated pool is refused.
      for (int i = 0; i < count; ++i) {
        results.push_back(pool.apply_async(work, random.split(), true));
      }
      std::vector<std::thread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, seed = random.split()] {
          Random mine(seed);
          for (int k = 0; k < 3; ++k) {
            if (mine.one_in(2)) {
              check_wait(results, mine, true);
            } else {
              check_as_completed(results, mine, true);
            }
          }
        });
      }
      random.dawdle(5000);
      pool.terminate();
      if (random.one_in(2)) pool.join();
      for (std::thread& thread : threads) thread.join();
    }
    ASSERT_EQ(wait(results, 0s).done.size(), results.size());
    look_at_all(results);
  }
}

// Groups that come and go: each registers with the results and mostly leaves before they end.
TEST_P(GroupStress, ShortWaitsLeaveNothingBehind) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(workers());
    std::atomic<bool> go{false};
    Results results;
    for (int i = 0; i < 10; ++i) {
      results.push_back(pool.apply_async([&go] {
        while (!go) std::this_thread::yield();
        return 1;
      }));
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, seed = random.split()] {
        Random mine(seed);
        while (!std::all_of(results.begin(), results.end(),
                            [](const AsyncResult<int>& result) { return result.ready(); })) {
          if (mine.one_in(2)) {
            check_wait(results, mine, false);
          } else {
            check_as_completed(results, mine, false);
          }
        }
      });
    }
    random.dawdle(2000);
    go = true;
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_P(GroupStress, TasksAndCallbacksWaitForGroups) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(workers());
    std::atomic<int> checked{0};
    Results issued;
    const int count = random.between(1, 20);
    for (int i = 0; i < count; ++i) {
      const auto check = [&pool, &checked, seed = random.split()](const auto&...) {
        Random mine(seed);
        Results results;
        const int parts = mine.between(1, 5);
        for (int k = 0; k < parts; ++k) results.push_back(issue(pool, mine));
        if (mine.one_in(2)) {
          check_wait(results, mine, true);
        } else {
          check_as_completed(results, mine, true);
        }
        look_at_all(results);
        ++checked;
        return 1;
      };
      if (random.one_in(2)) {
        issued.push_back(pool.apply_async(check));
      } else {
        issued.push_back(
            pool.apply_async([] { return 1; }, std::tuple{},
                             {.callback = [check](const int& n) { static_cast<void>(check(n)); }}));
      }
    }
    int sum = 0;
    for (AsyncResult<int>& result : as_completed(issued)) sum += result.get();
    ASSERT_EQ(sum, count);
    ASSERT_EQ(checked, count);
  }
}

TEST_P(GroupStress, SeveralPools) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    ThreadPool other(2);
    ThreadPool pool(workers());
    Results results;
    const int count = random.between(1, 40);
    for (int i = 0; i < count; ++i) {
      ThreadPool& either = random.one_in(2) ? pool : other;
      results.push_back(either.apply_async(work, random.split(), true));
    }
    // One way only: pool's tasks wait for other's, and their own.
    const AsyncResult<void> inside = pool.apply_async([&, seed = random.split()] {
      Random mine(seed);
      for (int k = 0; k < 3; ++k) {
        if (mine.one_in(2)) {
          check_wait(results, mine, true);
        } else {
          check_as_completed(results, mine, true);
        }
      }
    });
    if (random.one_in(3)) {
      random.dawdle(2000);
      other.terminate();
    }
    check_as_completed(results, random, true);
    inside.get();
    look_at_all(results);
  }
}

// Each done-callback is called once and destroyed, whatever ends the result and wherever.
TEST_P(GroupStress, DoneCallbacksMeetEverything) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    InstanceCounter counter;
    constexpr std::size_t kTasks = 40;
    constexpr std::size_t kAdders = 2;
    std::vector<std::atomic<int>> calls(kTasks * kAdders);
    std::atomic<int> reports{0};
    std::atomic<int> thrown{0};
    {
      ThreadPool pool(PoolOptions{.processes = workers(),
                                  .on_unobserved_error = [&](const auto&) { ++reports; }});
      Results results;
      for (std::size_t i = 0; i != kTasks; ++i) {
        const auto task = [seed = random.split()] { return work(seed, false); };
        results.push_back(
            random.one_in(4) ? pool.apply_async(task, std::tuple{}, {.callback = [](const int&) {}})
                             : pool.apply_async(task));
      }
      std::vector<std::thread> threads;
      for (std::size_t adder = 0; adder != kAdders; ++adder) {
        threads.emplace_back([&, adder, seed = random.split()] {
          Random mine(seed);
          for (std::size_t i = kTasks; i-- != 0;) {
            results[i].add_done_callback([&called = calls[adder * kTasks + i], &thrown,
                                          throws = mine.one_in(10),
                                          token = Counted(counter)](AsyncResult<int> done) {
              if (done.ready() && wait(std::array{done}, 0s).done.size() == 1) ++called;
              if (!throws) return;
              ++thrown;
              throw std::runtime_error("thrown");
            });
            mine.dawdle(100);
          }
        });
      }
      threads.emplace_back([&, seed = random.split()] {
        Random mine(seed);
        for (const AsyncResult<int>& result : results) {
          if (mine.one_in(3)) result.cancel();
          mine.dawdle(100);
        }
      });
      threads.emplace_back([&, seed = random.split()] {
        Random mine(seed);
        check_wait(results, mine, true);
        check_as_completed(results, mine, true);
      });
      if (random.one_in(2)) {
        random.dawdle(5000);
        pool.terminate();
      }
      for (std::thread& thread : threads) thread.join();
      pool.close();
      pool.join();
      ASSERT_EQ(reports, thrown);
      ASSERT_TRUE(counter.balanced());
    }
    for (const std::atomic<int>& called : calls) ASSERT_EQ(called, 1);
  }
}

// The consumer takes the handles out and issues more in the body: results come and go under the
// group that yields them.
TEST_P(GroupStress, ConsumersThatIssueAndCancelTheRest) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(workers());
    const auto consume = [&pool](std::uint64_t seed) {
      Random mine(seed);
      Results results;
      const int count = mine.between(1, 20);
      for (int i = 0; i < count; ++i) results.push_back(issue(pool, mine));
      const int enough = mine.between(1, count);
      int taken = 0;
      for (AsyncResult<int>& result : as_completed(results)) {
        static_cast<void>(result.exception());
        pool.apply_async(work, mine.split(), false);
        if (++taken == enough) break;
      }
      for (const AsyncResult<int>& result : results) {
        if (mine.one_in(2)) result.cancel();
      }
      look_at_all(results);
      return taken;
    };
    const AsyncResult<int> inside = pool.apply_async(consume, random.split());
    std::thread thread([&, seed = random.split()] { ASSERT_GE(consume(seed), 1); });
    ASSERT_GE(consume(random.split()), 1);
    ASSERT_GE(inside.get(), 1);
    thread.join();
  }
}

}  // namespace
}  // namespace millpond::test
