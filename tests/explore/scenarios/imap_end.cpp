// SPDX-License-Identifier: MIT
// An imap that is dropped, closed or joined, at every point of its reading.
#include <exception>
#include <memory>
#include <optional>
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

// Dropped after one item: the closed pool has nothing left to do, whoever was reading on.
SCENARIO(imap_dropped_early) {
  ThreadPool pool(1);
  {
    auto it = pool.imap(kept, Numbers(Numbers::kEndless), {.buffersize = 1});
    CHECK(next_of(it) == 0);
  }
  pool.close();
  pool.join();
}

// Dropped at once: queued, advancing, parked or over.
SCENARIO(imap_dropped_unread, .bound = kUnbounded) {
  ThreadPool pool(1);
  pool.imap(kept, Numbers(2), {.buffersize = 1});
  pool.close();
  pool.join();
}

// Dropped while an item runs: it runs to its end, then function and input go.
SCENARIO(imap_dropped_while_running) {
  ThreadPool pool(2);
  Gate running, dropped;
  {
    auto it = pool.imap(
        [&](int i) {
          running.open();
          dropped.wait();
          return Value(i);
        },
        Numbers(3), {.buffersize = 1});
    running.wait();
  }
  dropped.open();
  CHECK(pool.apply([] { return 5; }) == 5);
}

// Dropped while it is queued for another worker: what the queue holds of it is given up.
SCENARIO(imap_dropped_while_it_wants_a_worker) {
  ThreadPool pool(1);
  Gate running, dropped;
  {
    const auto it = pool.imap(
        [&](int i) {
          running.open();
          dropped.wait();
          return Value(i);
        },
        Numbers(3), {.buffersize = 3});
    running.wait();
  }
  dropped.open();
}

// Errors that were made and that nobody took are told of, once each.
SCENARIO(imap_dropped_errors_are_told, .bound = kUnbounded) {
  mt::atomic<int> thrown = 0, told = 0;
  {
    ThreadPool pool({.processes = 1, .on_unobserved_error = [&](std::exception_ptr) {
                       user_code();
                       told.fetch_add(1);
                     }});
    pool.imap(
        [&](int) -> Value {
          user_code();
          thrown.fetch_add(1);
          throw std::runtime_error("item");
        },
        Numbers(2));
    pool.close();
    pool.join();
  }
  CHECK(told.load() == thrown.load());
}

// What the input throws after the iterator was dropped is told of.
SCENARIO(imap_dropped_input_error_is_told) {
  mt::atomic<int> told = 0;
  {
    ThreadPool pool({.processes = 1, .on_unobserved_error = [&](std::exception_ptr) {
                       user_code();
                       told.fetch_add(1);
                     }});
    Gate reading, dropped;
    {
      const auto it =
          pool.imap(kept, std::views::iota(0, 1) | std::views::transform([&](int) -> int {
                            reading.open();
                            dropped.wait();
                            throw std::runtime_error("input");
                          }));
      reading.wait();
    }
    dropped.open();
    pool.close();
    pool.join();
  }
  CHECK(told.load() == 1);
}

// join() on a closed pool lifts the limit of a parked imap; all of it can be read afterwards.
SCENARIO(imap_join_lifts_the_limit, .bound = 3) {
  ThreadPool pool(1);
  auto it = pool.imap(kept, Numbers(3), {.buffersize = 1});
  pool.close();
  pool.join();
  for (int i = 0; i < 3; ++i) CHECK(next_of(it) == i);
  CHECK(next_of(it) == -1);
}

// The kept against a reader who makes room at that moment.
SCENARIO(imap_join_beside_a_reader) {
  ThreadPool pool(1);
  auto it = pool.imap(kept, Numbers(3), {.buffersize = 1});
  thread reader([&] {
    for (int i = 0; i < 3; ++i) CHECK(next_of(it) == i);
    CHECK(next_of(it) == -1);
  });
  pool.close();
  pool.join();
  reader.join();
}

// Over endless input join() returns when the iterator is dropped ...
SCENARIO(imap_join_endless_dropped) {
  ThreadPool pool(1);
  auto it = std::optional(pool.imap(
      [](int i) {
        yield();
        return Value(i);
      },
      Numbers(Numbers::kEndless), {.buffersize = 1}));
  thread reader([&] { it.reset(); });
  pool.close();
  pool.join();
  reader.join();
}

// ... or the pool terminated.
SCENARIO(imap_join_endless_terminated) {
  ThreadPool pool(1);
  auto it = pool.imap(
      [](int i) {
        yield();
        return Value(i);
      },
      Numbers(Numbers::kEndless), {.buffersize = 1});
  thread other([&] { pool.terminate(); });
  pool.close();
  pool.join();
  other.join();
  End end = End::value;
  while ((end = end_of_next(it)) == End::value) {
  }
  CHECK(end == End::terminated);
  CHECK(next_of(it) == -1);
}

// close() changes nothing for a reader that waits.
SCENARIO(imap_closed_while_waiting) {
  ThreadPool pool(1);
  auto it = pool.imap(kept, Numbers(2), {.buffersize = 1});
  thread reader([&] {
    CHECK(next_of(it) == 0);
    CHECK(next_of(it) == 1);
    CHECK(next_of(it) == -1);
  });
  pool.close();
  reader.join();
}

// join() lets two imaps read on, of which nobody takes the results.
SCENARIO(imap_join_lifts_the_limit_of_two) {
  ThreadPool pool(1);
  auto first = pool.imap(kept, Numbers(2), {.buffersize = 1});
  auto second = pool.imap(kept, Numbers(2), {.buffersize = 1});
  pool.close();
  pool.join();
  for (int i = 0; i < 2; ++i) CHECK(next_of(first) == i && next_of(second) == i);
  CHECK(next_of(first) == -1 && next_of(second) == -1);
}

// join() lifts the limit beside an item that needs the one behind the full window.
SCENARIO(imap_join_lifts_the_limit_beside_an_item) {
  ThreadPool pool(2);
  Gate next;
  auto it = pool.imap(
      [&](int i) {
        i == 0 ? next.wait() : next.open();
        return Value(i);
      },
      Numbers(2), {.buffersize = 1});
  pool.close();
  pool.join();
  for (int i = 0; i < 2; ++i) CHECK(next_of(it) == i);
  CHECK(next_of(it) == -1);
}

// The function has died when the reader sees the end.
SCENARIO(imap_function_dies_before_the_end) {
  ThreadPool pool(1);
  mt::atomic<int> alive{0};
  auto it = pool.imap([c = Counted(alive)](int i) { return Value(i); }, Numbers(1));
  CHECK(next_of(it) == 0);
  CHECK(next_of(it) == -1);
  CHECK(alive.load() == 0);
}

/// 0, and 1, for which it waits.
class WaitsForOne {
 public:
  WaitsForOne(Gate& begun, Gate& gate) : begun_(&begun), gate_(&gate) {}

  class Iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    Iterator(Gate& begun, Gate& gate) : begun_(&begun), gate_(&gate) {}
    int operator*() const {
      if (at_ == 1) {
        begun_->open();
        gate_->wait();
      }
      return at_;
    }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.at_ == 3; }

   private:
    int at_ = 0;
    Gate* begun_;
    Gate* gate_;
  };
  Iterator begin() const { return {*begun_, *gate_}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  Gate* begun_;
  Gate* gate_;
};

// Dropped while one worker reads and the other is about to find that there is no room: one of them
// ends it.
SCENARIO(imap_dropped_under_two_workers, .bound = 3) {
  ThreadPool pool(2);
  Gate item_begun, item, input_begun, input;
  {
    const auto it = pool.imap(
        [&](int i) {
          if (i == 0) {
            item_begun.open();
            item.wait();
          }
          return i;
        },
        WaitsForOne(input_begun, input), {.buffersize = 2});
    item_begun.wait();
    input_begun.wait();
  }
  item.open();
  input.open();
  pool.close();
  pool.join();
}

/// Issues work with a callback when it dies.
struct IssuesAtTheEnd {
  void operator()(ThreadPool* pool) const {
    dying->open();
    try {
      pool->apply_async(seven, std::tuple{}, {.callback = [](int n) { CHECK(n == 7); }});
    } catch (const ValueError&) {
    }
  }
  Gate* dying;
};

// A result that nobody has taken dies on the worker, after the imap has counted as finished: what
// its destructor issues while the pool is closed is refused, or runs with its callback.
SCENARIO(imap_result_that_issues_when_the_pool_is_closed) {
  ThreadPool pool(1);
  Gate begun, dropped, dying;
  {
    const auto it = pool.imap(
        [&](int) {
          begun.open();
          dropped.wait();
          return std::unique_ptr<ThreadPool, IssuesAtTheEnd>(&pool, {&dying});
        },
        Numbers(1));
    begun.wait();
  }
  dropped.open();
  dying.wait();
  pool.close();
  pool.join();
}

}  // namespace
