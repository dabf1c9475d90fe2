// SPDX-License-Identifier: MIT
//
// docs/guide/getting-started.md: a first program, and the ways to make a pool.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"

// snippet: function
std::ptrdiff_t count_spaces(const std::string& text) {
  return std::count(text.begin(), text.end(), ' ');
}
// snippet end

std::atomic<int> open_connections = 0;

void connect(const std::string& host) {
  if (!host.empty()) ++open_connections;
}

void first_pool() {
  // snippet: first pool
  millpond::ThreadPool pool(4);
  const std::vector<std::string> lines{"to be or not to be", "that is the question"};
  const std::vector<std::ptrdiff_t> spaces = pool.map(count_spaces, lines);  // {5, 3}
  // snippet end
  check(spaces == std::vector<std::ptrdiff_t>{5, 3}, "count_spaces of two lines");
}

void making_pools() {
  // snippet: pools
  millpond::ThreadPool all;       // as many workers as there are CPUs to run on
  millpond::ThreadPool eight(8);  // eight, whatever the machine has
  millpond::ThreadPool connected(3, connect, "example.org");  // connect("example.org") in each
  millpond::ThreadPool named({.processes = 2, .thread_name_prefix = "io"});  // "io-0" and "io-1"
  // snippet end
  check(all.size() == millpond::cpu_count(), "size of a pool made without arguments");
  check(eight.size() == 8, "size of a pool of eight");
  check(open_connections == 3, "the initializer ran in every worker");
  check(named.size() == 2, "size of a pool made with options");
}

void arguments() {
  millpond::ThreadPool pool(2);
  // snippet: arguments
  auto message = std::make_unique<std::string>("a move-only argument");
  auto length = pool.apply_async([](std::unique_ptr<std::string> text) { return text->size(); },
                                 std::move(message));

  std::vector<int> numbers{3, 1, 2};
  pool.apply_async([](std::vector<int>& v) { std::ranges::sort(v); }, std::ref(numbers)).wait();
  // snippet end
  check(length.get() == 20, "length of a moved-in string");
  check(numbers == std::vector{1, 2, 3}, "a vector sorted by reference");
}

int main() {
  first_pool();
  making_pools();
  arguments();
}
