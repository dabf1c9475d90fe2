// SPDX-License-Identifier: MIT
//
// With MILLPOND_BENCH_PIN=1 in the environment each thread of the program stays on one core: the
// main thread on the first that the process may use, every other thread on the one that has the
// fewest threads when it starts. So all cores are in use, even where the system would keep a
// producer and the worker that it wakes on one.
//
// The program's own pthread_create() comes before the C library's, so that the threads of every
// contender pass here, whoever starts them. So does its sched_getaffinity(), which goes on to
// answer with all cores of the process: by them some contenders choose how many threads to start
// and how long to spin.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <dlfcn.h>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

using StartRoutine = void* (*)(void*);

// The C library's function of this name.
template <class Function>
Function* next(const char* name) {
  void* const address = dlsym(RTLD_NEXT, name);
  if (address == nullptr) {
    std::abort();
  }
  return reinterpret_cast<Function*>(address);
}

// Which cores there are, and how many threads each has. Thread-safe. Is never destroyed: threads of
// other libraries outlive main().
class Cores {
 public:
  // Made by the first thread, which is the main thread, and pins it.
  static Cores& instance() {
    static Cores& cores = *new Cores;
    return cores;
  }

  bool pinning() const { return !cores_.empty(); }
  std::size_t size() const { return cores_.size(); }
  const cpu_set_t& all() const { return all_; }

  // For a new thread: the core with the fewest threads, which then has one more.
  int take() {
    const std::lock_guard lock(mutex_);
    const auto core = std::ranges::min_element(cores_, {}, &Core::threads);
    ++core->threads;
    return core->number;
  }

  void give_back(int number) {
    const std::lock_guard lock(mutex_);
    --std::ranges::find(cores_, number, &Core::number)->threads;
  }

 private:
  struct Core {
    int number;
    int threads;
  };

  Cores() {
    const char* const wanted = std::getenv("MILLPOND_BENCH_PIN");
    if (wanted == nullptr || std::string_view(wanted) != "1") {
      return;
    }
    if (next<decltype(sched_getaffinity)>("sched_getaffinity")(0, sizeof(all_), &all_) != 0) {
      return;
    }
    for (int number = 0; number < CPU_SETSIZE; ++number) {
      if (CPU_ISSET(number, &all_)) {
        cores_.push_back({number, 0});
      }
    }
    cpu_set_t mine;
    CPU_ZERO(&mine);
    CPU_SET(take(), &mine);
    if (sched_setaffinity(0, sizeof(mine), &mine) != 0) {
      cores_.clear();
    }
  }

  cpu_set_t all_{};
  std::mutex mutex_;
  std::vector<Core> cores_;  // empty: threads go where they like
};

// What a pinned thread is to do.
struct Start {
  StartRoutine routine;
  void* argument;
  int core;

  ~Start() { Cores::instance().give_back(core); }
};

void* run(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  return start->routine(start->argument);
}

// A copy of those attributes that threads of thread pools are given, and the core. Owned here.
class Attributes {
 public:
  Attributes(const pthread_attr_t* from, int core) {
    pthread_attr_init(&attributes_);
    if (from != nullptr) {
      int detached = PTHREAD_CREATE_JOINABLE;
      std::size_t stack = 0;
      std::size_t guard = 0;
      pthread_attr_getdetachstate(from, &detached);
      pthread_attr_getstacksize(from, &stack);
      pthread_attr_getguardsize(from, &guard);
      pthread_attr_setdetachstate(&attributes_, detached);
      pthread_attr_setstacksize(&attributes_, stack);
      pthread_attr_setguardsize(&attributes_, guard);
    }
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    pthread_attr_setaffinity_np(&attributes_, sizeof(cores), &cores);
  }

  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { pthread_attr_destroy(&attributes_); }

  const pthread_attr_t* get() const { return &attributes_; }

 private:
  pthread_attr_t attributes_;
};

// run.py takes it for the proof that the threads are pinned.
const bool kPinned = [] {
  const Cores& cores = Cores::instance();
  if (cores.pinning()) {
    benchmark::AddCustomContext("pinned", "to " + std::to_string(cores.size()) + " cores");
  }
  return cores.pinning();
}();

}  // namespace

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, StartRoutine routine,
                   void* argument) noexcept {
  static auto* const real = next<decltype(pthread_create)>("pthread_create");
  Cores& cores = Cores::instance();
  if (!cores.pinning()) {
    return real(thread, attributes, routine, argument);
  }
  auto start = std::make_unique<Start>(routine, argument, cores.take());
  const Attributes pinned(attributes, start->core);
  const int error = real(thread, pinned.get(), run, start.get());
  if (error == 0) {
    static_cast<void>(start.release());  // run() has it now
  }
  return error;
}

int sched_getaffinity(pid_t thread, std::size_t size, cpu_set_t* cores) noexcept {
  static auto* const real = next<decltype(sched_getaffinity)>("sched_getaffinity");
  const int error = real(thread, size, cores);
  if (error == 0 && Cores::instance().pinning()) {
    const cpu_set_t& all = Cores::instance().all();
    CPU_OR_S(std::min(size, sizeof(all)), cores, cores, &all);
  }
  return error;
}

}  // extern "C"
