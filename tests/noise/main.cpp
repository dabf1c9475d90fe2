// SPDX-License-Identifier: MIT
//
// millpond_noise [--seconds N] [--seed S] [--faults] [--patience N] [GoogleTest's own options]
//
// Runs random programs for half of the time and the stress tests, on the same noisy primitives, for
// the other half. Memory and threads run out, too, with --faults. A seed repeats a run's programs
// and draws: --gtest_filter=Noise.RandomPrograms --seed <the failed round's>.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/steps.hpp"
#include "../support/stress.hpp"
#include "noise.hpp"
#include "options.hpp"

namespace millpond::noise {
namespace {

// Ends the program, saying where each thread is, when nothing has gone on for long.
class Watchdog {
 public:
  Watchdog() : thread_([this] { watch(); }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    done_.open();
    thread_.join();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void watch() {
    std::uint64_t seen = 0;
    Clock::time_point since = Clock::now();
    while (!done_.wait_for(std::chrono::milliseconds(500))) {
      const std::uint64_t now = test::progress.load(std::memory_order_relaxed);
      if (now != seen) {
        seen = now;
        since = Clock::now();
      } else if (Clock::now() - since > std::chrono::duration<double>(options().patience)) {
        const auto* const running = ::testing::UnitTest::GetInstance()->current_test_info();
        std::cerr << "no progress for " << options().patience << " s; --seed " << options().seed
                  << ", in the round with seed "
                  << test::current_round_seed.load(std::memory_order_relaxed) << "\n";
        if (running != nullptr)
          std::cerr << running->test_suite_name() << "." << running->name() << "\n";
        test::StepStack::print_all(std::cerr);
        std::cerr << std::flush;
        std::abort();
      }
    }
  }

  test::Gate done_;
  std::thread thread_;
};

// The stress tests know no moods: each gets one that is drawn from the seed.
class MoodForEachTest : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override {
    ++tests_;
    test::progress.fetch_add(1, std::memory_order_relaxed);
    Source::get().begin(
        {.yield = 2000, .spin = 4000, .sleep = 15, .late = 300, .weak = 8000, .spurious = 8000},
        options().seed + tests_, tests_ % Source::kThreads);
  }
  void OnTestEnd(const ::testing::TestInfo&) override { Source::get().be_quiet(); }

  std::uint32_t tests_ = 0;
};

void read_options(int argc, char** argv) {
  Options& options = noise::options();
  options.seed = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  const auto value = [&](int i) -> std::string {
    if (i + 1 >= argc) throw std::invalid_argument(std::string(argv[i]) + " needs a value");
    return argv[i + 1];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--faults") {
      options.faults = true;
    } else if (name == "--seconds") {
      options.seconds = std::stod(value(i++));
    } else if (name == "--seed") {
      options.seed = std::stoull(value(i++));
    } else if (name == "--patience") {
      options.patience = std::stod(value(i++));
    } else {
      throw std::invalid_argument("unknown option " + name);
    }
  }
}

}  // namespace
}  // namespace millpond::noise

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  millpond::noise::read_options(argc, argv);
  const auto& options = millpond::noise::options();
  std::cout << "--seed " << options.seed << std::endl;
  auto& tests = *::testing::UnitTest::GetInstance();
  // The stress tests share the other half.
  millpond::test::default_rounds().seed = options.seed;
  millpond::test::default_rounds().seconds = 0.5 * options.seconds / tests.total_test_count();
  tests.listeners().Append(new millpond::noise::MoodForEachTest);
  const millpond::noise::Watchdog watchdog;
  return RUN_ALL_TESTS();
}
