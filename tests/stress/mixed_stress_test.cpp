// SPDX-License-Identifier: MIT
//
// All calls at once, from outside and nested in tasks and callbacks, until the pool ends somehow.

#include <millpond/millpond.hpp>

#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "../support/mix.hpp"
#include "../support/stress.hpp"

namespace millpond {
namespace {

using test::Boom;
using test::kOutside;
using test::Random;
using test::Rounds;
using test::some_workers;

enum class End { close, terminate, terminate_in_a_task, close_in_a_task, destructor };

TEST(MixedStress, EveryCallAgainstEveryEnd) {
  for (Rounds rounds; rounds.next();) {
    Random random(rounds.seed());
    const End end = static_cast<End>(random.between(0, 4));
    auto pool = std::make_unique<ThreadPool>(
        PoolOptions{.processes = some_workers(random),
                    .on_unobserved_error = [](const std::exception_ptr& error) {
                      EXPECT_THROW(std::rethrow_exception(error), Boom);
                    }});
    ThreadPool& alias = *pool;
    test::Mix<Fifo> mix(alias);
    if (end == End::terminate_in_a_task) {
      mix.call_when(random.between(0, 150), [&] { alias.terminate(); });
    } else if (end == End::close_in_a_task) {
      mix.call_when(random.between(0, 150), [&] { alias.close(); });
    }
    std::vector<std::thread> callers;
    const int caller_count = random.between(1, 4);
    for (int i = 0; i < caller_count; ++i) {
      callers.emplace_back([&, seed = random.split()] {
        Random mine(seed);
        const int depth = mine.between(0, 3);
        for (int calls = mine.between(1, 30); calls > 0; --calls) {
          if (!mix.act(mine, depth, kOutside)) return;
        }
      });
    }
    random.dawdle(20000);
    if (end == End::terminate) alias.terminate();
    if (end == End::close && random.one_in(2)) alias.close();
    for (std::thread& caller : callers) caller.join();
    switch (end) {
      case End::close:
      case End::close_in_a_task:
      case End::terminate_in_a_task:
        alias.close();
        alias.join();
        break;
      case End::terminate:
        if (random.one_in(2)) alias.join();
        break;
      case End::destructor:
        break;
    }
    pool.reset();
    mix.check(end == End::close || end == End::close_in_a_task);
  }
}

}  // namespace
}  // namespace millpond
