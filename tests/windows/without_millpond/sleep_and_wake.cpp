// SPDX-License-Identifier: MIT
//
// What the standard library of a platform does when threads sleep, wake and end, without millpond:
// shows which primitives lose a wake-up there (docs/portability.md). Not a test, not built by
// CMake.
//
//   x86_64-w64-mingw32-g++-posix -std=c++20 -O1 -static sleep_and_wake.cpp -o sleep_and_wake.exe
//   wine sleep_and_wake.exe <scene> [<times>]
//
// Ends with 0, or with 3 if ten seconds went by without progress: every scene ends by itself where
// the primitives do as the standard says.
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <latch>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<long> progress{0};
std::atomic<unsigned> seed{1};
constexpr unsigned kMark = 0x5EED;

void spend(unsigned steps) {
  for (std::atomic<unsigned> left{steps}; left != 0;) --left;
}

// Between the steps of a protocol: often nothing, often a few instructions, sometimes a yield.
void noise() {
  thread_local unsigned state = seed.fetch_add(0x9E3779B9U) | 1U;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  const unsigned choice = state % 16;
  if (choice == 0) {
    std::this_thread::yield();
  } else if (choice <= 6) {
    spend(state % 500);
  }
}

// Two threads hand a turn to each other.
template <class Number>
void take_turns() {
  constexpr int kTurns = 2000;
  std::atomic<Number> turn{0};
  std::thread other([&] {
    for (int n = 0; n != kTurns; ++n) {
      turn.wait(0);
      noise();
      turn.store(0);
      turn.notify_one();
      ++progress;
    }
  });
  for (int n = 0; n != kTurns; ++n) {
    noise();
    turn.store(1);
    turn.notify_one();
    noise();
    turn.wait(1);
  }
  other.join();
}

void latch() {
  for (int n = 0; n != 200; ++n) {
    std::latch done(3);
    const auto arrive = [&] {
      noise();
      done.count_down();
    };
    std::thread a(arrive);
    std::thread b(arrive);
    noise();
    done.arrive_and_wait();
    a.join();
    b.join();
    ++progress;
  }
}

void barrier() {
  std::barrier<> meet(3);
  const auto work = [&] {
    for (int n = 0; n != 1000; ++n) {
      noise();
      meet.arrive_and_wait();
      ++progress;
    }
  };
  std::thread a(work);
  std::thread b(work);
  work();
  a.join();
  b.join();
}

void semaphore() {
  constexpr int kTurns = 2000;
  std::counting_semaphore<> there{0};
  std::counting_semaphore<> back{0};
  std::thread other([&] {
    for (int n = 0; n != kTurns; ++n) {
      there.acquire();
      noise();
      back.release();
      ++progress;
    }
  });
  for (int n = 0; n != kTurns; ++n) {
    noise();
    there.release();
    noise();
    back.acquire();
  }
  other.join();
}

// A callback is destroyed while it runs on another thread.
void stop_callback() {
  for (unsigned n = 0; n != 500; ++n) {
    std::stop_source source;
    std::atomic<bool> there{false};
    std::thread other([&] {
      const std::stop_callback callback(source.get_token(), [] {
        noise();
        std::this_thread::yield();
      });
      there = true;
      spend(n * 7 % 1500);
    });
    while (!there) std::this_thread::yield();
    source.request_stop();
    other.join();
    ++progress;
  }
}

// As a pool does it: a queue under a mutex, one sleeper woken at a time and after unlocking,
// whoever leaves wakes the next.
class Pool {
 public:
  explicit Pool(int workers) {
    for (int n = 0; n != workers; ++n) {
      threads_.emplace_back([this] { run(); });
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    noise();
    condition_.notify_one();
    for (std::thread& thread : threads_) thread.join();
  }

  void put(std::function<void()> job) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
      wake = begin_wake();
    }
    noise();
    if (wake) condition_.notify_one();
  }

 private:
  bool begin_wake() {
    if (sleepers_ == 0 || waking_) return false;
    waking_ = true;
    return true;
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      while (jobs_.empty() && !closed_) {
        ++sleepers_;
        condition_.wait(lock);
        --sleepers_;
        waking_ = false;
      }
      if (jobs_.empty()) break;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      const bool wake = !jobs_.empty() && begin_wake();
      lock.unlock();
      noise();
      if (wake) condition_.notify_one();
      job();
      lock.lock();
    }
    lock.unlock();
    noise();
    condition_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable condition_;
  std::deque<std::function<void()>> jobs_;
  int sleepers_ = 0;
  bool waking_ = false;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

// Lives on the sleeper's stack, is notified under its mutex and gone as soon as the sleeper wakes.
class Waiter {
 public:
  void notify() {
    const std::lock_guard lock(mutex_);
    done_ = true;
    noise();
    condition_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    noise();
    condition_.wait(lock, [this] { return done_; });
  }
  bool wait_for(std::chrono::microseconds timeout) {
    std::unique_lock lock(mutex_);
    return condition_.wait_until(lock, Clock::now() + timeout, [this] { return done_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool done_ = false;
};

void pool() {
  for (const int workers : {1, 2, 3, 8}) {
    for (int n = 0; n != 20; ++n) {
      Pool pool(workers);
      for (int k = 0; k != 60; ++k) {
        Waiter waiter;
        pool.put([&] { waiter.notify(); });
        // Every other one first with a deadline that passes about when the job ends.
        if (k % 2 == 0 || !waiter.wait_for(std::chrono::microseconds(k * 50))) waiter.wait();
        ++progress;
      }
      for (int k = 0; k != 50; ++k) pool.put(noise);
    }
  }
}

void pools_that_end() {
  for (int n = 0; n != 100; ++n) {
    Pool pool(1 + n % 9);
    if (n % 2 != 0) pool.put(noise);
    ++progress;
  }
}

// With and without a deadline at one condition variable that is notified one at a time.
void deadlines() {
  std::mutex mutex;
  std::condition_variable condition;
  int tokens = 0;
  bool end = false;
  std::atomic<int> taken{0};
  const auto take = [&](bool timed) {
    std::unique_lock lock(mutex);
    for (;;) {
      while (tokens == 0 && !end) {
        if (timed) {
          condition.wait_until(lock, Clock::now() + std::chrono::microseconds(700));
        } else {
          condition.wait(lock);
        }
      }
      if (tokens == 0) return;
      --tokens;
      lock.unlock();
      ++taken;
      ++progress;
      noise();
      lock.lock();
    }
  };
  std::thread a(take, false);
  std::thread b(take, true);
  std::thread c(take, true);
  for (int n = 0; n != 500; ++n) {
    {
      const std::lock_guard lock(mutex);
      ++tokens;
    }
    noise();
    condition.notify_one();
    // Sleeps so that deadlines pass.
    if (n % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(n % 5 * 300));
    if (n % 10 == 0) {
      while (taken <= n) std::this_thread::yield();
    }
  }
  {
    const std::lock_guard lock(mutex);
    end = true;
  }
  condition.notify_all();
  a.join();
  b.join();
  c.join();
}

void notify_all() {
  for (int n = 0; n != 100; ++n) {
    std::mutex mutex;
    std::condition_variable condition;
    int round = 0;
    int arrived = 0;
    const auto work = [&] {
      for (int k = 1; k <= 10; ++k) {
        std::unique_lock lock(mutex);
        if (++arrived == 4) {
          arrived = 0;
          ++round;
          condition.notify_all();
        } else {
          condition.wait(lock, [&] { return round >= k; });
        }
        ++progress;
      }
    };
    std::thread a(work);
    std::thread b(work);
    std::thread c(work);
    work();
    a.join();
    b.join();
    c.join();
  }
}

void threads() {
  for (int n = 0; n != 200; ++n) {
    std::vector<std::thread> threads;
    for (int k = 0; k != 8; ++k) threads.emplace_back(noise);
    for (std::thread& thread : threads) thread.join();
    ++progress;
  }
}

template <std::size_t kNumber>
int number() {
  static const int number = [] {
    noise();
    return static_cast<int>(kNumber);
  }();
  return number;
}

template <std::size_t... kNumbers>
long sum_of_numbers(std::index_sequence<kNumbers...>) {
  long sum = 0;
  ((sum += number<kNumbers>(), ++progress), ...);
  return sum;
}

// Several threads come to the same static variables first.
void statics() {
  std::atomic<int> there{0};
  const auto work = [&] {
    ++there;
    while (there != 4) std::this_thread::yield();
    if (sum_of_numbers(std::make_index_sequence<500>{}) != 124750) std::abort();
  };
  std::vector<std::thread> threads;
  for (int k = 0; k != 4; ++k) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

// A thread_local object that reads its own member in its destructor. Where its memory has been
// freed by then, malloc() gives it to others.
void thread_local_memory() {
  struct Object {
    std::array<unsigned, 8> words{};
    ~Object() {
      for (int n = 0; n != 64; ++n) {  // not freed: somebody else has them
        if (void* const memory = std::malloc(sizeof(Object))) {
          std::memset(memory, 0, sizeof(Object));
        }
      }
      if (words.back() == kMark) return;
      std::printf("thread_local_memory: CHANGED by another owner\n");
      std::fflush(stdout);
      std::_Exit(3);
    }
  };
  for (int n = 0; n != 100; ++n) {
    std::thread([] {
      thread_local Object object;
      object.words.fill(kMark);
    }).join();
    ++progress;
  }
}

// A thread_local object whose destructor starts a thread and joins it.
void thread_local_join() {
  struct Object {
    bool used = false;
    ~Object() {
      std::thread([] { ++progress; }).join();
    }
  };
  for (int n = 0; n != 100; ++n) {
    std::thread([] {
      thread_local Object object;
      object.used = true;
    }).join();
    ++progress;
  }
}

struct Scene {
  const char* name;
  void (*play)();
};
constexpr Scene kScenes[] = {
    {"atomic_int", take_turns<int>},
    {"atomic_long", take_turns<long long>},
    {"latch", latch},
    {"barrier", barrier},
    {"semaphore", semaphore},
    {"stop_callback", stop_callback},
    {"thread_local_memory", thread_local_memory},
    {"thread_local_join", thread_local_join},
    {"pool", pool},
    {"pools_that_end", pools_that_end},
    {"deadlines", deadlines},
    {"notify_all", notify_all},
    {"threads", threads},
    {"statics", statics},
};

// Polls: needs none of what is looked at.
void watch(const char* name) {
  int still = 0;
  for (long last = -1;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const long now = progress;
    still = now == last ? still + 1 : 0;
    last = now;
    if (still < 20) continue;
    std::printf("%s: STALL after %ld steps\n", name, now);
    std::fflush(stdout);
    std::_Exit(3);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* const wanted = argc > 1 ? argv[1] : "";
  const int times = argc > 2 ? std::atoi(argv[2]) : 1;
  seed = static_cast<unsigned>(Clock::now().time_since_epoch().count());
  for (const Scene& scene : kScenes) {
    if (std::strcmp(scene.name, wanted) != 0) continue;
    std::thread(watch, scene.name).detach();
    for (int n = 0; n != times; ++n) scene.play();
    std::printf("%s: ended\n", scene.name);
    std::fflush(stdout);
    std::_Exit(0);  // the watcher sleeps
  }
  std::printf("usage: sleep_and_wake <scene> [<times>], a scene being one of\n");
  for (const Scene& scene : kScenes) std::printf("  %s\n", scene.name);
  return 2;
}
