// SPDX-License-Identifier: MIT
// Destructors of captures, results and exceptions that use the pool, wherever the library runs
// them.
#include <cstddef>
#include <exception>
#include <functional>
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

/// Calls f once, when the last that it was moved to ends.
template <class F>
class AtEnd {
 public:
  explicit AtEnd(F f) : f_(std::move(f)) {}
  AtEnd(AtEnd&& other) noexcept : f_(std::move(other.f_)), on_(std::exchange(other.on_, false)) {}
  AtEnd& operator=(AtEnd&&) = delete;
  ~AtEnd() {
    user_code();
    if (on_) f_();
  }

 private:
  F f_;
  bool on_ = true;
};

// The capture of a task that has run issues and waits, on the only worker.
SCENARIO(destructor_of_a_capture_waits, .bound = kUnbounded) {
  ThreadPool pool(1);
  int got = 0;
  Gate ended;
  const auto result = pool.apply_async([end = AtEnd([&] {
                                          got = pool.apply_async(seven).get();
                                          ended.open();
                                        })] { return 1; });
  CHECK(result.get() == 1);
  ended.wait();
  CHECK(got == 7);
}

// The capture of a cancelled task does so on the thread that cancels.
SCENARIO(destructor_of_a_cancelled_capture_waits, .bound = 3) {
  ThreadPool pool(1);
  int got = 0;
  Gate ended;
  const auto result = pool.apply_async([end = AtEnd([&] {
                                          got = pool.apply_async(seven).get();
                                          ended.open();
                                        })] { return 1; });
  const bool cancelled = result.cancel();
  CHECK(end_of([&] { result.get(); }) == (cancelled ? End::cancelled : End::value));
  ended.wait();
  CHECK(got == 7);
}

// The capture of an abandoned task waits for one that terminate() has not come to yet.
SCENARIO(destructor_of_an_abandoned_capture_waits) {
  ThreadPool pool(1);
  Gate running, terminated;
  const auto busy = pool.apply_async([&] {
    running.open();
    terminated.wait();
    return 1;
  });
  running.wait();
  AsyncResult<int> behind;
  End end = End::timeout;
  pool.apply_async([c = AtEnd([&] {
                      CHECK(end_of([&] { pool.apply_async(seven); }) == End::error);
                      end = end_of([&] { behind.get(); });
                    })] {});
  behind = pool.apply_async(seven);
  pool.terminate();
  terminated.open();
  CHECK(end == End::terminated);
  CHECK(busy.get() == 1);
}

// The capture of an abandoned task reads an imap that terminate() has not come to yet.
SCENARIO(destructor_of_an_abandoned_capture_reads) {
  ThreadPool pool(1);
  Gate running, terminated;
  const auto busy = pool.apply_async([&] {
    running.open();
    terminated.wait();
    return 1;
  });
  running.wait();
  std::optional<ImapIterator<Value>> it;
  bool read = false;
  pool.apply_async([c = AtEnd([&] {
                      CHECK(end_of_next(*it) == End::terminated);
                      CHECK(next_of(*it) == -1);
                      read = true;
                    })] {});
  it.emplace(pool.imap([](int i) { return Value(i); }, Numbers(2)));
  pool.terminate();
  terminated.open();
  CHECK(read);
  CHECK(busy.get() == 1);
}

// The capture of a task that has run reads an imap on the only worker.
SCENARIO(destructor_of_a_capture_reads) {
  ThreadPool pool(1);
  int sum = 0;
  Gate ended;
  pool.apply_async([end = AtEnd([&] {
                      auto it = pool.imap([](int i) { return Value(i + 1); }, Numbers(2));
                      for (int n; (n = next_of(it)) != -1;) sum += n;
                      ended.open();
                    })] {});
  ended.wait();
  CHECK(sum == 3);
}

// A capture cancels what is queued, and terminates the pool.
SCENARIO(destructor_of_a_capture_cancels, .bound = kUnbounded) {
  ThreadPool pool(1);
  Gate issued;
  AsyncResult<int> next;
  pool.apply_async([&, end = AtEnd([&] { CHECK(next.cancel()); })] { issued.wait(); });
  next = pool.apply_async(seven);
  issued.open();
  CHECK(end_of([&] { next.get(); }) == End::cancelled);
}
SCENARIO(destructor_of_a_capture_terminates) {
  ThreadPool pool(1);
  Gate issued;
  const auto first =
      pool.apply_async([&, end = AtEnd([&] { pool.terminate(); })] { issued.wait(); });
  const auto next = pool.apply_async(seven);
  issued.open();
  CHECK(end_of([&] { next.get(); }) == End::terminated);
  CHECK(end_of([&] { first.get(); }) == End::value);
}

// A result whose destructor issues and waits: it goes with the last handle, or on the worker if
// that is gone.
SCENARIO(destructor_of_a_result_waits, .bound = 3) {
  ThreadPool pool(1);
  int got = 0;
  Gate ended;
  const auto wait_then = [&] {
    got = pool.apply_async(seven).get();
    ended.open();
  };
  pool.apply_async([&] { return AtEnd(wait_then); });
  ended.wait();
  CHECK(got == 7);
}

// An exception that waits in its destructor, which goes when the handler has been told of it.
struct Waits : std::runtime_error {
  explicit Waits(std::function<void()> f)
      : std::runtime_error("task"),
        end(std::make_shared<AtEnd<std::function<void()>>>(std::move(f))) {}
  std::shared_ptr<AtEnd<std::function<void()>>> end;
};
SCENARIO(destructor_of_an_exception_waits, .bound = 3) {
  int got = 0;
  ThreadPool pool(
      {.processes = 1, .on_unobserved_error = [](const std::exception_ptr&) { user_code(); }});
  Gate ended;
  pool.apply_async([&] {
    throw Waits([&] {
      got = pool.apply_async(seven).get();
      ended.open();
    });
  });
  ended.wait();
  CHECK(got == 7);
}

// The function of a dropped imap waits, on the thread that drops it or on the worker.
SCENARIO(destructor_of_an_imaps_function_waits) {
  ThreadPool pool(1);
  int got = 0;
  Gate ended;
  pool.imap([end = AtEnd([&] {
               got = pool.apply_async(seven).get();
               ended.open();
             })](int i) { return Value(i); },
            Numbers(2));
  ended.wait();
  CHECK(got == 7);
}

// Results of an imap that nobody took: they go with the iterator, and wait.
SCENARIO(destructor_of_unread_items_waits) {
  mt::atomic<int> made = 0, ended = 0;
  ThreadPool pool(1);
  {
    auto it = pool.imap_unordered(
        [&](int) {
          made.fetch_add(1);
          return std::make_unique<AtEnd<std::function<void()>>>([&] {
            end_of([&] { CHECK(pool.apply_async(seven).get() == 7); });
            ended.fetch_add(1);
          });
        },
        Numbers(2), {.buffersize = 1});
    CHECK(it.next().has_value());
  }
  pool.close();
  pool.join();
  CHECK(made.load() == ended.load());
}

// An iterator that goes with a task's capture, while the worker is about to read for it.
SCENARIO(destructor_of_a_captured_iterator, .bound = kUnbounded) {
  ThreadPool pool(1);
  const auto result =
      pool.apply_async([it = pool.imap([](int i) { return Value(i); }, Numbers(Numbers::kEndless),
                                       {.buffersize = 1})]() mutable { return next_of(it); });
  CHECK(result.get() == 0);
  pool.close();
  pool.join();
}

// The last handle of a call goes in the capture of another one.
SCENARIO(destructor_of_a_captured_handle) {
  ThreadPool pool(1);
  const auto result = pool.apply_async([inner = pool.apply_async([] { return Value(3); })] {
    return static_cast<int>(inner.get());
  });
  CHECK(result.get() == 3);
}

// The items of a cancelled map: each one goes once, and may wait.
SCENARIO(destructor_of_items_waits) {
  ThreadPool pool(1);
  int got = 0;
  Gate ended;
  using Item = std::unique_ptr<AtEnd<std::function<void()>>>;
  std::vector<Item> items;
  items.push_back(std::make_unique<AtEnd<std::function<void()>>>([&] {
    got = pool.apply_async(seven).get();
    ended.open();
  }));
  const auto result = pool.map_async([](const Item&) { user_code(); }, std::move(items));
  const bool cancelled = result.cancel();
  CHECK(end_of([&] { result.get(); }) == (cancelled ? End::cancelled : End::value));
  ended.wait();
  CHECK(got == 7);
}

// The capture of a task that is given up waits for a group of others that are given up next.
SCENARIO(destructor_of_an_abandoned_capture_waits_for_a_group) {
  ThreadPool pool(1);
  Gate running, terminated;
  const auto busy = pool.apply_async([&] {
    running.open();
    terminated.wait();
    return 1;
  });
  running.wait();
  std::vector<AsyncResult<int>> behind;
  std::size_t found = 0;
  pool.apply_async([c = AtEnd([&] { found = wait(behind).done.size(); })] {});
  for (int i = 0; i != 2; ++i) behind.push_back(pool.apply_async(seven));
  pool.terminate();
  terminated.open();
  CHECK(found == 2);
  CHECK(busy.get() == 1);
}

}  // namespace
