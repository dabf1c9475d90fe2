// SPDX-License-Identifier: MIT
//
// AsyncResult::add_done_callback(): when it is called, where, in which order, with what, and what
// it may do.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"
#include "../support/stress.hpp"
#include "../support/thread_watch.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

int one() { return 1; }
[[noreturn]] int fail(const char* message) { throw std::runtime_error(message); }

// What a pool was told by its tasks and callbacks. Thread-safe.
class Reports {
 public:
  void add(const std::exception_ptr& error) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(message_of<std::exception>(error));
  }
  std::vector<std::string> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
};

// Which thread came by. Thread-safe.
class Trace {
 public:
  void mark() {
    const std::lock_guard lock(mutex_);
    id_ = std::this_thread::get_id();
    gate_.open();
  }
  std::thread::id id() const {
    gate_.wait();
    const std::lock_guard lock(mutex_);
    return id_;
  }

 private:
  mutable std::mutex mutex_;
  Gate gate_;
  std::thread::id id_;
};

class DoneCallback : public WithWorkers {
 protected:
  PoolOptions options() const {
    return {.processes = workers(), .on_unobserved_error = [reports = reports_](const auto& error) {
              reports->add(error);
            }};
  }
  std::vector<std::string> reported() const { return reports_->messages(); }
  void close_and_join() {
    pool_->close();
    pool_->join();
  }
  ThreadPool& pool() { return *pool_; }

  // Before the pool: what its threads still use when a test ends early.
  Gate gate_;
  std::shared_ptr<Reports> reports_ = std::make_shared<Reports>();
  std::shared_ptr<ThreadPool> pool_ = std::make_shared<ThreadPool>(options());
  OpenAtExit open_at_exit_{gate_};
};

INSTANTIATE_TEST_SUITE_P(Workers, DoneCallback, worker_counts(),
                         ::testing::PrintToStringParamName());

// When and where

TEST_P(DoneCallback, IsCalledOnceTheResultIsReady) {
  std::atomic<int> calls{0};
  Gate called;
  const AsyncResult<int> result = pool().apply_async([this] {
    gate_.wait();
    return 7;
  });
  result.add_done_callback([&](const AsyncResult<int>& done) {
    EXPECT_TRUE(done.ready());
    EXPECT_FALSE(done.running());
    EXPECT_TRUE(done == result);
    EXPECT_EQ(done.get(0s), 7);
    ++calls;
    called.open();
  });
  EXPECT_EQ(calls, 0);
  gate_.open();
  called.wait();
  close_and_join();
  EXPECT_EQ(calls, 1);
}

TEST_P(DoneCallback, IsCalledByTheWorkerThatRanTheTask) {
  Trace ran, called;
  const AsyncResult<void> result = pool().apply_async([&] {
    gate_.wait();
    ran.mark();
  });
  std::optional<std::size_t> index;
  result.add_done_callback([&](const AsyncResult<void>&) {
    index = this_worker::index();
    called.mark();
  });
  gate_.open();
  EXPECT_EQ(called.id(), ran.id());
  EXPECT_TRUE(index.has_value());
}

TEST_P(DoneCallback, IsCalledByTheTaskThatRanTheWorkWhileItWaited) {
  Trace ran, called;
  BusyWorkers busy(pool(), pool().size() - 1);
  pool().apply([&] {
    const AsyncResult<void> inner = pool().apply_async([&] { ran.mark(); });
    inner.add_done_callback([&](const AsyncResult<void>&) { called.mark(); });
    const std::thread::id here = std::this_thread::get_id();
    inner.wait();
    EXPECT_EQ(ran.id(), here);
    EXPECT_EQ(called.id(), here);
  });
}

TEST_P(DoneCallback, IsCalledByTheCallbackThreadAfterTheCallback) {
  for (const bool fails : {false, true}) {
    Gate finish;
    Trace callback, called;
    std::atomic<bool> callback_ran{false};
    const auto run = [&](const auto&) {
      callback.mark();
      callback_ran = true;
    };
    const AsyncResult<int> result = pool().apply_async(
        [&] {
          finish.wait();
          return fails ? fail("boom") : 1;
        },
        std::tuple{}, {.callback = run, .error_callback = run});
    result.add_done_callback([&](const AsyncResult<int>& done) {
      EXPECT_TRUE(callback_ran);
      EXPECT_TRUE(done.ready());
      called.mark();
    });
    finish.open();
    EXPECT_EQ(called.id(), callback.id());
    EXPECT_NE(called.id(), std::this_thread::get_id());
    visit_every_worker(pool());
    // The locals above outlive the callback thread's last look at them.
    pool().apply_async(one, std::tuple{}, {.callback = [](const int&) {}}).wait();
  }
}

TEST_P(DoneCallback, IsCalledByWhoeverCancels) {
  bool called = false;
  BusyWorkers busy(pool());
  const AsyncResult<int> result = pool().apply_async(one);
  result.add_done_callback([&, here = std::this_thread::get_id()](const AsyncResult<int>& done) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_TRUE(done.cancelled());
    EXPECT_THROW(done.get(), CancelledError);
    called = true;
  });
  EXPECT_TRUE(result.cancel());
  EXPECT_TRUE(called);
}

TEST_P(DoneCallback, IsCalledByWhoeverTerminates) {
  bool called = false;
  BusyWorkers busy(pool());
  const AsyncResult<int> result = pool().apply_async(one);
  result.add_done_callback([&, here = std::this_thread::get_id()](const AsyncResult<int>& done) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_THROW(done.get(), TerminatedError);
    called = true;
  });
  pool().terminate();
  EXPECT_TRUE(called);
}

TEST_P(DoneCallback, IsCalledByTheCallbackThreadForCancelledWorkWithCallbacks) {
  Trace callback, called;
  BusyWorkers busy(pool());
  const AsyncResult<int> result = pool().apply_async(
      one, std::tuple{}, {.error_callback = [&](const std::exception_ptr&) { callback.mark(); }});
  result.add_done_callback([&](const AsyncResult<int>&) { called.mark(); });
  EXPECT_TRUE(result.cancel());
  EXPECT_EQ(called.id(), callback.id());
  EXPECT_NE(called.id(), std::this_thread::get_id());
  busy.release();
  close_and_join();
}

TEST_P(DoneCallback, IsCalledAtOnceInTheCallerIfTheResultIsReady) {
  const AsyncResult<int> result = pool().apply_async(one);
  result.wait();
  bool called = false;
  result.add_done_callback([&, here = std::this_thread::get_id()](const AsyncResult<int>& done) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_EQ(done.get(), 1);
    called = true;
  });
  EXPECT_TRUE(called);
}

TEST_P(DoneCallback, IsCalledAtOnceForAnEmptyMap) {
  bool called = false;
  pool().map_async(&std::labs, std::vector<long>{}).add_done_callback([&](const auto& done) {
    EXPECT_THAT(done.get(), IsEmpty());
    called = true;
  });
  EXPECT_TRUE(called);
}

TEST_P(DoneCallback, IsCalledAtOnceAfterThePool) {
  const AsyncResult<int> result = pool().apply_async(one);
  result.wait();
  pool_.reset();
  int value = 0;
  result.add_done_callback([&](const AsyncResult<int>& done) { value = done.get(); });
  EXPECT_EQ(value, 1);
}

TEST_P(DoneCallback, ManyAreCalledInOrderOfAdding) {
  std::vector<int> order;
  const AsyncResult<void> result = pool().apply_async([this] { gate_.wait(); });
  for (int i = 0; i != 20; ++i) {
    result.add_done_callback([&order, i](const AsyncResult<void>&) { order.push_back(i); });
  }
  gate_.open();
  close_and_join();
  std::vector<int> expected(20);
  for (int i = 0; i != 20; ++i) expected[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(order, expected);
}

TEST_P(DoneCallback, ComesAfterThreadsThatWaitHaveBeenWoken) {
  constexpr std::size_t kWaiters = 4;
  EventCount woken;
  Gate called;
  const AsyncResult<int> result = pool().apply_async([this] {
    gate_.wait();
    return 1;
  });
  // Added before the threads come; it ends only when all of them have gone on.
  result.add_done_callback([&](const AsyncResult<int>&) {
    woken.wait_until(kWaiters);
    called.open();
  });
  const std::vector<AsyncResult<int>> group{result};
  std::array<std::atomic<ThreadId>, kWaiters> ids{};
  const std::array<std::function<void()>, kWaiters> waits{
      [&] { EXPECT_EQ(result.get(), 1); }, [&] { EXPECT_TRUE(result.wait(10min)); },
      [&] { EXPECT_EQ(millpond::wait(group).done.size(), 1U); },
      [&] {
        for (AsyncResult<int>& done : millpond::as_completed(group)) EXPECT_EQ(done.get(), 1);
      }};
  std::vector<std::thread> waiters;
  for (std::size_t i = 0; i != kWaiters; ++i) {
    waiters.emplace_back([&, i] {
      ids[i] = this_thread_id();
      waits[i]();
      woken.add();
    });
  }
  if constexpr (kSeesThreads) {
    for (const auto& id : ids) {
      poll_until([&] { return id != 0; });
      wait_until_asleep(id);
    }
  }
  gate_.open();
  called.wait();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST_P(DoneCallback, HasRunWhenJoinReturns) {
  constexpr int kTasks = 200;
  int calls[3] = {};  // not atomic: join() orders them
  std::mutex mutex;
  for (int i = 0; i != kTasks; ++i) {
    const auto count = [&mutex, &n = calls[i % 3]](const auto&) {
      std::this_thread::yield();
      const std::lock_guard lock(mutex);
      ++n;
    };
    if (i % 3 == 0) pool().apply_async(one).add_done_callback(count);
    if (i % 3 == 1) {
      pool()
          .apply_async(one, std::tuple{}, {.callback = [](const int&) {}})
          .add_done_callback(count);
    }
    if (i % 3 == 2) {
      pool().map_async([](int n) { return n; }, {1, 2, 3}, 1).add_done_callback(count);
    }
  }
  close_and_join();
  EXPECT_EQ(calls[0] + calls[1] + calls[2], kTasks);
}

TEST_P(DoneCallback, IsAwaitedByJoinWhereverItRuns) {
  for (const bool cancelled : {false, true}) {
    ThreadPool pool(options());
    std::optional<BusyWorkers> busy(std::in_place, pool);
    Gate called, finish;
    std::atomic<bool> finished{false};
    const AsyncResult<int> result = pool.apply_async(one);
    result.add_done_callback([&](const AsyncResult<int>&) {
      called.open();
      finish.wait();
      finished = true;
    });
    std::thread canceller([&] {
      if (cancelled) {
        EXPECT_TRUE(result.cancel());
      }
    });
    if (!cancelled) busy.reset();
    called.wait();
    busy.reset();
    pool.close();
    std::atomic<ThreadId> joiner_id{0};
    std::atomic<bool> joined{false};
    std::thread joiner([&] {
      joiner_id = this_thread_id();
      pool.join();
      EXPECT_TRUE(finished);
      joined = true;
    });
    if constexpr (kSeesThreads) {
      poll_until([&] { return joiner_id != 0; });
      wait_until_asleep(joiner_id);
    }
    EXPECT_FALSE(joined);
    finish.open();
    joiner.join();
    canceller.join();
  }
}

// For what

template <class R>
void expect_called_with(const AsyncResult<R>& result, Gate& finish,
                        const std::function<void(AsyncResult<R>)>& check) {
  Gate called;
  result.add_done_callback([&](AsyncResult<R> done) {
    check(std::move(done));
    called.open();
  });
  finish.open();
  called.wait();
}

TEST_P(DoneCallback, IsForResultsOfAllKinds) {
  {
    Gate finish;
    const auto result = pool().apply_async([&] { finish.wait(); });
    expect_called_with<void>(result, finish, [](auto done) { done.get(); });
  }
  {
    Gate finish;
    int target = 0;
    const auto result = pool().apply_async([&]() -> int& {
      finish.wait();
      return target;
    });
    expect_called_with<int&>(result, finish, [&](auto done) { EXPECT_EQ(&done.get(), &target); });
  }
  {
    Gate finish;
    const auto result = pool().apply_async([&] {
      finish.wait();
      return MoveOnly(5);
    });
    int value = 0;
    expect_called_with<MoveOnly>(
        result, finish, [&](auto done) { value = MoveOnly(std::move(done).get()).value(); });
    EXPECT_EQ(value, 5);
    EXPECT_EQ(result.get().value(), MoveOnly::kMovedFrom);
  }
  {
    Gate finish;
    const auto result = pool().apply_async([&] {
      finish.wait();
      return NoDefault(6);
    });
    expect_called_with<NoDefault>(result, finish,
                                  [](auto done) { EXPECT_EQ(done.get().value(), 6); });
  }
  {
    Gate finish;
    const auto result = pool().map_async(
        [&](int n) {
          finish.wait();
          return n > 1;
        },
        {1, 2, 3}, 1);
    expect_called_with<std::vector<bool>>(
        result, finish, [](auto done) { EXPECT_THAT(done.get(), ElementsAre(false, true, true)); });
  }
  {
    Gate finish;
    const auto result = pool().map_async([&](int) { finish.wait(); }, {1, 2, 3});
    expect_called_with<void>(result, finish, [](auto done) { EXPECT_EQ(done.completed(), 3U); });
  }
  close_and_join();
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_P(DoneCallback, IsForErrorsToo) {
  {
    Gate finish;
    const auto result = pool().apply_async([&] {
      finish.wait();
      return fail("boom");
    });
    expect_called_with<int>(result, finish, [](auto done) {
      EXPECT_FALSE(done.successful());
      EXPECT_EQ(message_of<std::runtime_error>(done.exception()), "boom");
    });
  }
  {
    Gate finish;
    const auto result = pool().map_async(
        [&](int n) {
          finish.wait();
          if (n == 2) throw n;
        },
        {1, 2, 3}, 1);
    expect_called_with<void>(result, finish,
                             [](auto done) { EXPECT_TRUE(holds<int>(done.exception())); });
  }
  close_and_join();
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_P(DoneCallback, IsForMapsThatAreCancelledOrTerminatedUnderWay) {
  for (const bool cancels : {true, false}) {
    ThreadPool pool(options());
    Gate finish, called;
    EventCount started;
    const AsyncResult<void> result = pool.map_async(
        [&](int) {
          started.add();
          finish.wait();
        },
        std::vector<int>(100), 1);
    std::atomic<bool> is_called{false};
    result.add_done_callback([&](const AsyncResult<void>& done) {
      EXPECT_TRUE(done.ready());
      EXPECT_EQ(done.completed(), 100U);
      EXPECT_EQ(holds<CancelledError>(done.exception()), cancels);
      EXPECT_EQ(holds<TerminatedError>(done.exception()), !cancels);
      is_called = true;
      called.open();
    });
    started.wait_until(pool.size());
    if (cancels) {
      EXPECT_TRUE(result.cancel());
    } else {
      pool.terminate();
    }
    EXPECT_FALSE(is_called);
    finish.open();
    called.wait();
  }
}

TEST_P(DoneCallback, KeepsTheResultWhenNobodyElseDoes) {
  Gate called;
  {
    AsyncResult<int> result = pool().apply_async([this] {
      gate_.wait();
      return 1;
    });
    result.add_done_callback([&](AsyncResult<int> done) {
      EXPECT_EQ(std::move(done).get(), 1);
      called.open();
    });
  }
  gate_.open();
  called.wait();
}

TEST_P(DoneCallback, MayDropTheLastHandle) {
  InstanceCounter counter;
  {
    ThreadPool pool(options());
    Gate finish;
    auto last = std::make_unique<AsyncResult<Counted>>();
    *last = pool.apply_async([&] {
      finish.wait();
      return Counted(counter, 3);
    });
    AsyncResult<Counted>* const mine = last.get();
    mine->add_done_callback([last = std::move(last)](AsyncResult<Counted> done) mutable {
      last.reset();
      EXPECT_EQ(done.get().value(), 3);
      done = {};
    });
    finish.open();
    pool.close();
    pool.join();
    EXPECT_EQ(counter.alive(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(DoneCallback, IsNoLookAtAnErrorUnlessItLooks) {
  pool().apply_async(fail, "not looked at").add_done_callback([](const AsyncResult<int>&) {});
  pool().apply_async(fail, "looked at").add_done_callback([](const AsyncResult<int>& done) {
    EXPECT_TRUE(done.exception());
  });
  close_and_join();
  EXPECT_THAT(reported(), ElementsAre("not looked at"));
}

TEST(DoneCallbackOfNothing, IsAnError) {
  const AsyncResult<int> nothing;
  EXPECT_THROW(nothing.add_done_callback([](const AsyncResult<int>&) {}), ValueError);
}

// What throws

TEST_P(DoneCallback, ThatThrowsIsReportedAndTheOthersStillRun) {
  std::vector<int> order;
  const AsyncResult<int> result = pool().apply_async([this] {
    gate_.wait();
    return 1;
  });
  for (int i = 0; i != 4; ++i) {
    result.add_done_callback([&order, i](const AsyncResult<int>&) {
      order.push_back(i);
      if (i % 2 == 0) throw std::runtime_error("from " + std::to_string(i));
    });
  }
  gate_.open();
  EXPECT_EQ(result.get(), 1);
  close_and_join();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(reported(), ElementsAre("from 0", "from 2"));
  EXPECT_TRUE(result.successful());
}

TEST_P(DoneCallback, ThatThrowsIsReportedWhereverItRuns) {
  const auto throws = [](const AsyncResult<int>&) { throw std::runtime_error("thrown"); };
  const AsyncResult<int> ready = pool().apply_async(one);
  ready.wait();
  ready.add_done_callback(throws);
  EXPECT_THAT(reported(), ElementsAre("thrown"));
  {
    BusyWorkers busy(pool());
    const AsyncResult<int> cancelled = pool().apply_async(one);
    cancelled.add_done_callback(throws);
    EXPECT_TRUE(cancelled.cancel());
    EXPECT_THAT(reported(), ElementsAre("thrown", "thrown"));
    const AsyncResult<int> terminated = pool().apply_async(one);
    terminated.add_done_callback(throws);
    terminated.add_done_callback(throws);
    pool().terminate();
    EXPECT_EQ(reported().size(), 4U);
  }
  // Joined, but there: it still is this pool's.
  pool().join();
  ready.add_done_callback(throws);
  EXPECT_EQ(reported().size(), 5U);
}

TEST_P(DoneCallback, ThatThrowsOnTheCallbackThreadIsReported) {
  const AsyncResult<int> result = pool().apply_async(
      [this] {
        gate_.wait();
        return 1;
      },
      std::tuple{}, {.callback = [](const int&) {}});
  result.add_done_callback([](const AsyncResult<int>&) { fail("thrown"); });
  gate_.open();
  EXPECT_EQ(result.get(), 1);
  close_and_join();
  EXPECT_THAT(reported(), ElementsAre("thrown"));
}

TEST_P(DoneCallback, ThatThrowsOverAnErrorIsReportedBesideIt) {
  pool().apply_async(fail, "task").add_done_callback([](const AsyncResult<int>&) {
    fail("done-callback");
  });
  close_and_join();
  EXPECT_THAT(reported(), ::testing::UnorderedElementsAre("task", "done-callback"));
}

TEST_P(DoneCallback, ThatThrowsAfterThePoolIsReportedOnStderr) {
  const AsyncResult<int> result = pool().apply_async(one);
  result.wait();
  pool_.reset();
  ::testing::internal::CaptureStderr();
  result.add_done_callback([](const AsyncResult<int>&) { fail("Something bad happened"); });
  result.add_done_callback([](const AsyncResult<int>&) { throw 42; });
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("Something bad happened"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_P(DoneCallback, ThatThrowsAfterThePoolIsNotReportedToALaterPool) {
  const AsyncResult<int> result = pool().apply_async(one);
  result.wait();
  pool_.reset();
  const auto later_reports = std::make_shared<Reports>();
  ::testing::internal::CaptureStderr();
  for (int i = 0; i != 20; ++i) {  // each likely where the first was in memory
    const ThreadPool later(PoolOptions{
        .processes = workers(),
        .on_unobserved_error = [later_reports](const auto& error) { later_reports->add(error); }});
    result.add_done_callback([](const AsyncResult<int>&) { fail("not yours"); });
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20) << text;
  EXPECT_THAT(later_reports->messages(), IsEmpty());
}

// Callables

// Counts its calls; cannot be copied.
struct MoveOnlyCallable {
  std::unique_ptr<std::atomic<int>*> calls;
  void operator()(const AsyncResult<int>&) { ++**calls; }
};

struct alignas(128) LargeCallable {
  std::array<char, 4096> bytes;
  std::atomic<int>* calls;
  void operator()(const AsyncResult<int>&) const {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 128, 0U);
    EXPECT_EQ(bytes.back(), 'x');
    ++*calls;
  }
};

std::atomic<int> calls_of_a_function{0};
void a_function(AsyncResult<int>) { ++calls_of_a_function; }

TEST_P(DoneCallback, MayBeAnythingCallableWithTheResult) {
  std::atomic<int> calls{0};
  calls_of_a_function = 0;
  const auto add_all = [&](const AsyncResult<int>& result) {
    result.add_done_callback(MoveOnlyCallable{std::make_unique<std::atomic<int>*>(&calls)});
    LargeCallable large{{}, &calls};
    large.bytes.back() = 'x';
    result.add_done_callback(large);
    std::function<void(AsyncResult<int>)> function = [&](const AsyncResult<int>&) { ++calls; };
    result.add_done_callback(function);
    result.add_done_callback(std::ref(function));
    const auto constant = [&](AsyncResult<int>&&) { ++calls; };
    result.add_done_callback(constant);
    result.add_done_callback([&calls, n = 0](auto&&...) mutable { calls += ++n; });
    result.add_done_callback(a_function);
    result.add_done_callback(&a_function);
    result.add_done_callback(&AsyncResult<int>::ready);
    // A result of its own is nobody's.
    result.add_done_callback([&](const AsyncResult<int>&) { return ++calls; });
    result.wait();
    visit_every_worker(pool());
  };
  BusyWorkers busy(pool());
  const AsyncResult<int> result = pool().apply_async(one);
  std::thread adder([&] { add_all(result); });
  busy.release();
  adder.join();
  EXPECT_EQ(calls, 7);
  EXPECT_EQ(calls_of_a_function, 2);
  add_all(result);
  EXPECT_EQ(calls, 14);
  EXPECT_EQ(calls_of_a_function, 4);
}

TEST_P(DoneCallback, IsMovedInAndDestroyedOnceCalled) {
  InstanceCounter counter;
  {
    const AsyncResult<void> result = pool().apply_async([this] { gate_.wait(); });
    result.add_done_callback(
        [token = Counted(counter, 1)](const AsyncResult<void>&) { EXPECT_EQ(token.value(), 1); });
    result.add_done_callback([token = Counted(counter, 2)](const AsyncResult<void>&) {
      EXPECT_EQ(token.value(), 2);
      fail("thrown");
    });
    EXPECT_EQ(counter.copies(), 0);
    EXPECT_EQ(counter.alive(), 2);
    gate_.open();
    result.wait();
    visit_every_worker(pool());
    EXPECT_EQ(counter.alive(), 0) << "while handles live on";
    result.add_done_callback([token = Counted(counter, 3)](const AsyncResult<void>&) {});
    EXPECT_EQ(counter.alive(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST_P(DoneCallback, IsDestroyedWithCancelledAndTerminatedResults) {
  InstanceCounter counter;
  BusyWorkers busy(pool());
  const AsyncResult<int> cancelled = pool().apply_async(one);
  cancelled.add_done_callback([token = Counted(counter)](const AsyncResult<int>&) {});
  EXPECT_TRUE(cancelled.cancel());
  EXPECT_TRUE(counter.balanced());
  const AsyncResult<int> terminated = pool().apply_async(one);
  terminated.add_done_callback([token = Counted(counter)](const AsyncResult<int>&) {});
  pool().terminate();
  EXPECT_TRUE(counter.balanced());
}

struct ThrowsOnCopy {
  ThrowsOnCopy() = default;
  ThrowsOnCopy(const ThrowsOnCopy&) { fail("copied"); }
  void operator()(const AsyncResult<int>&) const { ADD_FAILURE(); }
};

TEST_P(DoneCallback, ThatCannotBeCopiedInIsNotAdded) {
  const AsyncResult<int> result = pool().apply_async([this] {
    gate_.wait();
    return 1;
  });
  const ThrowsOnCopy throws;
  EXPECT_EQ(message_of<std::runtime_error>([&] { result.add_done_callback(throws); }), "copied");
  gate_.open();
  EXPECT_EQ(result.get(), 1);
  close_and_join();
  EXPECT_THAT(reported(), IsEmpty());
}

// What it does

TEST_P(DoneCallback, MayIssueWork) {
  constexpr int kSteps = 50;
  std::atomic<int> steps{0};
  Gate done;
  std::function<void(const AsyncResult<int>&)> next = [&](const AsyncResult<int>&) {
    if (++steps == kSteps) return done.open();
    pool().apply_async(one).add_done_callback(next);
  };
  pool().apply_async(one).add_done_callback(next);
  done.wait();
  close_and_join();
  EXPECT_EQ(steps, kSteps);
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_P(DoneCallback, MayIssueWorkAndWaitForIt) {
  for (const bool on_callback_thread : {false, true}) {
    Gate finish, done;
    std::vector<int> found;
    const auto task = [&] {
      finish.wait();
      return 1;
    };
    const AsyncResult<int> result =
        on_callback_thread ? pool().apply_async(task, std::tuple{}, {.callback = [](const int&) {}})
                           : pool().apply_async(task);
    result.add_done_callback([&](const AsyncResult<int>& first) {
      found = pool().map([](int n) { return 2 * n; }, {1, 2, 3});
      found.push_back(pool().apply(one));
      const AsyncResult<int> with_callback = pool().apply_async(
          one, std::tuple{}, {.callback = [&](const int& n) { found.push_back(n); }});
      EXPECT_EQ(with_callback.get(), 1);
      EXPECT_EQ(first.get(), 1);
      done.open();
    });
    finish.open();
    done.wait();
    EXPECT_THAT(found, ElementsAre(2, 4, 6, 1, 1));
    visit_every_worker(pool());
  }
}

TEST_P(DoneCallback, MayWaitForWhatIsQueued) {
  Gate done;
  std::optional<BusyWorkers> busy(std::in_place, pool());
  const AsyncResult<int> first = pool().apply_async(one);
  std::vector<AsyncResult<int>> others;
  for (int i = 0; i != 20; ++i) others.push_back(pool().apply_async([i] { return i; }));
  first.add_done_callback([&](const AsyncResult<int>& result) {
    EXPECT_EQ(result.get(), 1);
    for (int i = 20; i-- != 0;) EXPECT_EQ(others[static_cast<std::size_t>(i)].get(), i);
    done.open();
  });
  busy.reset();
  done.wait();
}

TEST_P(DoneCallback, OfWhoeverCancelsMayWaitForWhatIsQueued) {
  bool called = false;
  std::optional<BusyWorkers> busy(std::in_place, pool());
  const AsyncResult<int> first = pool().apply_async(one);
  const AsyncResult<int> second = pool().apply_async(one);
  first.add_done_callback([&](const AsyncResult<int>&) {
    busy->release();
    EXPECT_EQ(second.get(), 1);
    called = true;
  });
  EXPECT_TRUE(first.cancel());
  EXPECT_TRUE(called);
}

TEST_P(DoneCallback, OfWhoeverTerminatesMayWaitForWhatIsQueued) {
  bool called = false;
  std::optional<BusyWorkers> busy(std::in_place, pool());
  const AsyncResult<int> first = pool().apply_async(one);
  const AsyncResult<int> second = pool().apply_async(one);
  first.add_done_callback([&](const AsyncResult<int>&) {
    busy->release();
    EXPECT_THROW(second.get(), TerminatedError);
    called = true;
  });
  pool().terminate();
  EXPECT_TRUE(called);
}

TEST_P(DoneCallback, OfATaskThatTerminatesMayWaitForWhatIsQueued) {
  Gate done;
  AsyncResult<int> first, second;
  BusyWorkers busy(pool(), pool().size() - 1);
  const AsyncResult<void> terminator = pool().apply_async([&] {
    first = pool().apply_async(one);
    second = pool().apply_async([] { return ADD_FAILURE(), 1; });
    first.add_done_callback([&](const AsyncResult<int>&) {
      EXPECT_THROW(second.get(), TerminatedError);
      done.open();
    });
    pool().terminate();
  });
  terminator.get();
  done.wait();
}

TEST_P(DoneCallback, MayWaitForItsOwnResultAndAddAnother) {
  std::vector<int> order;
  const AsyncResult<int> result = pool().apply_async([this] {
    gate_.wait();
    return 1;
  });
  result.add_done_callback([&](const AsyncResult<int>& done) {
    order.push_back(1);
    done.wait();
    // At once: before those that wait for their turn.
    done.add_done_callback([&](const AsyncResult<int>& again) {
      order.push_back(again.get() + 1);
      again.add_done_callback([&](const AsyncResult<int>&) { order.push_back(3); });
    });
  });
  result.add_done_callback([&](const AsyncResult<int>&) { order.push_back(4); });
  gate_.open();
  close_and_join();
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
}

TEST_P(DoneCallback, MayCancelOthers) {
  Gate done;
  std::optional<BusyWorkers> busy(std::in_place, pool());
  const AsyncResult<int> first = pool().apply_async(one);
  const AsyncResult<int> second = pool().apply_async(one);
  const AsyncResult<int> third = pool().apply_async(one);
  first.add_done_callback([&](const AsyncResult<int>&) { EXPECT_TRUE(second.cancel()); });
  second.add_done_callback([&](const AsyncResult<int>&) { EXPECT_TRUE(third.cancel()); });
  third.add_done_callback([&](const AsyncResult<int>&) { done.open(); });
  EXPECT_TRUE(first.cancel());
  EXPECT_TRUE(done.is_open());
}

TEST_P(DoneCallback, MayCloseThePool) {
  Gate called;
  const AsyncResult<void> result = pool().apply_async([this] { gate_.wait(); });
  const AsyncResult<int> queued = pool().apply_async(one);
  result.add_done_callback([&](const AsyncResult<void>&) {
    pool().close();
    EXPECT_THROW(pool().apply_async(one), ValueError);
    EXPECT_EQ(message_of<ValueError>([&] { pool().join(); }),
              "A pool cannot be joined from one of its own threads");
    called.open();
  });
  gate_.open();
  called.wait();
  pool().join();
  EXPECT_EQ(queued.get(0s), 1);
}

TEST_P(DoneCallback, MayTerminateThePool) {
  Gate called;
  const AsyncResult<void> result = pool().apply_async([this] { gate_.wait(); });
  BusyWorkers busy(pool(), pool().size() - 1);
  const AsyncResult<int> queued = pool().apply_async(one);
  result.add_done_callback([&](const AsyncResult<void>&) {
    pool().terminate();
    EXPECT_TRUE(queued.ready());
    EXPECT_THROW(pool().join(), ValueError);
    called.open();
  });
  gate_.open();
  called.wait();
  busy.release();
  pool().join();
  EXPECT_THROW(queued.get(), TerminatedError);
}

TEST_P(DoneCallback, OfWhoeverCancelsMayNotJoinButCloseAndTerminate) {
  int calls = 0;
  BusyWorkers busy(pool());
  const AsyncResult<int> first = pool().apply_async(one);
  const AsyncResult<int> second = pool().apply_async(one);
  first.add_done_callback([&](const AsyncResult<int>&) {
    pool().close();
    EXPECT_THROW(pool().join(), ValueError);
    pool().terminate();
    EXPECT_TRUE(second.ready());
    ++calls;
  });
  second.add_done_callback([&](const AsyncResult<int>&) { ++calls; });
  EXPECT_TRUE(first.cancel());
  EXPECT_EQ(calls, 2);
}

TEST_P(DoneCallback, OfAReadyResultMayCloseAndJoin) {
  const AsyncResult<int> result = pool().apply_async(one);
  result.wait();
  bool called = false;
  result.add_done_callback([&](const AsyncResult<int>&) {
    close_and_join();
    called = true;
  });
  EXPECT_TRUE(called);
  EXPECT_THAT(reported(), IsEmpty());
}

TEST_P(DoneCallback, MayDestroyThePool) {
  for (const bool on_callback_thread : {false, true}) {
    Gate finish, destroyed;
    auto pool = std::make_shared<ThreadPool>(options());
    const std::weak_ptr<ThreadPool> watched = pool;
    const auto task = [&] { finish.wait(); };
    const AsyncResult<void> result =
        on_callback_thread ? pool->apply_async(task, std::tuple{}, {.callback = [] {}})
                           : pool->apply_async(task);
    AsyncResult<int> queued;
    if (workers() == 1) queued = pool->apply_async(one);
    result.add_done_callback([&, pool](const AsyncResult<void>&) mutable {
      pool.reset();
      EXPECT_TRUE(watched.expired());
      destroyed.open();
    });
    pool.reset();
    EXPECT_FALSE(watched.expired());
    finish.open();
    destroyed.wait();
    EXPECT_TRUE(!queued.valid() || queued.ready());
  }
}

TEST_P(DoneCallback, OfWhoeverCancelsMayDestroyThePool) {
  bool called = false;
  std::optional<BusyWorkers> busy(std::in_place, pool());
  const AsyncResult<int> first = pool().apply_async(one);
  const AsyncResult<int> second = pool().apply_async(one);
  first.add_done_callback([&](const AsyncResult<int>&) {
    busy.reset();
    pool_.reset();
    EXPECT_TRUE(second.ready());
    called = true;
    fail("thrown");
  });
  EXPECT_TRUE(first.cancel());
  EXPECT_TRUE(called);
  EXPECT_THAT(reported(), ElementsAre("thrown"));
}

TEST_P(DoneCallback, ThatIssuesToAClosedPoolIsReported) {
  const AsyncResult<void> result = pool().apply_async([this] { gate_.wait(); });
  result.add_done_callback([&](const AsyncResult<void>&) { pool().apply_async(one); });
  pool().close();
  gate_.open();
  pool().join();
  EXPECT_THAT(reported(), ElementsAre("Pool not running"));
}

TEST_P(DoneCallback, OfOnePoolMayIssueToAnother) {
  ThreadPool other(workers());
  Gate done;
  const AsyncResult<void> result = pool().apply_async([this] { gate_.wait(); });
  result.add_done_callback([&](const AsyncResult<void>&) {
    EXPECT_EQ(other.apply(one), 1);
    other.apply_async(one).add_done_callback([&](const AsyncResult<int>& there) {
      EXPECT_EQ(pool().apply_async(one).get() + there.get(), 2);
      done.open();
    });
  });
  gate_.open();
  done.wait();
  close_and_join();  // before `other` goes
}

TEST_P(DoneCallback, ThatBlocksHoldsUpNobodyWhoseTaskIsDone) {
  BusyWorkers busy(pool(), pool().size() - 1);
  Gate added, called;
  const AsyncResult<int> result = pool().apply_async([&] {
    added.wait();
    return 1;
  });
  result.add_done_callback([&](const AsyncResult<int>&) {
    called.open();
    gate_.wait();
  });
  added.open();
  called.wait();
  EXPECT_EQ(result.get(), 1);
  EXPECT_EQ(result.completed(), 1U);
}

// Added while the result gets ready: each is called exactly once.
TEST_P(DoneCallback, IsCalledOnceHoweverLateItComes) {
  for (Rounds rounds(2000); rounds.next();) {
    Random random(rounds.seed());
    constexpr int kAdders = 3;
    constexpr int kEach = 20;
    std::vector<std::atomic<int>> calls(kAdders * kEach);
    std::atomic<bool> go{false};
    const AsyncResult<int> result = pool().apply_async([&] {
      while (!go) std::this_thread::yield();
      return 1;
    });
    std::vector<std::thread> adders;
    for (int adder = 0; adder != kAdders; ++adder) {
      adders.emplace_back([&, adder, seed = random.split()] {
        Random mine(seed);
        for (int i = 0; i != kEach; ++i) {
          std::atomic<int>& mine_called = calls[static_cast<std::size_t>(adder * kEach + i)];
          result.add_done_callback([&](const AsyncResult<int>& done) {
            if (done.ready()) ++mine_called;
          });
          mine.dawdle(100);
        }
      });
    }
    random.dawdle(1000);
    go = true;
    for (std::thread& adder : adders) adder.join();
    result.wait();
    visit_every_worker(pool());
    for (const std::atomic<int>& called : calls) ASSERT_EQ(called, 1);
  }
}

}  // namespace
}  // namespace millpond::test
