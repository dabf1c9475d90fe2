// SPDX-License-Identifier: MIT
// What an imap yields, and how far it reads ahead.
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

// A reader that waits for each item: told by publish(), at the end by finish().
SCENARIO(imap_one_reader, .bound = 3) {
  ThreadPool pool(1);
  auto it = pool.imap([c = Capture()](int i) { return Value(i + *c); }, Numbers(2));
  CHECK(next_of(it) == 1);
  CHECK(next_of(it) == 2);
  CHECK(next_of(it) == -1);
  CHECK(next_of(it) == -1);
}

// The end is told to a reader though nothing was ever published.
SCENARIO(imap_over_nothing, .bound = kUnbounded) {
  ThreadPool pool(1);
  auto it = pool.imap(
      [](int i) {
        CHECK(false);
        return Value(i);
      },
      Numbers(0));
  CHECK(next_of(it) == -1);
}

// Items that get done in the wrong order are yielded in the right one.
SCENARIO(imap_keeps_the_order) {
  ThreadPool pool(2);
  Gate second;
  auto it = pool.imap(
      [&](int i) {
        i == 0 ? second.wait() : second.open();
        return Value(i);
      },
      Numbers(2));
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == 1);
  CHECK(next_of(it) == -1);
}

// What is done is yielded though an older item runs on.
SCENARIO(imap_unordered_overtakes) {
  ThreadPool pool(2);
  Gate taken;
  auto it = pool.imap_unordered(
      [&](int i) {
        if (i == 0) taken.wait();
        return Value(i);
      },
      Numbers(2));
  CHECK(next_of(it) == 1);
  taken.open();
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == -1);
}

// Two readers: each item to one of them, and both are told of the end.
SCENARIO(imap_two_readers) {
  ThreadPool pool(1);
  auto it = pool.imap([](int i) { return Value(i + 1); }, Numbers(2));
  int other = 0;
  thread reader([&] {
    for (int n; (n = next_of(it)) != -1;) other += n;
  });
  int mine = 0;
  for (int n; (n = next_of(it)) != -1;) mine += n;
  reader.join();
  CHECK(mine + other == 3);
}

// Two readers claim the slots of one chunk without the mutex.
SCENARIO(imap_two_readers_of_a_chunk) {
  ThreadPool pool(1);
  auto it = pool.imap([](int i) { return Value(1 << i); }, Numbers(3), {.chunksize = 3});
  CHECK(next_of(it) == 1);
  int other = 0;
  thread reader([&] { other = next_of(it); });
  const int mine = next_of(it);
  reader.join();
  CHECK(mine + other == 6);
  CHECK(next_of(it) == -1);
}

// A full window: reading goes on when the reader makes room, and never further.
SCENARIO(imap_buffersize_one, .bound = 3) {
  ThreadPool pool(1);
  mt::atomic<int> asked = 0;
  auto it = pool.imap_unordered(
      [&](int i) {
        CHECK(i <= asked.load());  // so many were asked for before it was read
        return Value(i);
      },
      Numbers(Numbers::kEndless), {.buffersize = 1});
  for (int i = 0; i < 3; ++i) {
    asked.store(i + 1);
    CHECK(next_of(it) == i);
  }
}

// Chunks of two that pass through a window of one: emptied chunks are used again.
SCENARIO(imap_chunks_of_two) {
  ThreadPool pool(1);
  auto it =
      pool.imap([](int i) { return Value(i); }, Numbers(5), {.chunksize = 2, .buffersize = 1});
  for (int i = 0; i < 5; ++i) CHECK(next_of(it) == i);
  CHECK(next_of(it) == -1);
}

// The error of an item is thrown at its position, and iteration goes on within its chunk.
SCENARIO(imap_item_throws) {
  ThreadPool pool(1);
  auto it = pool.imap(
      [](int i) {
        user_code();
        if (i == 1) throw std::runtime_error("item");
        return Value(i);
      },
      Numbers(3), {.chunksize = 3});
  CHECK(next_of(it) == 0);
  CHECK(end_of_next(it) == End::error);
  CHECK(next_of(it) == 2);
  CHECK(next_of(it) == -1);
}

// An unordered item's error wakes the reader as a value does.
SCENARIO(imap_unordered_item_throws) {
  ThreadPool pool(1);
  auto it = pool.imap_unordered(
      [](int) -> Value {
        user_code();
        throw std::runtime_error("item");
      },
      Numbers(1));
  CHECK(end_of_next(it) == End::error);
  CHECK(next_of(it) == -1);
}

// What the input throws comes after the items that were read before it, once.
SCENARIO(imap_input_throws) {
  ThreadPool pool(1);
  auto it = pool.imap([](int i) { return Value(i); }, Numbers(5, 1));
  CHECK(next_of(it) == 0);
  CHECK(end_of_next(it) == End::error);
  CHECK(next_of(it) == -1);
}

// The same in the middle of a chunk, while another worker is free to find the end.
SCENARIO(imap_input_throws_in_a_chunk) {
  ThreadPool pool(2);
  auto it = pool.imap_unordered([](int i) { return Value(i); }, Numbers(5, 1), {.chunksize = 2});
  CHECK(next_of(it) == 0);
  CHECK(end_of_next(it) == End::error);
  CHECK(next_of(it) == -1);
}

// Items in pieces.
SCENARIO(imap_istarmap) {
  ThreadPool pool(1);
  const std::vector pairs{std::pair(1, 2), std::pair(3, 4)};
  auto it = pool.istarmap([](int a, int b) { return Value(10 * a + b); }, pairs);
  CHECK(next_of(it) == 12);
  CHECK(next_of(it) == 34);
  CHECK(next_of(it) == -1);
}
SCENARIO(imap_istarmap_unordered) {
  ThreadPool pool(1);
  auto it = pool.istarmap_unordered([](int a, int b) { return Value(10 * a + b); },
                                    std::vector{std::pair(1, 2)});
  CHECK(next_of(it) == 12);
  CHECK(next_of(it) == -1);
}

// A reader that gives up waiting loses nothing, even if the item comes at that very moment.
SCENARIO(imap_timed_next) {
  ThreadPool pool(1);
  auto it = pool.imap([](int i) { return Value(i); }, Numbers(1));
  const End first = end_of([&] { CHECK(*it.next(std::chrono::milliseconds(1)) == 0); });
  CHECK(first == End::value || first == End::timeout);
  if (first == End::timeout) CHECK(next_of(it) == 0);
  CHECK(next_of(it) == -1);
}

// Zero only looks. The item cannot be there.
SCENARIO(imap_polls) {
  ThreadPool pool(1);
  Gate looked;
  auto it = pool.imap(
      [&](int i) {
        looked.wait();
        return Value(i);
      },
      Numbers(1));
  CHECK(end_of([&] { it.next(std::chrono::milliseconds(0)); }) == End::timeout);
  looked.open();
  CHECK(next_of(it) == 0);
}

// Two imaps and a call share a worker: a reader that keeps up starves nobody.
SCENARIO(imap_makes_way) {
  ThreadPool pool(1);
  auto it =
      pool.imap([](int i) { return Value(i); }, Numbers(Numbers::kEndless), {.buffersize = 1});
  const auto call = pool.apply_async([] { return Value(7); });
  int n = 0;
  while (!call.ready()) {
    CHECK(next_of(it) == n++);
    CHECK(n < 10);
  }
  CHECK(call.get() == 7);
}

// An imap that has begun fills its window before it makes way.
SCENARIO(imap_goes_on_with_its_turn) {
  ThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  auto it = pool.imap(
      [&](int i) {
        started.push_back(i);
        begun.open();
        gate.wait();
        return Value(i);
      },
      Numbers(3), {.buffersize = 3});
  begun.wait();
  const auto call = pool.apply_async([&] {
    started.push_back(7);
    return Value(7);
  });
  gate.open();
  CHECK(call.get() == 7);
  CHECK(started == std::vector({0, 1, 2, 7}));
  CHECK(next_of(it) == 0);
}

// Another worker that comes to help takes part in it before it begins what was issued later.
SCENARIO(imap_goes_on_before_what_came_later, .bound = 1) {
  ThreadPool pool(2);
  Gate first_begun, second_begun, first, second, item, over;
  std::vector<int> started;
  const auto busy = [](Gate& begun, Gate& gate) {
    begun.open();
    gate.wait();
  };
  pool.apply_async([&] { busy(first_begun, first); });
  pool.apply_async([&] { busy(second_begun, second); });
  first_begun.wait();
  second_begun.wait();
  auto it = pool.imap(
      [&](int i) {
        started.push_back(i);
        if (i == 0) {
          item.open();
          over.wait();
        }
        return Value(i);
      },
      Numbers(2), {.buffersize = 2});
  pool.apply_async([&] { started.push_back(7); });
  first.open();
  item.wait();
  second.open();
  CHECK(pool.apply([] { return Value(1); }) == 1);
  CHECK(started == std::vector({0, 1, 7}));
  over.open();
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == 1);
  CHECK(next_of(it) == -1);
}

// An imap that reads on since its reader has taken a value lines up behind what that thread has
// issued.
SCENARIO(imap_lines_up_behind_calls, .bound = 1) {
  ThreadPool pool(1);
  Gate begun, gate;
  std::vector<int> started;
  const auto start = [&started](int i) {
    started.push_back(i);
    return Value(i);
  };
  auto it = pool.imap(start, Numbers(2), {.buffersize = 1});
  const auto busy = pool.apply_async([&] {
    begun.open();
    gate.wait();
  });
  begun.wait();
  const auto a = pool.apply_async(start, 7);
  const auto b = pool.apply_async(start, 8);
  CHECK(next_of(it) == 0);
  gate.open();
  CHECK(a.get() + b.get() == 15);
  CHECK(next_of(it) == 1);
  CHECK(started == std::vector({0, 7, 8, 1}));
}

// Items that need each other: another worker reads on while the first runs.
SCENARIO(imap_items_meet) {
  ThreadPool pool(2);
  Gate gates[2];
  auto it = pool.imap(
      [&](int i) {
        gates[i].open();
        gates[1 - i].wait();
        return Value(i);
      },
      Numbers(2), {.buffersize = 2});
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == 1);
}

// A reader that has not slept takes from one chunk after another, while a second does.
SCENARIO(imap_two_readers_of_several_chunks) {
  ThreadPool pool(1);
  auto it = pool.imap([](int i) { return Value(1 << i); }, Numbers(5), {.chunksize = 2});
  int other = 0;
  thread reader([&] { other = next_of(it); });
  int mine = 0;
  for (int i = 0; i != 4; ++i) mine += next_of(it);
  reader.join();
  CHECK(mine + other == 31);
  CHECK(next_of(it) == -1);
}

}  // namespace
