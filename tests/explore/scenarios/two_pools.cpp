// SPDX-License-Identifier: MIT
// Two pools whose tasks, callbacks and readers wait for each other's work, without a cycle.
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "common.hpp"
#include "scenario.hpp"

namespace {

using namespace explore;
using namespace millpond;

// A task of one waits for a task of the other: as any thread does, it runs nothing itself.
SCENARIO(two_pools_task_waits_for_task) {
  ThreadPool a(1), b(1);
  CHECK(a.apply_async([&] {
           return b
               .apply_async([] {
                 CHECK(this_worker::index() == 0U);
                 return 7;
               })
               .get();
         }).get() == 7);
}

// Each waits for the other, one after the other: b's task for a's, and a's next for b's next.
SCENARIO(two_pools_wait_for_each_other) {
  ThreadPool a(1), b(1);
  const auto first = a.apply_async(seven);
  const auto second = b.apply_async([&] { return first.get() + 1; });
  const auto third = a.apply_async([&] { return second.get() + 1; });
  const auto fourth = b.apply_async([&] { return third.get() + 1; });
  CHECK(fourth.get() == 10);
}

// There and back again: the other worker of the first runs the innermost call.
SCENARIO(two_pools_there_and_back, .bound = 1) {
  ThreadPool a(2), b(1);
  CHECK(a.apply_async([&] {
           return b.apply_async([&] { return a.apply_async(seven).get(); }).get();
         }).get() == 7);
}

// A callback of one waits for a task of the other, and for its callback.
SCENARIO(two_pools_callback_waits, .bound = 1) {
  ThreadPool a(1), b(1);
  bool told = false;
  const auto result = a.apply_async(seven, std::tuple(), {.callback = [&](int) {
                                      CHECK(b.apply_async(seven, std::tuple(),
                                                          {.callback =
                                                               [&](int) {
                                                                 user_code();
                                                                 told = true;
                                                               }})
                                                .get() == 7);
                                    }});
  CHECK(result.get() == 7);
  CHECK(told);
}

// A task of one reads an imap of the other.
SCENARIO(two_pools_task_reads_an_imap) {
  ThreadPool a(1), b(1);
  CHECK(a.apply_async([&] {
           auto it = b.imap([](int i) { return Value(i + 1); }, Numbers(2), {.buffersize = 1});
           return next_of(it) + next_of(it);
         }).get() == 3);
}

// An imap of one is the input of the other's.
SCENARIO(two_pools_pipeline, .bound = 1) {
  ThreadPool a(1), b(1);
  const auto number = [](int i) {
    user_code();
    return i + 1;
  };
  auto it = b.imap(number, a.imap(number, Numbers(2), {.buffersize = 1}), {.buffersize = 1});
  CHECK(next_of(it) == 2);
  CHECK(next_of(it) == 3);
  CHECK(next_of(it) == -1);
}

// One is terminated while a task of the other waits for it.
SCENARIO(two_pools_one_is_terminated) {
  ThreadPool a(1), b(1);
  const auto result = a.apply_async([&] {
    const End end = end_of([&] { CHECK(b.apply_async(seven).get() == 7); });
    CHECK(end != End::timeout && end != End::cancelled);
    return 1;
  });
  b.terminate();
  CHECK(result.get() == 1);
}

// One is destroyed by a task of the other, which waits for a call that it gives up.
SCENARIO(two_pools_one_is_destroyed, .bound = 3) {
  ThreadPool a(1);
  const auto result = a.apply_async([&] {
    std::optional<ThreadPool> b(std::in_place, 1);
    const auto inner = b->apply_async(seven);
    b.reset();
    const End end = end_of([&] { CHECK(inner.get() == 7); });
    CHECK(end == End::value || end == End::terminated);
    return 1;
  });
  CHECK(result.get() == 1);
}

// A done-callback of one, on its worker, issues in the other and waits.
SCENARIO(two_pools_done_callback_waits) {
  ThreadPool a(1), b(1);
  Gate called;
  const auto result = a.apply_async(seven);
  result.add_done_callback([&](const AsyncResult<int>& r) {
    CHECK(b.apply_async(seven).get() == r.get());
    called.open();
  });
  called.wait();
}

// What one gives up waits, in its destructor, for what a task of the other waits for.
struct WaitsFor {
  explicit WaitsFor(AsyncResult<int> r) : result(std::move(r)) {}
  WaitsFor(WaitsFor&&) = default;
  ~WaitsFor() {
    user_code();
    if (result.valid()) result.wait();
  }
  AsyncResult<int> result;
};
SCENARIO(two_pools_abandoned_capture_waits) {
  ThreadPool a(1), b(1);
  const auto inner = a.apply_async(seven);
  const auto outer = b.apply_async([&] { return end_of([&] { CHECK(inner.get() == 7); }); });
  a.apply_async([w = WaitsFor(a.apply_async([&] { return static_cast<int>(outer.get()); }))] {});
  a.terminate();
  const End end = outer.get();
  CHECK(end == End::value || end == End::terminated);
}

// A group over both pools, in a task of one of them.
SCENARIO(two_pools_group) {
  ThreadPool a(1), b(1);
  CHECK(a.apply_async([&] {
           const std::vector both{a.apply_async(seven), b.apply_async(seven)};
           return static_cast<int>(wait(both).done.size());
         }).get() == 2);
}

/// Calls a function when it dies, for the last time.
class AtTheEnd {
 public:
  template <class F>
  explicit AtTheEnd(F f) : f_(nullptr, [f](void*) { f(); }) {}

 private:
  std::shared_ptr<void> f_;
};

// In a callback of one pool a task of the other is given up, which waits for both; while it waits,
// another callback runs on top that gives up another task of that other pool.
SCENARIO(two_pools_wait_for_both_while_giving_up, .bound = 1) {
  ThreadPool a(1), b(1);
  Gate issued, cancelling;
  AsyncResult<int> b0, b1, b2, b3, x;
  b0 = b.apply_async([&] {
    cancelling.wait();
    CHECK(!millpond::wait({b1, b3}, ReturnWhen::first_completed).done.empty());
    return 7;
  });
  b1 = b.apply_async([end = AtTheEnd([&] {
                        cancelling.open();
                        CHECK(millpond::wait({x, b0}).done.size() == 2);
                      })] { return 1; });
  b2 = b.apply_async([c = Capture()] { return *c; });
  b3 = b.apply_async(seven);
  const auto first = a.apply_async(seven, std::tuple{}, {.callback = [&](int) {
                                     issued.wait();
                                     CHECK(b1.cancel());
                                   }});
  x = a.apply_async(seven, std::tuple{}, {.callback = [&](int) { b2.cancel(); }});
  issued.open();
  CHECK(first.get() == 7);
  CHECK(b1.cancelled());
}

}  // namespace
