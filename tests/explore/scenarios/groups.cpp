// SPDX-License-Identifier: MIT
// wait() for several results and as_completed(), in tasks and outside.
#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;
using std::chrono::milliseconds;

int fails() {
  user_code();
  throw std::runtime_error("oops");
}

// All of them, each of which may complete while the group is being set up.
SCENARIO(group_all, .bound = 3) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([] { return Value(2); });
  const auto [done, not_done] = millpond::wait({a, b});
  CHECK(done.size() == 2 && not_done.empty() && a.ready() && b.ready());
}

// The same with two workers, which complete two members at once.
SCENARIO(group_all_two_workers) {
  ThreadPool pool(2);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([] { return Value(2); });
  CHECK(millpond::wait({a, b}).done.size() == 2);
  CHECK(a.ready() && b.ready());
}

// The first is enough; the group leaves the other, which cannot end before.
SCENARIO(group_first) {
  ThreadPool pool(1);
  Gate gate;
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([&] {
    gate.wait();
    return Value(2);
  });
  const auto [done, not_done] = millpond::wait({a, b}, ReturnWhen::first_completed);
  CHECK(done.size() == 1 && done[0] == a && not_done.size() == 1 && not_done[0] == b);
  gate.open();
  CHECK(b.get() == 2);
}

// The group ends while the other result is about to be told to it.
SCENARIO(group_leaves_while_the_other_completes) {
  ThreadPool pool(2);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([] { return Value(2); });
  const auto [done, not_done] = millpond::wait({a, b}, ReturnWhen::first_completed);
  CHECK(!done.empty() && done.size() + not_done.size() == 2);
  CHECK(done[0].ready());
  CHECK(a.get() + b.get() == 3);
}

// An error ends the wait, though another result is not there; a result before it does not.
SCENARIO(group_first_exception) {
  ThreadPool pool(1);
  Gate gate;
  const auto a = pool.apply_async([] { return 1; });
  const auto b = pool.apply_async(fails);
  const auto c = pool.apply_async([&] {
    gate.wait();
    return 3;
  });
  const auto [done, not_done] = millpond::wait({a, b, c}, ReturnWhen::first_exception);
  CHECK(done.size() == 2 && not_done.size() == 1 && not_done[0] == c);
  gate.open();
  CHECK(c.get() == 3);
  CHECK(end_of([&] { b.get(); }) == End::error);
}

// Without an error it waits for all; a cancelled result is no error.
SCENARIO(group_first_exception_of_none) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([c = Capture()] { return *c; });
  const auto b = pool.apply_async([] { return 2; });
  a.cancel();
  const auto [done, not_done] = millpond::wait({a, b}, ReturnWhen::first_exception);
  CHECK(done.size() == 2 && not_done.empty());
}

// A member is cancelled by another thread while the group waits for it alone.
SCENARIO(group_member_is_cancelled) {
  ThreadPool pool(1);
  Gate gate;
  const auto a = pool.apply_async([&] {
    gate.wait();
    return Value(1);
  });
  const auto b = pool.apply_async([c = Capture()] { return Value(*c); });
  thread other([b] { CHECK(b.cancel()); });
  const auto [done, not_done] = millpond::wait({a, b}, ReturnWhen::first_completed);
  CHECK(done.size() == 1 && done[0] == b);
  other.join();
  gate.open();
}

// The pool is terminated while a group waits for what is queued.
SCENARIO(group_against_terminate) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([c = Capture()] { return Value(*c); });
  const auto b = pool.apply_async([c = Capture()] { return Value(*c); });
  thread other([&] { pool.terminate(); });
  CHECK(millpond::wait({a, b}).not_done.empty());
  for (const auto& r : {a, b}) {
    const End end = end_of([&] { CHECK(r.get() == 1); });
    CHECK(end == End::value || end == End::terminated);
  }
  other.join();
}

// The pool is closed while a group waits: what was accepted completes it.
SCENARIO(group_against_close) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([c = Capture()] { return Value(*c); });
  const auto b = pool.apply_async([c = Capture()] { return Value(*c); });
  thread other([&] {
    pool.close();
    pool.join();
    CHECK(a.ready() && b.ready());
  });
  CHECK(millpond::wait({a, b}).not_done.empty());
  CHECK(a.get() == 1 && b.get() == 1);
  other.join();
}

// The pool is destroyed while a group waits.
SCENARIO(group_against_destruction) {
  std::optional<ThreadPool> pool(std::in_place, 1);
  const auto a = pool->apply_async([c = Capture()] { return Value(*c); });
  const auto b = pool->apply_async([c = Capture()] { return Value(*c); });
  thread other([a, b] { CHECK(millpond::wait({a, b}).not_done.empty()); });
  pool.reset();
  other.join();
  CHECK(a.ready() && b.ready());
}

// A timed wait gives up; what has completed meanwhile is done.
SCENARIO(group_for_a_time) {
  ThreadPool pool(1);
  Gate gate;
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([&] {
    gate.wait();
    return Value(2);
  });
  const auto [done, not_done] = millpond::wait({a, b}, milliseconds(1));
  CHECK(not_done.size() + done.size() == 2 && !not_done.empty() && not_done.back() == b);
  for (const auto& r : done) CHECK(r.ready());
  gate.open();
  CHECK(a.get() + b.get() == 3);
}

// A timed wait that may find all of them in time.
SCENARIO(group_in_time_or_not) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([] { return Value(2); });
  const auto [done, not_done] = millpond::wait({a, b}, milliseconds(1));
  CHECK(done.size() + not_done.size() == 2);
  for (const auto& r : done) CHECK(r.ready());
  CHECK(a.get() + b.get() == 3);
}

// Two groups share a result.
SCENARIO(group_beside_a_group) {
  ThreadPool pool(1);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([] { return Value(2); });
  thread other([a] { CHECK(millpond::wait({a}).done.size() == 1); });
  CHECK(millpond::wait({b, a}).done.size() == 2);
  other.join();
}

// As they complete: each once, ready when it comes.
SCENARIO(group_as_completed) {
  ThreadPool pool(2);
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([] { return Value(2); });
  int sum = 0;
  for (const auto& r : as_completed({a, b})) {
    CHECK(r.ready());
    sum += r.get();
  }
  CHECK(sum == 3);
}

// The order is that of completion: the second task waits for the first to have been seen.
SCENARIO(group_as_completed_in_order) {
  ThreadPool pool(1);
  Gate gate;
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([&] {
    gate.wait();
    return Value(2);
  });
  int next = 1;
  for (const auto& r : as_completed({b, a})) {
    CHECK(r.get() == next++);
    gate.open();
  }
  CHECK(next == 3);
}

// Iterating ends with TimeoutError; the results are there later.
SCENARIO(group_as_completed_for_a_time) {
  ThreadPool pool(1);
  Gate gate;
  const auto a = pool.apply_async([] { return Value(1); });
  const auto b = pool.apply_async([&] {
    gate.wait();
    return Value(2);
  });
  int seen = 0;
  const End end = end_of([&] {
    for (const auto& r : as_completed({a, b}, milliseconds(1))) {
      CHECK(r.get() == 1);
      ++seen;
    }
  });
  CHECK(end == End::timeout && seen <= 1);
  gate.open();
  CHECK(a.get() + b.get() == 3);
}

// Being cancelled is no exception of its own: the others are awaited.
SCENARIO(group_first_exception_of_a_cancelled_one) {
  ThreadPool pool(1);
  Gate gate;
  const auto a = pool.apply_async([&] {
    gate.wait();
    return Value(1);
  });
  const auto b = pool.apply_async([c = Capture()] { return Value(*c); });
  CHECK(b.cancel());
  thread other([&] { gate.open(); });
  CHECK(millpond::wait({a, b}, ReturnWhen::first_exception).not_done.empty());
  other.join();
}

// The same for maps.
SCENARIO(group_first_exception_of_a_cancelled_map) {
  ThreadPool pool(1);
  Gate begun, gate;
  const auto map = [&](int size) {
    return pool.map_async(
        [&](int n) {
          begun.open();
          gate.wait();
          return n;
        },
        std::vector<int>(static_cast<std::size_t>(size)), {.chunksize = 1});
  };
  const auto a = map(1);
  begun.wait();
  const auto b = map(2);
  CHECK(b.cancel());
  thread other([&] { gate.open(); });
  CHECK(millpond::wait({a, b}, ReturnWhen::first_exception).not_done.empty());
  other.join();
}

}  // namespace
