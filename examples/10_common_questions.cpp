// SPDX-License-Identifier: MIT
//
// docs/guide/common-questions.md: how do I ...?

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <future>
#include <latch>
#include <mutex>
#include <numeric>
#include <ranges>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include "check.hpp"

int square(int n) { return n * n; }

// ---- Stopping ----

void stop_by_a_flag() {
  // snippet: flag
  std::atomic<bool> stop = false;
  millpond::ThreadPool pool(2);
  const auto count = [&stop](std::size_t steps) {
    while (!stop) ++steps;  // a step of the work, then a look at the flag
    return steps;
  };
  auto result = pool.map_async(count, {100, 200});
  stop = true;
  result.wait();  // all tasks have seen it and have returned
  // snippet end
  check(result.successful(), "tasks that look at a flag end");
}

#ifdef __cpp_lib_jthread
void stop_by_a_token() {
  // snippet: token
  std::latch started(1);
  millpond::ThreadPool pool(2);
  auto result = pool.apply_async([&started](std::stop_token stop) {
    started.count_down();
    std::size_t steps = 0;
    while (!stop.stop_requested()) ++steps;
    return steps;
  });
  started.wait();
  const bool never_starts = result.cancel();  // false, as it runs: it is asked to stop
  const std::size_t steps = result.get();     // what it had got when it stopped
  // snippet end
  check(!never_starts && !result.cancelled(), "a task that runs is asked to stop");
  check(steps == result.get(), "and it ends with a result");
}

void stop_all_by_token() {
  std::vector<millpond::AsyncResult<int>> results;
  {
    std::latch started(2);
    // snippet: all tokens
    const auto serve = [&started](std::stop_token stop, int port) {
      started.count_down();
      while (!stop.stop_requested()) std::this_thread::yield();  // serves
      return port;
    };
    millpond::ThreadPool pool(2);
    for (int port : {80, 443}) results.push_back(pool.apply_async(serve, port));
    started.wait();
    pool.terminate();  // asks both to stop; the destructor would do so, too
    // snippet end
  }
  check(results[0].get() == 80 && results[1].get() == 443, "terminate() asks all tasks to stop");
}
#endif

void cancel_what_waits() {
  std::latch may_end(1);
  // snippet: cancel
  millpond::ThreadPool pool(1);
  auto running = pool.apply_async([&] { may_end.wait(); });  // keeps the only worker busy
  auto queued = pool.apply_async(square, 5);
  const bool given_up = queued.cancel();  // true: it will never start
  // snippet end
  check(given_up && queued.ready() && queued.cancelled(), "a task that waits can be cancelled");
  may_end.count_down();
  running.wait();
}

// ---- Waiting ----

void wait_for_all() {
  // snippet: wait
  millpond::ThreadPool pool(4);
  auto batch = pool.map_async(square, {1, 2, 3});
  batch.wait();  // one map

  std::vector<millpond::AsyncResult<int>> results;
  for (int n : {4, 5, 6}) results.push_back(pool.apply_async(square, n));
  millpond::wait(results);  // many results; the pool can go on

  pool.apply_async(square, 7);
  pool.close();
  pool.join();  // everything, to the last
  // snippet end
  check(batch.ready() && std::ranges::all_of(results, [](const auto& r) { return r.ready(); }),
        "three ways to wait for all");
}

void as_completed() {
  millpond::ThreadPool pool(4);
  int sum = 0;
  // snippet: as completed
  std::vector<millpond::AsyncResult<int>> results;
  for (int n : {1, 2, 3}) results.push_back(pool.apply_async(square, n));
  for (auto& result : millpond::as_completed(results)) sum += result.get();  // the first one first
  // snippet end
  check(sum == 14, "results as they get done");
}

/// Mirrors of which only one answers soon.
class Mirrors {
 public:
  std::string ask(const std::string& mirror) {
    if (mirror != "near") may_end_.wait();
    return "from " + mirror;
  }
  void let_the_others_end() { may_end_.count_down(); }

 private:
  std::latch may_end_{1};
};

const std::vector<std::string> mirrors{"far", "farther", "near"};

void first_by_imap() {
  Mirrors network;
  const auto ask = [&network](const std::string& mirror) { return network.ask(mirror); };
  // snippet: first of an imap
  millpond::ThreadPool pool(4);
  auto answers = pool.imap_unordered(ask, mirrors);
  const std::string fastest = *answers.next();
  // snippet end
  check(fastest == "from near", "the first result of an imap");
  network.let_the_others_end();
}

void first_by_wait() {
  Mirrors network;
  const auto ask = [&network](const std::string& mirror) { return network.ask(mirror); };
  // snippet: first of several
  millpond::ThreadPool pool(4);
  std::vector<millpond::AsyncResult<std::string>> results;
  for (const std::string& mirror : mirrors) results.push_back(pool.apply_async(ask, mirror));

  auto [done, not_done] = millpond::wait(results, millpond::ReturnWhen::first_completed);
  const std::string fastest = done.front().get();
  for (auto& slower : not_done) slower.cancel();
  // snippet end
  check(fastest == "from near", "the first result of several");
  network.let_the_others_end();
}

void first_by_callback() {
  Mirrors network;
  const auto ask = [&network](const std::string& mirror) { return network.ask(mirror); };
  // snippet: first by a callback
  std::promise<std::string> first;
  bool answered = false;  // callbacks run one at a time: no lock
  const auto answer = [&](const std::string& text) {
    if (!std::exchange(answered, true)) first.set_value(text);
  };
  millpond::ThreadPool pool(4);
  for (const auto& mirror : mirrors) {
    pool.apply_async(ask, std::tuple{mirror}, {.callback = answer});
  }
  const std::string fastest = first.get_future().get();
  // snippet end
  check(fastest == "from near", "the first result by a callback");
  network.let_the_others_end();
}

// ---- Following up ----

void follow_up_by_hand() {
  millpond::ThreadPool pool(4);
  // snippet: follow up
  std::vector<millpond::AsyncResult<int>> second_round;
  for (int n : pool.imap(square, std::views::iota(0, 10))) {
    if (n > 50) second_round.push_back(pool.apply_async(square, n));  // 64 and 81
  }
  // snippet end
  check(second_round.size() == 2 && second_round[0].get() == 4096, "a second round by hand");
}

void follow_up_in_callback() {
  std::atomic<int> second_round = 0;
  // snippet: follow up in a callback
  millpond::ThreadPool pool(4);
  const auto follow_up = [&](const std::vector<int>& squares) {
    for (int n : squares) {
      if (n > 50) pool.apply_async([&second_round, n] { second_round += n; });
    }
  };
  auto result = pool.map_async(square, std::views::iota(0, 10), {.callback = follow_up});
  result.wait();  // the callback has returned: the second round has been issued
  pool.close();
  pool.join();
  // snippet end
  check(second_round == 64 + 81, "a second round issued by a callback");
}

void follow_up_in_task() {
  // snippet: follow up in a task
  millpond::ThreadPool pool(1);
  auto result = pool.apply_async([&pool] {
    auto more = pool.apply_async(square, 3);  // into its own pool ...
    return square(2) + more.get();            // ... and waits for it, with a single worker
  });
  // snippet end
  check(result.get() == 13, "a task issues work and waits for it");
}

void done_callback() {
  std::atomic<int> done = 0;
  std::latch told(1);
  // snippet: done callback
  millpond::ThreadPool pool(2);
  auto result = pool.apply_async(square, 4);
  result.add_done_callback([&](const millpond::AsyncResult<int>& r) {
    if (r.successful()) ++done;
    told.count_down();
  });
  // snippet end
  told.wait();
  check(done == 1, "told when it was done");
}

// ---- Speed ----

void chunksizes() {
  millpond::ThreadPool pool(4);
  const std::vector<int> items(1000, 3);
  // snippet: chunksize
  const auto by_default = pool.map(square, items);
  const auto one_by_one = pool.map(square, items, 1);  // for few and long items
  const auto by_hundreds = pool.map(square, items, {.chunksize = 100});
  const auto one_each = pool.map(square, items, (items.size() + pool.size() - 1) / pool.size());
  // snippet end
  check(by_default == one_by_one && by_hundreds == one_each && by_default == one_each,
        "the chunksize changes no result");
}

// snippet: seconds
template <class F>
double seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
// snippet end

double root_of_roots(double x) {
  for (int i = 0; i < 100; ++i) x = std::sqrt(x + i);
  return x;
}

void serial_and_parallel() {
  const std::vector<double> inputs(20'000, 2.0);
  // snippet: compare
  std::vector<double> serial;
  const double serial_time = seconds([&] {
    for (double x : inputs) serial.push_back(root_of_roots(x));
  });

  millpond::ThreadPool pool;
  std::vector<double> parallel;
  const double parallel_time = seconds([&] { parallel = pool.map(root_of_roots, inputs); });
  std::printf("%.1f times as fast with %zu workers\n", serial_time / parallel_time, pool.size());
  // snippet end
  check(serial == parallel, "serially and in parallel, the same results");
}

void short_queue() {
  std::atomic<int> stored = 0;
  const auto store = [&](int n) { stored += n; };
  // snippet: short queue
  std::deque<millpond::AsyncResult<void>> under_way;
  millpond::ThreadPool pool(4);
  for (int n = 0; n < 1'000; ++n) {
    if (under_way.size() == 100) {
      under_way.front().get();  // the oldest; throws if it has failed
      under_way.pop_front();
    }
    under_way.push_back(pool.apply_async(store, n));
  }
  for (auto& result : under_way) result.get();
  // snippet end
  check(stored == 499'500, "a thousand tasks, at most a hundred of them at a time");
}

// ---- Shared data ----

void protect_data() {
  millpond::ThreadPool pool(4);
  const auto numbers = std::views::iota(1, 101);
  // snippet: nothing shared
  const std::vector<int> squares = pool.map(square, numbers);  // each task has its own result
  const int sum = std::accumulate(squares.begin(), squares.end(), 0);
  // snippet end
  check(sum == 338'350, "results put together by the caller");

  // snippet: shared
  std::atomic<int> looked_at = 0;
  std::mutex mutex;
  std::vector<int> found;  // guarded by mutex
  pool.map(
      [&](int n) {
        ++looked_at;
        if (n % 7 != 0) return;
        const std::lock_guard lock(mutex);
        found.push_back(n);
      },
      numbers);
  // snippet end
  check(looked_at == 100 && found.size() == 14, "an atomic and a lock");
}

void progress_by_callback() {
  std::string dots;
  // snippet: dots
  millpond::ThreadPool pool(4);
  for (int i = 0; i < 20; ++i) {
    pool.apply_async(square, std::tuple{i}, {.callback = [&dots](int) { dots += '.'; }});
  }
  pool.close();
  pool.join();
  // snippet end
  check(dots == "....................", "a dot for every task");
}

// ---- Tests ----

// snippet: testable
int sum_of_squares(millpond::ThreadPool& pool, const std::vector<int>& numbers) {
  const auto squares = pool.map(square, numbers);
  return std::accumulate(squares.begin(), squares.end(), 0);
}
// snippet end

void testing() {
  // snippet: test
  for (int workers : {1, 2, 8}) {
    millpond::ThreadPool pool(workers);
    check(sum_of_squares(pool, {1, 2, 3}) == 14, "the sum of three squares");
  }
  // snippet end
}

// ---- Order ----

void urgent_work() {
  std::string order;
  std::latch may_start(1);
  // snippet: priority
  millpond::PriorityThreadPool pool(1);
  pool.apply_async([&] { may_start.wait(); });  // keeps the only worker busy
  pool.apply_async([&] { order += "later "; });
  pool.apply_async([&] { order += "now "; }, std::tuple{}, {.priority = 10});
  may_start.count_down();
  pool.close();
  pool.join();  // order is "now later "
  // snippet end
  check(order == "now later ", "urgent work overtakes");
}

int main() {
  stop_by_a_flag();
#ifdef __cpp_lib_jthread
  stop_by_a_token();
  stop_all_by_token();
#endif
  cancel_what_waits();
  wait_for_all();
  as_completed();
  first_by_imap();
  first_by_wait();
  first_by_callback();
  follow_up_by_hand();
  follow_up_in_callback();
  follow_up_in_task();
  done_callback();
  chunksizes();
  serial_and_parallel();
  short_queue();
  protect_data();
  progress_by_callback();
  testing();
  urgent_work();
}
