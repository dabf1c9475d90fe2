// SPDX-License-Identifier: MIT
//
// docs/guide/thread-or-pool.md: the same work with threads, with std::async and with a pool.

#include <millpond/millpond.hpp>

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <mutex>
#include <numeric>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include "check.hpp"

using namespace std::chrono_literals;

// snippet: function
std::size_t count_words(const std::string& text) {
  std::istringstream words(text);
  std::size_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}
// snippet end

using Texts = std::vector<std::string>;
using Counts = std::vector<std::size_t>;

void with_threads(const Texts& texts) {
  // snippet: threads
  std::vector<std::size_t> counts(texts.size());  // room for the results: a thread returns nothing
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] { counts[i] = count_words(texts[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  // snippet end
  check(counts == Counts{2, 2, 5}, "with threads");
}

void with_async(const Texts& texts) {
  // snippet: async
  std::vector<std::future<std::size_t>> counts;
  for (const std::string& text : texts) {
    counts.push_back(std::async(std::launch::async, count_words, std::cref(text)));
  }
  std::size_t sum = 0;
  for (auto& count : counts) sum += count.get();
  // snippet end
  check(sum == 9, "with std::async");
}

void with_a_pool(const Texts& texts) {
  // snippet: pool
  millpond::ThreadPool pool(4);
  const std::vector<std::size_t> counts = pool.map(count_words, texts);
  // snippet end
  check(counts == Counts{2, 2, 5}, "with a pool");
}

void different_tasks() {
  // snippet: different
  millpond::ThreadPool pool(4);
  auto words = pool.apply_async(count_words, "a mill by a pond");
  auto sum = pool.apply_async([] { return 0.5 + 0.25; });
  auto nothing = pool.apply_async([] {});
  while (!words.ready()) std::this_thread::yield();  // or draw a progress bar
  // snippet end
  nothing.wait();
  check(words.get() == 5 && sum.get() == 0.75 && nothing.successful(), "tasks of three types");
}

void meeting() {
  std::atomic<int> arrived = 0;
  std::atomic<int> seen = 0;
  const auto arrive = [&] { ++arrived; };
  const auto look = [&] { seen += arrived; };
  // snippet: barrier
  std::barrier meeting(3);  // three threads, or nobody gets past it
  std::vector<std::thread> walkers;
  for (int i = 0; i < 3; ++i) {
    walkers.emplace_back([&] {
      arrive();
      meeting.arrive_and_wait();
      look();
    });
  }
  for (std::thread& walker : walkers) walker.join();
  // snippet end
  check(seen == 9, "each of three sees that all have arrived");
}

#ifdef __cpp_lib_jthread  // not yet with every standard library

void one_task() {
  std::string index;
  const auto build_index = [](std::string& out) { out = "built"; };
  {
    // snippet: one task
    std::jthread builder(build_index, std::ref(index));  // joined at the end of the scope
    // snippet end
  }
  check(index == "built", "one task on a thread of its own");
}

// snippet: service
class Heartbeat {
 public:
  explicit Heartbeat(std::chrono::milliseconds interval)
      : interval_(interval), thread_([this](std::stop_token stop) { run(stop); }) {}

  int beats() const {
    const std::lock_guard lock(mutex_);
    return beats_;
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      ++beats_;
      sleep_.wait_for(lock, stop, interval_, [] { return false; });  // a stop ends it
    }
  }

  const std::chrono::milliseconds interval_;
  mutable std::mutex mutex_;
  std::condition_variable_any sleep_;
  int beats_ = 0;
  std::jthread thread_;  // last: it uses the others; stops and joins in the destructor
};
// snippet end

void service() {
  const Heartbeat heart(1ms);
  while (heart.beats() < 3) std::this_thread::yield();
  check(heart.beats() >= 3, "a service that beats until it is stopped");
}

#endif

int main() {
  const Texts texts{"a mill", "a pond", "a mill by a pond"};
  with_threads(texts);
  with_async(texts);
  with_a_pool(texts);
  different_tasks();
  meeting();
#ifdef __cpp_lib_jthread
  one_task();
  service();
#endif
}
