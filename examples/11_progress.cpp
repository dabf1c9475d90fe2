// SPDX-License-Identifier: MIT
//
// docs/guide/progress.md: two progress bars.

#include <millpond/millpond.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

#include "check.hpp"

using namespace std::chrono_literals;

// snippet: terminal
bool stdout_is_a_terminal() {
#if defined(_WIN32)
  return _isatty(_fileno(stdout)) != 0;
#else
  return isatty(fileno(stdout)) != 0;
#endif
}
// snippet end

// snippet: bar
std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t kWidth = 20;
  const std::size_t filled = total == 0 ? kWidth : kWidth * done / total;
  return '[' + std::string(filled, '#') + std::string(kWidth - filled, '.') + "] " +
         std::to_string(done) + " of " + std::to_string(total);
}

enum class Last { no, yes };

void show(std::size_t done, std::size_t total, Last last = Last::no) {
  static const bool redraws = stdout_is_a_terminal();  // a file gets the last state only
  if (!redraws && last == Last::no) return;
  std::printf("%s%s%s", redraws ? "\r" : "", bar(done, total).c_str(),
              last == Last::yes ? "\n" : "");
  std::fflush(stdout);
}
// snippet end

std::uint64_t collatz_steps(std::uint64_t n) {
  std::uint64_t steps = 0;
  for (; n > 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

std::vector<std::uint64_t> numbers_up_to(std::size_t size) {
  std::vector<std::uint64_t> numbers(size);
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{1});
  return numbers;
}

void by_polling() {
  const std::vector<std::uint64_t> numbers = numbers_up_to(500'000);
  // snippet: polling
  millpond::ThreadPool pool;
  auto result = pool.map_async(collatz_steps, numbers);
  while (!result.wait(10ms)) show(result.completed(), result.total());
  show(result.completed(), result.total(), Last::yes);
  const std::vector<std::uint64_t>& steps = result.get();
  // snippet end
  check(result.completed() == 500'000 && result.total() == 500'000, "all items are counted");
  check(steps.size() == 500'000 && steps[26] == 111, "27 takes 111 steps");
}

void by_imap() {
  const std::vector<std::uint64_t> numbers = numbers_up_to(20'000);
  // snippet: imap
  millpond::ThreadPool pool;
  std::size_t done = 0;
  std::uint64_t all_steps = 0;
  for (std::uint64_t steps : pool.imap_unordered(collatz_steps, numbers, 100)) {
    all_steps += steps;
    if (++done % 500 == 0) show(done, numbers.size());
  }
  show(done, numbers.size(), Last::yes);
  // snippet end
  const std::vector<std::uint64_t> expected = pool.map(collatz_steps, numbers);
  check(done == 20'000 &&
            all_steps == std::accumulate(expected.begin(), expected.end(), std::uint64_t{0}),
        "all results have been seen");
}

int main() {
  check(bar(5, 10) == "[##########..........] 5 of 10", "a bar that is half full");
  check(bar(0, 0) == "[####################] 0 of 0", "a bar of nothing");
  by_polling();
  by_imap();
}
