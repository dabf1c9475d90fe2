// SPDX-License-Identifier: MIT
//
// Every blocking operation meets every end of a pool, and returns.
//
// The table kOperations says what each operation brings home; the test plays each of its rows with
// each End, with 1, 2 and 8 workers, with the operation's work under way or still waiting for a
// worker, and with the end called from outside, from a task and from a callback.
//
// One play ("Scene") goes like this. Workers that the operation does not need are occupied by tasks
// that wait for a gate. The operation is started in a thread of its own and is seen to block. A
// probe, a task that no worker is free for, is queued behind it. Then the pool is ended; the
// probe's result tells when the end has come into force. Only then the gate opens.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/at_the_end.hpp"
#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/thread_watch.hpp"
#include "../support/told.hpp"
#include "../support/workers.hpp"

namespace millpond {
namespace {

using test::Counted;
using test::EventCount;
using test::Gate;
using test::InstanceCounter;
using test::name_of;
using test::shown;
using test::told;
using namespace std::chrono_literals;

enum class End { close, terminate, destructor };
enum class Phase { under_way, waiting };
enum class Caller { outside, task, callback };

constexpr std::array kEnds{End::close, End::terminate, End::destructor};
constexpr std::array kPhases{Phase::under_way, Phase::waiting};
constexpr std::array kCallers{Caller::outside, Caller::task, Caller::callback};
constexpr std::array kWorkerCounts{1, 2, 8};

const char* name_of(End end) {
  switch (end) {
    case End::close:
      return "Close";
    case End::terminate:
      return "Terminate";
    case End::destructor:
      return "Destructor";
  }
  return "?";
}
const char* name_of(Phase phase) { return phase == Phase::under_way ? "under way" : "waiting"; }
const char* name_of(Caller caller) {
  switch (caller) {
    case Caller::outside:
      return "an outside thread";
    case Caller::task:
      return "a task";
    case Caller::callback:
      return "a callback";
  }
  return "?";
}

constexpr int kItems = 3;
const std::vector<int> kInput{1, 2, 3};
const std::vector<std::tuple<int, int>> kPairs{{1, 0}, {2, 0}, {3, 0}};

struct Operation;

// The stage on which one operation meets one end.
class Scene {
 public:
  Scene(int workers, Phase phase)
      : phase_(phase), owner_(std::make_unique<ThreadPool>(workers)), pool_(*owner_) {}

  // --- For the operations ----------------------------------------------------------------------

  // Valid until the operation has returned, whatever becomes of the owner.
  ThreadPool& pool() { return pool_; }

  // The operation's work: says that it is under way, waits for the gate, returns ten times the
  // item. The callable counts itself, so that the scene can tell when all of them are gone.
  auto work() {
    return [this, token = Counted(counter_)](int item) {
      ++started_.at(static_cast<std::size_t>(item));
      under_way_.add();
      finish_.wait();
      return 10 * item;
    };
  }
  auto work_of_two() {
    return [task = work()](int item, int nothing) { return task(item + nothing); };
  }

  // The operation is about to block: from here on the pool may end.
  void blocks_now() { issued_.open(); }

  // For operations that wait on one of the pool's own threads: they run enter() first, when every
  // other worker may have to be occupied, and before they wait pause(), during which the pool ends
  // if the work is to be waiting then.
  void enter() {
    entered_.open();
    proceed_.wait();
  }
  void pause() {
    issued_.open();
    if (phase_ == Phase::waiting) resume_.wait();
  }

  Phase phase() const { return phase_; }
  Gate& finish() { return finish_; }
  EventCount& under_way() { return under_way_; }
  InstanceCounter& counter() { return counter_; }

  // Queues the probe. Called by the scene, or earlier by an operation that closes the pool.
  void add_probe() {
    if (!probe_.valid()) probe_ = pool_.apply_async([token = Counted(counter_)] { return 7; });
  }

  // --- For the test ----------------------------------------------------------------------------

  void play(const Operation& operation, End end, Caller caller);

 private:
  // What ends the pool: waits for its cue and keeps the stage.
  void end_on_cue(End end) {
    cue_.wait();
    switch (end) {
      case End::close:
        pool_.close();
        break;
      case End::terminate:
        pool_.terminate();
        break;
      case End::destructor:
        owner_.reset();
        break;
    }
    ended_.open();
  }

  void occupy_workers(int count, End end, Caller caller) {
    const std::size_t before = blockers_.size();
    for (int i = 0; i < count; ++i) {
      const bool ends_the_pool = caller == Caller::task && blockers_.empty();
      blockers_.push_back(pool_.apply_async([this, ends_the_pool, end, token = Counted(counter_)] {
        occupied_.add();
        if (ends_the_pool) end_on_cue(end);
        finish_.wait();
        return 5;
      }));
    }
    occupied_.wait_until(before + static_cast<std::size_t>(count));
  }

  const Phase phase_;
  InstanceCounter counter_;
  std::array<std::atomic<int>, kItems + 1> started_{};

  Gate entered_, entered_callback_, proceed_, issued_, resume_, cue_, ended_, finish_;
  EventCount occupied_, under_way_;

  std::unique_ptr<ThreadPool> owner_;
  ThreadPool& pool_;
  std::vector<AsyncResult<int>> blockers_;
  AsyncResult<int> probe_;
};

enum class Where {
  outside,      // the operation waits on a thread that is none of the pool's
  in_task,      // on a worker
  in_callback,  // on the callback thread
};

struct Operation {
  std::string_view name;
  Where where;
  int workers_held;      // workers that its work occupies while it is under way
  bool needs_callbacks;  // does not get on while another callback is running
  bool returns_at_once;  // returns before running tasks do when its waiting work is abandoned

  // What it brings home.
  std::string_view under_way_closed;
  std::string_view under_way_terminated;  // the destructor terminates, too
  std::string_view waiting_closed;
  std::string_view waiting_terminated;

  std::string (*run)(Scene&);

  bool is_join() const { return name.starts_with("Join"); }
  bool is_one_call() const {
    return name == "Apply" || name == "Map" || name == "Starmap" || is_join();
  }

  std::string_view expected(Phase phase, End end) const {
    if (phase == Phase::under_way) {
      return end == End::close ? under_way_closed : under_way_terminated;
    }
    return end == End::close ? waiting_closed : waiting_terminated;
  }
};

// --- The operations ----------------------------------------------------------------------------

// An operation on the AsyncResult of one task.
template <class Wait>
std::string on_result(Scene& scene, Wait wait) {
  AsyncResult<int> result = scene.pool().apply_async(scene.work(), 1);
  scene.blocks_now();
  return told([&] { return wait(result); });
}

template <class Next>
std::string drain(ImapIterator<int>& items, Next next) {
  std::string text;
  int ends = 0;
  while (ends < 2) {  // twice: the end is sticky
    text += text.empty() ? "" : " ";
    text += told([&]() -> std::string {
      std::optional<int> item = next(items);
      if (item) return std::to_string(*item);
      ++ends;
      return "end";
    });
  }
  return text;
}

std::optional<int> plain_next(ImapIterator<int>& items) { return items.next(); }
std::optional<int> timed_next(ImapIterator<int>& items) { return items.next(1h); }

std::string range_for(ImapIterator<int>& items) {
  std::string text;
  text += told([&]() -> std::string {
    for (const int item : items) text += std::to_string(item) + " ";
    return "end";
  });
  return text + (items.next() ? " more" : " end");
}

// Runs `wait` inside a task and tells what it told there.
template <class Wait>
std::string in_task(Scene& scene, Wait wait) {
  AsyncResult<std::string> outer =
      scene.pool().apply_async([&scene, wait, token = Counted(scene.counter())] {
        scene.enter();
        return told([&] { return wait(scene); });
      });
  return told([&] { return outer.get(); });
}

// Runs `wait` inside a callback and tells what it told there, and the result after it.
template <class Wait>
std::string in_callback(Scene& scene, Wait wait) {
  std::string text;
  AsyncResult<int> outer =
      scene.pool().apply_async([token = Counted(scene.counter())] { return 1; }, std::tuple{},
                               {.callback = [&, token = Counted(scene.counter())](const int&) {
                                 scene.enter();
                                 text = told([&] { return wait(scene); });
                               }});
  const std::string result = told([&] { return shown(outer.get()); });
  return text + ", then " + result;
}

std::string get_of_inner(Scene& scene) {
  const AsyncResult<int> inner = scene.pool().apply_async(scene.work(), 1);
  scene.pause();
  return shown(inner.get());
}

// The callback or error_callback is what runs when the pool ends, unless the task is still waiting.
template <class Task>
std::string with_callbacks(Scene& scene, Task task) {
  std::string text;
  const auto called = [&](const std::string& what) {
    if (scene.phase() == Phase::under_way) {
      scene.under_way().add();
      scene.finish().wait();
    }
    text += what + ", then ";
  };
  const AsyncResult<int> result = scene.pool().apply_async(
      task, std::tuple{1},
      {.callback = [&, token = Counted(scene.counter())](
                       const int& value) { called("callback " + shown(value)); },
       .error_callback =
           [&, token = Counted(scene.counter())](const std::exception_ptr& error) {
             called("error_callback " + name_of(error));
           }});
  scene.blocks_now();
  const std::string outcome = told([&] { return shown(result.get()); });
  return text + outcome;
}

constexpr std::string_view kTerminated = "TerminatedError";
constexpr std::string_view kNotRunning = "Pool not running";
constexpr std::string_view kAll = "10 20 30";
constexpr std::string_view kAllThenEnd = "10 20 30 end end";
constexpr std::string_view kOneThenTerminated = "10 TerminatedError end end";
constexpr std::string_view kTerminatedThenEnd = "TerminatedError end end";

// clang-format off
const std::vector<Operation> kOperations{
  // Waiting for one result.
  {"Get", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) { return on_result(s, [](auto& r) { return shown(r.get()); }); }},
  {"GetFromAnRvalue", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) { return on_result(s, [](auto& r) { return shown(std::move(r).get()); }); }},
  {"TimedGet", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) { return on_result(s, [](auto& r) { return shown(r.get(1h)); }); }},
  {"TimedGetForTheLongestTime", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return on_result(s, [](auto& r) { return shown(r.get(std::chrono::hours::max())); });
   }},
  {"Wait", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) { return on_result(s, [](auto& r) { r.wait(); return shown(r.get(0s)); }); }},
  {"TimedWait", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return on_result(s, [](auto& r) { return r.wait(1h) ? shown(r.get(0s)) : "not ready"; });
   }},
  {"TimedWaitForTheLongestTime", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return on_result(s, [](auto& r) {
       return r.wait(std::chrono::nanoseconds::max()) ? shown(r.get(0s)) : "not ready";
     });
   }},
  {"WaitUntil", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return on_result(s, [](auto& r) {
       return r.wait_until(std::chrono::steady_clock::now() + 1h) ? shown(r.get(0s)) : "not ready";
     });
   }},
  {"WaitUntilTheLastMoment", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return on_result(s, [](auto& r) {
       return r.wait_until(std::chrono::steady_clock::time_point::max()) ? shown(r.get(0s))
                                                                         : "not ready";
     });
   }},
  {"WaitUntilASystemTime", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return on_result(s, [](auto& r) {
       return r.wait_until(std::chrono::system_clock::now() + 1h) ? shown(r.get(0s)) : "not ready";
     });
   }},
  {"Exception", Where::outside, 1, false, true, "none", "none", "none", kTerminated,
   [](Scene& s) {
     return on_result(s, [](auto& r) {
       const std::exception_ptr error = r.exception();
       return error ? name_of(error) : "none";
     });
   }},

  // Waiting for a map.
  {"MapAsyncGet", Where::outside, 1, false, true, kAll, kTerminated, kAll, kTerminated,
   [](Scene& s) {
     const auto result = s.pool().map_async(s.work(), kInput, 1);
     s.blocks_now();
     return told([&] { return shown(result.get()); });
   }},
  {"MapAsyncGetOfOneChunk", Where::outside, 1, false, true, kAll, kAll, kAll, kTerminated,
   [](Scene& s) {
     const auto result = s.pool().map_async(s.work(), kInput, kItems);
     s.blocks_now();
     return told([&] { return shown(result.get()); });
   }},
  {"StarmapAsyncWait", Where::outside, 1, false, true, kAll, kTerminated, kAll, kTerminated,
   [](Scene& s) {
     const auto result = s.pool().starmap_async(s.work_of_two(), kPairs, {.chunksize = 1});
     s.blocks_now();
     result.wait();
     return told([&] { return shown(result.get(0s)); });
   }},

  // Reading an iterator.
  {"ImapNext", Where::outside, 1, false, true,
   kAllThenEnd, kOneThenTerminated, kAllThenEnd, kTerminatedThenEnd,
   [](Scene& s) {
     ImapIterator<int> items = s.pool().imap(s.work(), kInput);
     s.blocks_now();
     return drain(items, plain_next);
   }},
  {"ImapTimedNext", Where::outside, 1, false, true,
   kAllThenEnd, kOneThenTerminated, kAllThenEnd, kTerminatedThenEnd,
   [](Scene& s) {
     ImapIterator<int> items = s.pool().imap(s.work(), kInput);
     s.blocks_now();
     return drain(items, timed_next);
   }},
  {"ImapNextOfOneChunk", Where::outside, 1, false, true,
   kAllThenEnd, kAllThenEnd, kAllThenEnd, kTerminatedThenEnd,
   [](Scene& s) {
     ImapIterator<int> items = s.pool().imap(s.work(), kInput, kItems + 1);
     s.blocks_now();
     return drain(items, plain_next);
   }},
  {"ImapRangeFor", Where::outside, 1, false, true,
   "10 20 30 end end", "10 TerminatedError end", "10 20 30 end end", "TerminatedError end",
   [](Scene& s) {
     ImapIterator<int> items = s.pool().imap(s.work(), kInput);
     s.blocks_now();
     return range_for(items);
   }},
  {"ImapUnorderedNext", Where::outside, 1, false, true,
   "60 end end", kOneThenTerminated, "60 end end", kTerminatedThenEnd,
   [](Scene& s) {
     ImapIterator<int> items = s.pool().imap_unordered(s.work(), kInput);
     s.blocks_now();
     int sum = 0;
     const std::string text = drain(items, [&](ImapIterator<int>& i) {
       std::optional<int> item = i.next();
       sum += item.value_or(0);
       return item;
     });
     return sum == 60 ? "60" + text.substr(kAll.size()) : text;
   }},
  {"ImapUnorderedRangeFor", Where::outside, 1, false, true,
   "60 end end", "10 TerminatedError end", "60 end end", "TerminatedError end",
   [](Scene& s) {
     ImapIterator<int> items = s.pool().imap_unordered(s.work(), kInput);
     s.blocks_now();
     const std::string text = range_for(items);
     return text.ends_with(" end end") ? "60" + text.substr(kAll.size()) : text;
   }},
  {"IstarmapNext", Where::outside, 1, false, true,
   kAllThenEnd, kOneThenTerminated, kAllThenEnd, kTerminatedThenEnd,
   [](Scene& s) {
     ImapIterator<int> items = s.pool().istarmap(s.work_of_two(), kPairs);
     s.blocks_now();
     return drain(items, plain_next);
   }},

  // Blocking calls.
  {"Apply", Where::outside, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     s.blocks_now();
     return told([&] { return shown(s.pool().apply(s.work(), 1)); });
   }},
  {"Map", Where::outside, 1, false, true, kAll, kTerminated, kAll, kTerminated,
   [](Scene& s) {
     s.blocks_now();
     return told([&] { return shown(s.pool().map(s.work(), kInput, 1)); });
   }},
  {"Starmap", Where::outside, 1, false, true, kAll, kTerminated, kAll, kTerminated,
   [](Scene& s) {
     s.blocks_now();
     return told([&] { return shown(s.pool().starmap(s.work_of_two(), kPairs, 1)); });
   }},

  // join() of a closed pool, and what became of the work it waited for.
  {"Join", Where::outside, 1, false, false, "joined 10", "joined 10", "joined 10",
   "joined TerminatedError",
   [](Scene& s) {
     const AsyncResult<int> result = s.pool().apply_async(s.work(), 1);
     if (s.phase() == Phase::under_way) s.under_way().wait_until(1);
     s.add_probe();
     s.pool().close();
     s.blocks_now();
     s.pool().join();
     const std::string when = s.finish().is_open() ? "joined " : "joined too early ";
     return when + told([&] { return shown(result.get(0s)); });
   }},
  {"JoinWithAnUnreadImap", Where::outside, 1, false, false,
   "joined 10 20 30 end end", "joined 10 TerminatedError end end",
   "joined 10 20 30 end end", "joined TerminatedError end end",
   [](Scene& s) {
     ImapIterator<int> items = s.pool().imap(s.work(), kInput, {.chunksize = 1, .buffersize = 1});
     if (s.phase() == Phase::under_way) s.under_way().wait_until(1);
     s.add_probe();
     s.pool().close();
     s.blocks_now();
     s.pool().join();
     const std::string when = s.finish().is_open() ? "joined " : "joined too early ";
     return when + drain(items, plain_next);
   }},

  // Callbacks.
  {"Callback", Where::outside, 0, true, true,
   "callback 10, then 10", "callback 10, then 10", "callback 10, then 10",
   "error_callback TerminatedError, then TerminatedError",
   [](Scene& s) {
     return with_callbacks(s, [token = Counted(s.counter())](int item) { return 10 * item; });
   }},
  {"ErrorCallback", Where::outside, 0, true, true,
   "error_callback boom, then boom", "error_callback boom, then boom",
   "error_callback boom, then boom", "error_callback TerminatedError, then TerminatedError",
   [](Scene& s) {
     return with_callbacks(s, [token = Counted(s.counter())](int) -> int {
       throw std::runtime_error("boom");
     });
   }},
  {"MapCallback", Where::outside, 1, true, true,
   "callback 10 20 30, then 10 20 30", "error_callback TerminatedError, then TerminatedError",
   "callback 10 20 30, then 10 20 30", "error_callback TerminatedError, then TerminatedError",
   [](Scene& s) {
     std::string text;
     const auto result = s.pool().map_async(
         s.work(), kInput,
         {.chunksize = 1,
          .callback = [&](const std::vector<int>& all) { text = "callback " + shown(all); },
          .error_callback = [&](const std::exception_ptr& error) {
            text = "error_callback " + name_of(error);
          }});
     s.blocks_now();
     const std::string outcome = told([&] { return shown(result.get()); });
     return text + ", then " + outcome;
   }},

  // Waiting inside a task. The other workers being occupied, the waiting one runs the work itself.
  {"NestedGet", Where::in_task, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) { return in_task(s, get_of_inner); }},
  {"NestedGetOfWorkThatAnotherRuns", Where::in_task, 2, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       const AsyncResult<int> inner = scene.pool().apply_async(scene.work(), 1);
       if (scene.phase() == Phase::under_way) scene.under_way().wait_until(1);
       scene.pause();
       return shown(inner.get());
     });
   }},
  {"NestedTimedGet", Where::in_task, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       const AsyncResult<int> inner = scene.pool().apply_async(scene.work(), 1);
       scene.pause();
       return shown(inner.get(1h));
     });
   }},
  {"NestedWait", Where::in_task, 1, false, true, "10", "10", "10", kTerminated,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       const AsyncResult<int> inner = scene.pool().apply_async(scene.work(), 1);
       scene.pause();
       inner.wait();
       return shown(inner.get(0s));
     });
   }},
  {"NestedApply", Where::in_task, 1, false, true, "10", "10", kNotRunning, kNotRunning,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       scene.pause();
       return shown(scene.pool().apply(scene.work(), 1));
     });
   }},
  {"NestedMap", Where::in_task, 1, false, true, kAll, kTerminated, kNotRunning, kNotRunning,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       scene.pause();
       return shown(scene.pool().map(scene.work(), kInput, 1));
     });
   }},
  {"NestedMapAsyncGet", Where::in_task, 1, false, true, kAll, kTerminated, kAll, kTerminated,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       const auto inner = scene.pool().map_async(scene.work(), kInput, 1);
       scene.pause();
       return shown(inner.get());
     });
   }},
  {"NestedImap", Where::in_task, 1, false, true,
   kAllThenEnd, kOneThenTerminated, kAllThenEnd, kTerminatedThenEnd,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       ImapIterator<int> items = scene.pool().imap(scene.work(), kInput);
       scene.pause();
       return drain(items, plain_next);
     });
   }},
  {"NestedImapTimedNext", Where::in_task, 1, false, true,
   kAllThenEnd, kOneThenTerminated, kAllThenEnd, kTerminatedThenEnd,
   [](Scene& s) {
     return in_task(s, [](Scene& scene) {
       ImapIterator<int> items = scene.pool().imap(scene.work(), kInput);
       scene.pause();
       return drain(items, timed_next);
     });
   }},

  // Waiting inside a callback: its thread runs the work itself, too.
  {"GetInACallback", Where::in_callback, 0, true, true, "10, then 1", "10, then 1", "10, then 1",
   "TerminatedError, then 1",
   [](Scene& s) { return in_callback(s, get_of_inner); }},
  {"MapInACallback", Where::in_callback, 0, true, true,
   "10 20 30, then 1", "TerminatedError, then 1",
   "Pool not running, then 1", "Pool not running, then 1",
   [](Scene& s) {
     return in_callback(s, [](Scene& scene) {
       scene.pause();
       return shown(scene.pool().map(scene.work(), kInput, 1));
     });
   }},
  {"ImapInACallback", Where::in_callback, 0, true, true,
   "10 20 30 end end, then 1", "10 TerminatedError end end, then 1",
   "10 20 30 end end, then 1", "TerminatedError end end, then 1",
   [](Scene& s) {
     return in_callback(s, [](Scene& scene) {
       ImapIterator<int> items = scene.pool().imap(scene.work(), kInput);
       scene.pause();
       return drain(items, plain_next);
     });
   }},
};
// clang-format on

// --- The play ----------------------------------------------------------------------------------

void Scene::play(const Operation& operation, End end, Caller caller) {
  const int workers = static_cast<int>(pool_.size());
  const bool under_way = phase_ == Phase::under_way;

  // A caller that is a callback keeps the callback thread until the end has been called.
  AsyncResult<int> calling_callback;
  if (caller == Caller::callback) {
    calling_callback =
        pool_.apply_async([] { return 3; }, std::tuple{},
                          {.callback = [this, end, token = Counted(counter_)](const int&) {
                            entered_callback_.open();
                            end_on_cue(end);
                          }});
    entered_callback_.wait();
  }

  // Nobody but the operation's own work shall find a free worker.
  int free = 0;  // workers that the operation starts with
  if (under_way) {
    free = std::max(1, operation.workers_held);
  } else {
    free = operation.where == Where::outside ? 0 : 1;
  }
  occupy_workers(workers - free, end, caller);

  std::atomic<test::ThreadId> thread_id{0};
  std::atomic<bool> returned{false};
  std::string trace;
  std::thread blocked([&] {
    thread_id = test::this_thread_id();
    trace = operation.run(*this);
    returned = true;
  });

  if (operation.where != Where::outside) {
    entered_.wait();
    // A callback runs when its task has left the worker.
    if (operation.where == Where::in_callback) occupy_workers(1, end, caller);
    proceed_.open();
  }
  if (under_way) under_way_.wait_until(1);
  if (under_way && operation.where == Where::outside && operation.workers_held == 0) {
    occupy_workers(1, end, caller);
  }
  issued_.wait();
  test::wait_until_asleep(thread_id);
  add_probe();

  // The end.
  std::thread other;
  switch (caller) {
    case Caller::outside:
      cue_.open();
      if (end == End::destructor) {
        other = std::thread([&] { end_on_cue(end); });  // returns when the gate is open
      } else {
        end_on_cue(end);
      }
      break;
    case Caller::task:
    case Caller::callback:
      cue_.open();
      break;
  }
  if (end != End::destructor) ended_.wait();
  if (end != End::close) {
    // Queued work is abandoned at once, whoever is still running.
    EXPECT_EQ(told([&] { return shown(probe_.get()); }), kTerminated);
  }
  resume_.open();

  const std::string_view expected = operation.expected(phase_, end);
  const bool never_starts = !under_way && (expected.find(kTerminated) != std::string_view::npos ||
                                           expected.find(kNotRunning) != std::string_view::npos);
  if (never_starts && operation.returns_at_once) {
    blocked.join();  // though the gate is closed and every worker occupied
  } else {
    EXPECT_FALSE(returned) << "its work has not ended yet";
  }
  finish_.open();
  if (blocked.joinable()) blocked.join();
  if (other.joinable()) other.join();
  ended_.wait();
  for (AsyncResult<int>& blocker : blockers_) {
    EXPECT_EQ(told([&] { return shown(blocker.get()); }), "5") << "a running task keeps its result";
  }
  if (calling_callback.valid()) {
    EXPECT_EQ(told([&] { return shown(calling_callback.get()); }), "3");
  }
  if (end != End::destructor) {
    EXPECT_EQ(pool_.state(), end == End::close ? State::close : State::terminate);
    pool_.join();
  }
  if (end == End::close) {
    EXPECT_EQ(told([&] { return shown(probe_.get(0s)); }), "7");
  }

  EXPECT_EQ(trace, expected);
  for (int item = 1; item <= kItems; ++item) {
    const int times = started_.at(static_cast<std::size_t>(item));
    EXPECT_LE(times, never_starts ? 0 : 1) << "item " << item;
    if (trace.find(std::to_string(10 * item)) != std::string::npos &&
        trace.find("callback") == std::string::npos) {
      EXPECT_EQ(times, 1) << "item " << item;
    }
  }
  // Every callable is destroyed before the result that it makes is ready; what an imap owns goes
  // with the thread that ran it last, which may be one that the pool's destructor detached.
  if (end == End::destructor && caller != Caller::outside) {
    test::poll_until([&] { return counter_.alive() == 0; });
  }
  EXPECT_TRUE(counter_.balanced())
      << counter_.alive() << " alive, " << counter_.misuses() << " misused";
}

bool can_be_played(const Operation& operation, Phase phase, End end, Caller caller, int workers) {
  if (operation.workers_held > workers) return false;
  // The caller's task or callback needs a thread that the operation leaves alone.
  if (caller == Caller::callback && operation.needs_callbacks) return false;
  if (caller == Caller::task) {
    const bool lone_worker_is_needed = workers == 1 && operation.where == Where::in_task;
    const bool lone_worker_is_busy = phase == Phase::under_way && operation.workers_held == workers;
    if (lone_worker_is_needed || lone_worker_is_busy) return false;
  }
  // Only the sight of the blocked thread tells that a call which issues and waits in one, or
  // join(), has come to the pool before its end. close() may be early for join(), and for work that
  // is under way.
  if (test::kSeesThreads || !operation.is_one_call()) return true;
  return end == End::close && (operation.is_join() || phase == Phase::under_way);
}

using Play = std::tuple<std::size_t, End, int>;

class ShutdownPairs : public ::testing::TestWithParam<Play> {};

TEST_P(ShutdownPairs, TheOperationEndsAsItMust) {
  const auto& [row, end, workers] = GetParam();
  const Operation& operation = kOperations.at(row);
  for (const Phase phase : kPhases) {
    for (const Caller caller : kCallers) {
      if (!can_be_played(operation, phase, end, caller, workers)) continue;
      SCOPED_TRACE(std::string("work ") + name_of(phase) + ", the end called by " +
                   name_of(caller));
      Scene scene(workers, phase);
      scene.play(operation, end, caller);
    }
  }
}

std::string name_of_play(const ::testing::TestParamInfo<Play>& info) {
  const auto& [row, end, workers] = info.param;
  return std::string(kOperations.at(row).name) + "_" + name_of(end) + "_" + std::to_string(workers);
}

INSTANTIATE_TEST_SUITE_P(EveryPair, ShutdownPairs,
                         ::testing::Combine(::testing::Range<std::size_t>(0, kOperations.size()),
                                            ::testing::ValuesIn(kEnds),
                                            ::testing::ValuesIn(kWorkerCounts)),
                         name_of_play);

// --- Issuing work after the end ----------------------------------------------------------------

struct IssuingCall {
  std::string_view name;
  void (*issue)(ThreadPool&);
};

int ten_times(int item) { return 10 * item; }
int sum_of(int a, int b) { return a + b; }

// clang-format off
const std::vector<IssuingCall> kIssuingCalls{
  {"apply", [](ThreadPool& p) { p.apply(ten_times, 1); }},
  {"apply_async", [](ThreadPool& p) { p.apply_async(ten_times, 1); }},
  {"apply_async with a callback", [](ThreadPool& p) {
     p.apply_async(ten_times, std::tuple{1}, {.callback = [](const int&) {}});
   }},
  {"map", [](ThreadPool& p) { p.map(ten_times, kInput); }},
  {"map_async", [](ThreadPool& p) { p.map_async(ten_times, kInput); }},
  {"map_async with a callback", [](ThreadPool& p) {
     p.map_async(ten_times, kInput, {.callback = [](const std::vector<int>&) {}});
   }},
  {"starmap", [](ThreadPool& p) { p.starmap(sum_of, kPairs); }},
  {"starmap_async", [](ThreadPool& p) { p.starmap_async(sum_of, kPairs); }},
  {"imap", [](ThreadPool& p) { p.imap(ten_times, kInput); }},
  {"imap_unordered", [](ThreadPool& p) { p.imap_unordered(ten_times, kInput); }},
  {"istarmap", [](ThreadPool& p) { p.istarmap(sum_of, kPairs); }},
  {"istarmap_unordered", [](ThreadPool& p) { p.istarmap_unordered(sum_of, kPairs); }},
  // The state is checked before the arguments.
  {"map with a bad chunksize", [](ThreadPool& p) { p.map(ten_times, kInput, 0); }},
  {"map_async with a bad chunksize", [](ThreadPool& p) { p.map_async(ten_times, kInput, 0); }},
  {"imap with a bad chunksize", [](ThreadPool& p) { p.imap(ten_times, kInput, 0); }},
  {"map of nothing", [](ThreadPool& p) { p.map(ten_times, std::vector<int>{}); }},
  {"map_async of nothing", [](ThreadPool& p) { p.map_async(ten_times, std::vector<int>{}); }},
  {"imap of nothing", [](ThreadPool& p) { p.imap(ten_times, std::vector<int>{}); }},
};
// clang-format on

void expect_that_nothing_can_be_issued(ThreadPool& pool) {
  for (const IssuingCall& call : kIssuingCalls) {
    SCOPED_TRACE(std::string(call.name));
    try {
      call.issue(pool);
      ADD_FAILURE() << "was accepted";
    } catch (const ValueError& error) {
      EXPECT_STREQ(error.what(), "Pool not running");
    }
  }
}

class AfterTheEnd : public test::WithWorkers {};

TEST_P(AfterTheEnd, AClosedPoolAcceptsNothing) {
  ThreadPool pool(workers());
  pool.close();
  expect_that_nothing_can_be_issued(pool);
  pool.join();
  expect_that_nothing_can_be_issued(pool);
}

TEST_P(AfterTheEnd, ATerminatedPoolAcceptsNothing) {
  ThreadPool pool(workers());
  pool.terminate();
  expect_that_nothing_can_be_issued(pool);
  pool.join();
  expect_that_nothing_can_be_issued(pool);
}

TEST_P(AfterTheEnd, ATaskOfAClosedPoolCanIssueNothing) {
  Gate closed;
  ThreadPool pool(workers());
  const AsyncResult<void> task = pool.apply_async([&] {
    closed.wait();
    expect_that_nothing_can_be_issued(pool);
  });
  pool.close();
  closed.open();
  task.get();
}

TEST_P(AfterTheEnd, ATaskOfAPoolBeingDestroyedCanIssueNothing) {
  auto owner = std::make_unique<ThreadPool>(workers());
  ThreadPool& pool = *owner;
  Gate going, running;
  const AsyncResult<void> task = pool.apply_async([&] {
    running.open();
    going.wait();
    expect_that_nothing_can_be_issued(pool);
  });
  running.wait();
  std::vector<AsyncResult<void>> fill;
  Gate finish;
  for (int i = 1; i < workers(); ++i) fill.push_back(pool.apply_async([&] { finish.wait(); }));
  const AsyncResult<void> probe = pool.apply_async([] {});
  std::thread destroyer([&] { owner.reset(); });
  // Nobody can run the probe, unless the filling tasks have not all started yet: they are queued
  // before it.
  EXPECT_THROW(probe.get(), TerminatedError);
  going.open();
  finish.open();
  task.get();
  destroyer.join();
}

// --- A deep queue -------------------------------------------------------------------

// A worker that finds many tasks may take several at once: those behind one that blocks.
TEST_P(AfterTheEnd, TasksBehindABlockedOneEndWithThePool) {
  for (const End end : kEnds) {
    for (const Caller caller : {Caller::outside, Caller::task}) {
      SCOPED_TRACE(std::string(name_of(end)) + " called by " + name_of(caller));
      Gate first_gate, other_gates, blocked, cue, ended, finish;
      EventCount occupied;
      std::atomic<int> ran{0};
      auto owner = std::make_unique<ThreadPool>(workers());
      ThreadPool& pool = *owner;
      const auto end_pool = [&] {
        switch (end) {
          case End::close:
            pool.close();
            break;
          case End::terminate:
            pool.terminate();
            break;
          case End::destructor:
            owner.reset();
            break;
        }
        ended.open();
      };
      for (int i = 0; i < workers(); ++i) {
        Gate& gate = i == 0 ? first_gate : other_gates;
        pool.apply_async([&] {
          occupied.add();
          gate.wait();
        });
      }
      occupied.wait_until(static_cast<std::size_t>(workers()));
      const AsyncResult<int> blocking = pool.apply_async([&] {
        blocked.open();
        cue.wait();
        if (caller == Caller::task) end_pool();
        finish.wait();
        return 1;
      });
      std::vector<AsyncResult<int>> behind;
      for (int i = 0; i < 200; ++i) behind.push_back(pool.apply_async([&] { return ++ran; }));
      first_gate.open();  // one worker comes, and meets the one that blocks
      blocked.wait();

      cue.open();
      std::thread ender;
      if (caller == Caller::outside) ender = std::thread(end_pool);
      if (end == End::close) {
        ended.wait();
      } else {
        for (const AsyncResult<int>& result : behind) EXPECT_THROW(result.get(), TerminatedError);
        EXPECT_EQ(ran, 0);
      }
      finish.open();
      other_gates.open();
      EXPECT_EQ(blocking.get(), 1);
      if (ender.joinable()) ender.join();
      ended.wait();
      if (end != End::destructor) pool.join();
      if (end == End::close) {
        EXPECT_EQ(ran, 200);
      }
    }
  }
}

// --- Waiting for what terminate() has yet to abandon -------------------------------------------

using Waited = AsyncResult<void>;
using WaitFor = void (*)(const Waited&);
constexpr std::array<WaitFor, 5> kWaits{
    [](const Waited& result) { result.wait(); },
    [](const Waited& result) { EXPECT_TRUE(result.wait(24h)); },
    [](const Waited& result) { EXPECT_THROW(result.get(), TerminatedError); },
    [](const Waited& result) { EXPECT_EQ(millpond::wait(std::array{result}).done.size(), 1U); },
    [](const Waited& result) {
      for (Waited& each : millpond::as_completed(std::array{result})) EXPECT_TRUE(each.ready());
    },
};

// A terminated pool's queue: something whose capture calls `end` when it is abandoned, and behind
// that one task and one map, each with a callback, and more of the same. Workers are occupied,
// one of them by `task`.
template <class Pool>
class TerminatedQueue {
 public:
  explicit TerminatedQueue(int workers) : pool_(workers) {}

  template <class Task, class OnAbandon>
  void play(Task task, OnAbandon end) {
    const AsyncResult<void> running = pool_.apply_async([&] {
      occupied_.add();
      task();
      finish_.wait();
    });
    for (std::size_t i = 1; i < pool_.size(); ++i) {
      pool_.apply_async([&] {
        occupied_.add();
        finish_.wait();
      });
    }
    occupied_.wait_until(pool_.size());
    pool_.apply_async([capture = test::at_the_end(end)] {});
    const auto told = [&](const std::exception_ptr&) { told_.add(); };
    for (int i = 0; i < 3; ++i) {
      results.push_back(pool_.apply_async([] {}, std::tuple{}, {.error_callback = told}));
      results.push_back(pool_.map_async([](int) {}, kInput, {.error_callback = told}));
    }
    pool_.terminate();
    for (const Waited& result : results) EXPECT_THROW(result.get(), TerminatedError);
    EXPECT_EQ(told_.count(), results.size());
    finish_.open();
    running.get();
  }

  std::vector<Waited> results;

 private:
  Gate finish_;
  EventCount occupied_, told_;
  Pool pool_;
};

template <class Pool>
void wait_where_terminate_is_called(int workers, WaitFor wait, std::size_t index) {
  TerminatedQueue<Pool> queue(workers);
  queue.play([] {}, [&] { wait(queue.results[index]); });
}

template <class Pool>
void wait_in_a_task(int workers, WaitFor wait, std::size_t index) {
  Gate abandoning, waited;
  TerminatedQueue<Pool> queue(workers);
  queue.play(
      [&] {
        abandoning.wait();
        wait(queue.results[index]);
        waited.open();
      },
      [&] {
        abandoning.open();
        waited.wait();
      });
}

// From the front, the middle and the back of what is still queued; a task and a map of each.
TEST_P(AfterTheEnd, ADestructorMayWaitForWhatTerminateAbandonsNext) {
  for (const WaitFor wait : kWaits) {
    for (std::size_t index = 0; index != 6; ++index) {
      wait_where_terminate_is_called<ThreadPool>(workers(), wait, index);
      wait_where_terminate_is_called<PriorityThreadPool>(workers(), wait, index);
    }
  }
}

TEST_P(AfterTheEnd, ATaskMayWaitForWhatTerminateAbandonsNext) {
  for (const WaitFor wait : kWaits) {
    for (std::size_t index = 0; index != 6; ++index) {
      wait_in_a_task<ThreadPool>(workers(), wait, index);
      wait_in_a_task<PriorityThreadPool>(workers(), wait, index);
    }
  }
}

// --- Maps under way ----------------------------------------------------------------------------

TEST_P(AfterTheEnd, AMapUnderWayIsReadyWhenItsRunningChunksHaveEnded) {
  const auto count = static_cast<std::size_t>(workers());
  Gate finish;
  EventCount started;
  ThreadPool pool(workers());
  const AsyncResult<std::vector<int>> result = pool.map_async(
      [&](int item) {
        started.add();
        finish.wait();
        return item;
      },
      std::vector<int>(100, 1), {.chunksize = 2});
  started.wait_until(count);
  pool.terminate();
  EXPECT_FALSE(result.ready());
  finish.open();
  EXPECT_THROW(result.get(), TerminatedError);
  EXPECT_EQ(started.count(), 2 * count) << "running chunks end, others do not start";
  pool.join();
}

TEST_P(AfterTheEnd, AMapKeepsTheErrorThatCameBeforeTerminate) {
  if (workers() == 1) GTEST_SKIP() << "one chunk fails while another runs";
  Gate finish;
  EventCount started;
  const auto count = static_cast<std::size_t>(workers());
  ThreadPool pool(workers());
  const AsyncResult<std::vector<int>> result = pool.map_async(
      [&](int item) {
        if (item == 0) throw std::runtime_error("boom");
        started.add();
        finish.wait();
        return item;
      },
      [] {
        std::vector<int> items(100, 1);
        items.front() = 0;
        return items;
      }(),
      {.chunksize = 1});
  // As many as there are workers: the one that met the failing item has come back for another.
  started.wait_until(count);
  pool.terminate();
  EXPECT_FALSE(result.ready());
  finish.open();
  EXPECT_EQ(told([&] { return shown(result.get()); }), "boom");
  pool.join();
}

TEST_P(AfterTheEnd, ABlockingMapThrowsOnlyWhenNobodyUsesItsItemsAnyMore) {
  Gate finish;
  EventCount started;
  std::atomic<int> inside{0};
  ThreadPool pool(workers());
  std::thread caller([&] {
    // Borrowed by the call, and gone when it returns.
    std::vector<std::unique_ptr<int>> items;
    for (int i = 0; i < 50; ++i) items.push_back(std::make_unique<int>(i));
    EXPECT_THROW(pool.map(
                     [&](const std::unique_ptr<int>& item) {
                       ++inside;
                       started.add();
                       finish.wait();
                       const int value = *item;
                       --inside;
                       return value;
                     },
                     items, 1),
                 TerminatedError);
    EXPECT_EQ(inside, 0);
  });
  started.wait_until(static_cast<std::size_t>(workers()));
  pool.terminate();
  finish.open();
  caller.join();
}

// --- Many waiters ------------------------------------------------------------------------------

TEST_P(AfterTheEnd, EveryWaiterOfAnAbandonedResultIsWoken) {
  ThreadPool pool(workers());
  const test::BusyWorkers busy(pool);
  const AsyncResult<int> result = pool.apply_async(ten_times, 1);
  std::atomic<int> told_so{0};
  std::vector<std::thread> waiters;
  std::array<std::atomic<test::ThreadId>, 6> ids{};
  EventCount there;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    waiters.emplace_back([&, i] {
      ids.at(i) = test::this_thread_id();
      there.add();
      const bool timed = i % 2 == 0;
      if (told([&] { return shown(timed ? result.get(1h) : result.get()); }) == kTerminated) {
        ++told_so;
      }
    });
  }
  there.wait_until(ids.size());
  for (const auto& id : ids) test::wait_until_asleep(id);
  pool.terminate();
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(told_so, 6);
}

TEST_P(AfterTheEnd, EveryConsumerOfAnAbandonedIteratorIsWokenAndOneIsToldWhy) {
  ThreadPool pool(workers());
  const test::BusyWorkers busy(pool);
  ImapIterator<int> items = pool.imap(ten_times, kInput);
  std::atomic<int> terminated{0}, ended{0};
  std::vector<std::thread> consumers;
  std::array<std::atomic<test::ThreadId>, 6> ids{};
  EventCount there;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    consumers.emplace_back([&, i] {
      ids.at(i) = test::this_thread_id();
      there.add();
      const std::string text = told([&] {
        const std::optional<int> item = i % 2 == 0 ? items.next(1h) : items.next();
        return item ? shown(*item) : std::string("end");
      });
      if (text == kTerminated) ++terminated;
      if (text == "end") ++ended;
    });
  }
  there.wait_until(ids.size());
  for (const auto& id : ids) test::wait_until_asleep(id);
  pool.terminate();
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(terminated, 1);
  EXPECT_EQ(ended, 5);
}

// --- Callbacks ---------------------------------------------------------------------------------

TEST_P(AfterTheEnd, CallbacksOfFinishedTasksRunThoughThePoolWasTerminatedBeforeTheirTurn) {
  Gate finish, running;
  std::vector<int> called;
  ThreadPool pool(workers());
  const AsyncResult<int> first =
      pool.apply_async(ten_times, std::tuple{1}, {.callback = [&](const int& value) {
                         running.open();
                         finish.wait();
                         called.push_back(value);
                       }});
  running.wait();
  std::vector<AsyncResult<int>> others;
  for (int i = 2; i <= 5; ++i) {
    others.push_back(pool.apply_async(ten_times, std::tuple{i}, {.callback = [&](const int& value) {
                                        called.push_back(value);
                                      }}));
  }
  test::visit_every_worker(pool);  // they have all left those tasks

  pool.terminate();
  EXPECT_FALSE(first.ready());
  for (const AsyncResult<int>& other : others) EXPECT_FALSE(other.ready());
  finish.open();
  EXPECT_EQ(first.get(), 10);
  for (int i = 2; i <= 5; ++i) EXPECT_EQ(others.at(static_cast<std::size_t>(i) - 2).get(), 10 * i);
  pool.join();
  ASSERT_EQ(called.size(), 5U);
  EXPECT_EQ(called.front(), 10);
}

TEST_P(AfterTheEnd, JoinReturnsOnlyAfterTheLastCallback) {
  for (const bool terminated : {false, true}) {
    Gate finish, running;
    std::atomic<bool> called{false};
    ThreadPool pool(workers());
    pool.apply_async(ten_times, std::tuple{1}, {.callback = [&](const int&) {
                       running.open();
                       finish.wait();
                       called = true;
                     }});
    running.wait();
    terminated ? pool.terminate() : pool.close();
    std::atomic<test::ThreadId> id{0};
    Gate joining;
    std::thread joiner([&] {
      id = test::this_thread_id();
      joining.open();
      pool.join();
      EXPECT_TRUE(called);
    });
    joining.wait();
    test::wait_until_asleep(id);
    finish.open();
    joiner.join();
  }
}

TEST_P(AfterTheEnd, AnAbandonedResultIsNotReadyBeforeItsErrorCallbackHasRun) {
  Gate callback_runs, callback_may_end;
  std::atomic<int> called{0};
  ThreadPool pool(workers());
  const test::BusyWorkers busy(pool);
  const AsyncResult<int> result = pool.apply_async(ten_times, std::tuple{1},
                                                   {.callback = [&](const int&) { called += 100; },
                                                    .error_callback =
                                                        [&](const std::exception_ptr& error) {
                                                          EXPECT_EQ(name_of(error), kTerminated);
                                                          callback_runs.open();
                                                          callback_may_end.wait();
                                                          ++called;
                                                        }});
  pool.terminate();  // returns though the callback does not
  callback_runs.wait();
  EXPECT_FALSE(result.ready());
  EXPECT_FALSE(result.wait(0s));
  EXPECT_THROW(result.get(0s), TimeoutError);
  callback_may_end.open();
  EXPECT_THROW(result.get(), TerminatedError);
  EXPECT_EQ(called, 1);
}

// --- Iterators ---------------------------------------------------------------------------------

// 0, 1, 2, ... for ever; counts how many were read, and calls on_read with each before it is there.
test::Generated<int> naturals(std::atomic<int>& read, std::function<void(int)> on_read = {}) {
  return test::Generated<int>([&read, on_read = std::move(on_read)]() -> std::optional<int> {
    const int next = read;  // written here alone
    if (on_read) on_read(next);
    read = next + 1;
    return next;
  });
}

// Reads to the end and tells how it ended; `values` counts the items.
std::string end_of(ImapIterator<int>& items, int& values) {
  const std::string text = drain(items, plain_next);
  std::size_t at = 0;
  for (values = 0; text.substr(at).starts_with(std::to_string(10 * values) + " "); ++values) {
    at += std::to_string(10 * values).size() + 1;
  }
  return text.substr(at);
}

TEST_P(AfterTheEnd, AnIteratorThatHadStoppedReadingAheadYieldsWhatIsDone) {
  constexpr int kAhead = 4;
  for (const bool destroyed : {false, true}) {
    std::atomic<int> read{0};
    EventCount done;
    auto pool = std::make_unique<ThreadPool>(workers());
    ImapIterator<int> items = pool->imap(
        [&](int item) {
          done.add();
          return 10 * item;
        },
        naturals(read), {.buffersize = kAhead});
    done.wait_until(kAhead);
    test::visit_every_worker(*pool);
    EXPECT_EQ(done.count(), static_cast<std::size_t>(kAhead));
    if (destroyed) {
      pool.reset();
    } else {
      pool->terminate();
    }
    int values = 0;
    EXPECT_EQ(end_of(items, values), kTerminatedThenEnd);
    EXPECT_EQ(values, kAhead);
    EXPECT_LE(read, kAhead + 1);
  }
}

TEST_P(AfterTheEnd, JoinFinishesAnIteratorThatHadStoppedReadingAhead) {
  constexpr int kCount = 100;
  EventCount done;
  ThreadPool pool(workers());
  std::vector<int> input(kCount);
  for (std::size_t i = 0; i < kCount; ++i) input[i] = static_cast<int>(i);
  ImapIterator<int> items = pool.imap(
      [&](int item) {
        done.add();
        return 10 * item;
      },
      input, {.chunksize = 3, .buffersize = 2});
  done.wait_until(6);
  pool.close();
  pool.join();
  EXPECT_EQ(done.count(), static_cast<std::size_t>(kCount));
  int values = 0;
  EXPECT_EQ(end_of(items, values), "end end");
  EXPECT_EQ(values, kCount);
}

TEST_P(AfterTheEnd, JoinOverInfiniteInputReturnsWhenTheIteratorIsDropped) {
  std::atomic<int> read{0};
  ThreadPool pool(workers());
  std::optional<ImapIterator<int>> items(pool.imap(ten_times, naturals(read)));
  EXPECT_EQ(items->next(), 0);
  pool.close();
  std::atomic<bool> dropping{false};
  std::thread joiner([&] {
    pool.join();
    EXPECT_TRUE(dropping);
  });
  const int before = read;
  test::poll_until([&] { return read > before + 1000; });  // nobody reads: join() drives it on
  dropping = true;
  items.reset();
  joiner.join();
}

TEST_P(AfterTheEnd, JoinOverInfiniteInputReturnsWhenThePoolIsTerminated) {
  std::atomic<int> read{0};
  ThreadPool pool(workers());
  ImapIterator<int> items = pool.imap_unordered(ten_times, naturals(read));
  EXPECT_TRUE(items.next().has_value());
  pool.close();
  std::thread joiner([&] { pool.join(); });
  const int before = read;
  test::poll_until([&] { return read > before + 1000; });
  pool.terminate();
  joiner.join();
  int terminated = 0;
  for (;;) {
    try {
      if (!items.next()) break;
    } catch (const TerminatedError&) {
      ++terminated;
    }
  }
  EXPECT_EQ(terminated, 1);
}

TEST_P(AfterTheEnd, AnIteratorWhoseInputIsBeingAdvancedEnds) {
  for (const End end : kEnds) {
    SCOPED_TRACE(name_of(end));
    std::atomic<int> read{0};
    Gate advancing, finish;
    auto pool = std::make_unique<ThreadPool>(workers());
    std::optional<ImapIterator<int>> items(pool->imap(ten_times, naturals(read, [&](int next) {
                                                        if (next != 2) return;
                                                        advancing.open();
                                                        finish.wait();
                                                      })));
    std::atomic<test::ThreadId> id{0};
    std::atomic<int> values{0};
    std::string last;
    Gate reading;
    std::thread reader([&] {
      id = test::this_thread_id();
      reading.open();
      int count = 0;
      last = told([&]() -> std::string {
        while (const std::optional<int> item = items->next()) {
          EXPECT_EQ(*item, 10 * count);
          if (++count == 50) return "enough";
        }
        return "end";
      });
      values = count;
    });
    advancing.wait();
    reading.wait();
    test::wait_until_asleep(id);
    std::thread ender;
    if (end == End::close) {
      pool->close();
      ender = std::thread([&] { pool->join(); });
    } else if (end == End::terminate) {
      pool->terminate();
    } else {
      ender = std::thread([&] { pool.reset(); });
    }
    finish.open();
    reader.join();
    if (end == End::close) {
      EXPECT_EQ(last, "enough");
      items.reset();
    } else {
      // The destructor may begin after the gate was opened, but it begins.
      EXPECT_TRUE(last == kTerminated || (end == End::destructor && last == "enough")) << last;
      EXPECT_GE(values, 1);
    }
    if (ender.joinable()) ender.join();
  }
}

TEST_P(AfterTheEnd, DroppingAnIteratorDoesNotWaitForItsRunningItems) {
  Gate finish, running;
  ThreadPool pool(workers());
  std::optional<ImapIterator<int>> items(pool.imap(
      [&](int item) {
        running.open();
        finish.wait();
        return item;
      },
      kInput));
  running.wait();
  items.reset();  // would hang here
  finish.open();
  pool.close();
  pool.join();
}

INSTANTIATE_TEST_SUITE_P(Workers, AfterTheEnd, test::worker_counts(),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace millpond
