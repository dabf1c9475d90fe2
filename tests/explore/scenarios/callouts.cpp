// SPDX-License-Identifier: MIT
// User code at the places where the library calls it (docs/design/callouts.md), where another
// thread can come in between: what the table of tests/unit/callouts_test.cpp cannot order.
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "scenario.hpp"

namespace {
using namespace explore;
using namespace millpond;

/// Runs `f` when it is destroyed.
template <class F>
class AtEnd {
 public:
  explicit AtEnd(F f) : f_(std::move(f)) {}
  AtEnd(AtEnd&& other) noexcept : f_(std::move(other.f_)), on_(std::exchange(other.on_, false)) {}
  ~AtEnd() {
    if (!on_) return;
    user_code();
    f_();
  }

 private:
  F f_;
  bool on_ = true;
};

/// A step of its input does something.
template <class F>
class Input {
 public:
  explicit Input(F f) : f_(std::move(f)) {}
  Input(Input&&) = default;
  Input& operator=(Input&&) = default;
  Input(const Input&) = delete;
  struct Iterator {
    using iterator_concept = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    Input* input = nullptr;
    int n = 0;
    int operator*() const { return n; }
    Iterator& operator++() {
      user_code();
      input->f_();
      ++n;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return n == 2; }
  };
  Iterator begin() { return {this}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  F f_;
};

// A stop callback of cancel() drops the only handle while the task ends.
SCENARIO(callout_stop_callback_drops_the_handle) {
  ThreadPool pool(1);
  Gate started;
  mt::stop_token token;
  auto r = pool.apply_async([&](mt::stop_token its) {
    token = its;
    started.open();
    return Value(1);
  });
  started.wait();
  {
    const mt::stop_callback drops(token, [&] {
      user_code();
      r = {};
    });
    CHECK(!r.cancel());
  }
  r = {};
}

// A stop callback of a map's cancel() destroys the pool while a chunk ends.
SCENARIO(callout_stop_callback_of_a_map_destroys_the_pool) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate started;
  mt::stop_token token;
  const auto r = pool->map_async(
      [&](mt::stop_token its, int n) {
        if (n == 0) token = its;
        if (n == 0) started.open();
        return Value(n);
      },
      std::vector<int>{0, 1}, 1);
  started.wait();
  {
    const mt::stop_callback destroys(token, [&] {
      user_code();
      pool.reset();
    });
    r.cancel();
  }
  CHECK(r.ready());
}

// A capture that dies in cancel() destroys the pool while a worker is at another task.
SCENARIO(callout_cancelled_capture_destroys_the_pool) {
  auto pool = std::make_unique<ThreadPool>(1);
  const auto a = pool->apply_async([c = Capture()] { return Value(*c); });
  const auto b = pool->apply_async([end = AtEnd([&] { pool.reset(); })] { return Value(2); });
  const bool cancelled = b.cancel();
  const End end = end_of([&] { b.get(); });
  CHECK(end == (cancelled ? End::cancelled : End::value));
  CHECK(end_of([&] { a.get(); }) != End::error);
}

// A capture that dies in cancel(), or on the worker, waits for what is queued behind it.
SCENARIO(callout_cancelled_capture_waits_for_what_is_queued) {
  ThreadPool pool(1);
  Gate issued;
  pool.apply_async([&] { issued.wait(); });
  std::optional<AsyncResult<Value>> b;
  const auto a = pool.apply_async([end = AtEnd([&] { b->wait(); })] { return Value(1); });
  b = pool.apply_async([] { return Value(2); });
  issued.open();
  a.cancel();
  CHECK(b->get() == 2);
  CHECK(end_of([&] { a.get(); }) != End::error);
}

// A dropped imap's function waits for a queued task when it dies, wherever that is.
SCENARIO(callout_dropped_imap_waits_for_what_is_queued) {
  ThreadPool pool(1);
  const auto r = pool.apply_async([] { return Value(2); });
  {
    const auto items = pool.imap([end = AtEnd([r] { r.wait(); })](int n) { return Value(n); },
                                 std::vector<int>{1});
  }
  CHECK(r.get() == 2);
}

// A step of an imap's input terminates the pool while its reader waits elsewhere.
SCENARIO(callout_input_terminates_the_pool) {
  ThreadPool pool(1);
  auto items = pool.imap([](int n) { return Value(n); }, Input([&] { pool.terminate(); }));
  int values = 0;
  const End end = end_of([&] {
    while (items.next()) ++values;
  });
  CHECK(end == End::terminated);
  CHECK(values <= 1);
  CHECK(!items.next());
}

// Two threads terminate; a capture that one of them destroys waits for what the other may have.
SCENARIO(callout_two_terminate_and_a_capture_waits) {
  ThreadPool pool(1);
  Gate gate;
  pool.apply_async([&] { gate.wait(); });
  std::optional<AsyncResult<Value>> b;
  const auto a = pool.apply_async([end = AtEnd([&] {
                                     if (b) b->wait();
                                   })] { return Value(1); });
  b = pool.apply_async([] { return Value(2); });
  thread other([&] { pool.terminate(); });
  pool.terminate();
  other.join();
  gate.open();
  CHECK(end_of([&] { a.get(); }) == End::terminated);
  CHECK(end_of([&] { b->get(); }) == End::terminated);
}

// The last handle goes with an error that nobody has seen, here or on the worker that is still at
// the job; the handler destroys the pool.
SCENARIO(callout_error_handler_destroys_the_pool) {
  std::unique_ptr<ThreadPool> pool;
  Gate destroyed;
  pool = std::make_unique<ThreadPool>(
      PoolOptions{.processes = 1, .on_unobserved_error = [&](const std::exception_ptr&) {
                    user_code();
                    pool.reset();
                    destroyed.open();
                  }});
  auto r = pool->apply_async([]() -> int { throw std::runtime_error("boom"); });
  r.add_done_callback([](const auto&) { user_code(); });
  r.wait();
  r = {};
  destroyed.wait();
}

// A result that nobody wants destroys the pool, on the worker, while another thread waits for a
// task.
SCENARIO(callout_result_destroys_the_pool) {
  auto pool = std::make_unique<ThreadPool>(1);
  Gate issued;
  const auto destroy = [&] { pool.reset(); };
  pool->apply_async([&] {
    issued.wait();
    return AtEnd(destroy);
  });
  const auto r = pool->apply_async([] { return Value(1); });
  issued.open();
  CHECK(end_of([&] { r.get(); }) == End::terminated);
}

// Read by a task that waits for it, an imap's function dies on that thread and waits for a map.
SCENARIO(callout_helped_imap_waits_for_a_map) {
  ThreadPool pool(1);
  const auto m = pool.map_async([](int n) { return Value(n); }, std::vector<int>{1, 2}, 1);
  const auto r = pool.apply_async([&] {
    auto items =
        pool.imap([end = AtEnd([&] { m.wait(); })](int n) { return n; }, std::vector<int>{1});
    while (items.next()) {
    }
    return Value(3);
  });
  CHECK(r.get() == 3);
  CHECK(m.get().size() == 2);
}
}  // namespace
