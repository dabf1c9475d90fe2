// SPDX-License-Identifier: MIT
//
// millpond::wait() and as_completed(): any range of results, any outcome, from any thread.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <initializer_list>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/at_the_end.hpp"
#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"
#include "../support/thread_watch.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using Results = std::vector<AsyncResult<int>>;

int one() { return 1; }
[[noreturn]] int fail(const char* message) { throw std::runtime_error(message); }

constexpr std::array kAllWays{ReturnWhen::all_completed, ReturnWhen::first_completed,
                              ReturnWhen::first_exception};

// Where each of `results` stands in `all`.
std::vector<std::size_t> places(const Results& all, const Results& results) {
  std::vector<std::size_t> found;
  for (const AsyncResult<int>& result : results) {
    found.push_back(
        static_cast<std::size_t>(std::find(all.begin(), all.end(), result) - all.begin()));
  }
  return found;
}

// Starts `wait` in a thread of its own and returns when it sleeps.
class Sleeper {
 public:
  explicit Sleeper(std::function<void()> wait)
      : thread_([this, wait = std::move(wait)] {
          id_ = this_thread_id();
          started_.open();
          wait();
          finished_ = true;
        }) {
    started_.wait();
    wait_until_asleep(id_);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() { join(); }

  bool finished() const { return finished_; }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<ThreadId> id_{0};
  std::atomic<bool> finished_{false};
  Gate started_;
  std::thread thread_;
};

class Groups : public WithWorkers {
 protected:
  // A result that is ready when its gate is open.
  AsyncResult<int> gated(Gate& gate, int value = 1) {
    return pool().apply_async([&gate, value] {
      gate.wait();
      return value;
    });
  }
  AsyncResult<int> ready(int value = 1) {
    const AsyncResult<int> result = pool().apply_async([value] { return value; });
    result.wait();
    return result;
  }
  // A result that stays unfinished until gate_ opens, whatever the number of workers.
  AsyncResult<int> unfinished() {
    if (!busy_) busy_.emplace(pool());
    return pool().apply_async(one);
  }
  void let_go() { busy_.reset(); }
  ThreadPool& pool() { return *pool_; }

  std::atomic<int> reported_{0};
  std::optional<ThreadPool> pool_{
      std::in_place,
      PoolOptions{.processes = workers(), .on_unobserved_error = [this](auto) { ++reported_; }}};
  std::optional<BusyWorkers> busy_;
};

class Wait : public Groups {};
class AsCompletedOf : public Groups {};

INSTANTIATE_TEST_SUITE_P(Workers, Wait, worker_counts(), ::testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(Workers, AsCompletedOf, worker_counts(),
                         ::testing::PrintToStringParamName());

// What wait() returns

TEST_P(Wait, ReturnsAllOnceAllAreReady) {
  Results results;
  for (int i = 0; i != 50; ++i) results.push_back(pool().apply_async([i] { return i; }));
  const auto [done, not_done] = millpond::wait(results);
  EXPECT_EQ(done, results);
  EXPECT_THAT(not_done, IsEmpty());
  for (int i = 0; i != 50; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)].get(0s), i);
}

TEST_P(Wait, WaitsForTheLastOfAll) {
  Gate gate;
  Results results{ready(), ready(), gated(gate)};
  std::swap(results[1], results[2]);
  Sleeper waiter([&] { EXPECT_EQ(millpond::wait(results).done, results); });
  EXPECT_FALSE(kSeesThreads && waiter.finished());
  gate.open();
}

TEST_P(Wait, ReturnsOnceTheFirstIsReady) {
  Results results{unfinished(), unfinished(), unfinished()};
  Sleeper waiter([&] {
    const auto [done, not_done] = millpond::wait(results, ReturnWhen::first_completed);
    EXPECT_THAT(places(results, done), ElementsAre(1));
    EXPECT_THAT(places(results, not_done), ElementsAre(0, 2));
  });
  EXPECT_FALSE(kSeesThreads && waiter.finished());
  EXPECT_TRUE(results[1].cancel());
}

TEST_P(Wait, ReturnsAllThatAreReadyNotOnlyTheFirst) {
  const Results done_already{ready(), ready(), ready()};
  const Results pending{unfinished(), unfinished()};
  const Results results{pending[0], done_already[2], pending[1], done_already[0], done_already[1]};
  const auto [done, not_done] = millpond::wait(results, ReturnWhen::first_completed);
  EXPECT_THAT(places(results, done), ElementsAre(1, 3, 4)) << "each in the order given";
  EXPECT_THAT(places(results, not_done), ElementsAre(0, 2));
}

TEST_P(Wait, ReturnsOnceOneHasFailed) {
  Gate gate;
  const AsyncResult<int> good = ready();
  const AsyncResult<int> bad = pool().apply_async([&gate] {
    gate.wait();
    return fail("boom");
  });
  std::optional<BusyWorkers> others;
  if (workers() > 1) others.emplace(pool(), pool().size() - 1);
  Gate pending;
  const AsyncResult<int> slow = gated(pending);
  const Results results{slow, good, bad};
  Sleeper waiter([&] {
    const auto [done, not_done] = millpond::wait(results, ReturnWhen::first_exception);
    EXPECT_THAT(places(results, done), ElementsAre(1, 2));
    EXPECT_THAT(places(results, not_done), ElementsAre(0));
  });
  EXPECT_FALSE(kSeesThreads && waiter.finished());
  gate.open();
  waiter.join();
  pending.open();
  slow.wait();
  EXPECT_TRUE(bad.exception());
}

TEST_P(Wait, ReturnsAtOnceIfOneHasFailedBefore) {
  const AsyncResult<int> bad = pool().apply_async(fail, "boom");
  bad.wait();
  const Results results{unfinished(), bad, unfinished()};
  const auto [done, not_done] = millpond::wait(results, ReturnWhen::first_exception);
  EXPECT_THAT(places(results, done), ElementsAre(1));
  EXPECT_THAT(not_done, SizeIs(2));
  EXPECT_FALSE(bad.successful());
}

TEST_P(Wait, ForTheFirstExceptionReturnsAllIfThereIsNone) {
  Gate gate;
  const Results results{ready(), gated(gate)};
  Sleeper waiter(
      [&] { EXPECT_EQ(millpond::wait(results, ReturnWhen::first_exception).done, results); });
  EXPECT_FALSE(kSeesThreads && waiter.finished());
  gate.open();
}

TEST_P(Wait, RegardsCancelledResultsAsFinishedAndNotFailed) {
  const Results results{unfinished(), unfinished(), unfinished()};
  EXPECT_TRUE(results[0].cancel());
  EXPECT_THAT(millpond::wait(results, ReturnWhen::first_completed).done, SizeIs(1));
  EXPECT_THAT(millpond::wait(results, ReturnWhen::first_exception, 1ms).not_done, SizeIs(2));
  Sleeper waiter(
      [&] { EXPECT_EQ(millpond::wait(results, ReturnWhen::first_exception).done, results); });
  EXPECT_TRUE(results[2].cancel());
  EXPECT_TRUE(results[1].cancel());
  waiter.join();
  EXPECT_EQ(millpond::wait(results).done, results);
}

TEST_P(Wait, RegardsAMapThatFailedBeforeItWasCancelledAsFailed) {
  Gate failed, finish;
  BusyWorkers others(pool(), pool().size() - 1);
  const AsyncResult<void> map = pool().map_async(
      [&](int n) {
        if (n == 0) throw std::runtime_error("first");
        failed.open();
        finish.wait();
      },
      std::vector<int>{0, 1, 2, 3}, 1);
  failed.wait();
  EXPECT_TRUE(map.cancel());
  finish.open();
  EXPECT_THROW(map.get(), std::runtime_error);
  BusyWorkers last(pool(), 1);
  const AsyncResult<void> pending = pool().apply_async([] {});
  const std::array results{pending, map};
  const auto [done, not_done] = millpond::wait(results, ReturnWhen::first_exception);
  EXPECT_THAT(done, ElementsAre(map));
  EXPECT_THAT(not_done, ElementsAre(pending));
}

TEST_P(Wait, RegardsTerminatedResultsAsFinishedAndFailed) {
  for (const ReturnWhen way : kAllWays) {
    ThreadPool pool(workers());
    BusyWorkers busy(pool);
    Results results;
    for (int i = 0; i != 10; ++i) results.push_back(pool.apply_async(one));
    Sleeper waiter([&] { EXPECT_FALSE(millpond::wait(results, way).done.empty()); });
    EXPECT_FALSE(kSeesThreads && waiter.finished());
    pool.terminate();
    waiter.join();
    EXPECT_EQ(millpond::wait(results, 0s).done, results);
  }
}

TEST_P(Wait, HasNothingToWaitForInAnEmptyRange) {
  const Results none;
  for (const ReturnWhen way : kAllWays) {
    const auto [done, not_done] = millpond::wait(none, way);
    EXPECT_THAT(done, IsEmpty());
    EXPECT_THAT(not_done, IsEmpty());
    EXPECT_THAT(millpond::wait(none, way, 1h).done, IsEmpty());
    EXPECT_THAT(millpond::wait(none, way, 0s).done, IsEmpty());
  }
}

TEST_P(Wait, ReturnsEachResultOnceWhereItFirstStands) {
  const AsyncResult<int> a = ready(), b = unfinished(), c = unfinished();
  const Results results{b, a, b, c, a, c, b};
  {
    const auto [done, not_done] = millpond::wait(results, 0s);
    EXPECT_THAT(done, ElementsAre(a));
    EXPECT_THAT(not_done, ElementsAre(b, c));
  }
  let_go();
  EXPECT_THAT(millpond::wait(results).done, ElementsAre(b, a, c));
}

TEST_P(Wait, RefusesAHandleThatRefersToNothing) {
  const Results results{unfinished(), AsyncResult<int>()};
  for (const ReturnWhen way : kAllWays) {
    EXPECT_EQ(message_of<ValueError>([&] { millpond::wait(results, way); }),
              "This AsyncResult refers to no result");
    EXPECT_THROW(millpond::wait(results, way, 0s), ValueError);
  }
  EXPECT_THROW(millpond::wait(results, 0s), ValueError);
}

// Timeouts

TEST_P(Wait, OfZeroAndLessOnlyLooks) {
  const Results results{ready(), unfinished()};
  const auto check = [&](auto timeout) {
    for (const ReturnWhen way : kAllWays) {
      const auto [done, not_done] = millpond::wait(results, way, timeout);
      EXPECT_THAT(places(results, done), ElementsAre(0));
      EXPECT_THAT(places(results, not_done), ElementsAre(1));
    }
    EXPECT_THAT(millpond::wait(results, timeout).not_done, SizeIs(1));
  };
  check(0s);
  check(-1ms);
  check(-1.5s);
  check(std::chrono::nanoseconds::min());
  check(std::chrono::hours::min());
}

TEST_P(Wait, ThatTimesOutReturnsWhatIsReady) {
  Results results{ready(), unfinished(), unfinished()};
  std::swap(results[0], results[1]);
  for (int i = 0; i != 20; ++i) {
    const auto [done, not_done] = millpond::wait(results, 100us);
    EXPECT_THAT(places(results, done), ElementsAre(1));
    EXPECT_THAT(places(results, not_done), ElementsAre(0, 2));
  }
  EXPECT_THAT(millpond::wait(results, ReturnWhen::first_exception, 0.5ms).not_done, SizeIs(2));
  const Results pending{results[0], results[2]};
  EXPECT_THAT(millpond::wait(pending, ReturnWhen::first_completed, 1ms).done, IsEmpty());
  let_go();
  EXPECT_EQ(millpond::wait(results).done, results) << "nothing is left of the waits before";
}

TEST_P(Wait, WithALongTimeoutReturnsAsSoonAsItCan) {
  const Results results{ready(), pool().apply_async(one), ready()};
  for (const auto timeout : {std::chrono::hours(1), std::chrono::hours::max()}) {
    EXPECT_EQ(millpond::wait(results, timeout).done, results);
    EXPECT_EQ(millpond::wait(results, ReturnWhen::first_exception, timeout).done, results);
  }
}

// Ranges and results of all kinds

TEST_P(Wait, TakesAnyRangeOfResults) {
  const auto issue = [&] { return pool().apply_async(one); };
  const auto check = [](auto&& results, std::size_t count) {
    EXPECT_THAT(millpond::wait(results).done, SizeIs(count));
    EXPECT_THAT(millpond::wait(results, ReturnWhen::first_exception, 1h).done, SizeIs(count));
    EXPECT_THAT(millpond::wait(results, 1h).not_done, IsEmpty());
    std::size_t yielded = 0;
    for (AsyncResult<int>& result : millpond::as_completed(results)) {
      EXPECT_EQ(result.get(), 1);
      ++yielded;
    }
    EXPECT_EQ(yielded, count);
  };
  Results vector{issue(), issue(), issue()};
  check(vector, 3);
  check(std::as_const(vector), 3);
  check(std::span(vector), 3);
  check(std::span<const AsyncResult<int>, 2>(vector.data(), 2), 2);
  check(std::array{issue(), issue()}, 2);
  const AsyncResult<int> array[]{issue(), issue(), issue(), issue()};
  check(array, 4);
  check(std::list{issue(), issue()}, 2);
  check(std::deque{issue(), issue()}, 2);
  check(std::unordered_set<AsyncResult<int>>{issue(), issue(), issue()}, 3);
  const auto less = [](const AsyncResult<int>& a, const AsyncResult<int>& b) {
    return std::hash<AsyncResult<int>>()(a) < std::hash<AsyncResult<int>>()(b);
  };
  check(std::set<AsyncResult<int>, decltype(less)>({issue(), issue()}, less), 2);
  check(std::initializer_list<AsyncResult<int>>{issue(), issue()}, 2);
  check(std::views::single(issue()), 1);
  check(vector | std::views::drop(1), 2);
  check(vector | std::views::filter([&](const auto& r) { return r != vector[1]; }), 2);
  check(std::views::iota(0, 3) | std::views::transform([&](int i) {
          return vector[static_cast<std::size_t>(i)];  // a handle that is nowhere else
        }),
        3);
}

TEST_P(Wait, WalksItsRangeOnce) {
  int issued = 0;
  Generated<AsyncResult<int>> results([&]() -> std::optional<AsyncResult<int>> {
    if (issued == 5) return std::nullopt;
    ++issued;
    return pool().apply_async(one);
  });
  EXPECT_THAT(millpond::wait(results).done, SizeIs(5));
  EXPECT_EQ(issued, 5);
}

TEST_P(Wait, TakesATemporary) {
  const auto issue = [&] { return Results{pool().apply_async(one), pool().apply_async(one)}; };
  EXPECT_THAT(millpond::wait(issue()).done, SizeIs(2));
  int sum = 0;
  for (AsyncResult<int>& result : millpond::as_completed(issue())) sum += result.get();
  EXPECT_EQ(sum, 2);
}

TEST_P(Wait, TakesResultsInBraces) {
  const AsyncResult<int> a = ready(), b = unfinished();
  const AsyncResult<void> c = pool().apply_async([] {});
  EXPECT_THAT(millpond::wait({a, b}, ReturnWhen::first_completed).done, ElementsAre(a));
  EXPECT_THAT(millpond::wait({a, b}, ReturnWhen::first_exception, 1ms).not_done, ElementsAre(b));
  EXPECT_THAT(millpond::wait({b, a}, 0s).done, ElementsAre(a));
  EXPECT_THAT(millpond::wait({c}, 0s).not_done, ElementsAre(c));
  EXPECT_THROW(millpond::wait({a, AsyncResult<int>()}), ValueError);
  let_go();
  EXPECT_THAT(millpond::wait({b, a, b}, 1h).done, ElementsAre(b, a));
  EXPECT_THAT(millpond::wait({a, b}).done, ElementsAre(a, b));
  EXPECT_THAT(millpond::wait({c}).done, ElementsAre(c));
}

TEST_P(AsCompletedOf, TakesResultsInBraces) {
  const AsyncResult<int> a = ready(), b = unfinished();
  Results yielded;
  EXPECT_EQ(message_of<TimeoutError>([&] {
              for (AsyncResult<int>& r : millpond::as_completed({b, a}, 1ms)) yielded.push_back(r);
            }),
            "1 (of 2) results unfinished");
  EXPECT_THAT(yielded, ElementsAre(a));
  let_go();
  yielded.clear();
  for (AsyncResult<int>& r : millpond::as_completed({a, b, a})) yielded.push_back(r);
  EXPECT_THAT(yielded, ElementsAre(a, b));
}

TEST_P(Wait, TakesResultsOfAnyType) {
  int target = 0;
  const std::array nothing{pool().apply_async([] {}), pool().map_async([](int) {}, {1, 2})};
  EXPECT_THAT(millpond::wait(nothing).done, SizeIs(2));
  for (auto& result : millpond::as_completed(nothing)) result.get();
  const std::array references{pool().apply_async([&target]() -> int& { return target; })};
  for (auto& result : millpond::as_completed(references)) EXPECT_EQ(&result.get(), &target);
  EXPECT_EQ(&millpond::wait(references).done.at(0).get(), &target);
  std::array move_only{pool().apply_async([] { return MoveOnly(3); })};
  EXPECT_EQ(millpond::wait(move_only).done.at(0).get().value(), 3);
  for (auto& result : millpond::as_completed(move_only)) {
    const MoveOnly taken = std::move(result).get();
    EXPECT_EQ(taken.value(), 3);
  }
  const std::array maps{pool().map_async([](int n) { return n; }, {1, 2, 3})};
  EXPECT_THAT(millpond::wait(maps).done.at(0).get(), ElementsAre(1, 2, 3));
}

TEST_P(Wait, IsForResultsOfSeveralPools) {
  ThreadPool other(3);
  Gate gate;
  const AsyncResult<int> here = pool().apply_async(one);
  const AsyncResult<int> there = other.apply_async([&] {
    gate.wait();
    return 2;
  });
  const Results results{here, there};
  EXPECT_THAT(millpond::wait(results, ReturnWhen::first_completed).done, ElementsAre(here));
  gate.open();
  EXPECT_EQ(millpond::wait(results).done, results);
  // And from inside a task of one of them.
  const int sum = pool().apply([&] {
    const Results mixed{pool().apply_async(one), other.apply_async(one), here, there};
    int found = 0;
    for (AsyncResult<int>& result : millpond::as_completed(mixed)) found += result.get();
    EXPECT_EQ(millpond::wait(mixed).done, mixed);
    return found;
  });
  EXPECT_EQ(sum, 5);
}

TEST_P(Wait, IsForResultsWhosePoolIsGone) {
  Results results{pool().apply_async(one), pool().apply_async(one)};
  millpond::wait(results);
  pool_.reset();
  EXPECT_EQ(millpond::wait(results).done, results);
  ThreadPool later(workers());
  results.push_back(later.apply_async(one));
  EXPECT_EQ(later.apply([&] { return millpond::wait(results).done.size(); }), 3U);
}

TEST_P(Wait, DoesNotLookAtErrors) {
  {
    Results results{pool().apply_async(fail, "a"), pool().apply_async(fail, "b")};
    for (const ReturnWhen way : kAllWays) {
      EXPECT_FALSE(millpond::wait(results, way).done.empty());
    }
    for (AsyncResult<int>& result : millpond::as_completed(results)) EXPECT_TRUE(result.ready());
    EXPECT_TRUE(results[0].exception());
    EXPECT_EQ(reported_, 0);
  }
  EXPECT_EQ(reported_, 1);
}

TEST_P(Wait, KeepsNoResultAlive) {
  InstanceCounter counter;
  {
    std::vector<AsyncResult<Counted>> results;
    for (int i = 0; i != 5; ++i) {
      results.push_back(pool().apply_async([&counter, i] { return Counted(counter, i); }));
    }
    EXPECT_THAT(millpond::wait(results).done, SizeIs(5));
    for (auto& result : millpond::as_completed(results)) EXPECT_GE(result.get().value(), 0);
    EXPECT_EQ(counter.alive(), 5);
    results.clear();
    EXPECT_EQ(counter.alive(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

// as_completed()

TEST_P(AsCompletedOf, IsAnInputRange) {
  using Range = AsCompleted<int>;
  static_assert(std::ranges::input_range<Range>);
  static_assert(!std::ranges::forward_range<Range>);
  static_assert(std::is_same_v<std::ranges::range_reference_t<Range>, AsyncResult<int>&>);
  static_assert(std::is_same_v<std::ranges::range_value_t<Range>, AsyncResult<int>>);
  static_assert(!std::is_copy_constructible_v<Range> && !std::is_move_constructible_v<Range>);
  const Results results{ready(1), ready(2), ready(3)};
  auto range = millpond::as_completed(results);
  std::vector<int> doubled;
  for (const int n : range | std::views::transform([](auto& r) { return 2 * r.get(); })) {
    doubled.push_back(n);
  }
  EXPECT_THAT(doubled, UnorderedElementsAre(2, 4, 6));
}

TEST_P(AsCompletedOf, YieldsEachInTheOrderInWhichTheyGetReady) {
  std::array<Gate, 3> gates;
  ThreadPool pool(3);
  Results results;
  for (Gate& gate : gates) {
    results.push_back(pool.apply_async([&gate] {
      gate.wait();
      return 1;
    }));
  }
  const std::array<std::size_t, 3> order{2, 0, 1};
  std::size_t n = 0;
  gates[order[0]].open();
  for (AsyncResult<int>& result : millpond::as_completed(results)) {
    EXPECT_TRUE(result.ready());
    EXPECT_TRUE(result == results[order.at(n)]);
    if (++n != order.size()) gates[order.at(n)].open();
  }
  EXPECT_EQ(n, order.size());
}

TEST_P(AsCompletedOf, YieldsFirstWhatWasReadyBefore) {
  Gate gate;
  const AsyncResult<int> a = ready(), b = ready();
  const AsyncResult<int> later = gated(gate);
  const Results results{later, a, b};
  Results yielded;
  for (AsyncResult<int>& result : millpond::as_completed(results)) {
    yielded.push_back(result);
    if (yielded.size() == 2) gate.open();
  }
  ASSERT_THAT(yielded, SizeIs(3));
  EXPECT_THAT((Results{yielded[0], yielded[1]}), UnorderedElementsAre(a, b));
  EXPECT_TRUE(yielded[2] == later);
}

TEST_P(AsCompletedOf, YieldsNothingOfNothing) {
  for (AsyncResult<int>& result : millpond::as_completed(Results{})) {
    ADD_FAILURE() << result.get();
  }
  for (AsyncResult<int>& result : millpond::as_completed(Results{}, 0s)) {
    ADD_FAILURE() << result.get();
  }
}

TEST_P(AsCompletedOf, YieldsDuplicatesOnce) {
  const AsyncResult<int> a = ready(), b = ready();
  std::size_t yielded = 0;
  for (AsyncResult<int>& result : millpond::as_completed(Results{a, b, a, a, b})) {
    EXPECT_TRUE(result == (yielded++ == 0 ? a : b));
  }
  EXPECT_EQ(yielded, 2U);
}

TEST_P(AsCompletedOf, RefusesAHandleThatRefersToNothing) {
  const Results results{ready(), AsyncResult<int>()};
  EXPECT_THROW(millpond::as_completed(results), ValueError);
  EXPECT_THROW(millpond::as_completed(results, 1h), ValueError);
}

TEST_P(AsCompletedOf, YieldsErrorsCancelledAndTerminatedResults) {
  AsyncResult<int> bad = pool().apply_async(fail, "boom");
  bad.wait();
  const AsyncResult<int> cancelled = unfinished(), terminated = unfinished();
  EXPECT_TRUE(cancelled.cancel());
  pool().terminate();
  std::size_t yielded = 0;
  for (AsyncResult<int>& result : millpond::as_completed(Results{terminated, bad, cancelled})) {
    EXPECT_EQ(holds<TerminatedError>(result.exception()), result == terminated);
    EXPECT_EQ(holds<CancelledError>(result.exception()), result == cancelled);
    ++yielded;
  }
  EXPECT_EQ(yielded, 3U);
}

template <class Range>
std::string timeout_message(Range& range, Results& yielded) {
  return message_of<TimeoutError>([&] {
    for (AsyncResult<int>& result : range) yielded.push_back(result);
  });
}

TEST_P(AsCompletedOf, TimesOutAfterWhatIsReady) {
  Results results{ready(), ready(), unfinished()};
  std::swap(results[1], results[2]);
  const auto check = [&](auto timeout) {
    Results yielded;
    auto range = millpond::as_completed(results, timeout);
    EXPECT_EQ(timeout_message(range, yielded), "1 (of 3) results unfinished");
    EXPECT_THAT(yielded, UnorderedElementsAre(results[0], results[2]));
    EXPECT_EQ(timeout_message(range, yielded), "1 (of 3) results unfinished") << "again";
    EXPECT_THAT(yielded, SizeIs(2));
  };
  check(0s);
  check(-1h);
  check(1ms);
  check(0.2ms);
}

TEST_P(AsCompletedOf, CountsEachResultOnceWhenItTimesOut) {
  const AsyncResult<int> a = unfinished(), b = unfinished();
  Results yielded;
  auto range = millpond::as_completed(Results{a, b, a}, 0s);
  EXPECT_EQ(timeout_message(range, yielded), "2 (of 2) results unfinished");
}

TEST_P(AsCompletedOf, GoesOnAfterATimeout) {
  const Results results{ready(), unfinished()};
  Results yielded;
  auto range = millpond::as_completed(results, 0s);
  EXPECT_EQ(timeout_message(range, yielded), "1 (of 2) results unfinished");
  let_go();
  results[1].wait();
  EXPECT_EQ(timeout_message(range, yielded), "(nothing was thrown)");
  EXPECT_EQ(yielded, results);
  EXPECT_TRUE(range.begin() == range.end());
}

TEST_P(AsCompletedOf, DoesNotTimeOutOnceAllAreReady) {
  const Results results{ready(), ready()};
  Results yielded;
  auto range = millpond::as_completed(results, -1s);
  EXPECT_EQ(timeout_message(range, yielded), "(nothing was thrown)");
  EXPECT_EQ(yielded, results);
}

TEST_P(AsCompletedOf, MayBeLeftEarly) {
  const Results results{ready(), unfinished(), unfinished()};
  for (int i = 0; i != 3; ++i) {
    for (AsyncResult<int>& result : millpond::as_completed(results)) {
      EXPECT_TRUE(result == results[0]);
      break;
    }
  }
  {
    const auto never_begun = millpond::as_completed(results);
  }
  let_go();
  EXPECT_EQ(millpond::wait(results).done, results);
}

TEST_P(AsCompletedOf, MayBeLeftByAnException) {
  const Results results{pool().apply_async(fail, "boom"), unfinished()};
  EXPECT_THROW(
      {
        for (AsyncResult<int>& result : millpond::as_completed(results)) {
          static_cast<void>(result.get());
        }
      },
      std::runtime_error);
}

TEST_P(AsCompletedOf, LetsItsHandlesBeTaken) {
  InstanceCounter counter;
  const auto run = [&] {
    const auto issue = [&] {
      std::vector<AsyncResult<Counted>> results;
      for (int i = 0; i != 40; ++i) {
        results.push_back(pool().apply_async([&counter, i] { return Counted(counter, i); }));
      }
      return results;
    };
    int sum = 0;
    for (AsyncResult<Counted>& result : millpond::as_completed(issue())) {
      {
        AsyncResult<Counted> mine = std::move(result);
        sum += std::move(mine).get().value();
      }  // the last handle
      pool().apply_async(one);  // likely where the taken one was in memory
    }
    EXPECT_EQ(sum, 40 * 39 / 2);
  };
  run();
  pool().apply(run);
  EXPECT_TRUE(counter.balanced());
}

TEST_P(AsCompletedOf, MayMeetWorkIssuedInItsBody) {
  Results all{pool().apply_async(one)};
  int rounds = 0;
  for (AsyncResult<int>& result : millpond::as_completed(all)) {
    EXPECT_EQ(result.get(), 1);
    for (AsyncResult<int>& inner : millpond::as_completed(Results{pool().apply_async(one)})) {
      rounds += inner.get();
    }
  }
  EXPECT_EQ(rounds, 1);
}

// Threads

TEST_P(Wait, MayBeCalledBySeveralThreadsForTheSameResults) {
  Gate gate;
  Results results{ready(), gated(gate)};
  for (int i = 0; i != 10; ++i) results.push_back(pool().apply_async(one));
  {
    std::vector<std::unique_ptr<Sleeper>> waiters;
    for (int i = 0; i != 2; ++i) {
      waiters.push_back(
          std::make_unique<Sleeper>([&] { EXPECT_EQ(millpond::wait(results, 1h).done, results); }));
      waiters.push_back(std::make_unique<Sleeper>(
          [&] { EXPECT_EQ(millpond::wait(results, ReturnWhen::first_exception).done, results); }));
      waiters.push_back(std::make_unique<Sleeper>([&] {
        int sum = 0;
        for (AsyncResult<int>& result : millpond::as_completed(results)) sum += result.get();
        EXPECT_EQ(sum, 12);
      }));
      waiters.push_back(std::make_unique<Sleeper>([&] {
        EXPECT_FALSE(millpond::wait(results, ReturnWhen::first_completed).done.empty());
      }));
    }
    for (int i = 0; i != 100; ++i) millpond::wait(results, 1us);  // comes and goes
    gate.open();
  }
}

TEST_P(Wait, EndsWhenThePoolIsClosedTerminatedOrDestroyed) {
  enum class End { close, terminate, destroy };
  for (const End end : {End::close, End::terminate, End::destroy}) {
    for (const bool iterates : {false, true}) {
      std::optional<ThreadPool> pool(std::in_place, workers());
      std::optional<BusyWorkers> busy(std::in_place, *pool);
      Results results;
      for (int i = 0; i != 10; ++i) results.push_back(pool->apply_async(one));
      std::atomic<std::size_t> done{0};
      Sleeper waiter([&] {
        if (iterates) {
          for (AsyncResult<int>& result : millpond::as_completed(results)) done += result.ready();
        } else {
          done = millpond::wait(results).done.size();
        }
      });
      EXPECT_EQ(done, 0U);
      switch (end) {
        case End::close:
          pool->close();
          busy.reset();
          break;
        case End::terminate:
          pool->terminate();
          waiter.join();  // with all workers still busy
          busy.reset();
          break;
        case End::destroy: {
          std::thread opener([&] {
            results.back().wait();  // abandoned: the destructor has begun
            busy->release();
          });
          pool.reset();
          opener.join();
          break;
        }
      }
      waiter.join();
      EXPECT_EQ(done, 10U);
      EXPECT_EQ(results[0].successful(), end == End::close);
    }
  }
}

TEST_P(Wait, ForAMapUnderWayEndsWithItsRunningChunks) {
  for (const bool cancels : {false, true}) {
    ThreadPool pool(workers());
    Gate finish;
    EventCount started;
    const std::array results{pool.map_async(
        [&](int) {
          started.add();
          finish.wait();
        },
        std::vector<int>(100), 1)};
    started.wait_until(pool.size());
    Sleeper waiter([&] { EXPECT_THAT(millpond::wait(results).done, SizeIs(1)); });
    if (cancels) {
      EXPECT_TRUE(results[0].cancel());
    } else {
      pool.terminate();
    }
    EXPECT_THAT(millpond::wait(results, 1ms).done, IsEmpty());
    finish.open();
  }
}

// From inside tasks: a worker that waits runs what has not started.

TEST_P(Wait, InATaskRunsWhatNoOtherWorkerCould) {
  for (const ReturnWhen way : kAllWays) {
    BusyWorkers busy(pool(), pool().size() - 1);
    pool().apply([&] {
      Results results;
      for (int i = 0; i != 10; ++i) results.push_back(pool().apply_async([i] { return i; }));
      const auto [done, not_done] = millpond::wait(results, way);
      EXPECT_THAT(done, SizeIs(way == ReturnWhen::first_completed ? 1 : 10));
      EXPECT_EQ(done.size() + not_done.size(), 10U);
    });
  }
}

TEST_P(Wait, InATaskRunsNoMoreThanItHasTo) {
  BusyWorkers busy(pool(), pool().size() - 1);
  std::atomic<int> ran{0};
  pool().apply([&] {
    const auto count = [&] { return ++ran; };
    const auto fails = [&]() -> int {
      ++ran;
      return fail("boom");
    };
    Results results{pool().apply_async(count), pool().apply_async(fails),
                    pool().apply_async(count)};
    EXPECT_THAT(millpond::wait(results, 0s).done, IsEmpty());
    EXPECT_EQ(ran, 0) << "zero only looks";
    EXPECT_THAT(millpond::wait(results, ReturnWhen::first_completed).done, SizeIs(1));
    EXPECT_EQ(ran, 1);
    EXPECT_THAT(millpond::wait(results, ReturnWhen::first_exception).done, SizeIs(2));
    EXPECT_EQ(ran, 2);
    EXPECT_TRUE(results[1].exception());
    EXPECT_THAT(millpond::wait(results, 1h).done, SizeIs(3));
    EXPECT_EQ(ran, 3);
  });
}

TEST_P(AsCompletedOf, InATaskRunsOneAfterAnother) {
  BusyWorkers busy(pool(), pool().size() - 1);
  std::vector<int> log;
  pool().apply([&] {
    Results results;
    for (int i = 0; i != 3; ++i) {
      results.push_back(pool().apply_async([&log, i] {
        log.push_back(i);
        return i;
      }));
    }
    for (AsyncResult<int>& result : millpond::as_completed(results)) {
      log.push_back(10 + result.get());
    }
  });
  EXPECT_THAT(log, ElementsAre(0, 10, 1, 11, 2, 12));
}

// Looking for work at all of them before each would take minutes.
TEST_P(AsCompletedOf, InATaskIsForThousandsOfResults) {
  BusyWorkers busy(pool(), pool().size() - 1);
  const int sum = pool().apply([&] {
    Results results;
    for (int i = 0; i != 8'000; ++i) results.push_back(pool().apply_async(one));
    int ones = 0;
    for (AsyncResult<int>& result : millpond::as_completed(results)) ones += result.get();
    return ones;
  });
  EXPECT_EQ(sum, 8'000);
}

// A timed wait in a task may end late, by what it has begun; but then it begins nothing more.
class TimedWaitInATask : public Wait {
 protected:
  static constexpr auto kTimeout = 1ms;

  // A task or an item; when it has ended, the wait that began it has no time left.
  int outlast() {
    ++started_;
    std::this_thread::sleep_for(kTimeout);  // the wait's deadline was fixed before this began
    return 1;
  }
  Results issue() {
    Results results;
    for (int i = 0; i != 4; ++i) {
      results.push_back(pool().apply_async([this] { return outlast(); }));
    }
    return results;
  }
  // Calls `wait` in a task while nobody else can run anything.
  template <class Function>
  void in_a_task(Function wait) {
    BusyWorkers busy(pool(), pool().size() - 1);
    started_ = 0;
    pool().apply(wait);
  }
  template <class Result>
  static void cancel(const std::vector<Result>& results) {
    for (const Result& result : results) result.cancel();
  }

  std::atomic<int> started_{0};
};
INSTANTIATE_TEST_SUITE_P(Workers, TimedWaitInATask, worker_counts(),
                         ::testing::PrintToStringParamName());

TEST_P(TimedWaitInATask, BeginsNoJobAfterTheDeadline) {
  for (const ReturnWhen way : {ReturnWhen::all_completed, ReturnWhen::first_exception}) {
    in_a_task([&] {
      const Results results = issue();
      const auto [done, not_done] = millpond::wait(results, way, kTimeout);
      EXPECT_LE(started_, 1);
      EXPECT_GE(not_done.size(), 3U);
      cancel(not_done);
    });
  }
}

TEST_P(TimedWaitInATask, YieldsWhatItHasBegunAndBeginsNoJobAfterTheDeadline) {
  in_a_task([&] {
    const Results results = issue();
    int yielded = 0;
    EXPECT_THROW(
        {
          for (AsyncResult<int>& result : millpond::as_completed(results, kTimeout)) {
            yielded += result.get();
          }
        },
        TimeoutError);
    EXPECT_LE(started_, 1);
    EXPECT_EQ(yielded, started_);
    cancel(results);
  });
}

TEST_P(TimedWaitInATask, BeginsNoChunkAfterTheDeadline) {
  in_a_task([&] {
    const std::vector maps{
        pool().map_async([this](int) { outlast(); }, std::vector<int>(4), 1),
        pool().map_async([this](int) { outlast(); }, std::vector<int>(4), 1),
    };
    EXPECT_THAT(millpond::wait(maps, kTimeout).not_done, SizeIs(2));
    EXPECT_LE(started_, 1);
    cancel(maps);
  });
}

TEST_P(TimedWaitInATask, OfOneMapBeginsNoChunkAfterTheDeadline) {
  using Map = AsyncResult<void>;
  const std::function<void(const Map&)> waits[]{
      [](const Map& map) { EXPECT_FALSE(map.wait(kTimeout)); },
      [](const Map& map) {
        EXPECT_FALSE(map.wait_until(std::chrono::steady_clock::now() + kTimeout));
      },
      [](const Map& map) { EXPECT_THROW(map.get(kTimeout), TimeoutError); },
  };
  for (const auto& wait : waits) {
    in_a_task([&] {
      const Map map = pool().map_async([this](int) { outlast(); }, std::vector<int>(4), 1);
      wait(map);
      EXPECT_LE(started_, 1);
      map.cancel();
    });
  }
}

TEST_P(Wait, InATaskHelpsWithMapsAndWithWhatHasCallbacks) {
  BusyWorkers busy(pool(), pool().size() - 1);
  pool().apply([&] {
    int called = 0;
    const std::array maps{
        pool().map_async([](int n) { return n; }, {1, 2, 3}, 1),
        pool().map_async([](int n) { return n; }, std::vector{4, 5},
                         {.callback = [&called](const std::vector<int>&) { ++called; }})};
    EXPECT_THAT(millpond::wait(maps).done, SizeIs(2));
    EXPECT_EQ(called, 1);
  });
}

TEST_P(AsCompletedOf, NestsToAnyDepth) {
  std::function<int(int)> count_leaves = [&](int depth) {
    if (depth == 0) return 1;
    Results parts;
    for (int i = 0; i != 3; ++i) parts.push_back(pool().apply_async(count_leaves, depth - 1));
    int leaves = 0;
    for (AsyncResult<int>& part : millpond::as_completed(parts)) leaves += part.get();
    return leaves;
  };
  EXPECT_EQ(pool().apply(count_leaves, 5), 243);
}

TEST_P(Wait, NestsToAnyDepth) {
  for (const ReturnWhen way : {ReturnWhen::all_completed, ReturnWhen::first_exception}) {
    std::function<int(int)> count_leaves = [&](int depth) {
      if (depth == 0) return 1;
      Results parts;
      for (int i = 0; i != 3; ++i) parts.push_back(pool().apply_async(count_leaves, depth - 1));
      int leaves = 0;
      for (const AsyncResult<int>& part : millpond::wait(parts, way).done) leaves += part.get();
      return leaves;
    };
    EXPECT_EQ(pool().apply(count_leaves, 5), 243);
  }
}

TEST_P(Wait, InATaskForTheFirstOfADeepTree) {
  std::function<int(int)> search = [&](int depth) {
    if (depth == 0) return 1;
    Results parts;
    for (int i = 0; i != 2; ++i) parts.push_back(pool().apply_async(search, depth - 1));
    const auto [done, not_done] = millpond::wait(parts, ReturnWhen::first_completed);
    const int found = done.at(0).get();
    for (const AsyncResult<int>& rest : not_done) rest.cancel();
    return found;
  };
  EXPECT_EQ(pool().apply(search, 6), 1);
  // What was not cancelled in time still uses `search`.
  pool().close();
  pool().join();
}

TEST_P(Wait, InATaskSleepsUntilOthersAreDone) {
  if (workers() == 1) GTEST_SKIP() << "nobody else to run them";
  Gate started, finish;
  const AsyncResult<int> elsewhere = pool().apply_async([&] {
    started.open();
    finish.wait();
    return 1;
  });
  started.wait();
  std::atomic<ThreadId> id{0};
  const AsyncResult<std::size_t> waiter = pool().apply_async([&] {
    id = this_thread_id();
    return millpond::wait(Results{elsewhere}).done.size();
  });
  if constexpr (kSeesThreads) {
    poll_until([&] { return id != 0; });
    wait_until_asleep(id);
  }
  EXPECT_FALSE(waiter.ready());
  finish.open();
  EXPECT_EQ(waiter.get(), 1U);
}

// What is queued may need what this task does afterwards, and the other pool's will come anyway.
TEST_P(Wait, InATaskForTheFirstRunsNothingWhileAResultOfAnotherPoolMayCome) {
  for (const bool iterates : {false, true}) {
    ThreadPool other(1);
    BusyWorkers busy(pool(), pool().size() - 1);
    Gate waiting, may_come, come;
    std::atomic<ThreadId> id{0};
    const AsyncResult<void> asker = pool().apply_async([&] {
      const AsyncResult<int> queued = pool().apply_async([&] {
        come.wait();
        return 1;
      });
      const AsyncResult<int> foreign = other.apply_async([&] {
        may_come.wait();
        return 2;
      });
      id = this_thread_id();
      waiting.open();
      Results found;
      if (iterates) {
        for (AsyncResult<int>& result : millpond::as_completed(Results{queued, foreign})) {
          found.push_back(result);
          come.open();
        }
        EXPECT_THAT(found, ElementsAre(foreign, queued));
      } else {
        found = millpond::wait(Results{queued, foreign}, ReturnWhen::first_completed).done;
        come.open();
        EXPECT_THAT(found, ElementsAre(foreign));
        EXPECT_EQ(queued.get(), 1);
      }
    });
    waiting.wait();
    wait_until_asleep(id);
    may_come.open();
    asker.get();
  }
}

// The first of the two cannot come first: it waits for the very task that asks.
TEST_P(Wait, InATaskRunsWhatIsQueuedIfTheOtherWaitsOnTheSameThread) {
  BusyWorkers busy(pool(), pool().size() - 1);
  Gate issued;
  AsyncResult<int> outer;
  outer = pool().apply_async([&] {
    issued.wait();
    const AsyncResult<int> inner = pool().apply_async([&] {
      const AsyncResult<int> queued = pool().apply_async(one);
      const auto [done, not_done] =
          millpond::wait(Results{outer, queued}, ReturnWhen::first_completed);
      EXPECT_THAT(done, ElementsAre(queued));
      return static_cast<int>(done.size());
    });
    return inner.get();
  });
  issued.open();
  EXPECT_EQ(outer.get(), 1);
}

// Two of the pool's threads, in turns that the tests below decide: `asker` waits for the first of
// `other`, which another worker is at, and of something queued that no worker is free for.
class WaitForTheFirstInATask : public Wait {
 protected:
  void SetUp() override {
    if (workers() == 1) GTEST_SKIP() << "the two are to run beside each other";
  }

  // In a task: waits and returns the result of what came first.
  int wait_for_the_first_of(const AsyncResult<int>& other) {
    const AsyncResult<int> queued = pool().apply_async([this] {
      ran_on_ = this_thread_id();
      return 1;
    });
    id_ = this_thread_id();
    waiting_.open();
    const auto ready = millpond::wait(Results{other, queued}, ReturnWhen::first_completed).done;
    ran_in_the_wait_ = ran_on_ == id_;  // later this worker may take it from the queue
    return ready.at(0).get();
  }
  // Returns when that one sleeps.
  void wait_until_it_sleeps() {
    waiting_.wait();
    wait_until_asleep(id_);
  }

  // The other begins to wait, by `wait_for_asker()`, when the asker sleeps.
  template <class WaitForAsker>
  void expect_it_runs_what_is_queued_once(WaitForAsker wait_for_asker) {
    BusyWorkers busy(pool(), pool().size() - 2);
    Gate started;
    const AsyncResult<int> other = pool().apply_async([&] {
      started.open();
      wait_until_it_sleeps();
      return wait_for_asker();
    });
    asker_ = pool().apply_async([&] {
      issued_.wait();
      started.wait();
      return wait_for_the_first_of(other);
    });
    issued_.open();
    EXPECT_EQ(other.get(), 1);
  }

  Gate issued_, waiting_;
  std::atomic<ThreadId> id_{0}, ran_on_{0};  // the asker's; the one that ran what was queued
  std::atomic<bool> ran_in_the_wait_{false};
  AsyncResult<int> asker_;
};
INSTANTIATE_TEST_SUITE_P(Workers, WaitForTheFirstInATask, worker_counts());

TEST_P(WaitForTheFirstInATask, RunsWhatIsQueuedIfTheOtherWaitsForThisTask) {
  BusyWorkers busy(pool(), pool().size() - 2);
  Gate asking;
  std::atomic<ThreadId> other_id{0};
  const AsyncResult<int> other = pool().apply_async([&] {
    issued_.wait();
    asking.wait();  // so that it is not run there
    other_id = this_thread_id();
    return asker_.get();
  });
  asker_ = pool().apply_async([&] {
    issued_.wait();
    asking.open();
    if constexpr (kSeesThreads) {
      poll_until([&] { return other_id != 0; });
      wait_until_asleep(other_id);
    }
    return wait_for_the_first_of(other);
  });
  issued_.open();
  EXPECT_EQ(other.get(), 1);
}

TEST_P(WaitForTheFirstInATask, RunsWhatIsQueuedOnceTheOtherWaitsForThisTask) {
  expect_it_runs_what_is_queued_once([this] { return asker_.get(); });
}

TEST_P(WaitForTheFirstInATask, RunsWhatIsQueuedOnceTheOtherWaitsForThisTaskInAGroup) {
  expect_it_runs_what_is_queued_once(
      [this] { return millpond::wait(Results{asker_}).done.at(0).get(); });
}

TEST_P(WaitForTheFirstInATask, RunsWhatIsQueuedOnceTheOtherReadsAnImapThatWaitsForThisTask) {
  expect_it_runs_what_is_queued_once(
      [this] { return *pool().imap([this](int) { return asker_.get(); }, {0}).next(); });
}

TEST_P(WaitForTheFirstInATask, RunsWhatIsQueuedOnceTheOthersCallbackWaitsForThisTask) {
  BusyWorkers busy(pool(), pool().size() - 1);
  Gate started;
  std::atomic<int> seen{0};
  const AsyncResult<int> other = pool().apply_async(one, {}, {.callback = [&](int) {
                                                      started.open();
                                                      wait_until_it_sleeps();
                                                      seen = asker_.get();
                                                    }});
  asker_ = pool().apply_async([&] {
    issued_.wait();
    started.wait();
    return wait_for_the_first_of(other);
  });
  issued_.open();
  EXPECT_EQ(other.get(), 1);
  EXPECT_EQ(seen, 1);
}

TEST_P(WaitForTheFirstInATask, InACallbackRunsWhatIsQueuedOnceTheOtherWaitsForThatCallback) {
  BusyWorkers busy(pool(), pool().size() - 2);
  Gate started, called;
  std::atomic<int> seen{0};
  const AsyncResult<int> other = pool().apply_async([&] {
    started.open();
    wait_until_it_sleeps();
    return asker_.get();
  });
  started.wait();
  asker_ = pool().apply_async(one, {}, {.callback = [&](int) {
                                called.open();
                                issued_.wait();
                                BusyWorkers last(pool(), 1);
                                seen = wait_for_the_first_of(other);
                              }});
  issued_.open();
  EXPECT_EQ(other.get(), 1);
  EXPECT_EQ(seen, 1);
}

TEST_P(WaitForTheFirstInATask, RunsNothingWhileTheOtherOnlyWaitsForAThird) {
  if (workers() == 2 || !kSeesThreads) GTEST_SKIP() << "needs a third, and to know who is who";
  BusyWorkers busy(pool(), pool().size() - 3);
  Gate third_started, finish, started;
  const AsyncResult<int> third = pool().apply_async([&] {
    third_started.open();
    finish.wait();
    return 3;
  });
  third_started.wait();
  std::atomic<ThreadId> other_id{0};
  const AsyncResult<int> other = pool().apply_async([&] {
    other_id = this_thread_id();
    started.open();
    wait_until_it_sleeps();
    return third.get();
  });
  asker_ = pool().apply_async([&] {
    started.wait();
    return wait_for_the_first_of(other);
  });
  wait_until_it_sleeps();
  wait_until_asleep(other_id);
  finish.open();
  EXPECT_EQ(other.get(), 3);
  asker_.get();
  EXPECT_FALSE(ran_in_the_wait_);
}

// It slept as one of the results was running; that one ends without an error, and now nobody but
// the waiting thread can run the other.
TEST_P(Wait, ForTheFirstExceptionInATaskTakesPartAgainWhenNothingRunsElsewhere) {
  if (workers() == 1) GTEST_SKIP() << "needs another worker";
  BusyWorkers busy(pool(), pool().size() - 2);
  Gate started, finish;
  std::atomic<ThreadId> id{0};
  AsyncResult<std::size_t> asks;
  Gate issued;
  asks = pool().apply_async([&] {
    issued.wait();
    const AsyncResult<int> runs = pool().apply_async([&] {
      started.open();
      finish.wait();
      return 1;
    });
    started.wait();
    const AsyncResult<std::size_t> blocks = pool().apply_async([asks] { return asks.get(); });
    const AsyncResult<int> queued = pool().apply_async(one);
    id = this_thread_id();
    return millpond::wait(Results{runs, queued}, ReturnWhen::first_exception).done.size();
  });
  issued.open();
  started.wait();
  if constexpr (kSeesThreads) {
    poll_until([&] { return id != 0; });
    wait_until_asleep(id);
  }
  finish.open();
  EXPECT_EQ(asks.get(), 2U);
}

TEST_P(Wait, ForTheFirstExceptionInATaskGoesOnAfterACallback) {
  BusyWorkers busy(pool(), pool().size() - 1);
  const std::size_t done = pool().apply([&] {
    const Results results{pool().apply_async(one, std::tuple{}, {.callback = [](const int&) {}}),
                          pool().apply_async(one)};
    return millpond::wait(results, ReturnWhen::first_exception).done.size();
  });
  EXPECT_EQ(done, 2U);
}

TEST_P(Wait, MayBeCalledByATaskThatTerminatesThePool) {
  BusyWorkers busy(pool(), pool().size() - 1);
  const AsyncResult<std::size_t> result = pool().apply_async([&] {
    const Results results{pool().apply_async(one), pool().apply_async(one)};
    pool().terminate();
    return millpond::wait(results).done.size();
  });
  EXPECT_EQ(result.get(), 2U);
}

// From inside callbacks

TEST_P(Wait, InACallbackHasItsOwnResult) {
  const Results others{ready(), ready()};
  std::vector<std::size_t> sizes;
  std::vector<int> yielded;
  Gate issued;
  AsyncResult<int> self;
  self = pool().apply_async(
      [&] {
        issued.wait();
        return 7;
      },
      std::tuple{}, {.callback = [&](const int&) {
        const Results results{self, others[0], others[1]};
        EXPECT_FALSE(self.ready());
        for (const ReturnWhen way : kAllWays) {
          sizes.push_back(millpond::wait(results, way).done.size());
        }
        sizes.push_back(millpond::wait(results, 0s).done.size());
        for (AsyncResult<int>& result : millpond::as_completed(results)) {
          yielded.push_back(result.get());
        }
      }});
  issued.open();
  EXPECT_EQ(self.get(), 7);
  EXPECT_THAT(sizes, ElementsAre(3, 3, 3, 3));
  EXPECT_THAT(yielded, UnorderedElementsAre(7, 1, 1));
}

TEST_P(Wait, InAnErrorCallbackHasItsOwnResultAsAFailure) {
  std::size_t done = 0;
  Gate issued;
  AsyncResult<int> self;
  const AsyncResult<int> pending = [&] {
    BusyWorkers busy(pool());
    const AsyncResult<int> result = pool().apply_async(one);
    self = pool().apply_async(
        [&] {
          issued.wait();
          return fail("boom");
        },
        std::tuple{}, {.error_callback = [&](const std::exception_ptr&) {
          done = millpond::wait(Results{result, self}, ReturnWhen::first_exception).done.size();
        }});
    return result;
  }();
  issued.open();
  self.wait();
  EXPECT_GE(done, 1U);
}

TEST_P(Wait, InACallbackRunsWhatHasNotStarted) {
  for (const ReturnWhen way : kAllWays) {
    std::size_t done = 0;
    Gate called, finish;
    BusyWorkers others(pool(), pool().size() - 1);
    const AsyncResult<int> result = pool().apply_async(
        one, std::tuple{}, {.callback = [&](const int&) {
          called.open();
          finish.wait();
          const Results results{pool().apply_async(one), pool().apply_async(one)};
          done = millpond::wait(results, way).done.size();
          for (AsyncResult<int>& r : millpond::as_completed(results)) EXPECT_EQ(r.get(), 1);
        }});
    called.wait();
    BusyWorkers last(pool(), 1);
    finish.open();
    EXPECT_EQ(result.get(), 1);
    EXPECT_EQ(done, way == ReturnWhen::first_completed ? 1U : 2U);
  }
}

TEST_P(Wait, ForTheFirstExceptionInACallbackGoesOnAfterAnother) {
  std::size_t done = 0;
  Gate called, finish;
  BusyWorkers others(pool(), pool().size() - 1);
  const AsyncResult<int> result = pool().apply_async(
      one, std::tuple{}, {.callback = [&](const int&) {
        called.open();
        finish.wait();
        const Results results{
            pool().apply_async(one, std::tuple{}, {.callback = [](const int&) {}}),
            pool().apply_async(one)};
        done = millpond::wait(results, ReturnWhen::first_exception).done.size();
      }});
  called.wait();
  BusyWorkers last(pool(), 1);
  finish.open();
  EXPECT_EQ(result.get(), 1);
  EXPECT_EQ(done, 2U);
}

TEST_P(Wait, InACallbackIsForResultsWhoseCallbacksAreDue) {
  for (const bool iterates : {false, true}) {
    std::vector<int> log;
    Results others;
    Gate issued;
    const AsyncResult<int> first =
        pool().apply_async(one, std::tuple{}, {.callback = [&](const int&) {
                             issued.wait();
                             if (iterates) {
                               for (AsyncResult<int>& r : millpond::as_completed(others)) {
                                 EXPECT_TRUE(r.ready());
                               }
                             } else {
                               EXPECT_EQ(millpond::wait(others).done, others);
                             }
                             log.push_back(0);
                           }});
    for (int i = 1; i != 4; ++i) {
      others.push_back(pool().apply_async(
          one, std::tuple{}, {.callback = [&log, i](const int&) { log.push_back(i); }}));
    }
    issued.open();
    EXPECT_EQ(first.get(), 1);
    EXPECT_THAT(log, SizeIs(4));
    EXPECT_EQ(log.back(), 0);
  }
}

// Nobody is at an empty map, and nobody will be: it lacks its callback alone.
class WaitForEmptyMaps : public Wait {
 protected:
  auto issue() {
    std::vector<AsyncResult<std::vector<int>>> maps;
    for (int i = 0; i != 2; ++i) {
      maps.push_back(pool().map_async([](int n) { return n; }, std::vector<int>{},
                                      {.callback = [](const std::vector<int>&) {}}));
    }
    return maps;
  }
  void wait_in_all_ways() {
    for (const ReturnWhen way : kAllWays) {
      EXPECT_GE(millpond::wait(issue(), way).done.size(),
                way == ReturnWhen::first_completed ? 1U : 2U);
    }
    int yielded = 0;
    for (auto& map : millpond::as_completed(issue())) {
      EXPECT_THAT(map.get(), IsEmpty());
      ++yielded;
    }
    EXPECT_EQ(yielded, 2);
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, WaitForEmptyMaps, worker_counts(),
                         ::testing::PrintToStringParamName());

TEST_P(WaitForEmptyMaps, InACallbackRunsTheirCallbacks) {
  const AsyncResult<int> result =
      pool().apply_async(one, std::tuple{}, {.callback = [&](const int&) { wait_in_all_ways(); }});
  EXPECT_EQ(result.get(), 1);
}

TEST_P(WaitForEmptyMaps, InATaskLetsACallbackThatWaitsForItRunTheirCallbacks) {
  pool().apply([&] { wait_in_all_ways(); });
  Gate issued, calling;
  AsyncResult<void> task;
  const AsyncResult<int> first =
      pool().apply_async(one, std::tuple{}, {.callback = [&](const int&) {
                           calling.open();
                           issued.wait();
                           task.wait();
                         }});
  task = pool().apply_async([&] {
    calling.wait();  // theirs are due behind that callback
    wait_in_all_ways();
  });
  issued.open();
  EXPECT_EQ(first.get(), 1);
}

TEST_P(Wait, InACallbackMayTimeOut) {
  Gate pending;
  BusyWorkers others(pool(), pool().size() - 1);
  Gate called, blocked;
  std::size_t not_done = 0;
  std::string message;
  AsyncResult<int> slow;
  const AsyncResult<int> result =
      pool().apply_async(one, std::tuple{}, {.callback = [&](const int&) {
                           called.open();
                           blocked.wait();
                           const Results results{slow};
                           not_done = millpond::wait(results, 1ms).not_done.size();
                           message = message_of<TimeoutError>([&] {
                             for (auto& r : millpond::as_completed(results, 1ms)) r.wait();
                           });
                         }});
  called.wait();
  Gate started;
  slow = pool().apply_async([&] {
    started.open();
    pending.wait();
    return 1;
  });
  started.wait();
  blocked.open();
  result.wait();
  pending.open();
  slow.wait();
  EXPECT_EQ(not_done, 1U);
  EXPECT_EQ(message, "1 (of 1) results unfinished");
}

// A task that waits for a group lets a callback that waits for the task run the group's callbacks.
TEST_P(Wait, OfATaskThatACallbackWaitsForIsForResultsWhoseCallbacksAreDue) {
  Gate issued;
  AsyncResult<std::size_t> task;
  const AsyncResult<int> first =
      pool().apply_async(one, std::tuple{}, {.callback = [&](const int&) {
                           issued.wait();
                           EXPECT_EQ(task.get(), 2U);
                         }});
  task = pool().apply_async([&] {
    issued.wait();
    const Results results{pool().apply_async(one, std::tuple{}, {.callback = [](const int&) {}}),
                          pool().apply_async(one, std::tuple{}, {.callback = [](const int&) {}})};
    return millpond::wait(results).done.size();
  });
  issued.open();
  EXPECT_EQ(first.get(), 1);
}

// The same for a thread that destroys a cancelled task's captures, one of which waits.
TEST_P(Wait, OfADestructorInCancelIsForResultsWhoseCallbacksAreDue) {
  struct WaitsAtItsEnd {
    Results results;
    Gate* begun;
    WaitsAtItsEnd(const AsyncResult<int>& result, Gate& gate) : results{result}, begun(&gate) {}
    WaitsAtItsEnd(const WaitsAtItsEnd&) = delete;
    WaitsAtItsEnd& operator=(const WaitsAtItsEnd&) = delete;
    ~WaitsAtItsEnd() {
      begun->open();
      millpond::wait(results);
    }
  };
  Gate giving_up;
  AsyncResult<void> given_up;
  const AsyncResult<int> first =
      pool().apply_async(one, std::tuple{}, {.callback = [&](const int&) {
                           giving_up.wait();  // else it would be run here
                           given_up.wait();
                         }});
  visit_every_worker(pool());
  const AsyncResult<int> second =
      pool().apply_async(one, std::tuple{}, {.callback = [](const int&) {}});
  BusyWorkers busy(pool());  // second's callback is due, behind first's
  given_up = pool().apply_async([last = std::make_unique<WaitsAtItsEnd>(second, giving_up)] {});
  EXPECT_TRUE(given_up.cancel());
  EXPECT_EQ(first.get(), 1);
}

// terminate() destroys a capture that waits for `inner`; that is given up on top, so its own
// capture waits for `last`, whose callback is due behind one that waits for `inner`.
TEST_P(Wait, OfADestructorInADestructorInTerminateIsForResultsWhoseCallbacksAreDue) {
  for (const bool inner_is_group : {false, true}) {
    ThreadPool pool(workers());
    Gate calling, giving_up;
    std::atomic<ThreadId> caller{0};
    AsyncResult<int> inner, last;
    const AsyncResult<int> first =
        pool.apply_async(one, std::tuple{}, {.callback = [&](const int&) {
                           calling.open();
                           giving_up.wait();
                           caller = this_thread_id();
                           inner.wait();
                         }});
    calling.wait();
    BusyWorkers busy(pool);
    pool.apply_async([end = at_the_end([&] { millpond::wait(Results{inner}); })] {});
    inner = pool.apply_async([end = at_the_end([&] {
                                giving_up.open();
                                if constexpr (kSeesThreads) {
                                  poll_until([&] { return caller != 0; });
                                  wait_until_asleep(caller);
                                }
                                if (inner_is_group) {
                                  millpond::wait(Results{last});
                                } else {
                                  last.wait();
                                }
                              })] { return 1; });
    last = pool.apply_async(one, std::tuple{}, {.error_callback = [](const auto&) {}});
    pool.terminate();
    EXPECT_EQ(first.get(), 1);
    EXPECT_THROW(inner.get(), TerminatedError);
    EXPECT_THROW(last.get(), TerminatedError);
  }
}

// The thread is a worker, but of another pool than the one whose jobs it gives up.
TEST_P(Wait, OfADestructorIsForResultsOfAPoolThatATaskOfAnotherTerminates) {
  for (const ReturnWhen way : kAllWays) {
    ThreadPool other(1);
    BusyWorkers busy(other);
    Results results;
    std::size_t done = 0;
    other.apply_async(
        [end = at_the_end([&] { done = millpond::wait(results, way).done.size(); })] {});
    for (int i = 0; i != 2; ++i) results.push_back(other.apply_async(one));
    pool().apply([&] { other.terminate(); });
    EXPECT_GE(done, way == ReturnWhen::all_completed ? 2U : 1U);
    EXPECT_EQ(millpond::wait(results, 0s).done, results);
  }
}

}  // namespace
}  // namespace millpond::test
