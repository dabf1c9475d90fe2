// SPDX-License-Identifier: MIT
//
// docs/guide/choosing-a-call.md: every call that issues work, once.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <cstddef>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"

int square(int x) { return x * x; }
int power(int base, int exponent) {
  int result = 1;
  for (int i = 0; i < exponent; ++i) result *= base;
  return result;
}

void one_call() {
  millpond::ThreadPool pool(4);
  // snippet: one call
  const int now = pool.apply(power, 2, 10);    // waits: 1024
  auto later = pool.apply_async(power, 3, 4);  // returns at once
  const int then = later.get();                // waits here: 81
  // snippet end
  check(now == 1024 && then == 81, "two powers");
}

void many_items() {
  millpond::ThreadPool pool(4);
  // snippet: many items
  const std::vector<int> numbers{1, 2, 3, 4};
  const std::vector<std::pair<int, int>> pairs{{2, 3}, {3, 2}};

  const std::vector<int> squares = pool.map(square, numbers);  // {1, 4, 9, 16}
  const std::vector<int> powers = pool.starmap(power, pairs);  // {8, 9}: power(2, 3), power(3, 2)
  auto squares_later = pool.map_async(square, numbers);        // .get() gives the vector
  auto powers_later = pool.starmap_async(power, pairs);
  // snippet end
  check(squares == std::vector{1, 4, 9, 16}, "map");
  check(powers == std::vector{8, 9}, "starmap");
  check(squares_later.get() == squares && powers_later.get() == powers, "the same, later");
}

void into_my_own() {
  millpond::ThreadPool pool(4);
  const std::vector<int> numbers{1, 2, 3, 4};
  // snippet: into my own
  std::vector<int> squares(numbers.size());
  pool.map_into(squares, square, numbers);  // as often as you like: no allocation for results
  // snippet end
  check(squares == std::vector{1, 4, 9, 16}, "map_into");
}

void one_by_one() {
  millpond::ThreadPool pool(4);
  int sum = 0;
  std::vector<int> any_order;
  std::vector<int> powers;
  const std::vector<std::pair<int, int>> pairs{{2, 3}, {3, 2}};
  // snippet: one by one
  for (int y : pool.imap(square, std::views::iota(1))) {  // endless input, in order
    if (y > 100) break;
    sum += y;
  }
  for (int y : pool.imap_unordered(square, {1, 2, 3})) any_order.push_back(y);  // as they get done
  for (int y : pool.istarmap(power, pairs)) powers.push_back(y);                // items unpacked
  // snippet end
  check(sum == 385, "the squares up to 100");
  std::ranges::sort(any_order);
  check(any_order == std::vector{1, 4, 9}, "imap_unordered");
  check(powers == std::vector{8, 9}, "istarmap");
}

void chunksize() {
  millpond::ThreadPool pool(4);
  const std::vector<int> numbers(1000, 3);
  // snippet: chunksize
  const auto by_default = pool.map(square, numbers);
  const auto by_fifties = pool.map(square, numbers, 50);  // or {.chunksize = 50}
  // snippet end
  check(by_default == by_fifties && by_fifties.size() == 1000, "any chunksize, the same result");
}

void ownership() {
  millpond::ThreadPool pool(4);
  std::vector<int> numbers{1, 2, 3};
  // snippet: ownership
  auto copied = pool.map_async(square, numbers);             // numbers may go at once
  auto viewed = pool.map_async(square, std::span(numbers));  // numbers must outlive the work
  viewed.wait();
  auto moved = pool.map_async(square, std::move(numbers));  // numbers is empty now
  // snippet end
  check(copied.get() == moved.get() && viewed.get() == moved.get(),
        "three ways to hand over items");
}

int main() {
  one_call();
  many_items();
  into_my_own();
  one_by_one();
  chunksize();
  ownership();
}
