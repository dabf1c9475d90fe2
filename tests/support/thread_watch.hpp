// SPDX-License-Identifier: MIT
//
// What the operating system says about this process's threads: how many there are, what they are
// called, whether one sleeps. Only Linux tells; kSeesThreads says whether this build can ask.
#ifndef MILLPOND_TESTS_SUPPORT_THREAD_WATCH_HPP
#define MILLPOND_TESTS_SUPPORT_THREAD_WATCH_HPP

#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <filesystem>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MILLPOND_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define MILLPOND_TEST_SANITIZED 1
#endif
#endif

namespace millpond::test {

#if defined(__linux__)
inline constexpr bool kSeesThreads = true;
#else
inline constexpr bool kSeesThreads = false;
#endif

#if defined(MILLPOND_TEST_SANITIZED)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Polls until `condition` holds. For what nobody announces, such as a thread's disappearance from
// the system's books; a condition that never comes true is found by the test runner's time limit.
template <class Condition>
void poll_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

using ThreadId = long;

// The system's number of the calling thread; 0 where it has none.
inline ThreadId this_thread_id() {
#if defined(__linux__)
  return ::syscall(SYS_gettid);
#else
  return 0;
#endif
}

// The name that debuggers and top show for the calling thread.
inline std::string this_thread_name() {
  std::ifstream file("/proc/self/task/" + std::to_string(this_thread_id()) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

// Threads of this process, the calling one and a sanitizer's included.
inline std::size_t thread_count() {
  std::size_t count = 0;
#if defined(__linux__)
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    if (!entry.path().empty()) ++count;
  }
#endif
  return count;
}

// A joined thread may stay in the books for a moment: returns when there are `count` threads or
// fewer.
inline void wait_for_thread_count(std::size_t count) {
  if constexpr (kSeesThreads) {
    poll_until([count] { return thread_count() <= count; });
  }
}

// thread_count(), to be compared with a later one: a sanitizer that starts a thread of its own
// beside the first thread of the program has done so.
inline std::size_t settled_thread_count() {
  if constexpr (kSeesThreads) {
    ThreadId id = 0;
    std::thread([&id] { id = this_thread_id(); }).join();
    poll_until([id] { return !std::ifstream("/proc/self/task/" + std::to_string(id) + "/comm"); });
  }
  return thread_count();
}

namespace watch_detail {

struct Nap {
  bool asleep = false;
  std::string switches;  // a thread that has run in between has another number here
};

inline Nap look_at(ThreadId id) {
  std::ifstream file("/proc/self/task/" + std::to_string(id) + "/status");
  Nap nap;
  nap.asleep = !file;  // it has ended: it will not run either
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("State:")) nap.asleep = line.find('S', 6) != std::string::npos;
    if (line.starts_with("voluntary_ctxt_switches:")) nap.switches = line;
  }
  return nap;
}

}  // namespace watch_detail

// Returns when that thread has been seen asleep, and in the same sleep, many times in a row: then
// it waits for an event and not for a mutex that is about to be released. Returns at once where
// the system does not tell.
inline void wait_until_asleep(ThreadId id) {
  if constexpr (kSeesThreads) {
    constexpr int kSightings = 10;
    std::string sleep;
    for (int seen = 0; seen < kSightings;) {
      const watch_detail::Nap nap = watch_detail::look_at(id);
      seen = nap.asleep && nap.switches == sleep ? seen + 1 : 0;
      sleep = nap.switches;
      std::this_thread::yield();
    }
  }
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_THREAD_WATCH_HPP
