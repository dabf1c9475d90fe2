// SPDX-License-Identifier: MIT
// The maps: every item once, results in order, errors, chunks, empty maps.
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

int twice(int n) {
  user_code();
  return 2 * n;
}

// Two workers share the items; each result stands at its item's place.
SCENARIO(map_two_workers) {
  ThreadPool pool(2);
  CHECK(pool.map(twice, std::vector{1, 2, 3}, {.chunksize = 1}) == std::vector{2, 4, 6});
}

// One worker, one chunk: the caller is woken when the last item is done, not before.
SCENARIO(map_one_worker) {
  ThreadPool pool(1);
  CHECK(pool.map(twice, std::array{1, 2}, {.chunksize = 2}) == std::vector{2, 4});
}

// The last chunk is shorter; it is not run beyond its end.
SCENARIO(map_with_a_short_last_chunk) {
  ThreadPool pool(2);
  CHECK(pool.map(twice, std::vector{1, 2, 3}, {.chunksize = 2}) == std::vector{2, 4, 6});
}

// Without a chunk size, chunks get smaller near the end: no item is claimed twice or never.
SCENARIO(map_with_shrinking_chunks) {
  ThreadPool pool(2);
  mt::atomic<int> calls{0};
  const auto results = pool.map(
      [&](int n) {
        user_code();
        calls.fetch_add(1);
        return Value(n);
      },
      std::vector{1, 2, 3, 4});
  for (int n = 1; n <= 4; ++n) CHECK(results[static_cast<std::size_t>(n - 1)] == n);
  CHECK(calls.load() == 4);
}

// Results are owned by the result; the function and the items die before it is ready.
SCENARIO(map_async_owns_its_items) {
  ThreadPool pool(1);
  std::vector<Value> items;
  items.emplace_back(1);
  items.emplace_back(2);
  const auto r = pool.map_async([c = Capture()](const Value& n) { return Value(n + *c); },
                                std::move(items), {.chunksize = 1});
  const auto& values = r.get();
  CHECK(values.size() == 2 && values[0] == 2 && values[1] == 3);
  CHECK(r.completed() == 2 && r.total() == 2);
}

// The results of both workers are seen by a reader that has not waited for each of them.
SCENARIO(map_async_two_readers) {
  ThreadPool pool(2);
  const auto r = pool.map_async(twice, std::vector{1, 2}, {.chunksize = 1});
  thread reader([r] { CHECK(r.get() == std::vector{2, 4}); });
  CHECK(r.get() == std::vector{2, 4});
  reader.join();
}

// The handle of a map is dropped while workers are at it: it runs to its end all the same.
SCENARIO(map_handle_is_dropped) {
  mt::atomic<int> calls{0};
  {
    ThreadPool pool(2);
    pool.map_async(
        [&calls, c = Capture()](int) {
          user_code();
          calls.fetch_add(*c);
        },
        std::vector{1, 2}, {.chunksize = 1});
    pool.close();
    pool.join();
    CHECK(calls.load() == 2);
  }
}

// Results go into the caller's range before the call returns.
SCENARIO(map_into_writes_where_the_caller_says) {
  ThreadPool pool(2);
  std::array<int, 2> out{};
  pool.map_into(out, twice, std::array{1, 2}, {.chunksize = 1});
  CHECK(out[0] == 2 && out[1] == 4);
}

// Items are unpacked; one result a tuple.
SCENARIO(map_starmap_unpacks) {
  ThreadPool pool(1);
  const std::vector<std::pair<int, int>> items{{1, 2}, {3, 4}};
  const auto sum = [](int a, int b) {
    user_code();
    return a + b;
  };
  CHECK(pool.starmap(sum, items, {.chunksize = 1}) == std::vector{3, 7});
  CHECK(pool.starmap_async(sum, items).get() == std::vector{3, 7});
}

// A map without items needs no worker: the only one is busy until the maps are done.
SCENARIO(map_without_items, .bound = 3) {
  ThreadPool pool(1);
  Gate gate;
  const auto busy = pool.apply_async([&] {
    gate.wait();
    return 1;
  });
  CHECK(pool.map(twice, std::vector<int>{}).empty());
  const auto r = pool.map_async(twice, std::vector<int>{});
  CHECK(r.get().empty());
  CHECK(r.ready() && !r.cancel() && r.completed() == 0 && r.total() == 0);
  gate.open();
  CHECK(busy.get() == 1);
}

// A map without items on a pool that is closed meanwhile counts itself out again: join() returns.
SCENARIO(map_without_items_against_close, .bound = kUnbounded) {
  ThreadPool pool(1);
  thread closer([&] { pool.close(); });
  try {
    CHECK(pool.map(twice, std::vector<int>{}).empty());
  } catch (const ValueError&) {
  }
  closer.join();
  pool.join();
}

// An item fails: the rest of its chunk is skipped, the other chunk runs, and then comes the error.
SCENARIO(map_item_fails) {
  ThreadPool pool(2);
  std::array<int, 4> calls{};
  const auto r = pool.map_async(
      [&](std::size_t n) {
        user_code();
        ++calls[n];
        if (n == 0) throw std::runtime_error("oops");
      },
      std::vector<std::size_t>{0, 1, 2, 3}, {.chunksize = 2});
  CHECK(end_of([&] { r.get(); }) == End::error);
  CHECK(calls[0] == 1 && calls[1] == 0 && calls[2] == 1 && calls[3] == 1);
  CHECK(r.completed() == 4 && !r.cancelled());
}

// Two items fail on two workers: one error, the same for everybody.
SCENARIO(map_two_items_fail) {
  ThreadPool pool(2);
  const auto r = pool.map_async(
      [](int n) {
        user_code();
        throw std::runtime_error(n == 0 ? "0" : "1");
      },
      std::vector{0, 1}, {.chunksize = 1});
  const auto error = r.exception();
  CHECK(error != nullptr && error == r.exception());
  CHECK(end_of([&] { r.get(); }) == End::error);
  CHECK(r.completed() == 2);
}

// What moves all results to the reader fails: the error comes out, and nothing is left over.
SCENARIO(map_items_of_the_caller_fail) {
  ThreadPool pool(1);
  const auto r = pool.map_async(
      [c = Capture()](int n) {
        if (n == 2) throw std::runtime_error("oops");
        return Value(n * *c);
      },
      std::vector{1, 2, 3}, {.chunksize = 1});
  CHECK(end_of([&] { r.get(); }) == End::error);
  CHECK(pool.apply([] { return Value(1); }) == 1);
}

// A map of many chunks counts what is finished a worker at a time; the counts add up.
SCENARIO(map_of_many_chunks) {
  ThreadPool pool(1);
  const auto r = pool.map_async(twice, std::vector(9, 1), {.chunksize = 1});
  const std::size_t some = r.completed();
  CHECK(some <= 9);
  CHECK(r.get() == std::vector(9, 2));
  CHECK(r.completed() == 9 && r.total() == 9);
}

// Two maps share the workers: neither waits for the other for ever.
SCENARIO(map_beside_another_map) {
  ThreadPool pool(2);
  const auto first = pool.map_async(twice, std::vector{1, 2}, {.chunksize = 1});
  const auto second = pool.map_async(twice, std::vector{3}, {.chunksize = 1});
  CHECK(second.get() == std::vector{6});
  CHECK(first.get() == std::vector{2, 4});
}

// A map's items meet: as many run at once as there are workers.
SCENARIO(map_items_meet) {
  ThreadPool pool(2);
  std::array<Gate, 2> gates;
  const auto meet = [&](std::size_t n) {
    gates[n].open();
    gates[1 - n].wait();
  };
  pool.map(meet, std::array<std::size_t, 2>{0, 1}, {.chunksize = 1});
}

// A timed wait for a map that needs longer, and its progress.
SCENARIO(map_is_awaited_for_a_time) {
  ThreadPool pool(1);
  Gate gate;
  const auto r = pool.map_async(
      [&](int n) {
        if (n == 2) gate.wait();
        return n;
      },
      std::vector{1, 2}, {.chunksize = 1});
  CHECK(!r.wait(std::chrono::milliseconds(1)));
  CHECK(r.completed() <= 1);
  gate.open();
  CHECK(r.get() == std::vector{1, 2});
}

// Several threads fill a vector of bools, whose elements share bytes.
SCENARIO(map_of_bools) {
  ThreadPool pool(2);
  const auto is_odd = [](int n) { return n % 2 != 0; };
  CHECK(pool.map(is_odd, std::vector{0, 1}, {.chunksize = 1}) == std::vector{false, true});
}

// Running, from the first chunk to the last.
SCENARIO(map_says_that_it_runs) {
  ThreadPool pool(1);
  Gate begun, gate;
  const auto r = pool.map_async(
      [&](int n) {
        begun.open();
        gate.wait();
        return n;
      },
      std::vector{1, 2}, {.chunksize = 1});
  begun.wait();
  CHECK(r.running());
  gate.open();
  CHECK(r.get().size() == 2);
  CHECK(!r.running());
}

}  // namespace
