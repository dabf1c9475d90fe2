// SPDX-License-Identifier: MIT
//
// Errors: their types and messages, the order of checks, exceptions of any type, and errors that
// nobody looked at.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/move_only.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

static_assert(std::is_base_of_v<std::logic_error, ValueError>);
static_assert(std::is_base_of_v<std::runtime_error, Error>);
static_assert(std::is_base_of_v<Error, TimeoutError>);
static_assert(std::is_base_of_v<Error, CancelledError>);
static_assert(std::is_base_of_v<Error, TerminatedError>);
static_assert(!std::is_base_of_v<Error, ValueError>);

class Errors : public WithWorkers {};

INSTANTIATE_TEST_SUITE_P(Workers, Errors, worker_counts(), ::testing::PrintToStringParamName());

// Checks come in this order: state, chunksize and buffersize, items. Every call below has items
// that throw as soon as they are read.

using Size = std::optional<std::ptrdiff_t>;

struct ChunkedCall {
  const char* name;
  bool reads_in_the_caller;
  std::function<void(ThreadPool&, Size)> issue;
};

void ignore(int) {}
void ignore_both(int, int) {}

Generated<int> bad_items() { return counting_until_throw(0); }
Generated<std::pair<int, int>> bad_pairs() {
  return Generated<std::pair<int, int>>(
      []() -> std::optional<std::pair<int, int>> { throw SayWhen(); });
}

std::vector<ChunkedCall> chunked_calls() {
  return {
      {"map", true, [](ThreadPool& p, Size n) { p.map(ignore, bad_items(), {.chunksize = n}); }},
      {"map_async", true,
       [](ThreadPool& p, Size n) { p.map_async(ignore, bad_items(), {.chunksize = n}); }},
      {"starmap", true,
       [](ThreadPool& p, Size n) { p.starmap(ignore_both, bad_pairs(), {.chunksize = n}); }},
      {"starmap_async", true,
       [](ThreadPool& p, Size n) { p.starmap_async(ignore_both, bad_pairs(), {.chunksize = n}); }},
      {"imap", false, [](ThreadPool& p, Size n) { p.imap(ignore, bad_items(), {.chunksize = n}); }},
      {"imap_unordered", false,
       [](ThreadPool& p, Size n) { p.imap_unordered(ignore, bad_items(), {.chunksize = n}); }},
      {"istarmap", false,
       [](ThreadPool& p, Size n) { p.istarmap(ignore_both, bad_pairs(), {.chunksize = n}); }},
      {"istarmap_unordered", false,
       [](ThreadPool& p, Size n) {
         p.istarmap_unordered(ignore_both, bad_pairs(), {.chunksize = n});
       }},
  };
}

TEST_P(Errors, ChecksStateThenChunksizeThenItems) {
  for (const ChunkedCall& call : chunked_calls()) {
    // A dropped imap's input error is nobody's business here.
    ThreadPool pool(PoolOptions{.processes = workers(),
                                .on_unobserved_error = [](const std::exception_ptr&) {}});
    if (call.reads_in_the_caller) {
      EXPECT_THROW(call.issue(pool, std::nullopt), SayWhen) << call.name;
      EXPECT_THROW(call.issue(pool, 1), SayWhen) << call.name;
    } else {
      EXPECT_NO_THROW(call.issue(pool, std::nullopt)) << call.name;
    }
    EXPECT_EQ(message_of<ValueError>([&] { call.issue(pool, 0); }), "Chunksize must be 1+, not 0")
        << call.name;
    EXPECT_EQ(message_of<ValueError>([&] { call.issue(pool, -3); }), "Chunksize must be 1+, not -3")
        << call.name;
    pool.close();
    EXPECT_EQ(message_of<ValueError>([&] { call.issue(pool, 0); }), "Pool not running")
        << call.name;
  }
}

TEST_P(Errors, RefusesAPlainChunksizeBelowOne) {
  const std::string message = "Chunksize must be 1+, not 0";
  const std::vector items{1, 2};
  const std::vector<std::pair<int, int>> pairs{{1, 2}};
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<ValueError>([&] { pool.map(ignore, items, 0); }), message);
  EXPECT_EQ(message_of<ValueError>([&] { pool.map_async(ignore, items, 0); }), message);
  EXPECT_EQ(message_of<ValueError>([&] { pool.starmap(ignore_both, pairs, 0); }), message);
  EXPECT_EQ(message_of<ValueError>([&] { pool.starmap_async(ignore_both, pairs, 0); }), message);
  EXPECT_EQ(message_of<ValueError>([&] { pool.imap(ignore, items, 0); }), message);
  EXPECT_EQ(message_of<ValueError>([&] { pool.imap_unordered(ignore, items, 0); }), message);
  EXPECT_EQ(message_of<ValueError>([&] { pool.istarmap(ignore_both, pairs, 0); }), message);
  EXPECT_EQ(message_of<ValueError>([&] { pool.istarmap_unordered(ignore_both, pairs, 0); }),
            message);
}

TEST_P(Errors, RefusesABadChunksizeForNoItemsToo) {
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<ValueError>([&] { pool.map(ignore, std::vector<int>{}, 0); }),
            "Chunksize must be 1+, not 0");
}

TEST_P(Errors, RefusesABuffersizeBelowOne) {
  const std::vector<std::pair<int, int>> pairs{{1, 2}};
  ThreadPool pool(workers());
  for (const int bad : {0, -1}) {
    EXPECT_THROW(pool.imap(ignore, bad_items(), {.buffersize = bad}), ValueError);
    EXPECT_THROW(pool.imap_unordered(ignore, bad_items(), {.buffersize = bad}), ValueError);
    EXPECT_THROW(pool.istarmap(ignore_both, pairs, {.buffersize = bad}), ValueError);
    EXPECT_THROW(pool.istarmap_unordered(ignore_both, pairs, {.buffersize = bad}), ValueError);
  }
  pool.close();
  EXPECT_EQ(message_of<ValueError>([&] { pool.imap(ignore, bad_items(), {.buffersize = 0}); }),
            "Pool not running");
}

TEST_P(Errors, LeaveItemsUntouchedWhenACallIsRefused) {
  std::vector<std::unique_ptr<int>> items;
  items.push_back(std::make_unique<int>(1));
  const auto take = [](std::unique_ptr<int>) {};
  ThreadPool pool(workers());
  EXPECT_THROW(pool.map_async(take, std::move(items), 0), ValueError);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_NE(items[0], nullptr);
  pool.close();
  EXPECT_THROW(pool.map_async(take, std::move(items)), ValueError);
  EXPECT_THROW(pool.imap(take, std::move(items)), ValueError);
  EXPECT_THROW(pool.apply_async([](const auto&) {}, std::move(items)), ValueError);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_NE(items[0], nullptr);
}

// Exceptions of any type

TEST_P(Errors, MayBeOfAnyType) {
  struct NotAStdException {
    int code;
  };
  ThreadPool pool(workers());
  EXPECT_THROW(pool.apply([] { throw 42; }), int);
  EXPECT_THROW(pool.apply([] { throw "text"; }), const char*);
  EXPECT_THROW(pool.apply([] { throw std::make_unique<int>(1); }), std::unique_ptr<int>);
  try {
    pool.apply_async([] { throw NotAStdException{7}; }).get();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const NotAStdException& error) {
    EXPECT_EQ(error.code, 7);
  }
  try {
    pool.map([](int n) -> int { throw MoveOnly(n); }, std::vector{5});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const MoveOnly& error) {
    EXPECT_EQ(error.value(), 5);
  }
  auto iterator = pool.imap([](int n) -> int { throw n; }, std::vector{1, 2});
  EXPECT_THROW(static_cast<void>(iterator.next()), int);
  EXPECT_THROW(static_cast<void>(iterator.next()), int);
  EXPECT_EQ(iterator.next(), std::nullopt);
}

TEST_P(Errors, KeepTheirDynamicType) {
  struct Special : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  ThreadPool pool(workers());
  const auto result = pool.apply_async([] { throw Special("special"); });
  EXPECT_EQ(message_of<Special>([&] { result.get(); }), "special");
  EXPECT_TRUE(holds<Special>(result.exception()));
}

TEST_P(Errors, OfThePoolsOwnTypesPassThroughToo) {
  ThreadPool pool(workers());
  EXPECT_THROW(pool.apply([] { throw TimeoutError("a task's own"); }), TimeoutError);
  EXPECT_THROW(pool.apply([] { throw TerminatedError("a task's own"); }), TerminatedError);
  EXPECT_EQ(message_of<ValueError>([&] { pool.apply([] { throw ValueError("own"); }); }), "own");
}

// Thrown while things are copied and moved

struct ThrowsOnCopy {
  ThrowsOnCopy() = default;
  ThrowsOnCopy(const ThrowsOnCopy&) { throw std::runtime_error("copied"); }
  ThrowsOnCopy(ThrowsOnCopy&&) noexcept {}
  ThrowsOnCopy& operator=(const ThrowsOnCopy&) = delete;
  ThrowsOnCopy& operator=(ThrowsOnCopy&&) = delete;
  ~ThrowsOnCopy() = default;
};

TEST_P(Errors, OfCopyingArgumentsComeOutOfTheCall) {
  const ThrowsOnCopy argument;
  const std::vector<ThrowsOnCopy> items(2);
  ThreadPool pool(workers());
  EXPECT_EQ(message_of<std::runtime_error>(
                [&] { pool.apply_async([](const ThrowsOnCopy&) {}, argument); }),
            "copied");
  EXPECT_EQ(
      message_of<std::runtime_error>([&] { pool.map_async([](const ThrowsOnCopy&) {}, items); }),
      "copied");
  pool.map([](const ThrowsOnCopy&) {}, items);  // Borrows.
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(Errors, OfCopyingAResultAreTheTasks) {
  struct Fragile {
    Fragile() = default;
    Fragile(const Fragile&) { throw std::runtime_error("copied"); }
    Fragile& operator=(const Fragile&) = delete;
    ~Fragile() = default;
  };
  const Fragile source;
  ThreadPool pool(workers());
  const auto result = pool.apply_async([&source]() -> Fragile { return source; });
  EXPECT_EQ(message_of<std::runtime_error>([&] { static_cast<void>(result.get()); }), "copied");
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

// Errors in maps

TEST_P(Errors, OfAMapSkipTheRestOfTheChunkAndNoOtherChunk) {
  std::vector<std::atomic<bool>> ran(12);
  ThreadPool pool(workers());
  const auto result = pool.map_async(
      [&ran](int n) {
        ran[static_cast<std::size_t>(n)] = true;
        if (n % 4 == 1) throw std::runtime_error(std::to_string(n));
      },
      std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 4);
  result.wait();
  const std::vector<bool> expected{true,  true,  false, false, true,  true,
                                   false, false, true,  true,  false, false};
  EXPECT_EQ(std::vector<bool>(ran.begin(), ran.end()), expected);
  EXPECT_FALSE(result.successful());
}

TEST_P(Errors, OfAMapDestroyTheResultsThatWereDone) {
  const auto tracked = std::make_shared<int>(0);
  ThreadPool pool(workers());
  EXPECT_THROW(pool.map(
                   [&tracked](int n) {
                     if (n == 50) throw std::runtime_error("chosen");
                     return tracked;
                   },
                   std::views::iota(0, 100), 1),
               std::runtime_error);
  EXPECT_EQ(tracked.use_count(), 1);
  const auto result = pool.map_async(
      [tracked](int n) {
        if (n == 3) throw std::runtime_error("chosen");
        return tracked;
      },
      std::vector{1, 2, 3, 4}, 1);
  result.wait();
  EXPECT_EQ(tracked.use_count(), 1);
  EXPECT_FALSE(result.successful());
}

// Errors that nobody looked at

// Collects what a pool reports. Shared with the handler, which may run after the test's end.
struct Reports {
  void add(std::exception_ptr error) {
    const std::lock_guard lock(mutex);
    messages.push_back(message_of<std::runtime_error>(error));
  }
  std::vector<std::string> sorted() {
    const std::lock_guard lock(mutex);
    std::vector<std::string> copy = messages;
    std::sort(copy.begin(), copy.end());
    return copy;
  }
  std::mutex mutex;
  std::vector<std::string> messages;
};

class UnobservedErrors : public WithWorkers {
 protected:
  PoolOptions options() const {
    return {.processes = workers(),
            .on_unobserved_error = [reports = reports_](std::exception_ptr error) {
              reports->add(std::move(error));
            }};
  }
  std::vector<std::string> reported() const { return reports_->sorted(); }

  static void fail(const std::string& message) { throw std::runtime_error(message); }

 private:
  std::shared_ptr<Reports> reports_ = std::make_shared<Reports>();
};

using Messages = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(Workers, UnobservedErrors, worker_counts(),
                         ::testing::PrintToStringParamName());

TEST_P(UnobservedErrors, AreReportedBeforeJoinReturnsWhenThereIsNoHandle) {
  ThreadPool pool(options());
  pool.apply_async(fail, "a");
  pool.apply_async(fail, "b");
  pool.map_async([](int n) { fail("map " + std::to_string(n)); }, {7, 7, 7}, 1);
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), (Messages{"a", "b", "map 7"}));
}

TEST_P(UnobservedErrors, AreReportedWhenTheLastHandleGoes) {
  ThreadPool pool(options());
  auto result = pool.apply_async(fail, "a");
  auto copy = result;
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), Messages{});
  result = {};
  EXPECT_EQ(reported(), Messages{});
  copy = {};
  EXPECT_EQ(reported(), Messages{"a"});
}

TEST_P(UnobservedErrors, AreReportedAfterThePoolHasGone) {
  AsyncResult<void> result;
  {
    ThreadPool pool(options());
    result = pool.apply_async(fail, "a");
    result.wait();
  }
  EXPECT_EQ(reported(), Messages{});
  result = {};
  EXPECT_EQ(reported(), Messages{"a"});
}

TEST_P(UnobservedErrors, IncludeThoseThatWereOnlyWaitedFor) {
  ThreadPool pool(options());
  {
    const auto result = pool.apply_async(fail, "a");
    result.wait();
    EXPECT_TRUE(result.ready());
    EXPECT_TRUE(result.wait(std::chrono::seconds(0)));
  }
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), Messages{"a"});
}

TEST_P(UnobservedErrors, ExcludeThoseThatSomebodyLookedAt) {
  ThreadPool pool(options());
  EXPECT_THROW(pool.apply_async(fail, "get").get(), std::runtime_error);
  EXPECT_THROW(pool.apply_async(fail, "get with timeout").get(std::chrono::hours(1)),
               std::runtime_error);
  EXPECT_NE(pool.apply_async(fail, "exception").exception(), nullptr);
  {
    const auto result = pool.apply_async(fail, "successful");
    result.wait();
    EXPECT_FALSE(result.successful());
  }
  {
    const auto looked_at = pool.apply_async(fail, "by another handle");
    const auto not_looked_at = looked_at;
    EXPECT_THROW(looked_at.get(), std::runtime_error);
  }
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), Messages{});
}

TEST_P(UnobservedErrors, ExcludeThoseOfBlockingCalls) {
  ThreadPool pool(options());
  EXPECT_THROW(pool.apply(fail, "apply"), std::runtime_error);
  EXPECT_THROW(pool.map([](int) { fail("map"); }, {1, 2, 3}, 1), std::runtime_error);
  EXPECT_THROW(pool.starmap([](int, int) { fail("starmap"); }, {std::pair(1, 2)}),
               std::runtime_error);
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), Messages{});
}

TEST_P(UnobservedErrors, ExcludeThoseWithAnErrorCallback) {
  std::atomic<int> errors = 0;
  ThreadPool pool(options());
  pool.apply_async(fail, std::tuple(std::string("a")),
                   {.error_callback = [&errors](const std::exception_ptr&) { ++errors; }});
  pool.map_async([](int) { fail("b"); }, {1},
                 {.error_callback = [&errors](const std::exception_ptr&) { ++errors; }});
  pool.close();
  pool.join();
  EXPECT_EQ(errors, 2);
  EXPECT_EQ(reported(), Messages{});
}

TEST_P(UnobservedErrors, ExcludeAbandonedWork) {
  ThreadPool pool(options());
  {
    const BusyWorkers busy(pool);
    pool.apply_async([] {});
    pool.map_async([](int) {}, {1, 2});
    pool.terminate();
  }
  pool.join();
  EXPECT_EQ(reported(), Messages{});
}

TEST_P(UnobservedErrors, IncludeWhatACallbackThrows) {
  ThreadPool pool(options());
  pool.apply_async([] {}, std::tuple(), {.callback = [] { fail("from the callback"); }});
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), Messages{"from the callback"});
}

TEST_P(UnobservedErrors, IncludeWhatAnErrorCallbackThrows) {
  ThreadPool pool(options());
  const auto result = pool.apply_async(
      fail, std::tuple(std::string("original")),
      {.error_callback = [](const std::exception_ptr&) { fail("from the error_callback"); }});
  EXPECT_EQ(message_of<std::runtime_error>([&] { result.get(); }), "original");
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), Messages{"from the error_callback"});
}

TEST_P(UnobservedErrors, ExcludeSuccess) {
  ThreadPool pool(options());
  pool.apply_async([] { return 1; });
  pool.map_async([](int n) { return n; }, {1, 2, 3});
  pool.close();
  pool.join();
  EXPECT_EQ(reported(), Messages{});
}

TEST(UnobservedErrorsByDefault, AreOneLineOnStderr) {
  ::testing::internal::CaptureStderr();
  {
    ThreadPool pool(2);
    pool.apply_async([] { throw std::runtime_error("Something bad happened"); });
    pool.close();
    pool.join();
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("Something bad happened"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_TRUE(text.ends_with('\n')) << text;
}

TEST(UnobservedErrorsByDefault, NeedNotBeStdExceptions) {
  ::testing::internal::CaptureStderr();
  {
    ThreadPool pool(2);
    pool.apply_async([] { throw 42; });
    pool.close();
    pool.join();
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

}  // namespace
}  // namespace millpond::test
