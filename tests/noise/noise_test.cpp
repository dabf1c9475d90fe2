// SPDX-License-Identifier: MIT
//
// Random programs (program.hpp) on primitives that make noise. The stress tests of tests/stress are
// part of this program, too, and run on the same primitives.

#include "noise.hpp"

#include <millpond/millpond.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "../support/faults.hpp"
#include "../support/replaced_new.hpp"
#include "../support/steps.hpp"
#include "../support/stress.hpp"
#include "options.hpp"
#include "program.hpp"

bool millpond::test::allocation_fails() noexcept { return noise::allocation_fails(); }

namespace millpond::noise {
namespace {

using test::kOutside;
using test::Random;
using test::Rounds;
using test::Step;

// Who ends the pool, and how; each at a moment of its own.
enum class Ender { close, terminate, close_and_join, in_a_task, nobody };

void end_pool(Ender ender, auto& pool, Random& random) {
  const Step step("ends the pool");
  random.dawdle(5000);
  switch (ender) {
    case Ender::close:
      pool.close();
      break;
    case Ender::terminate:
      pool.terminate();
      break;
    case Ender::close_and_join:
      pool.close();
      pool.join();
      break;
    case Ender::in_a_task:
    case Ender::nobody:
      break;
  }
}

// Looks at what nobody looked at: only what the tasks and the noise may have thrown.
void expect_known(const std::exception_ptr& error) {
  const test::Sheltered sheltered;
  try {
    std::rethrow_exception(error);
  } catch (const test::Boom&) {
  } catch (const Rude&) {
  } catch (const test::SayWhen&) {
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
}

template <class Order>
std::unique_ptr<BasicThreadPool<Order>> make_pool(Random& random, bool faults) {
  const Step step("makes a pool");
  const int workers = test::some_workers(random);
  const auto make = [&] {
    return std::make_unique<BasicThreadPool<Order>>(
        PoolOptions{.processes = workers, .on_unobserved_error = expect_known});
  };
  for (int failures = 0; failures != 3; ++failures) {
    try {
      return test::exposed(make);
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(faults);
    } catch (const std::system_error&) {
      EXPECT_TRUE(faults);
    }
  }
  return make();
}

template <class Order>
void run_program(Random& random, bool faults) {
  auto pool = make_pool<Order>(random, faults);
  BasicThreadPool<Order>& alias = *pool;
  Program<Order> program(alias, faults);
  bool terminates = false;
  std::vector<std::thread> threads;
  for (int i = random.between(1, 3); i > 0; --i) {
    threads.emplace_back([&, seed = random.split()] {
      const Step step("a caller");
      Random mine(seed);
      const int depth = mine.between(0, 3);
      for (int calls = mine.between(1, 20); calls > 0; --calls) {
        if (!program.act(mine, depth, kOutside)) return;
      }
    });
  }
  for (int i = random.between(0, 2); i > 0; --i) {
    const auto ender = static_cast<Ender>(random.between(0, 4));
    const bool terminate = random.one_in(2);
    terminates =
        terminates || ender == Ender::terminate || (ender == Ender::in_a_task && terminate);
    threads.emplace_back([&, ender, terminate, seed = random.split()] {
      Random mine(seed);
      if (ender != Ender::in_a_task) return end_pool(ender, alias, mine);
      const Step step("ends the pool in a task");
      mine.dawdle(5000);
      try {
        const AsyncResult<void> done = alias.apply_async([&alias, terminate] {
          const test::Sheltered sheltered;
          terminate ? alias.terminate() : alias.close();
        });
        done.wait();
      } catch (const ValueError&) {  // another was faster
      }
    });
  }
  for (std::thread& thread : threads) {
    const Step step("joins the callers");
    thread.join();
  }
  const bool finishes = random.one_in(2);
  if (finishes) {
    const Step step("closes and joins");
    alias.close();
    alias.join();
  }
  {
    const Step step("destroys the pool");
    pool.reset();
  }
  program.check(finishes && !terminates);
}

Mood some_mood(Random& random, bool faults) {
  // Of 65,536 times.
  const auto up_to = [&](int most) {
    return random.one_in(3) ? std::uint16_t{0}
                            : static_cast<std::uint16_t>(random.between(0, most));
  };
  Mood mood{.yield = up_to(4000),
            .spin = up_to(8000),
            .sleep = up_to(60),
            .late = up_to(1500),
            .weak = up_to(20000),
            .spurious = up_to(20000)};
  if (faults) {
    mood.allocation = up_to(2000);
    mood.thread = up_to(2000);
  }
  return mood;
}

TEST(Noise, RandomPrograms) {
  std::uint64_t faults_before = 0;
  for (Rounds rounds(options().seed, 0.5 * options().seconds); rounds.next();) {
    Random random(rounds.seed());
    const bool faults = options().faults && random.one_in(2);
    const Mood mood = some_mood(random, faults);
    Source::get().begin(mood, random.split(), static_cast<std::uint32_t>(random.between(0, 4)));
    if (random.one_in(3)) {
      run_program<Priority>(random, faults);
    } else {
      run_program<Fifo>(random, faults);
    }
    faults_before += Source::get().faults.exchange(0, std::memory_order_relaxed);
  }
  Source::get().be_quiet();
  std::cout << "faults: " << faults_before << std::endl;
}

}  // namespace
}  // namespace millpond::noise
