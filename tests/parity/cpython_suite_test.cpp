// SPDX-License-Identifier: MIT
//
// The cases that CPython's own test suite has for its thread pool, in C++: one test for one of its
// tests, named alike. Where CPython sleeps, gates are used here.
#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/throws.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

using namespace std::chrono_literals;

int sqr(int x) { return x * x; }
int mul(int x, int y) { return x * y; }

std::vector<int> squares(int count) {
  std::vector<int> values;
  for (int n = 0; n < count; ++n) values.push_back(n * n);
  return values;
}

std::vector<std::pair<int, int>> opposite_pairs(int count) {
  std::vector<std::pair<int, int>> pairs;
  for (int n = 0; n < count; ++n) pairs.emplace_back(n, count - 1 - n);
  return pairs;
}

std::vector<int> products(const std::vector<std::pair<int, int>>& pairs) {
  std::vector<int> values;
  for (const auto& [a, b] : pairs) values.push_back(a * b);
  return values;
}

// `total` numbers; SayWhen comes in place of number `when`.
Generated<int> throwing_input(int total, int when) {
  return Generated<int>([total, when, next = 0]() mutable -> std::optional<int> {
    if (next == when) throw SayWhen();
    if (next == total) return std::nullopt;
    return next++;
  });
}

std::vector<int> sorted(ImapIterator<int> iterator) {
  std::vector<int> results;
  for (auto&& result : iterator) results.push_back(result);
  std::sort(results.begin(), results.end());
  return results;
}

// CPython's suite shares one pool of four among its tests.
class CPythonSuite : public ::testing::Test {
 protected:
  ThreadPool pool_{4};
};

TEST_F(CPythonSuite, Apply) { EXPECT_EQ(pool_.apply(sqr, 5), sqr(5)); }

TEST_F(CPythonSuite, Map) {
  EXPECT_EQ(pool_.map(sqr, std::views::iota(0, 10)), squares(10));
  EXPECT_EQ(pool_.map(sqr, std::views::iota(0, 100), {.chunksize = 20}), squares(100));
}

TEST_F(CPythonSuite, Starmap) {
  EXPECT_EQ(pool_.starmap(mul, opposite_pairs(10)), products(opposite_pairs(10)));
  EXPECT_EQ(pool_.starmap(mul, opposite_pairs(100), {.chunksize = 20}),
            products(opposite_pairs(100)));
}

TEST_F(CPythonSuite, StarmapAsync) {
  EXPECT_EQ(pool_.starmap_async(mul, opposite_pairs(100)).get(), products(opposite_pairs(100)));
}

TEST_F(CPythonSuite, MapAsync) {
  EXPECT_EQ(pool_.map_async(sqr, std::views::iota(0, 10)).get(), squares(10));
}

TEST_F(CPythonSuite, MapAsyncCallbacks) {
  std::vector<std::vector<int>> results;
  std::vector<std::exception_ptr> errors;
  const auto to_int = [](const std::string& text) { return std::stoi(text); };
  const MapOptions<int> options{
      .callback = [&](const std::vector<int>& all) { results.push_back(all); },
      .error_callback = [&](std::exception_ptr error) { errors.push_back(std::move(error)); }};
  pool_.map_async(to_int, {std::string("1")}, options).wait();
  EXPECT_EQ(results, std::vector<std::vector<int>>{{1}});
  EXPECT_TRUE(errors.empty());
  pool_.map_async(to_int, {std::string("a")}, options).wait();
  EXPECT_EQ(results.size(), 1U);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(holds<std::invalid_argument>(errors[0]));
}

TEST_F(CPythonSuite, MapChunksize) {
  EXPECT_TRUE(pool_.map_async(sqr, std::vector<int>{}, {.chunksize = 1})
                  .get(std::chrono::hours(1))
                  .empty());
}

TEST_F(CPythonSuite, MapHandleIterableException) {
  // At the very first item, and again, to see that nothing has stuck.
  EXPECT_THROW(pool_.map(sqr, throwing_input(1, 0), 1), SayWhen);
  EXPECT_THROW(pool_.map(sqr, throwing_input(1, 0), 1), SayWhen);
  EXPECT_THROW(pool_.map(sqr, throwing_input(10, 3), 1), SayWhen);

  // A range that knows its size, and can be indexed, but whose items throw.
  const auto special =
      std::views::iota(0, 1) | std::views::transform([](int) -> int { throw SayWhen(); });
  EXPECT_THROW(pool_.map(sqr, special, 1), SayWhen);
  EXPECT_THROW(pool_.map(sqr, special, 1), SayWhen);
}

TEST_F(CPythonSuite, Async) {
  const auto gate = std::make_shared<Gate>();
  const auto result = pool_.apply_async(
      [gate](int x) {
        gate->wait();
        return sqr(x);
      },
      7);
  gate->open();
  EXPECT_EQ(result.get(), 49);
}

TEST(CPythonSuiteOwnPool, AsyncTimeout) {
  Gate event;
  ThreadPool pool(3);
  const OpenAtExit open_at_exit(event);
  const auto result = pool.apply_async(
      [&event](int x) {
        event.wait();
        return sqr(x);
      },
      6);
  EXPECT_THROW(static_cast<void>(result.get(10ms)), TimeoutError);
  event.open();
  pool.terminate();
  pool.join();
}

TEST_F(CPythonSuite, Imap) {
  auto all = pool_.imap(sqr, std::views::iota(0, 10));
  std::vector<int> results;
  for (const int result : all) results.push_back(result);
  EXPECT_EQ(results, squares(10));

  auto by_next = pool_.imap(sqr, std::views::iota(0, 10));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(by_next.next(), i * i);
  EXPECT_EQ(by_next.next(), std::nullopt);

  auto chunked = pool_.imap(sqr, std::views::iota(0, 1000), {.chunksize = 100});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(chunked.next(), i * i);
  EXPECT_EQ(chunked.next(), std::nullopt);
}

TEST_F(CPythonSuite, ImapHandleIterableException) {
  for (int again = 0; again < 2; ++again) {
    auto first = pool_.imap(sqr, throwing_input(1, 0), 1);
    EXPECT_THROW(static_cast<void>(first.next()), SayWhen);
  }

  auto fourth = pool_.imap(sqr, throwing_input(10, 3), 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fourth.next(), i * i);
  EXPECT_THROW(static_cast<void>(fourth.next()), SayWhen);

  // Unlike CPython, which loses the items before the error in the same chunk.
  for (const int chunksize : {2, 4}) {
    auto in_chunk = pool_.imap(sqr, throwing_input(20, 7), chunksize);
    for (int i = 0; i < 7; ++i) EXPECT_EQ(in_chunk.next(), i * i);
    EXPECT_THROW(static_cast<void>(in_chunk.next()), SayWhen);
    EXPECT_EQ(in_chunk.next(), std::nullopt);
  }
}

TEST_F(CPythonSuite, ImapUnordered) {
  EXPECT_EQ(sorted(pool_.imap_unordered(sqr, std::views::iota(0, 10))), squares(10));
  EXPECT_EQ(sorted(pool_.imap_unordered(sqr, std::views::iota(0, 1000), {.chunksize = 100})),
            squares(1000));
}

TEST_F(CPythonSuite, ImapUnorderedHandleIterableException) {
  for (int again = 0; again < 2; ++again) {
    auto first = pool_.imap_unordered(sqr, throwing_input(1, 0), 1);
    EXPECT_THROW(static_cast<void>(first.next()), SayWhen);
  }
  for (const auto& [total, when, chunksize] : {std::tuple(10, 3, 1), std::tuple(20, 7, 2)}) {
    auto iterator = pool_.imap_unordered(sqr, throwing_input(total, when), chunksize);
    std::vector<int> expected = squares(total);
    EXPECT_THROW(
        {
          for (int i = 0; i < total; ++i) {
            const std::optional<int> value = iterator.next();
            ASSERT_TRUE(value.has_value());
            const auto found = std::find(expected.begin(), expected.end(), *value);
            ASSERT_NE(found, expected.end());
            expected.erase(found);
          }
        },
        SayWhen);
  }
}

TEST(CPythonSuiteOwnPool, MakePool) {
  EXPECT_THROW(ThreadPool(-1), ValueError);
  EXPECT_THROW(ThreadPool(0), ValueError);
  ThreadPool pool(3);
  EXPECT_EQ(pool.size(), 3U);
  pool.close();
  pool.join();
}

TEST(CPythonSuiteOwnPool, Terminate) {
  std::atomic<int> started = 0;
  EventCount running;
  Gate may_end;
  ThreadPool pool(3);
  const OpenAtExit open_at_exit(may_end);
  const auto result = pool.map_async(
      [&](int) {
        ++started;
        running.add();
        may_end.wait();
      },
      std::vector<int>(10000), {.chunksize = 1});
  running.wait_until(3);
  pool.terminate();
  may_end.open();
  pool.join();
  EXPECT_EQ(started, 3);
  EXPECT_THROW(result.get(), TerminatedError);  // CPython would wait for ever.
}

TEST(CPythonSuiteOwnPool, EmptyIterable) {
  const std::vector<int> none;
  ThreadPool pool(1);
  EXPECT_EQ(pool.map(sqr, none), none);
  EXPECT_EQ(sorted(pool.imap(sqr, none)), none);
  EXPECT_EQ(sorted(pool.imap_unordered(sqr, none)), none);
  EXPECT_EQ(pool.map_async(sqr, none).get(), none);
  pool.close();
  pool.join();
}

TEST(CPythonSuiteOwnPool, Context) {
  AsyncResult<std::vector<int>> result;
  {
    ThreadPool pool(2);
    result = pool.map_async(sqr, std::views::iota(0, 10));
    EXPECT_EQ(result.get(), squares(10));
  }
  EXPECT_EQ(result.get(), squares(10));
}

TEST(CPythonSuiteOwnPool, Traceback) {
  // There is no traceback to keep, but the exception arrives as the very object's own type, with
  // all it carries and nothing wrapped around it.
  struct Detailed : std::runtime_error {
    explicit Detailed(int c) : std::runtime_error("detailed"), code(c) {}
    int code;
  };
  ThreadPool pool(1);
  try {
    pool.apply([] { throw Detailed(123); });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::exception& error) {
    const auto* detailed = dynamic_cast<const Detailed*>(&error);
    ASSERT_NE(detailed, nullptr);
    EXPECT_EQ(detailed->code, 123);
    EXPECT_EQ(dynamic_cast<const std::nested_exception*>(&error), nullptr);
  }
}

TEST(CPythonSuiteOwnPool, WrappedException) {
  ThreadPool pool(1);
  EXPECT_EQ(
      message_of<std::runtime_error>([&] { pool.apply([] { throw std::runtime_error("foo"); }); }),
      "foo");
}

TEST(CPythonSuiteOwnPool, MapNoFailfast) {
  // The error of one item doesn't hide the other item: map() waits for both.
  std::atomic<int> finished = 0;
  Gate thrown;
  ThreadPool pool(2);
  EXPECT_THROW(pool.map(
                   [&](int n) {
                     if (n == 0) {
                       thrown.open();
                       throw std::invalid_argument(std::string(1 << 20, 'x'));
                     }
                     thrown.wait();
                     ++finished;
                   },
                   std::views::iota(0, 2), 1),
               std::invalid_argument);
  EXPECT_EQ(finished, 1);
  pool.close();
  pool.join();
}

TEST_F(CPythonSuite, ReleaseTaskRefs) {
  InstanceCounter counter;
  {
    std::vector<std::shared_ptr<Counted>> objects;
    for (int n = 0; n < 10; ++n) objects.push_back(std::make_shared<Counted>(counter, n));
    const auto identity = [](std::shared_ptr<Counted> object) { return object; };
    EXPECT_EQ(pool_.map(identity, objects).size(), 10U);
    EXPECT_EQ(pool_.map_async(identity, objects).get().size(), 10U);
    EXPECT_EQ(pool_.apply_async(identity, objects[0]).get()->value(), 0);
    for (const auto& object : objects) EXPECT_EQ(object.use_count(), 1);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(CPythonSuiteOwnPool, Enter) {
  // A pool that has been ended cannot be entered again: there is no way back to running.
  ThreadPool pool(1);
  pool.terminate();
  EXPECT_EQ(pool.state(), State::terminate);
  EXPECT_THROW(pool.apply_async(sqr, 1), ValueError);
  pool.join();
}

TEST(CPythonSuiteOwnPool, Del) {
  // Dropping a pool that still runs leaks nothing; CPython warns and leaves its threads behind.
  InstanceCounter counter;
  {
    ThreadPool pool(3);
    for (int n = 0; n < 100; ++n) {
      pool.apply_async([](const Counted&) {}, Counted(counter, n));
    }
    auto iterator =
        pool.imap([&counter](int n) { return Counted(counter, n); }, std::views::iota(0));
    EXPECT_EQ(iterator.next()->value(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

}  // namespace
}  // namespace millpond::test
