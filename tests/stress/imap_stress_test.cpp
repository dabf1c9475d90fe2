// SPDX-License-Identifier: MIT
//
// Iterators with several readers, dropped early, over infinite input, and ended from outside.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/stress.hpp"

namespace millpond {
namespace {

using test::Counted;
using test::Generated;
using test::InstanceCounter;
using test::Random;
using test::Rounds;
using test::some_workers;
using namespace std::chrono_literals;

// chunksize and buffersize, each given or not.
ImapOptions some_options(Random& random) {
  ImapOptions options;
  if (random.one_in(2)) options.chunksize = random.between(1, 5);
  if (random.one_in(2)) options.buffersize = random.between(1, 5);
  return options;
}

// 0, 1, ..., or for ever if count is negative. Fails the test if two threads advance it at once.
Generated<int> input(int count, std::atomic<int>& inside) {
  return Generated<int>([next = 0, count, &inside]() mutable -> std::optional<int> {
    EXPECT_EQ(++inside, 1);
    const std::optional<int> item = next == count ? std::nullopt : std::optional(next++);
    --inside;
    return item;
  });
}

template <class F, class Items>
ImapIterator<int> imap_or_unordered(ThreadPool& pool, bool ordered, F f, Items items,
                                    ImapOptions options) {
  return ordered ? pool.imap(std::move(f), std::move(items), options)
                 : pool.imap_unordered(std::move(f), std::move(items), options);
}

TEST(ImapStress, EveryItemIsYieldedOnceToOneOfManyReaders) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    const int count = random.between(0, 200);
    std::vector<std::atomic<int>> ran(static_cast<std::size_t>(count));
    std::vector<std::atomic<int>> yielded(static_cast<std::size_t>(count));
    std::atomic<int> inside{0}, errors{0};
    const bool ordered = random.one_in(2);
    const int failing = random.between(0, 400);
    ThreadPool pool(some_workers(random));
    ImapIterator<int> items = imap_or_unordered(
        pool, ordered,
        [&](int item) {
          ++ran.at(static_cast<std::size_t>(item));
          if (item == failing) throw std::runtime_error("boom");
          return item;
        },
        input(count, inside), some_options(random));
    if (random.one_in(3)) pool.close();
    std::vector<std::thread> readers;
    const int reader_count = random.between(1, 4);
    for (int i = 0; i < reader_count; ++i) {
      readers.emplace_back([&, timed = random.one_in(2)] {
        int last = -1;
        for (;;) {
          try {
            const std::optional<int> item = timed ? items.next(1h) : items.next();
            if (!item) break;
            if (ordered) {
              ASSERT_GT(*item, last) << "each reader sees the input's order";
            }
            last = *item;
            ++yielded.at(static_cast<std::size_t>(*item));
          } catch (const std::runtime_error&) {
            ++errors;
          }
        }
        ASSERT_EQ(items.next(), std::nullopt);
      });
    }
    for (std::thread& reader : readers) reader.join();
    ASSERT_EQ(errors, failing < count ? 1 : 0);
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(ran.at(static_cast<std::size_t>(i)), 1);
      ASSERT_EQ(yielded.at(static_cast<std::size_t>(i)), i == failing ? 0 : 1);
    }
  }
}

TEST(ImapStress, IteratorsAreDroppedEarly) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    InstanceCounter counter;
    constexpr std::size_t kTimes = 10;
    std::vector<std::atomic<int>> inside(kTimes), inside_other(kTimes);
    {
      ThreadPool pool(some_workers(random));
      for (std::size_t i = 0; i < kTimes; ++i) {
        ImapIterator<Counted> items =
            pool.imap([&, token = Counted(counter)](int item) { return Counted(counter, item); },
                      input(random.one_in(2) ? -1 : random.between(0, 30), inside.at(i)),
                      some_options(random));
        ImapIterator<int> other =
            pool.imap_unordered([token = Counted(counter)](int item) { return item; },
                                input(-1, inside_other.at(i)), some_options(random));
        const int wanted = random.between(0, 20);
        for (int taken = 0; taken < wanted; ++taken) {
          std::optional<Counted> item = items.next();
          if (!item) break;
          ASSERT_EQ(item->value(), taken);
          ASSERT_TRUE(other.next().has_value());
        }
        random.dawdle();
        if (random.one_in(2))
          items = pool.imap([](const Counted& c) { return c; },
                            std::vector<Counted>(3, Counted(counter)));
      }
      switch (random.between(0, 2)) {
        case 0:
          pool.terminate();
          break;
        case 1:
          pool.close();
          pool.join();
          break;
        default:
          break;
      }
    }
    ASSERT_TRUE(counter.balanced()) << counter.alive();
  }
}

TEST(ImapStress, TerminateEndsEveryReaderAndTellsOneOfThem) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    std::atomic<int> inside{0}, terminated{0}, sum_ran{0};
    InstanceCounter counter;
    {
      std::optional<ThreadPool> pool(std::in_place, some_workers(random));
      const bool ordered = random.one_in(2);
      ImapIterator<int> items = imap_or_unordered(
          *pool, ordered, [&, token = Counted(counter)](int item) { return ++sum_ran, item; },
          input(-1, inside), some_options(random));
      std::vector<std::thread> readers;
      std::vector<std::vector<int>> seen(3);
      for (auto& mine : seen) {
        readers.emplace_back([&items, &mine, &terminated] {
          for (;;) {
            try {
              const std::optional<int> item = items.next();
              if (!item) return;
              mine.push_back(*item);
            } catch (const TerminatedError&) {
              ++terminated;
            }
          }
        });
      }
      random.dawdle(3000);
      std::optional<std::thread> joiner;
      if (random.one_in(3)) {
        pool->close();
        joiner.emplace([&] { pool->join(); });  // lets it run ahead without limit
        random.dawdle(500);
      }
      const bool destroyed = !joiner && random.one_in(2);
      destroyed ? pool.reset() : pool->terminate();
      for (std::thread& reader : readers) reader.join();
      if (joiner) joiner->join();
      ASSERT_EQ(terminated, 1);
      std::vector<int> all;
      for (const auto& mine : seen) all.insert(all.end(), mine.begin(), mine.end());
      std::sort(all.begin(), all.end());
      ASSERT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "yielded twice";
      ASSERT_LE(static_cast<int>(all.size()), sum_ran);
    }
    ASSERT_TRUE(counter.balanced());
  }
}

TEST(ImapStress, ManyIteratorsShareAPoolThatIsJoined) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    std::atomic<int> ran{0};
    std::vector<std::atomic<int>> inside(6);
    int expected = 0;
    std::vector<ImapIterator<int>> iterators;
    ThreadPool pool(some_workers(random));
    for (auto& mine : inside) {
      const int count = random.between(0, 50);
      expected += count;
      iterators.push_back(imap_or_unordered(
          pool, random.one_in(2), [&](int item) { return ++ran, item; }, input(count, mine),
          some_options(random)));
      for (int taken = random.between(0, 10); taken > 0; --taken) {
        static_cast<void>(iterators.back().next());
      }
    }
    pool.close();
    pool.join();
    ASSERT_EQ(ran, expected) << "join() finishes input that nobody reads";
  }
}

// An iterator that waits while another thread's timed reads give up again and again.
TEST(ImapStress, TimedReadersLoseNothing) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    const int count = random.between(0, 100);
    std::atomic<int> inside{0}, yielded{0};
    ThreadPool pool(some_workers(random));
    ImapIterator<int> items = imap_or_unordered(
        pool, random.one_in(2), [&](int item) { return item; }, input(count, inside),
        some_options(random));
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&, seed = random.split()] {
        Random mine(seed);
        for (;;) {
          try {
            if (!items.next(std::chrono::nanoseconds(mine.between(-1, 20000)))) return;
            ++yielded;
          } catch (const TimeoutError&) {
          }
        }
      });
    }
    for (std::thread& reader : readers) reader.join();
    ASSERT_EQ(yielded, count);
  }
}

// A reader that takes every item as soon as it is there never fills the look-ahead window. Here no
// item is made before all but the last few were taken.
TEST(ImapStress, AFastReaderStarvesNobody) {
  for (const int workers : {1, 2, 8}) {
    std::atomic<int> inside{0};
    std::atomic<bool> enough{false};
    test::EventCount taken;
    ThreadPool pool(workers);
    ImapIterator<int> items = pool.imap_unordered(
        [&](int item) {
          taken.wait_until(static_cast<std::size_t>(std::max(0, item - workers)));
          return item;
        },
        input(-1, inside));
    std::thread reader([&] {
      while (!enough) {
        ASSERT_TRUE(items.next().has_value());
        taken.add();
      }
    });
    EXPECT_EQ(pool.apply_async([] { return 1; }).get(), 1);
    EXPECT_EQ(pool.map([](int item) { return item; }, std::vector<int>{1, 2, 3}),
              (std::vector<int>{1, 2, 3}));
    enough = true;
    taken.add(1'000'000);  // lets everybody go
    reader.join();
  }
}

}  // namespace
}  // namespace millpond
