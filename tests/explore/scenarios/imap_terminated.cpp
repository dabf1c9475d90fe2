// SPDX-License-Identifier: MIT
// An imap whose pool is terminated or destroyed, at every point of its reading.
#include <chrono>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include "common.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

Value item_of(int i) {
  user_code();
  return Value(i);
}

/// Reads to the end; how often it was told of the termination.
int read_to_the_end(ImapIterator<Value>& it) {
  int told = 0;
  for (;;) {
    try {
      if (next_of(it) == -1) return told;
    } catch (const TerminatedError&) {
      ++told;
    }
  }
}

// terminate() at any time: what is done is yielded, then TerminatedError at most once, then the
// end.
SCENARIO(imap_terminated_while_waiting) {
  ThreadPool pool(1);
  auto it = pool.imap(item_of, Numbers(3), {.buffersize = 1});
  thread reader([&] { CHECK(read_to_the_end(it) <= 1); });
  pool.terminate();
  reader.join();
  CHECK(next_of(it) == -1);
}

// The same for a reader that waits for a time, and again.
SCENARIO(imap_terminated_under_a_timed_reader) {
  ThreadPool pool(1);
  Gate terminated;
  auto it = pool.imap(
      [&](int i) {
        terminated.wait();
        return Value(i);
      },
      Numbers(1));
  thread reader([&] {
    End end = end_of([&] { it.next(std::chrono::milliseconds(1)); });
    if (end == End::timeout) end = end_of_next(it);
    CHECK(end == End::value || end == End::terminated);
  });
  pool.terminate();
  terminated.open();
  reader.join();
}

// terminate() while the only item runs: it is yielded.
SCENARIO(imap_terminated_while_running) {
  ThreadPool pool(1);
  Gate running, terminated;
  auto it = pool.imap(
      [&](int i) {
        running.open();
        terminated.wait();
        return Value(i);
      },
      Numbers(Numbers::kEndless));
  running.wait();
  thread reader([&] {
    CHECK(next_of(it) == 0);
    CHECK(end_of_next(it) == End::terminated);
    CHECK(next_of(it) == -1);
  });
  pool.terminate();
  terminated.open();
  reader.join();
}

// terminate() of an imap that no worker has taken up.
SCENARIO(imap_terminated_while_queued) {
  ThreadPool pool(1);
  Gate busy, terminated;
  const auto call = pool.apply_async([&] {
    busy.open();
    terminated.wait();
    return 1;
  });
  busy.wait();
  auto it = pool.imap(item_of, Numbers(1));
  thread other([&] {
    pool.terminate();
    terminated.open();
  });
  CHECK(end_of_next(it) == End::terminated);
  CHECK(next_of(it) == -1);
  CHECK(call.get() == 1);
  other.join();
}

// terminate() while a worker reads the input: what was read is given up.
SCENARIO(imap_terminated_while_advancing, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate reading, terminated;
  auto it = pool.imap(
      [](int i) {
        CHECK(false);
        return Value(i);
      },
      std::views::iota(0, 2) | std::views::transform([&](int i) {
        reading.open();
        terminated.wait();
        return i;
      }));
  reading.wait();
  pool.terminate();
  terminated.open();
  CHECK(end_of_next(it) == End::terminated);
  CHECK(next_of(it) == -1);
}

// The same, at any time of the reading, and the input fails behind an item in its chunk: where one
// is missing the reader is told of the termination.
SCENARIO(imap_terminated_while_input_fails) {
  ThreadPool pool(1);
  auto it = pool.imap(item_of, Numbers(3, 1), {.chunksize = 2});
  thread other([&] { pool.terminate(); });
  End end = end_of([&] { CHECK(next_of(it) == 0); });
  CHECK(end == End::value || end == End::terminated);
  if (end == End::value) {
    end = end_of_next(it);
    CHECK(end == End::error || end == End::terminated);
  }
  CHECK(next_of(it) == -1);
  other.join();
}

// terminate() of a parked imap.
SCENARIO(imap_terminated_while_full, .bound = 3) {
  ThreadPool pool(1);
  auto it = pool.imap(item_of, Numbers(Numbers::kEndless), {.buffersize = 1});
  CHECK(pool.apply_async(item_of, 4).get() == 4);  // by now the first item is done
  pool.terminate();
  CHECK(next_of(it) == 0);
  CHECK(end_of_next(it) == End::terminated);
  CHECK(next_of(it) == -1);
}

// Another imap is dropped while terminate() gives up one after another.
SCENARIO(imap_terminated_beside_a_drop) {
  ThreadPool pool(1);
  const auto kept = pool.imap([](int i) { return i; }, Numbers(2), {.buffersize = 1});
  auto dropped =
      std::make_optional(pool.imap([](int i) { return i; }, Numbers(2), {.buffersize = 1}));
  thread dropper([&] { dropped.reset(); });
  pool.terminate();
  dropper.join();
}

// Two readers that wait when the pool is terminated: both return, one is told why.
SCENARIO(imap_terminated_two_readers) {
  ThreadPool pool(1);
  Gate terminated;
  auto it = pool.imap(
      [&](int i) {
        terminated.wait();
        return Value(i);
      },
      Numbers(Numbers::kEndless), {.buffersize = 1});
  int other = 0;
  thread reader([&] { other = read_to_the_end(it); });
  pool.terminate();
  terminated.open();
  const int mine = read_to_the_end(it);
  reader.join();
  CHECK(mine + other == 1);
}

// The iterator outlives its pool.
SCENARIO(imap_outlives_its_pool) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  auto it = pool->imap(item_of, Numbers(Numbers::kEndless), {.buffersize = 2});
  CHECK(next_of(it) == 0);
  pool.reset();
  End end = End::value;
  for (int i = 0; (end = end_of_next(it)) == End::value;) CHECK(++i <= 3);
  CHECK(end == End::terminated);
  CHECK(next_of(it) == -1);
}

// A reader waits while the pool is destroyed: the destructor need not wait for it.
SCENARIO(imap_pool_destroyed_while_waiting) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  auto it = pool->imap(item_of, Numbers(3), {.buffersize = 1});
  thread reader([&] { CHECK(read_to_the_end(it) <= 1); });
  pool.reset();
  reader.join();
  CHECK(next_of(it) == -1);
}

// A reader takes what was read ahead, so that the imap goes on, while a task destroys the pool: its
// entry keeps nothing alive.
SCENARIO(imap_goes_on_while_a_task_destroys_its_pool) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate begun, go, destroyed;
  auto it = pool->imap([](int i) { return Value(i); }, Numbers(3), {.buffersize = 1});
  pool->apply_async([&] {
    begun.open();
    go.wait();
    pool.reset();
    destroyed.open();
  });
  begun.wait();
  go.open();
  CHECK(next_of(it) == 0);
  destroyed.wait();
}

// All of the input is read and begun when the pool is terminated: nothing is given up.
SCENARIO(imap_terminated_when_all_has_begun) {
  ThreadPool pool(1);
  Gate begun, gate;
  auto it = pool.imap(
      [&](int i) {
        begun.open();
        gate.wait();
        return Value(i);
      },
      std::vector{0});
  begun.wait();
  pool.terminate();
  gate.open();
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == -1);
}

}  // namespace
