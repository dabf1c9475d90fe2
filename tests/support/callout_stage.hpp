// SPDX-License-Identifier: MIT
//
// The stage of unit/callouts_test.cpp: a pool with work, and what user code may do with them.
#ifndef MILLPOND_TESTS_SUPPORT_CALLOUT_STAGE_HPP
#define MILLPOND_TESTS_SUPPORT_CALLOUT_STAGE_HPP

#include <millpond/millpond.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "at_the_end.hpp"
#include "gate.hpp"
#include "instance_counter.hpp"
#include "told.hpp"

namespace millpond::test {

class Stage;

// What the user code does, and what that brings home while the pool runs, and once it is
// terminated.
struct Action {
  std::string_view name;
  std::string_view running;
  std::string_view terminated;
  std::string (*run)(Stage&);
};

// Which thread sets the call-out off, where the place lets one choose.
enum class Who { outside, task, callback };

// A pool whose workers can be held; a call-out (made by a place of callouts_test.cpp) that runs the
// action; and other work, which has not started by then.
class Stage {
 public:
  Stage(const Action& action, int workers, Who who)
      : action_(action), workers_(workers), who_(who) {}

  // --- For the places --------------------------------------------------------------------------

  ThreadPool& pool() { return pool_; }
  int workers() const { return workers_; }
  Who who() const { return who_; }

  // The call-out has come. Only the first one counts.
  void act() noexcept {
    if (acted_.exchange(true)) return;
    release();
    told_ = told([this] { return action_.run(*this); });
    done_.open();
  }
  // Acts when its last copy is destroyed. Nothing but these counts as something that may leak.
  std::shared_ptr<void> end() {
    return at_the_end([this, token = Counted(counter_)] { act(); });
  }
  // From now on, on_unobserved_error acts.
  void act_in_handler() { handler_acts_ = true; }

  // Occupies so many workers until the action begins.
  void hold(int count) {
    const auto before = held_.count();
    for (int i = 0; i < count; ++i) holders_.push_back(pool_.apply_async([this] { be_held(); }));
    held_.wait_until(before + static_cast<std::size_t>(count));
  }
  void hold_all() { hold(workers_); }
  // In a task that is to be one of those.
  void be_held() {
    held_.add();
    release_.wait();
  }
  void wait_until_held(std::size_t count) { held_.wait_until(count); }
  void release() { release_.open(); }

  // The result, or the imap, whose call-out it is.
  template <class R>
  void watch(const AsyncResult<R>& result) {
    wait_for_own_ = [result] { result.wait(); };
    cancel_own_ = [result] { result.cancel(); };
  }
  template <class R>
  void watch(ImapIterator<R> items) {
    const auto kept = std::make_shared<std::optional<ImapIterator<R>>>(std::move(items));
    cancel_own_ = [kept] { kept->reset(); };
  }

  // All workers are held; `issue` makes what will call out, on a worker or the callback thread.
  template <class Issue>
  void play(Issue issue) {
    hold_all();
    issue();
    queue_others();
    release();
    done_.wait();
  }
  // As many workers as there are for it are held, and `prepare` has issued what belongs to them;
  // `trigger` makes the library call out on the thread that who() says.
  template <class Prepare, class Trigger>
  void set_off(int spared, Prepare prepare, Trigger trigger) {
    Gate go, ready;
    const auto wait_and_trigger = [&] {
      ready.open();
      go.wait();
      trigger();
    };
    AsyncResult<void> runner;
    if (who_ == Who::task) runner = pool_.apply_async(wait_and_trigger);
    if (who_ == Who::callback) {
      runner = pool_.apply_async([] {}, std::tuple{}, {.callback = wait_and_trigger});
    }
    if (who_ != Who::outside) ready.wait();
    hold(workers_ - spared - (who_ == Who::task ? 1 : 0));
    prepare();
    queue_others();
    if (who_ == Who::outside) {
      trigger();
    } else {
      go.open();
      runner.wait();
    }
    done_.wait();
  }
  template <class Prepare, class Trigger>
  void set_off(Prepare prepare, Trigger trigger) {
    set_off(0, prepare, trigger);
  }

  // --- For the actions -------------------------------------------------------------------------

  std::unique_ptr<ThreadPool>& owner() { return owner_; }
  const std::vector<AsyncResult<int>>& queued() const { return queued_; }
  std::optional<ImapIterator<int>>& stream() { return stream_; }
  void cancel_own() const {
    if (cancel_own_) cancel_own_();
  }

  // --- For the test ----------------------------------------------------------------------------

  const std::string& what_was_told() const { return told_; }
  // Everything gets ready, all threads end, nothing is left. Returns what is wrong, or nothing.
  std::string clean_up() {
    for (const AsyncResult<int>& result : queued_) result.wait();
    for (const AsyncResult<void>& holder : holders_) holder.wait();
    if (wait_for_own_) wait_for_own_();
    stream_.reset();
    wait_for_own_ = nullptr;
    cancel_own_ = nullptr;
    if (owner_) {
      owner_->close();
      owner_->join();
      owner_.reset();
      if (counter_.alive() != 0) return "leaked";
    }
    return counter_.misuses() != 0 ? "destroyed twice" : "";
  }
  bool is_empty() const { return counter_.alive() == 0; }

 private:
  void queue_others() {
    try {
      for (int i = 0; i < 2; ++i) queued_.push_back(pool_.apply_async([] { return 5; }));
      stream_.emplace(pool_.imap([](int n) { return 10 * n; }, std::views::iota(1),
                                 {.chunksize = 1, .buffersize = 1}));
    } catch (const ValueError&) {  // the action has ended the pool already
    }
  }

  const Action& action_;
  const int workers_;
  const Who who_;
  InstanceCounter counter_;
  EventCount held_;
  Gate release_, done_;
  std::atomic<bool> acted_{false}, handler_acts_{false};
  std::string told_;  // written before done_ opens
  std::function<void()> wait_for_own_, cancel_own_;
  std::vector<AsyncResult<void>> holders_;
  std::vector<AsyncResult<int>> queued_;
  std::optional<ImapIterator<int>> stream_;
  std::unique_ptr<ThreadPool> owner_ = std::make_unique<ThreadPool>(
      PoolOptions{.processes = workers_, .on_unobserved_error = [this](const std::exception_ptr&) {
                    if (handler_acts_) act();
                  }});
  ThreadPool& pool_ = *owner_;
};

// Reads up to three values, or to the end.
inline std::string read(ImapIterator<int>& items) {
  std::string text;
  for (int n = 0; n < 3; ++n) {
    bool ended = false;
    text += (n == 0 ? "" : " ") + told([&]() -> std::string {
              const std::optional<int> item = items.next();
              ended = !item;
              return item ? std::to_string(*item) : "end";
            });
    if (ended) break;
  }
  return text;
}

constexpr std::string_view kNotRunning = "Pool not running";
constexpr std::string_view kTerminated = "TerminatedError";
constexpr std::string_view kDone = "done";
constexpr std::string_view kJoined = "joined or refused";  // the place says which
constexpr std::string_view kRefused = "A pool cannot be joined from one of its own threads";

// clang-format off
inline const std::vector<Action> kActions{
  {"IssueAndWait", "7", kNotRunning,
   [](Stage& s) { return shown(s.pool().apply_async([] { return 7; }).get()); }},
  {"Map", "1 4 9", kNotRunning,
   [](Stage& s) { return shown(s.pool().map([](int n) { return n * n; }, {1, 2, 3}, 1)); }},
  {"WaitForQueued", "5", kTerminated,
   [](Stage& s) { return shown(s.queued().at(0).get()); }},
  {"WaitForTheFirst", kDone, kDone,
   [](Stage& s) {
     return std::string(
         wait(s.queued(), ReturnWhen::first_completed).done.empty() ? "nothing" : kDone);
   }},
  {"ReadAnImap", "1 2 end", kNotRunning,
   [](Stage& s) {
     auto items = s.pool().imap([](int n) { return n; }, std::vector{1, 2});
     return read(items);
   }},
  {"ReadAQueuedImap", "10 20 30", "TerminatedError end",
   [](Stage& s) { return read(s.stream().value()); }},
  {"CancelItsOwn", kDone, kDone, [](Stage& s) { s.cancel_own(); return std::string(kDone); }},
  {"CancelAnother", kDone, kDone,
   [](Stage& s) {
     const AsyncResult<int>& other = s.queued().at(0);
     if (!other.cancel()) return std::string(kDone);
     return std::string(told([&] { return shown(other.get()); }) == "CancelledError" ? kDone : "?");
   }},
  {"DropAnImap", kDone, kDone, [](Stage& s) { s.stream().reset(); return std::string(kDone); }},
  {"Terminate", kTerminated, kTerminated,
   [](Stage& s) {
     s.pool().terminate();
     s.queued().at(1).wait();
     return told([&] { return shown(s.pool().apply([] { return 1; })); }) == kNotRunning
                ? std::string(kTerminated) : "still runs";
   }},
  {"TerminateAndReadOn", kDone, kDone,
   [](Stage& s) {
     s.pool().terminate();
     while (!read(s.stream().value()).ends_with("end")) {
     }
     return std::string(kDone);
   }},
  {"CloseAndJoin", kJoined, kJoined,
   [](Stage& s) {
     s.stream().reset();  // its input has no end
     s.pool().close();
     s.pool().join();
     return std::string("joined");
   }},
  {"Destroy", kDone, kDone,
   [](Stage& s) {
     s.owner().reset();
     for (const AsyncResult<int>& result : s.queued()) result.wait();
     while (s.stream() && !read(*s.stream()).ends_with("end")) {
     }
     return std::string(kDone);
   }},
};
// clang-format on

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_CALLOUT_STAGE_HPP
