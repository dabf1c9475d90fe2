// SPDX-License-Identifier: MIT
//
// docs/guide/results.md: what can be done with an AsyncResult.

#include <millpond/millpond.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"

using namespace std::chrono_literals;

void getting() {
  millpond::ThreadPool pool(2);
  // snippet: get
  auto result = pool.apply_async([] { return std::string(1000, 'x'); });
  const std::string& here = result.get();      // a reference into the result, any number of times
  std::string mine = std::move(result).get();  // the result itself
  // snippet end
  check(mine.size() == 1000 && here.data() != mine.data(), "got twice, moved out once");
}

void patience() {
  millpond::ThreadPool pool(2);
  std::atomic<bool> may_end = false;
  std::string answer;
  // snippet: timeout
  auto result = pool.apply_async([&] {
    may_end.wait(false);
    return 42;
  });
  try {
    answer = std::to_string(result.get(10ms));
  } catch (const millpond::TimeoutError&) {
    answer = "not yet";  // nothing is lost: ask again
  }
  // snippet end
  check(answer == "not yet", "a task that waits is not ready");
  check(!result.ready() && !result.wait(0s), "nor when polled");
  may_end = true;
  may_end.notify_all();
  check(result.get() == 42, "the result came in the end");
}

void errors() {
  millpond::ThreadPool pool(2);
  std::string what;
  // snippet: errors
  auto result = pool.apply_async([]() -> int { throw std::runtime_error("no such file"); });
  result.wait();                                        // throws nothing of the task's
  const bool well = result.successful();                // false
  const std::exception_ptr error = result.exception();  // null had it been true
  try {
    result.get();  // the task's own exception, every time
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  // snippet end
  check(!well && error != nullptr && what == "no such file", "an error in three ways");
}

void progress() {
  millpond::ThreadPool pool(2);
  std::size_t last = 0;
  // snippet: progress
  auto result = pool.map_async([](int x) { return x + 1; }, std::vector<int>(500));
  do {
    last = result.completed();  // of result.total(): a progress bar
  } while (!result.wait(1ms));
  // snippet end
  check(last <= 500 && result.completed() == 500 && result.total() == 500, "progress of a map");
}

void calling_off() {
  std::atomic<bool> may_end = false;
  std::string outcome;
  // snippet: cancel
  millpond::ThreadPool pool(1);
  auto running = pool.apply_async([&] { may_end.wait(false); });  // keeps the only worker busy
  auto queued = pool.apply_async([] { return 42; });
  const bool called_off = queued.cancel();  // true: it will never start
  try {
    queued.get();
  } catch (const millpond::CancelledError&) {
    outcome = "called off";
  }
  // snippet end
  check(called_off && queued.cancel() && queued.cancelled(), "cancelled, and again");
  check(outcome == "called off" && queued.ready(), "get() says so at once");
  may_end = true;
  may_end.notify_all();
  running.get();
  check(!running.cancel() && !running.cancelled(), "what has run is not cancelled");
}

void being_told() {
  std::promise<int> told;
  millpond::ThreadPool pool(2);
  // snippet: done callback
  auto result = pool.apply_async([] { return 42; });
  result.add_done_callback([&told](const millpond::AsyncResult<int>& done) {
    told.set_value(done.get());  // it is ready: get() does not wait
  });
  // snippet end
  check(told.get_future().get() == 42, "told when it was ready");
}

void several() {
  const auto square = [](int n) { return n * n; };
  millpond::ThreadPool pool(2);
  int sum = 0;
  // snippet: several
  std::vector<millpond::AsyncResult<int>> results;
  for (int n : {1, 2, 3}) results.push_back(pool.apply_async(square, n));

  for (auto& result : millpond::as_completed(results)) sum += result.get();  // the first one first
  // snippet end
  check(sum == 14, "each of them once");
}

void no_longer_than() {
  const auto square = [](int n) { return n * n; };
  millpond::ThreadPool pool(2);
  std::vector<millpond::AsyncResult<int>> results;
  for (int n : {1, 2, 3}) results.push_back(pool.apply_async(square, n));
  int sum = 0;
  // snippet: wait for several
  const auto [done, not_done] = millpond::wait(results, 2s);
  for (const auto& result : done) sum += result.get();
  for (const auto& result : not_done) result.cancel();  // those that have not started, never will
  // snippet end
  check(done.size() + not_done.size() == 3, "each is done or not");
  check(sum <= 14 && (sum == 14 || done.size() < 3), "what is done can be used");
}

void shared() {
  // snippet: shared
  millpond::AsyncResult<int> kept;  // refers to nothing yet
  {
    millpond::ThreadPool pool(2);
    kept = pool.apply_async([] { return 7; });
    kept.wait();
  }
  const auto copy = kept;  // the same result; it outlives the pool
  // snippet end
  check(copy == kept && copy.get() == 7, "a handle outlives the pool");
}

int main() {
  getting();
  patience();
  errors();
  progress();
  calling_off();
  being_told();
  several();
  no_longer_than();
  shared();
}
