// SPDX-License-Identifier: MIT
//
// docs/guide/shutting-down.md: close, terminate, join, and the end of the scope.

#include <millpond/millpond.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include "check.hpp"

void finish_everything() {
  std::atomic<int> done = 0;
  // snippet: close
  millpond::ThreadPool pool(4);
  for (int i = 0; i < 100; ++i) pool.apply_async([&] { ++done; });
  pool.close();  // no more work ...
  pool.join();   // ... and all that was accepted is done
  // snippet end
  check(done == 100, "close and join run everything");
}

void give_up() {
  std::atomic<bool> started = false;
  std::atomic<bool> may_end = false;
  std::string queued_result;
  // snippet: terminate
  millpond::ThreadPool pool(1);
  auto running = pool.apply_async([&] {
    started = true;
    started.notify_all();
    may_end.wait(false);
    return 1;
  });
  auto queued = pool.apply_async([] { return 2; });
  started.wait(false);

  pool.terminate();  // returns at once
  try {
    queued.get();
  } catch (const millpond::TerminatedError&) {
    queued_result = "given up";
  }
  may_end = true;
  may_end.notify_all();
  pool.join();
  const int kept = running.get();  // what ran has ended as if nothing had happened
  // snippet end
  check(queued_result == "given up" && kept == 1, "terminate gives up what has not started");
}

#ifdef __cpp_lib_jthread  // not yet with every standard library
void asked_to_stop() {
  std::atomic<bool> started = false;
  // snippet: stop token
  millpond::ThreadPool pool(2);
  auto rounds = pool.apply_async([&](std::stop_token stop) {
    started = true;
    started.notify_all();
    int n = 1;
    while (!stop.stop_requested()) {
      ++n;  // a round of the work, then a look at the token
      std::this_thread::yield();
    }
    return n;
  });
  started.wait(false);
  pool.terminate();                   // asks; so does the destructor
  const int finished = rounds.get();  // what it returned when it had seen that
  // snippet end
  check(finished >= 1, "a task that was asked to stop keeps its result");
}
#endif

void refusals() {
  std::vector<std::string> messages;
  // snippet: refused
  millpond::ThreadPool pool(1);
  try {
    pool.join();
  } catch (const millpond::ValueError& e) {
    messages.push_back(e.what());  // "Pool is still running"
  }
  pool.close();
  try {
    pool.apply_async([] {});
  } catch (const millpond::ValueError& e) {
    messages.push_back(e.what());  // "Pool not running"
  }
  // snippet end
  check(messages == std::vector<std::string>{"Pool is still running", "Pool not running"},
        "what a pool refuses");
}

void state() {
  // snippet: state
  millpond::ThreadPool pool(4);
  pool.close();
  const bool closed = pool.state() == millpond::State::close;  // run, close or terminate
  const std::string text = to_string(pool);  // "<millpond::ThreadPool state=CLOSE pool_size=4>"
  // snippet end
  check(closed && text == "<millpond::ThreadPool state=CLOSE pool_size=4>",
        "a pool that is closed");
}

void owned_by_a_task() {
  // snippet: owned
  auto pool = std::make_shared<millpond::ThreadPool>(2);
  auto result = pool->apply_async([pool] { return pool->size(); });
  pool.reset();  // the task may be the last to hold the pool
  // snippet end
  check(result.get() == 2, "a task may own its pool");
}

int main() {
  finish_everything();
  give_up();
#ifdef __cpp_lib_jthread
  asked_to_stop();
#endif
  refusals();
  state();
  owned_by_a_task();
}
