// SPDX-License-Identifier: MIT
//
// Producers, callbacks and waiters against close(), terminate() and the destructor.

#include <millpond/millpond.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
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
using namespace std::chrono_literals;

// Runs `body(random, index)` in several threads.
template <class Body>
class Crowd {
 public:
  Crowd(int size, Random& random, Body body) : body_(std::move(body)) {
    for (int i = 0; i < size; ++i) {
      threads_.emplace_back([this, i, seed = random.split()] {
        Random mine(seed);
        body_(mine, i);
      });
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() { join(); }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Body body_;
  std::vector<std::thread> threads_;
};

// True if the pool accepted the call, false if it was not running any more.
template <class Call>
bool accepted(Call call) {
  try {
    call();
    return true;
  } catch (const ValueError& error) {
    EXPECT_EQ(std::string(error.what()), "Pool not running");
    return false;
  }
}

TEST(ShutdownStress, ProducersMeetClose) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    std::atomic<int> ran{0}, issued{0};
    ThreadPool pool(some_workers(random));
    {
      Crowd producers(3, random, [&](Random& mine, int) {
        for (int i = 0; i < 1000; ++i) {
          if (!accepted([&] { pool.apply_async([&] { ++ran; }); })) return;
          ++issued;
          mine.dawdle(5);
        }
      });
      random.dawdle(5000);
      pool.close();
      if (random.one_in(2)) pool.join();
    }
    pool.join();
    ASSERT_EQ(ran, issued) << "accepted work is done, refused work is not";
  }
}

TEST(ShutdownStress, ProducersMeetTerminate) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    InstanceCounter counter;
    constexpr std::size_t kProducers = 3;
    std::array<std::vector<AsyncResult<int>>, kProducers> results;
    std::atomic<int> ran{0};
    {
      ThreadPool pool(some_workers(random));
      Crowd producers(kProducers, random, [&](Random& mine, int index) {
        auto& my_results = results.at(static_cast<std::size_t>(index));
        for (int i = 0; i < 1000; ++i) {
          if (!accepted([&] {
                my_results.push_back(pool.apply_async([&ran, i, token = Counted(counter)] {
                  ++ran;
                  return i;
                }));
              })) {
            return;
          }
          if (mine.one_in(10)) {
            try {
              static_cast<void>(my_results.back().get());
            } catch (const TerminatedError&) {
            }
          }
        }
      });
      random.dawdle(5000);
      pool.terminate();
      producers.join();
      if (random.one_in(2)) pool.join();
      // join() or not, abandoned results need nobody.
      for (const auto& some : results) {
        for (const AsyncResult<int>& result : some) result.wait();
      }
    }
    int done = 0;
    for (const auto& some : results) {
      for (std::size_t i = 0; i < some.size(); ++i) {
        try {
          ASSERT_EQ(some[i].get(), static_cast<int>(i));
          ++done;
        } catch (const TerminatedError&) {
        }
      }
    }
    ASSERT_EQ(ran, done) << "a task has run if and only if its result says so";
    ASSERT_TRUE(counter.balanced());
  }
}

TEST(ShutdownStress, BlockingCallersMeetTerminate) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    std::atomic<int> inside{0};
    {
      ThreadPool pool(some_workers(random));
      Crowd callers(4, random, [&](Random& mine, int index) {
        for (;;) {
          try {
            if (index % 2 == 0) {
              ASSERT_EQ(pool.apply([](int a) { return a + 1; }, 1), 2);
            } else {
              // Nobody may look at these once the call has returned.
              std::vector<std::unique_ptr<int>> items;
              for (int i = 0; i < 20; ++i) items.push_back(std::make_unique<int>(i));
              const auto values = pool.map(
                  [&](const std::unique_ptr<int>& item) {
                    ++inside;
                    const int value = *item;
                    --inside;
                    return value;
                  },
                  items, mine.between(1, 5));
              for (int i = 0; i < 20; ++i) ASSERT_EQ(values.at(static_cast<std::size_t>(i)), i);
            }
          } catch (const TerminatedError&) {
            return;
          } catch (const ValueError&) {
            return;
          }
        }
      });
      random.dawdle(20000);
      pool.terminate();
    }
    ASSERT_EQ(inside, 0);
  }
}

TEST(ShutdownStress, EveryJobGetsOneCallbackWhateverEndsThePool) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    constexpr int kJobs = 60;
    struct Job {
      std::atomic<int> callbacks{0};
      std::atomic<int> error_callbacks{0};
      AsyncResult<int> result;
    };
    InstanceCounter counter;
    std::vector<Job> jobs(kJobs);
    std::atomic<int> inside{0};
    int called = 0;  // not atomic: callbacks run one at a time, in one thread
    int issued = 0;
    const int terminating_callback = random.between(0, 2 * kJobs);
    {
      ThreadPool pool(some_workers(random));
      for (int i = 0; i < kJobs; ++i) {
        Job& job = jobs.at(static_cast<std::size_t>(i));
        const bool fails = random.one_in(4);
        const auto enter = [&, i] {
          ASSERT_EQ(++inside, 1);
          ++called;
          if (i == terminating_callback) pool.terminate();
          --inside;
        };
        if (!accepted([&] {
              job.result = pool.apply_async(
                  [fails, i, token = Counted(counter)] {
                    if (fails) throw std::runtime_error("boom");
                    return i;
                  },
                  std::tuple{},
                  {.callback =
                       [&job, enter, token = Counted(counter)](const int&) {
                         enter();
                         ++job.callbacks;
                       },
                   .error_callback =
                       [&job, enter, token = Counted(counter)](const std::exception_ptr&) {
                         enter();
                         ++job.error_callbacks;
                       }});
            })) {
          break;
        }
        ++issued;
        if (random.one_in(10)) job.result.wait();
      }
      if (random.one_in(2)) random.dawdle(5000);
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
    ASSERT_EQ(called, issued);
    for (int i = 0; i < issued; ++i) {
      Job& job = jobs.at(static_cast<std::size_t>(i));
      ASSERT_TRUE(job.result.ready());
      const bool good = job.result.successful();
      ASSERT_EQ(job.callbacks, good ? 1 : 0);
      ASSERT_EQ(job.error_callbacks, good ? 0 : 1);
      job.result = {};
    }
    ASSERT_TRUE(counter.balanced());
  }
}

TEST(ShutdownStress, TheCallbackHasRunWhenTheResultIsReady) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    ThreadPool pool(some_workers(random));
    Crowd callers(3, random, [&](Random& mine, int) {
      for (int i = 0; i < 50; ++i) {
        int called = 0;  // not atomic: get() returns after the callback
        const auto callback = [&](const auto&) { ++called; };
        const bool fails = mine.one_in(3);
        std::optional<AsyncResult<int>> result;
        if (!accepted([&] {
              result = pool.apply_async(
                  [fails] {
                    if (fails) throw std::runtime_error("boom");
                    return 1;
                  },
                  std::tuple{}, {.callback = callback, .error_callback = callback});
            })) {
          return;
        }
        switch (mine.between(0, 3)) {
          case 0:
            result->wait();
            break;
          case 1:
            static_cast<void>(result->wait(1h));
            break;
          case 2:
            static_cast<void>(result->exception());
            break;
          case 3:
            while (!result->ready()) std::this_thread::yield();
            break;
        }
        ASSERT_EQ(called, 1);
        static_cast<void>(result->exception());
      }
    });
    if (random.one_in(2)) {
      random.dawdle(10000);
      pool.terminate();
    }
  }
}

TEST(ShutdownStress, JoinersCloseAndTerminateRace) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    std::vector<AsyncResult<void>> results;
    ThreadPool pool(some_workers(random));
    for (int i = 0; i < 50; ++i) {
      if (!accepted([&] {
            results.push_back(pool.apply_async([&pool, ends = random.one_in(60)] {
              if (ends) pool.terminate();
            }));
          })) {
        break;
      }
    }
    {
      Crowd crowd(4, random, [&](Random& mine, int) {
        mine.dawdle(1000);
        if (mine.one_in(3)) pool.terminate();
        pool.close();
        pool.join();
        for (const AsyncResult<void>& result : results) ASSERT_TRUE(result.ready());
      });
    }
  }
}

}  // namespace
}  // namespace millpond
