// SPDX-License-Identifier: MIT
// An imap that is read on the pool's own threads: in tasks, in callbacks, as another's input.
#include <chrono>
#include <optional>
#include <ranges>
#include <tuple>
#include <utility>
#include <vector>

#include "common.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

Value plus_one(int i) {
  user_code();
  return Value(i + 1);
}

int number(int i) {
  user_code();
  return i + 1;
}

/// Takes all that is left; their sum.
int sum_of(ImapIterator<Value>& it) {
  int sum = 0;
  for (int n; (n = next_of(it)) != -1;) sum += n;
  return sum;
}

// The only worker reads: it runs each item itself.
SCENARIO(imap_read_in_a_task, .bound = kUnbounded) {
  ThreadPool pool(1);
  CHECK(pool.apply([&] {
    auto it = pool.imap(plus_one, Numbers(2), {.buffersize = 1});
    return sum_of(it);
  }) == 3);
}

// Another worker may be faster at the entry that the reading task claims.
SCENARIO(imap_read_in_a_task_of_two) {
  ThreadPool pool(2);
  CHECK(pool.apply([&] {
    auto it = pool.imap_unordered(plus_one, Numbers(2));
    return sum_of(it);
  }) == 3);
}

// A task reads what another thread issued, while the entry is in a worker's hands.
SCENARIO(imap_read_by_a_task_behind_it) {
  ThreadPool pool(1);
  auto it = pool.imap(plus_one, Numbers(3), {.buffersize = 1});
  const auto sum = pool.apply_async([&] { return sum_of(it); });
  CHECK(sum.get() == 6);
}

// Two tasks read one imap: one runs an item, the other sleeps until it is published.
SCENARIO(imap_read_by_two_tasks) {
  ThreadPool pool(2);
  auto it = pool.imap(plus_one, Numbers(2), {.buffersize = 1});
  const auto a = pool.apply_async([&] { return sum_of(it); });
  const auto b = pool.apply_async([&] { return sum_of(it); });
  CHECK(a.get() + b.get() == 3);
}

// Zero only looks, also in a task; a longer time runs the item.
SCENARIO(imap_timed_next_in_a_task, .bound = kUnbounded) {
  ThreadPool pool(1);
  pool.apply([&] {
    auto it = pool.imap(plus_one, Numbers(1));
    CHECK(end_of([&] { it.next(std::chrono::milliseconds(0)); }) == End::timeout);
    CHECK(*it.next(std::chrono::milliseconds(1)) == 1);
    CHECK(next_of(it) == -1);
  });
}

// A task reads on after its pool was terminated.
SCENARIO(imap_read_on_after_terminate, .bound = kUnbounded) {
  ThreadPool pool(1);
  const auto told = pool.apply_async([&] {
    auto it = pool.imap(plus_one, Numbers(2), {.buffersize = 1});
    CHECK(next_of(it) == 1);
    pool.terminate();
    CHECK(end_of_next(it) == End::terminated);
    CHECK(next_of(it) == -1);
    return 1;
  });
  CHECK(told.get() == 1);
}

// The pool is terminated by another thread while a task reads: the reader is not left behind by a
// worker that waits for it to give up what terminate() has not come to.
SCENARIO(imap_terminated_under_a_task) {
  ThreadPool pool(1);
  Gate begun;
  const auto reading = pool.apply_async([&] {
    auto it = pool.imap(plus_one, Numbers(3), {.buffersize = 1});
    begun.open();
    const End end = end_of([&] { CHECK(sum_of(it) == 6); });
    CHECK(end == End::value || end == End::terminated);
    CHECK(next_of(it) == -1);
    return 1;
  });
  begun.wait();
  pool.terminate();
  CHECK(reading.get() == 1);
}

// Items that issue work of their own and wait for it.
SCENARIO(imap_items_wait) {
  ThreadPool pool(1);
  auto it =
      pool.imap([&](int i) { return Value(pool.apply_async(plus_one, i).get()); }, Numbers(2));
  CHECK(sum_of(it) == 3);
}

// Input that issues work of its own and waits for it, while no mutex is held.
SCENARIO(imap_input_waits) {
  ThreadPool pool(1);
  auto it = pool.imap(plus_one, std::views::iota(0, 1) | std::views::transform([&](int i) {
                                  return static_cast<int>(pool.apply_async(plus_one, i).get());
                                }));
  CHECK(next_of(it) == 2);
  CHECK(next_of(it) == -1);
}

// The input is another imap: a worker that reads it runs its items.
SCENARIO(imap_of_an_imap) {
  ThreadPool pool(1);
  auto it =
      pool.imap(plus_one, pool.imap(number, Numbers(2), {.buffersize = 1}), {.buffersize = 1});
  CHECK(next_of(it) == 2);
  CHECK(next_of(it) == 3);
  CHECK(next_of(it) == -1);
}
// The same with two workers, who take turns at the two inputs.
SCENARIO(imap_of_an_imap_two_workers, .bound = 1) {
  ThreadPool pool(2);
  auto it = pool.imap_unordered(plus_one, pool.imap_unordered(number, Numbers(2)));
  CHECK(sum_of(it) == 5);
}
// The outer one is dropped while a worker waits for the inner one.
SCENARIO(imap_of_an_imap_dropped) {
  ThreadPool pool(1);
  pool.imap(plus_one, pool.imap(number, Numbers(2)));
  pool.close();
  pool.join();
}
// Terminated while a worker waits for the inner one.
SCENARIO(imap_of_an_imap_terminated) {
  ThreadPool pool(2);
  auto it = pool.imap(plus_one, pool.imap(number, Numbers(2), {.buffersize = 1}));
  pool.terminate();
  const End end = end_of([&] { sum_of(it); });
  CHECK(end == End::value || end == End::terminated);
  CHECK(end_of_next(it) != End::timeout);
}

// A callback reads an imap: the callback thread is told of each item by an alarm.
SCENARIO(imap_read_in_a_callback) {
  ThreadPool pool(1);
  int sum = 0;
  const auto call =
      pool.apply_async([] { return Value(1); }, std::tuple(), {.callback = [&](const Value&) {
                         auto it = pool.imap(plus_one, Numbers(2));
                         sum = sum_of(it);
                       }});
  CHECK(call.get() == 1);
  CHECK(sum == 3);
}

// The same for an imap that a worker is reading, and of which an item waits for another callback.
SCENARIO(imap_item_waits_for_a_callback) {
  ThreadPool pool(1);
  bool second = false;
  const auto call =
      pool.apply_async([] { return 1; }, std::tuple(), {.callback = [&](int) {
                         auto it = pool.imap(
                             [&](int i) {
                               return Value(pool.apply_async([=] { return i + 1; }, std::tuple(),
                                                             {.callback =
                                                                  [&](int) {
                                                                    user_code();
                                                                    second = true;
                                                                  }})
                                                .get());
                             },
                             Numbers(1));
                         CHECK(next_of(it) == 1);
                         CHECK(second);
                       }});
  CHECK(call.get() == 1);
}

// Closed while a callback reads.
SCENARIO(imap_closed_under_a_callback) {
  ThreadPool pool(1);
  Gate begun;
  int sum = 0;
  pool.apply_async([] { return 1; }, std::tuple(), {.callback = [&](int) {
                     auto it = pool.imap(plus_one, Numbers(2), {.buffersize = 1});
                     begun.open();
                     sum = sum_of(it);
                   }});
  begun.wait();
  pool.close();
  pool.join();
  CHECK(sum == 3);
}

// Terminated, and destroyed, while a callback reads: the alarm rings for the end.
SCENARIO(imap_terminated_under_a_callback) {
  Gate begun;
  bool ended = false;
  {
    ThreadPool pool(1);
    pool.apply_async([] { return 1; }, std::tuple(), {.callback = [&](int) {
                       auto it = pool.imap(plus_one, Numbers(3), {.buffersize = 1});
                       begun.open();
                       const End end = end_of([&] { CHECK(sum_of(it) == 6); });
                       CHECK(end == End::value || end == End::terminated);
                       ended = true;
                     }});
    begun.wait();
  }
  CHECK(ended);
}

// A callback reads while the only worker is at each item.
SCENARIO(imap_read_in_a_callback_while_it_runs) {
  ThreadPool pool(1);
  Gate issued, begun[2], read[2];
  std::optional<ImapIterator<Value>> it;
  const auto call =
      pool.apply_async([] { return Value(1); }, std::tuple(), {.callback = [&](const Value&) {
                         issued.wait();
                         for (int i = 0; i != 2; ++i) {
                           begun[i].wait();
                           read[i].open();
                           CHECK(next_of(*it) == i);
                         }
                         CHECK(next_of(*it) == -1);
                       }});
  it.emplace(pool.imap(
      [&](int i) {
        begun[i].open();
        read[i].wait();
        return Value(i);
      },
      Numbers(2)));
  issued.open();
  CHECK(call.get() == 1);
}

}  // namespace
