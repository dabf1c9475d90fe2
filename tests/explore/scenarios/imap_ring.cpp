// SPDX-License-Identifier: MIT
// The ring of an imap's chunks: filled, wrapped, grown; and who comes for what is left.
#include <ranges>
#include <stdexcept>
#include <tuple>

#include "common.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

Value kept(int i) {
  user_code();
  return Value(i);
}

// Input that never waits is read in runs: a window at once, and again as there is room.
SCENARIO(imap_reads_runs) {
  ThreadPool pool(1);
  auto it = pool.imap(kept, std::views::iota(0, 6), {.buffersize = 2});
  for (int i = 0; i < 6; ++i) CHECK(next_of(it) == i);
  CHECK(next_of(it) == -1);
}

// A run whose first chunk blocks until the second has run: another worker comes for it.
SCENARIO(imap_run_is_shared) {
  ThreadPool pool(2);
  Gate second;
  auto it = pool.imap(
      [&](int i) {
        i == 0 ? second.wait() : second.open();
        return Value(i);
      },
      std::views::iota(0, 2));
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == 1);
  CHECK(next_of(it) == -1);
}

// The same after a turn: what is left is at the queue's back, and still somebody comes.
SCENARIO(imap_run_is_shared_after_a_turn) {
  ThreadPool pool(2);
  Gate last;
  auto it = pool.imap_unordered(
      [&](int i) {
        if (i == 2) last.wait();
        if (i == 3) last.open();
        return Value(1 << i);
      },
      std::views::iota(0, 4), {.buffersize = 2});
  int sum = 0;
  for (int n; (n = next_of(it)) != -1;) sum += n;
  CHECK(sum == 15);
}

// A full ring that two workers fill.
SCENARIO(imap_full_ring_two_workers, .bound = 1) {
  ThreadPool pool(2);
  auto it = pool.imap(kept, std::views::iota(0, 4), {.buffersize = 2});
  for (int i = 0; i < 4; ++i) CHECK(next_of(it) == i);
  CHECK(next_of(it) == -1);
}

// A full ring that two readers empty.
SCENARIO(imap_full_ring_two_readers, .bound = 1) {
  ThreadPool pool(1);
  auto it =
      pool.imap([](int i) { return Value(1 << i); }, std::views::iota(0, 4), {.buffersize = 2});
  int other = 0;
  thread reader([&] { other = next_of(it); });
  int mine = 0;
  for (int i = 0; i < 3; ++i) mine += next_of(it);
  reader.join();
  CHECK(mine + other == 15);
}

// The same unordered.
SCENARIO(imap_unordered_two_readers, .bound = 1) {
  ThreadPool pool(1);
  auto it = pool.imap_unordered([](int i) { return Value(1 << i); }, Numbers(3));
  int other = 0;
  thread reader([&] { other = next_of(it); });
  const int first = next_of(it);
  const int second = next_of(it);
  reader.join();
  CHECK(first + second + other == 7);
  CHECK(next_of(it) == -1);
}

// Unordered, two workers: chunks get done while others are being taken.
SCENARIO(imap_unordered_two_workers, .bound = 1) {
  ThreadPool pool(2);
  auto it = pool.imap_unordered([](int i) { return Value(1 << i); }, Numbers(3));
  int sum = 0;
  for (int i = 0; i < 3; ++i) sum += next_of(it);
  CHECK(sum == 7);
  CHECK(next_of(it) == -1);
}

// Chunks that get done together are yielded in that order.
SCENARIO(imap_unordered_yields_in_order_of_completion) {
  ThreadPool pool(1);
  auto it = pool.imap_unordered(kept, std::views::iota(0, 3));
  for (int i = 0; i < 3; ++i) CHECK(next_of(it) == i);
  CHECK(next_of(it) == -1);
}

// The ring grows while a worker claims from it and a reader takes from it.
SCENARIO(imap_ring_grows) {
  ThreadPool pool(2);
  auto it = pool.imap(kept, Numbers(5), {.buffersize = 1});
  thread reader([&] {
    for (int i = 0; i < 5; ++i) CHECK(next_of(it) == i);
    CHECK(next_of(it) == -1);
  });
  pool.close();
  pool.join();
  reader.join();
}

// Values that need no code of the user's to be moved; one of them is an error.
SCENARIO(imap_plain_values) {
  ThreadPool pool(1);
  auto it = pool.imap(
      [](int i) {
        user_code();
        if (i == 1) throw std::runtime_error("item");
        return 1 << i;
      },
      Numbers(5), {.chunksize = 3, .buffersize = 1});
  int other = 0;
  thread reader([&] {
    const End end = end_of([&] { other = *it.next(); });
    CHECK(end == End::value || end == End::error);
  });
  int mine = 0, errors = 0;
  for (int i = 0; i < 4; ++i) {
    if (end_of([&] { mine += *it.next(); }) == End::error) ++errors;
  }
  reader.join();
  CHECK(mine + other == 29);
  CHECK(errors + (other == 0 ? 1 : 0) == 1);
  CHECK(!it.next());
}

// One thread iterates, without the readers' lock; an error is at its place.
SCENARIO(imap_is_iterated) {
  ThreadPool pool(1);
  auto it = pool.imap(
      [](int i) {
        user_code();
        if (i == 1) throw std::runtime_error("item");
        return i;
      },
      std::views::iota(0, 5), {.chunksize = 3, .buffersize = 1});
  int at = 0;
  for (auto i = it.begin(); i != it.end(); ++i, ++at) {
    const End end = end_of([&] { CHECK(*i == at); });
    CHECK(end == (at == 1 ? End::error : End::value));
  }
  CHECK(at == 5);
}

// The window of an imap that nobody has given a size grows.
SCENARIO(imap_window_grows, .bound = 1) {
  ThreadPool pool(1);
  auto it = pool.imap(kept, std::views::iota(0, 12));
  for (int i = 0; i < 12; ++i) CHECK(next_of(it) == i);
  CHECK(next_of(it) == -1);
}

// Dropped while a worker is inside and more is read: what has not started does not run.
SCENARIO(imap_run_is_dropped) {
  ThreadPool pool(1);
  Gate running, dropped;
  mt::atomic<int> ran = 0;
  {
    const auto it = pool.imap(
        [&](int i) {
          ran.fetch_add(1);
          running.open();
          dropped.wait();
          return Value(i);
        },
        std::views::iota(0, 4));
    running.wait();
  }
  dropped.open();
  pool.close();
  pool.join();
  CHECK(ran.load() == 1);
}

// Terminated while a worker is inside: the same, and the reader is told.
SCENARIO(imap_run_is_terminated) {
  ThreadPool pool(2);
  Gate running, terminated;
  auto it = pool.imap(
      [&](int i) {
        running.open();
        terminated.wait();
        return Value(i);
      },
      std::views::iota(0, 4));
  running.wait();
  pool.terminate();
  terminated.open();
  int n = 0;
  End end = End::value;
  while ((end = end_of([&] { CHECK(next_of(it) == n); })) == End::value) ++n;
  CHECK(end == End::terminated);
  CHECK(n == 1 || n == 2);
  CHECK(next_of(it) == -1);
}

// Terminated at any time, with several chunks a run: told at most once, nothing is left.
SCENARIO(imap_runs_are_terminated_at_any_time) {
  ThreadPool pool(1);
  auto it = pool.imap_unordered(kept, std::views::iota(0, 5), {.buffersize = 2});
  thread other([&] { pool.terminate(); });
  int told = 0;
  for (;;) {
    const End end = end_of([&] {
      if (next_of(it) == -1) told += 10;
    });
    if (told >= 10) break;
    if (end == End::terminated) ++told;
  }
  CHECK(told <= 11);
  other.join();
}

// Input that waits for a result of this very imap: it is read chunk by chunk.
SCENARIO(imap_input_waits_for_a_result) {
  ThreadPool pool(1);
  Gate yielded;
  auto it = pool.imap(kept, std::views::iota(0, 2) | std::views::transform([&](int i) {
                              if (i == 1) yielded.wait();
                              return i;
                            }));
  CHECK(next_of(it) == 0);
  yielded.open();
  CHECK(next_of(it) == 1);
  CHECK(next_of(it) == -1);
}

// A task reads an imap whose run another worker has read, and whose items wait for that task to go
// on: it runs what it waits for itself.
SCENARIO(imap_run_is_read_by_a_task) {
  ThreadPool pool(2);
  Gate first;
  auto it = pool.imap(
      [&](int i) {
        if (i == 1) first.wait();
        return Value(i);
      },
      std::views::iota(0, 3), {.buffersize = 2});
  const auto sum = pool.apply_async([&] {
    int total = next_of(it);
    first.open();
    for (int n; (n = next_of(it)) != -1;) total += n;
    return total;
  });
  CHECK(sum.get() == 3);
}

// Two tasks read one imap while its turn ends after each chunk.
SCENARIO(imap_turns_end_under_two_tasks, .bound = 1) {
  ThreadPool pool(2);
  auto it = pool.imap_unordered(kept, Numbers(4), {.buffersize = 1});
  const auto sum_up = [&] {
    int total = 0;
    for (int n; (n = next_of(it)) != -1;) total += n;
    return total;
  };
  const auto a = pool.apply_async(sum_up);
  const auto b = pool.apply_async(sum_up);
  CHECK(a.get() + b.get() == 6);
}

// A priority pool's worker looks at the queue after each chunk.
SCENARIO(imap_gives_way_to_a_higher_priority) {
  PriorityThreadPool pool(1);
  Gate issued;
  bool urgent = false;
  auto it = pool.imap(
      [&](int i) {
        if (i == 0) issued.wait();
        if (i == 1) CHECK(urgent);
        return Value(i);
      },
      std::views::iota(0, 2));
  const auto call = pool.apply_async(
      [&] {
        user_code();
        urgent = true;
      },
      std::tuple(), {.priority = 1});
  issued.open();
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == 1);
  CHECK(next_of(it) == -1);
  call.wait();
}

// A worker finds no room; before it parks the imap, a reader makes some, another worker reads two,
// and the first of these waits for the second.
SCENARIO(imap_is_parked_while_another_reads, .bound = 1) {
  ThreadPool pool(2);
  Gate gate;
  auto it = pool.imap(
      [&](int n) {
        if (n == 2) gate.wait();
        if (n == 3) gate.open();
        return n;
      },
      std::vector{0, 1, 2, 3}, {.buffersize = 2});
  for (int n = 0; n != 4; ++n) CHECK(next_of(it) == n);
}

}  // namespace
