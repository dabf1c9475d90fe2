// SPDX-License-Identifier: MIT
//
// The explorer on programs whose answers are known: without faults, and with planted ones that it
// must find. The file's name tells it that mutexes here are not the library's.

#include <memory>
#include <new>
#include <system_error>

#include "explore/sync.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using mt::atomic;
using mt::condition_variable;
using mt::lock_guard;
using mt::mutex;
using mt::unique_lock;

thread_local int of_a_thread = 5;

// Two threads of two steps each, and a main thread that waits: without bound, every order of them.
SCENARIO(two_threads_of_two_steps, .bound = kUnbounded, .classes = 6) {
  atomic<int> count{0};
  const auto twice = [&] {
    count.fetch_add(1);
    count.fetch_add(1);
  };
  thread a(twice);
  thread b(twice);
  a.join();
  b.join();
  CHECK(count.load() == 4);
}

// The same behind a gate that is open, which is no reason to believe that all has been seen.
SCENARIO(two_threads_of_two_steps_behind_a_gate, .bound = kUnbounded, .classes = 6) {
  Gate gate;
  gate.open();
  atomic<int> count{0};
  const auto twice = [&] {
    gate.wait();
    count.fetch_add(1);
    count.fetch_add(1);
  };
  thread a(twice);
  thread b(twice);
  a.join();
  b.join();
  CHECK(count.load() == 4);
}

// Steps on different objects commute: whatever the order, it means the same.
SCENARIO(three_threads_apart, .bound = kUnbounded, .classes = 1) {
  atomic<int> counts[3] = {0, 0, 0};
  std::vector<thread> threads;
  for (atomic<int>& count : counts) threads.emplace_back([&count] { count.fetch_add(1); });
  for (thread& each : threads) each.join();
  CHECK(counts[0].load() + counts[1].load() + counts[2].load() == 3);
}

SCENARIO(each_thread_has_its_own_thread_locals_and_exceptions) {
  atomic<int> steps{0};
  of_a_thread = 6;
  const auto work = [&] {
    CHECK(of_a_thread == 5);
    of_a_thread = 7;
    steps.fetch_add(1);
    CHECK(of_a_thread == 7);
    try {
      throw 3;
    } catch (int) {
      steps.fetch_add(1);
      try {
        throw 4;
      } catch (int) {
        steps.fetch_add(1);
        CHECK(std::current_exception() != nullptr);
      }
      CHECK(std::current_exception() != nullptr);
    }
    CHECK(std::current_exception() == nullptr);
  };
  thread a(work);
  thread b(work);
  CHECK(of_a_thread == 6);
  a.join();
  b.join();
  CHECK(of_a_thread == 6);
}

SCENARIO(a_busy_loop_ends) {
  atomic<bool> flag{false};
  thread a([&] { flag.store(true); });
  thread b([&] {
    while (!flag.load()) yield();
  });
  while (!flag.load()) yield();
  a.join();
  b.join();
}

SCENARIO(a_timed_wait_ends_by_either) {
  mutex m;
  condition_variable changed;
  bool flag = false;
  const auto deadline = mt::steady_clock::now() + std::chrono::seconds(1);
  thread a([&] {
    const lock_guard lock(m);
    flag = true;
    changed.notify_one();
  });
  bool in_time;
  {
    unique_lock lock(m);
    in_time = changed.wait_until(lock, deadline, [&] { return flag; });
  }
  CHECK(in_time || mt::steady_clock::now() >= deadline);
  a.join();
}

SCENARIO(a_stop_callback_is_awaited) {
  mt::stop_source source;
  atomic<int> runs{0};
  bool alive = true;
  thread a([&] {
    const auto run = [&] {
      CHECK(alive);
      runs.fetch_add(1);
      CHECK(alive);
    };
    const mt::stop_callback<decltype(run)> callback(source.get_token(), run);
  });
  source.request_stop();
  a.join();
  alive = false;
  CHECK(runs.load() <= 1);
}

// What a release hands to an acquire, plain memory may rely on.
SCENARIO(a_message_is_handed_over) {
  int message = 0;
  atomic<bool> ready{false};
  thread a([&] {
    message = 1;
    ready.store(true, std::memory_order_release);
  });
  if (ready.load(std::memory_order_acquire)) CHECK(message == 1);
  a.join();
  CHECK(message == 1);
}

// A read-modify-write continues the release sequence, even a relaxed one.
SCENARIO(a_message_is_handed_over_through_a_relaxed_exchange) {
  int message = 0;
  atomic<int> step{0};
  thread a([&] {
    message = 1;
    step.store(1, std::memory_order_release);
  });
  thread b([&] { step.fetch_add(2, std::memory_order_relaxed); });
  if (step.load(std::memory_order_acquire) == 3) CHECK(message == 1);
  a.join();
  b.join();
}

// Dekker's: of two threads that each set their flag and look at the other's, one sees it.
SCENARIO(sequential_consistency_shows_one_flag) {
  atomic<bool> a{false}, b{false};
  bool a_saw = false, b_saw = false;
  thread t([&] {
    a.store(true);
    a_saw = b.load();
  });
  thread u([&] {
    b.store(true);
    b_saw = a.load();
  });
  t.join();
  u.join();
  CHECK(a_saw || b_saw);
}

SCENARIO(faults_are_survived, .faults = true) {
  std::unique_ptr<int> value;
  try {
    value = std::make_unique<int>(1);
  } catch (const std::bad_alloc&) {
  }
  try {
    thread t([&] { CHECK(!value || *value == 1); });
    t.join();
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
}

// Planted faults.

SCENARIO(planted_lost_update, .planted = "CHECK") {
  atomic<int> count{0};
  const auto add = [&] { count.store(count.load() + 1); };
  thread a(add), b(add);
  a.join();
  b.join();
  CHECK(count.load() == 2);
}

SCENARIO(planted_lost_update_behind_a_gate, .planted = "CHECK") {
  Gate gate;
  gate.open();
  atomic<int> count{0};
  const auto add = [&] {
    gate.wait();
    count.store(count.load() + 1);
  };
  thread a(add);
  thread b(add);
  a.join();
  b.join();
  CHECK(count.load() == 2);
}

SCENARIO(planted_deadlock, .planted = "deadlock") {
  mutex a, b;
  thread t([&] {
    const lock_guard first(a);
    const lock_guard second(b);
  });
  thread u([&] {
    const lock_guard first(b);
    const lock_guard second(a);
  });
  t.join();
  u.join();
}

SCENARIO(planted_lost_wake_up, .planted = "deadlock") {
  mutex m;
  condition_variable changed;
  atomic<bool> flag{false};
  thread a([&] {
    if (flag.load()) return;
    unique_lock lock(m);
    changed.wait(lock);
  });
  flag.store(true);
  {
    const lock_guard lock(m);
    changed.notify_one();
  }
  a.join();
}

SCENARIO(planted_use_after_end, .planted = "data race") {
  struct Box {
    mutex m;
    condition_variable changed;
    bool flag = false;
  };
  auto box = std::make_unique<Box>();
  thread a([mine = box.get()] {
    {
      const lock_guard lock(mine->m);
      mine->flag = true;
    }
    mine->changed.notify_one();
  });
  {
    unique_lock lock(box->m);
    while (!box->flag) box->changed.wait(lock);
  }
  box.reset();
  a.join();
}

SCENARIO(planted_double_free, .planted = "freed twice") {
  const atomic<int*> block{new int(1)};
  delete block.load();
  delete block.load();
}

SCENARIO(planted_read_after_free, .planted = "read by T0 at code") {
  const atomic<int*> block{new int(1)};
  delete block.load();
  CHECK(*block.load() != 1);
}

SCENARIO(planted_read_beside_a_block, .planted = "read by T0 at code") {
  const auto numbers = std::make_unique<int[]>(2);
  const atomic<std::size_t> count{2};
  CHECK(numbers[count.load()] == 0);
}

SCENARIO(planted_leak, .planted = "leak") {
  atomic<int*> kept{nullptr};
  const auto keep = [&] {
    int* const mine = new int(1);
    if (kept.load() == nullptr) {
      kept.exchange(mine);
    } else {
      delete mine;
    }
  };
  thread a(keep), b(keep);
  a.join();
  b.join();
  delete kept.load();
}

SCENARIO(planted_livelock, .planted = "more than") {
  const atomic<bool> flag{false};
  while (!flag.load()) yield();
}

}  // namespace
