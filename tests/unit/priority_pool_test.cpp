// SPDX-License-Identifier: MIT
//
// PriorityThreadPool: what starts before what.

#include <millpond/millpond.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <sstream>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/stress.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using ::testing::ElementsAre;

// Numbers in the order in which they came.
class Log {
 public:
  void add(int number) {
    const std::lock_guard lock(mutex_);
    numbers_.push_back(number);
  }
  std::vector<int> numbers() const {
    const std::lock_guard lock(mutex_);
    return numbers_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int> numbers_;
};

// Its worker is held up until finish().
class OneWorkerPriorityPool : public ::testing::Test {
 protected:
  OneWorkerPriorityPool() {
    pool_.apply_async([this] {
      started_.open();
      gate_.wait();
    });
    started_.wait();
  }
  ~OneWorkerPriorityPool() override { gate_.open(); }

  Log log_;
  Gate started_, gate_;
  PriorityThreadPool pool_{1};

  void finish() {
    gate_.open();
    pool_.close();
    pool_.join();
  }
};

TEST_F(OneWorkerPriorityPool, StartsCallsByPriorityAndInOrderAmongEquals) {
  int number = 0;
  for (const int priority : {0, 5, -1, 5, 0}) {
    pool_.apply_async([this, n = number++] { log_.add(n); }, std::tuple{}, {.priority = priority});
  }
  pool_.apply_async([this] { log_.add(5); });  // 0
  finish();
  EXPECT_THAT(log_.numbers(), ElementsAre(1, 3, 0, 4, 5, 2));
}

TEST_F(OneWorkerPriorityPool, OrdersAllKindsOfWorkTogether) {
  const auto log = [this](int n) { log_.add(n); };
  pool_.map_async(log, {1, 2}, {.chunksize = 1, .priority = 1});
  auto lazy = pool_.imap([this](int n) { log_.add(n); }, {11, 12}, {.priority = 2});
  pool_.starmap_async([this](int a, int b) { log_.add(a + b); },
                      std::vector<std::pair<int, int>>{{20, 1}}, {.priority = 3});
  pool_.apply_async(log, std::tuple{31}, {.priority = 4});
  finish();
  EXPECT_THAT(log_.numbers(), ElementsAre(31, 21, 11, 12, 1, 2));
}

TEST_F(OneWorkerPriorityPool, LetsAMapMakeWayBetweenTwoChunks) {
  const auto result = pool_.map_async(
      [this](int n) {
        log_.add(n);
        if (n == 1) {
          pool_.apply_async([this] { log_.add(10); }, std::tuple{}, {.priority = 1});
          pool_.apply_async([this] { log_.add(20); }, std::tuple{}, {.priority = -1});
        }
      },
      {1, 2, 3}, {.chunksize = 1});
  gate_.open();
  result.wait();
  finish();
  EXPECT_THAT(log_.numbers(), ElementsAre(1, 10, 2, 3, 20));
}

TEST_F(OneWorkerPriorityPool, LetsAnImapMakeWayBetweenTwoChunks) {
  auto items = pool_.imap(
      [this](int n) {
        log_.add(n);
        if (n == 1) pool_.apply_async([this] { log_.add(10); }, std::tuple{}, {.priority = 1});
        return n;
      },
      {1, 2, 3});
  gate_.open();
  EXPECT_EQ(items.next(), 1);
  finish();
  EXPECT_THAT(log_.numbers(), ElementsAre(1, 10, 2, 3));
}

TEST_F(OneWorkerPriorityPool, ForgetsWhatIsCancelled) {
  std::vector<AsyncResult<void>> results;
  for (int n = 0; n != 20; ++n) {
    results.push_back(
        pool_.apply_async([this, n] { log_.add(n); }, std::tuple{}, {.priority = n % 5}));
  }
  for (int n = 0; n != 20; ++n) {
    if (n == 3 || n == 12) continue;
    EXPECT_TRUE(results[static_cast<std::size_t>(n)].cancel());
  }
  finish();
  EXPECT_THAT(log_.numbers(), ElementsAre(3, 12));
}

TEST(PriorityPool, SaysWhatItIs) {
  const PriorityThreadPool pool(2);
  std::ostringstream out;
  out << pool;
  EXPECT_EQ(out.str(), "<millpond::PriorityThreadPool state=RUN pool_size=2>");
  EXPECT_EQ(to_string(pool), out.str());
}

TEST(PriorityPool, TakesPriorityWithCallbacksAndInBlockingCalls) {
  PriorityThreadPool pool(2);
  std::atomic<int> told{0};
  EXPECT_EQ(pool.apply_async([] { return 3; }, std::tuple{},
                             {.callback = [&](const int& n) { told += n; }, .priority = 2})
                .get(),
            3);
  EXPECT_EQ(told, 3);
  const auto twice = [](int n) { return 2 * n; };
  EXPECT_THAT(pool.map(twice, {1, 2}, {.priority = -7}), ElementsAre(2, 4));
  std::vector<int> out(2);
  pool.map_into(out, twice, {3, 4}, {.chunksize = 1, .priority = 1});
  EXPECT_THAT(out, ElementsAre(6, 8));
  EXPECT_EQ(pool.apply(twice, 4), 8);
}

class PriorityPools : public WithWorkers {};
INSTANTIATE_TEST_SUITE_P(Workers, PriorityPools, worker_counts(),
                         ::testing::PrintToStringParamName());

TEST_P(PriorityPools, RunEverythingOnceUnderManyIssuers) {
  for (Rounds rounds(20); rounds.next();) {
    std::atomic<int> calls{0};
    PriorityThreadPool pool(workers());
    std::vector<std::thread> issuers;
    for (int issuer = 0; issuer != 3; ++issuer) {
      issuers.emplace_back([&, seed = rounds.seed() + static_cast<std::uint64_t>(issuer)] {
        Random random(seed);
        for (int i = 0; i != 300; ++i) {
          pool.apply_async([&] { ++calls; }, std::tuple{}, {.priority = random.between(-3, 3)});
        }
        pool.map([&](int) { ++calls; }, std::vector<int>(50), {.chunksize = 3, .priority = 1});
        int sum = 0;
        for (const int n : pool.imap([](int n) { return n; }, std::vector<int>(50, 1),
                                     {.priority = random.between(-3, 3)})) {
          sum += n;
        }
        EXPECT_EQ(sum, 50);
      });
    }
    for (std::thread& issuer : issuers) issuer.join();
    pool.close();
    pool.join();
    ASSERT_EQ(calls, 3 * 350);
  }
}

TEST_P(PriorityPools, NestToAnyDepth) {
  PriorityThreadPool pool(workers());
  std::function<int(int)> depth = [&](int levels) -> int {
    if (levels == 0) return 0;
    return 1 + pool.apply_async(depth, std::tuple{levels - 1}, {.priority = -levels}).get();
  };
  EXPECT_EQ(pool.apply_async(depth, 50).get(), 50);
}

TEST_P(PriorityPools, ResolveEverythingOnTerminate) {
  PriorityThreadPool pool(workers());
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i != 1000; ++i) {
    results.push_back(pool.apply_async([i] { return i; }, std::tuple{}, {.priority = i % 7}));
  }
  pool.terminate();
  for (const AsyncResult<int>& result : results) result.wait();
}

}  // namespace
}  // namespace millpond::test
