// SPDX-License-Identifier: MIT
//
// docs/guide/imap.md: results one by one, input of any length.

#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"

using namespace std::chrono_literals;

int square(int x) { return x * x; }

void endless() {
  millpond::ThreadPool pool(4);
  int found = 0;
  // snippet: endless
  for (int y : pool.imap(square, std::views::iota(1))) {
    if (y % 1000 == 1 && y > 1) {
      found = y;  // 62001 = 249 * 249
      break;      // gives up what has not started
    }
  }
  // snippet end
  check(found == 62001, "the first square that ends in 001");
}

void lines() {
  millpond::ThreadPool pool(4);
  std::istringstream input("a mill stands by a pond");
  std::vector<std::size_t> sizes;
  // snippet: stream
  const auto size = [](const std::string& word) { return word.size(); };
  for (auto n : pool.imap(size, std::views::istream<std::string>(input), {.buffersize = 8})) {
    sizes.push_back(n);
  }
  // snippet end
  check(sizes == std::vector<std::size_t>{1, 4, 6, 2, 1, 4}, "the sizes of words from a stream");
}

void next() {
  millpond::ThreadPool pool(2);
  std::atomic<bool> may_end = false;
  const auto slow = [&](int x) {
    if (x == 2) may_end.wait(false);
    return x;
  };
  std::vector<std::optional<int>> seen;
  int timeouts = 0;
  // snippet: next
  auto results = pool.imap(slow, {1, 2});
  seen.push_back(results.next());  // 1
  try {
    seen.push_back(results.next(10ms));
  } catch (const millpond::TimeoutError&) {
    ++timeouts;  // 2 is not done yet; it is not lost either
  }
  may_end = true;
  may_end.notify_all();
  seen.push_back(results.next());  // 2
  seen.push_back(results.next());  // none: the end
  // snippet end
  check(seen == std::vector<std::optional<int>>{1, 2, std::nullopt} && timeouts == 1,
        "next() to the end");
}

void errors() {
  millpond::ThreadPool pool(4);
  const auto reciprocal = [](int x) {
    if (x == 0) throw std::domain_error("0 has none");
    return 60 / x;
  };
  std::vector<int> values;
  int failures = 0;
  // snippet: errors
  auto results = pool.imap(reciprocal, {2, 0, 3}, {.chunksize = 3});
  for (bool more = true; more;) {
    try {
      const std::optional<int> value = results.next();
      more = value.has_value();
      if (value) values.push_back(*value);
    } catch (const std::domain_error&) {
      ++failures;  // of this item; the next call gives the next one
    }
  }
  // snippet end
  check(values == std::vector{30, 20} && failures == 1, "one failing item among three");
}

void pipeline() {
  millpond::ThreadPool pool(4);
  std::vector<int> seen;
  // snippet: pipeline
  auto squares = pool.imap(square, std::views::iota(1, 5));
  for (int y : pool.imap([](int x) { return -x; }, std::move(squares))) seen.push_back(y);
  // snippet end
  check(seen == std::vector{-1, -4, -9, -16}, "one imap as the input of another");
}

int main() {
  endless();
  lines();
  next();
  errors();
  pipeline();
}
