// SPDX-License-Identifier: MIT
//
// co_await of an AsyncResult: where and with what a coroutine goes on.

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/stress.hpp"
#include "../support/thread_watch.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

// A coroutine that starts at once; `done` opens when it has ended.
class Started {
 public:
  struct promise_type {
    std::shared_ptr<Gate> done = std::make_shared<Gate>();
    Started get_return_object() { return Started(done); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    // The frame is gone when the gate opens.
    struct Final {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        const std::shared_ptr<Gate> gate = self.promise().done;
        self.destroy();
        gate->open();
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };

  void wait() const { done_->wait(); }
  bool is_done() const { return done_->is_open(); }

 private:
  explicit Started(std::shared_ptr<Gate> done) : done_(std::move(done)) {}
  std::shared_ptr<Gate> done_;
};

enum class On { worker, callback_thread, elsewhere };

class Coroutine : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};

  // Of the thread that asks; the callback thread is told by a callback.
  On here() {
    if (this_worker::index()) return On::worker;
    return std::this_thread::get_id() == callback_thread_ ? On::callback_thread : On::elsewhere;
  }
  const std::thread::id callback_thread_ = [this] {
    std::thread::id id;
    pool_.apply_async([] {}, std::tuple{}, {.callback = [&] { id = std::this_thread::get_id(); }})
        .wait();
    return id;
  }();
};

INSTANTIATE_TEST_SUITE_P(Workers, Coroutine, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(Coroutine, GoesOnOnTheCallbackThreadWithTheResult) {
  Gate finish;
  const AsyncResult<int> result = pool_.apply_async([&] {
    finish.wait();
    return 3;
  });
  int got = 0;
  On on = On::elsewhere;
  const Started started = [](auto awaited, int& out, On& where, auto* self) -> Started {
    const int& value = co_await awaited;
    out = value;
    where = self->here();
  }(result, got, on, this);
  EXPECT_FALSE(started.is_done());
  finish.open();
  started.wait();
  EXPECT_EQ(got, 3);
  EXPECT_EQ(on, On::callback_thread);
}

TEST_P(Coroutine, GoesOnAtOnceIfTheResultIsReady) {
  const AsyncResult<int> result = pool_.apply_async([] { return 3; });
  result.wait();
  std::thread::id id;
  const Started started = [](auto awaited, std::thread::id& where) -> Started {
    co_await awaited;
    where = std::this_thread::get_id();
  }(result, id);
  EXPECT_TRUE(started.is_done());
  EXPECT_EQ(id, std::this_thread::get_id());
}

TEST_P(Coroutine, GoesOnOnAWorkerOfAGivenPoolReadyOrNot) {
  for (const bool is_ready : {false, true}) {
    Gate finish;
    const AsyncResult<int> result = pool_.apply_async([&] {
      finish.wait();
      return 3;
    });
    if (is_ready) {
      finish.open();
      result.wait();
    }
    On on = On::elsewhere;
    int got = 0;
    const Started started = [](ThreadPool& pool, auto awaited, int& out, On& where,
                               auto* self) -> Started {
      out = co_await resume_on(pool, awaited);
      where = self->here();
    }(pool_, result, got, on, this);
    finish.open();
    started.wait();
    EXPECT_EQ(on, On::worker);
    EXPECT_EQ(got, 3);
  }
}

TEST_P(Coroutine, MovesTheValueOutOfAnRvalue) {
  int got = 0;
  [](ThreadPool& pool, int& out) -> Started {
    const std::unique_ptr<int> value =
        co_await pool.apply_async([] { return std::make_unique<int>(3); });
    out = *value;
  }(pool_, got)
                                        .wait();
  EXPECT_EQ(got, 3);
}

TEST_P(Coroutine, LeavesTheValueWhereItIsIfTheResultIsAnLvalue) {
  const AsyncResult<std::string> result =
      pool_.apply_async([] { return std::string("so long that it does not fit into a string"); });
  const std::string* seen[3] = {};
  [](ThreadPool& pool, AsyncResult<std::string> its_result, auto& out) -> Started {
    // A handle that is not const either.
    out[0] = &co_await its_result;
    out[1] = &co_await resume_on(pool, its_result);
    out[2] = &co_await resume_on(pool, std::as_const(its_result));
  }(pool_, result, seen)
                                                                              .wait();
  EXPECT_EQ(seen[0], &result.get());
  EXPECT_EQ(seen[1], &result.get());
  EXPECT_EQ(seen[2], &result.get());
  EXPECT_EQ(result.get(), "so long that it does not fit into a string");
}

TEST_P(Coroutine, OfAnLvalueGivesTheSameToManyOnWorkers) {
  Gate finish;
  const AsyncResult<std::string> result = pool_.apply_async([&] {
    finish.wait();
    return std::string("so long that it does not fit into a string");
  });
  std::vector<std::string> seen(10);
  std::vector<Started> started;
  for (std::string& mine : seen) {
    started.push_back([](ThreadPool& pool, auto its_result, std::string& out) -> Started {
      out = co_await resume_on(pool, its_result);
    }(pool_, result, mine));
  }
  finish.open();
  for (const Started& one : started) one.wait();
  for (const std::string& each : seen) EXPECT_EQ(each, result.get());
}

TEST_P(Coroutine, OnAWorkerMovesTheValueOutOfAnRvalue) {
  int sum = 0;
  [](ThreadPool& pool, int& out) -> Started {
    const auto three = [] { return std::make_unique<int>(3); };
    AsyncResult<std::unique_ptr<int>> named = pool.apply_async(three);
    const std::unique_ptr<int> a = co_await resume_on(pool, std::move(named));
    const std::unique_ptr<int> b = co_await resume_on(pool, pool.apply_async(three));
    out = *a + *b;
  }(pool_, sum)
                                        .wait();
  EXPECT_EQ(sum, 6);
}

template <class Result>
using Resumed =
    decltype(resume_on(std::declval<ThreadPool&>(), std::declval<Result>()).await_resume());
static_assert(std::is_same_v<Resumed<AsyncResult<int>&>, const int&>);
static_assert(std::is_same_v<Resumed<const AsyncResult<int>&>, const int&>);
static_assert(std::is_same_v<Resumed<AsyncResult<int>>, int>);
static_assert(std::is_same_v<Resumed<AsyncResult<int&>&>, int&>);
static_assert(std::is_void_v<Resumed<AsyncResult<void>&>>);

TEST_P(Coroutine, RethrowsTheTasksError) {
  bool caught = false;
  [](ThreadPool& pool, bool& out) -> Started {
    try {
      co_await pool.apply_async([] { throw std::runtime_error("task"); });
    } catch (const std::runtime_error&) {
      out = true;
    }
  }(pool_, caught)
                                         .wait();
  EXPECT_TRUE(caught);
}

TEST_P(Coroutine, AwaitsMapsVoidsAndReferences) {
  int target = 1, sum = 0;
  [](ThreadPool& pool, int& referred, int& out) -> Started {
    co_await pool.apply_async([] {});
    const std::vector<int> twice =
        co_await pool.map_async([](int n) { return 2 * n; }, std::vector<int>(3, 2));
    for (const int n : twice) out += n;
    int& same = co_await pool.apply_async([](int& n) -> int& { return n; }, std::ref(referred));
    same = 7;
  }(pool_, target, sum)
                                                       .wait();
  EXPECT_EQ(sum, 12);
  EXPECT_EQ(target, 7);
}

TEST_P(Coroutine, SuspendsWithoutBlockingAWorker) {
  Gate finish;
  EventCount suspended;
  const AsyncResult<void> result = pool_.apply_async([&] { finish.wait(); });
  std::vector<Started> started;
  // Many more than there are workers; with one worker it is taken by `result`.
  for (int i = 0; i != 50; ++i) {
    started.push_back([](auto awaited, EventCount& count) -> Started {
      count.add();
      co_await awaited;
    }(result, suspended));
  }
  suspended.wait_until(50);
  if (workers() > 1) {
    EXPECT_EQ(pool_.apply([] { return 1; }), 1);
  }
  finish.open();
  for (const Started& one : started) one.wait();
}

TEST_P(Coroutine, GoesOnWithTerminatedErrorIfItsPoolIsTerminated) {
  for (const bool on_worker : {false, true}) {
    std::optional<ThreadPool> pool(std::in_place, workers());
    BusyWorkers busy(*pool, pool->size());
    bool terminated = false;
    const Started started = [](ThreadPool& its_pool, bool worker, bool& out) -> Started {
      try {
        const auto result = its_pool.apply_async([] { return 1; });
        if (worker) {
          co_await resume_on(its_pool, result);
        } else {
          co_await result;
        }
      } catch (const TerminatedError&) {
        out = true;
      }
    }(*pool, on_worker, terminated);
    pool->terminate();
    started.wait();
    EXPECT_TRUE(terminated);
    busy.release();
    pool.reset();
  }
}

TEST_P(Coroutine, GoesOnWithCancelledError) {
  BusyWorkers busy(pool_, pool_.size());
  const AsyncResult<int> result = pool_.apply_async([] { return 1; });
  bool cancelled = false;
  const Started started = [](auto awaited, bool& out) -> Started {
    try {
      co_await awaited;
    } catch (const CancelledError&) {
      out = true;
    }
  }(result, cancelled);
  EXPECT_TRUE(result.cancel());
  started.wait();
  EXPECT_TRUE(cancelled);
}

// What is to go on on a worker that never comes goes on where terminate() is called.
TEST_P(Coroutine, IsNotLostIfTheGivenPoolIsTerminatedBeforeItGoesOn) {
  ThreadPool other(1);
  BusyWorkers busy(other, 1);
  int got = 0;
  const Started started = [](ThreadPool& pool, ThreadPool& target, int& out) -> Started {
    out = co_await resume_on(target, pool.apply_async([] { return 3; }));
  }(pool_, other, got);
  other.terminate();
  started.wait();
  EXPECT_EQ(got, 3);
}

TEST_P(Coroutine, GoesOnSomewhereElseIfTheGivenPoolIsClosed) {
  ThreadPool other(1);
  other.close();
  int got = 0;
  [](ThreadPool& pool, ThreadPool& target, int& out) -> Started {
    out = co_await resume_on(target, pool.apply_async([] { return 3; }));
  }(pool_, other, got)
                                                            .wait();
  EXPECT_EQ(got, 3);
}

TEST_P(Coroutine, IsWaitedForByJoin) {
  Gate finish;
  std::atomic<bool> went_on{false};
  const AsyncResult<void> result = pool_.apply_async([&] { finish.wait(); });
  const Started started = [](auto awaited, std::atomic<bool>& out) -> Started {
    co_await awaited;
    out = true;
  }(result, went_on);
  pool_.close();
  finish.open();
  pool_.join();
  EXPECT_TRUE(went_on);
}

TEST_P(Coroutine, MayAwaitAResultOfAPoolThatIsGone) {
  AsyncResult<int> result;
  {
    ThreadPool pool(workers());
    result = pool.apply_async([] { return 3; });
    result.wait();
  }
  int got = 0;
  [](auto awaited, int& out) -> Started { out = co_await awaited; }(result, got).wait();
  EXPECT_EQ(got, 3);
}

// Such a pool's callback thread is nobody's to join, and may have to start yet.
TEST_P(Coroutine, MayAwaitAResultOfAPoolThatWasDestroyedInItsOwnTask) {
  for (const bool has_called_back : {false, true}) {
    const std::size_t threads = settled_thread_count();
    auto pool = std::make_unique<ThreadPool>(workers());
    if (has_called_back) {
      pool->apply_async([] {}, std::tuple{}, {.callback = [] {}}).wait();
    }
    Gate destroyed, awaited;
    const AsyncResult<int> result = pool->apply_async([&] {
      pool.reset();
      destroyed.open();
      awaited.wait();
      return 3;
    });
    destroyed.wait();
    int got = 0;
    const Started started = [](auto its_result, int& out) -> Started { out = co_await its_result; }(
                                                              result, got);
    EXPECT_FALSE(started.is_done());
    awaited.open();
    started.wait();
    EXPECT_EQ(got, 3);
    wait_for_thread_count(threads);
  }
}

TEST_P(Coroutine, RacesWithATaskThatDestroysItsPool) {
  const std::size_t threads = settled_thread_count();
  for (Rounds rounds(100); rounds.next();) {
    auto pool = std::make_shared<ThreadPool>(workers());
    if (Random(rounds.seed()).one_in(2)) {
      pool->apply_async([] {}, std::tuple{}, {.callback = [] {}}).wait();
    }
    Gate alone;
    const AsyncResult<int> result = pool->apply_async([mine = pool, &alone]() mutable {
      alone.wait();
      mine.reset();
      return 3;
    });
    pool.reset();
    int got = 0;
    alone.open();
    const Started started = [](auto its_result, int& out) -> Started { out = co_await its_result; }(
                                                              result, got);
    started.wait();
    result.wait();  // has left the gate
    ASSERT_EQ(got, 3);
  }
  wait_for_thread_count(threads);
}

// A coroutine that its owner destroys.
class Owned {
 public:
  struct promise_type {
    Owned get_return_object() {
      return Owned(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  explicit Owned(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { handle_.destroy(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

TEST_P(Coroutine, MayBeDestroyedWhileItIsSuspended) {
  bool went_on = false;
  const auto capture = std::make_shared<int>();
  const auto await = [&](auto result, std::shared_ptr<int> kept) -> Owned {
    co_await result;
    went_on = true;
    kept.reset();
  };
  const auto await_on_a_worker = [&](auto result, std::shared_ptr<int> kept) -> Owned {
    co_await resume_on(pool_, std::move(result));
    went_on = true;
    kept.reset();
  };
  BusyWorkers busy(pool_);
  const auto result = pool_.apply_async([] { return 1; });
  Gate other_told;
  result.add_done_callback([&](const auto&) { other_told.open(); });
  {
    const Owned first = await(result, capture);
    const Owned second = await_on_a_worker(result, capture);
    EXPECT_EQ(capture.use_count(), 3);
  }
  EXPECT_EQ(capture.use_count(), 1);
  busy.release();
  other_told.wait();
  pool_.close();
  pool_.join();
  EXPECT_FALSE(went_on);
}

TEST_P(Coroutine, NeedsAResult) {
  bool caught = false;
  [](bool& out) -> Started {
    try {
      const AsyncResult<int> nothing;
      co_await nothing;
    } catch (const ValueError&) {
      out = true;
    }
  }(caught)
                       .wait();
  EXPECT_TRUE(caught);
}

TEST_P(Coroutine, RacesWithCompletionAndTerminate) {
  for (Rounds rounds(100); rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(workers());
    std::vector<Started> started;
    std::atomic<int> ends{0};
    for (int i = 0; i != 30; ++i) {
      started.push_back([](ThreadPool& its_pool, bool worker, std::atomic<int>& out) -> Started {
        try {
          auto result = its_pool.apply_async([] { return 1; });
          if (worker) {
            co_await resume_on(its_pool, result);
          } else {
            co_await result;
          }
        } catch (const TerminatedError&) {
        } catch (const ValueError&) {
        }
        ++out;
      }(pool, random.one_in(2), ends));
      if (i == 15 && random.one_in(2)) pool.terminate();
    }
    if (random.one_in(2)) pool.terminate();
    for (const Started& one : started) one.wait();
    ASSERT_EQ(ends, 30);
  }
}

}  // namespace
}  // namespace millpond::test
