// SPDX-License-Identifier: MIT
//
// The options of every call: aggregates for designated initializers, none of them required.
#include <millpond/millpond.hpp>
#include <millpond/options.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

static_assert(std::is_aggregate_v<PoolOptions>);
static_assert(std::is_aggregate_v<ApplyOptions<int>>);
static_assert(std::is_aggregate_v<ApplyOptions<void>>);
static_assert(std::is_aggregate_v<ApplyOptions<int&>>);
static_assert(std::is_aggregate_v<BlockingMapOptions<>>);
static_assert(std::is_aggregate_v<MapOptions<int>>);
static_assert(std::is_aggregate_v<MapOptions<void>>);
static_assert(std::is_aggregate_v<ImapOptions>);

// Options may be kept and used for many calls.
static_assert(std::is_copy_constructible_v<PoolOptions>);
static_assert(std::is_copy_constructible_v<ApplyOptions<int>>);
static_assert(std::is_copy_constructible_v<MapOptions<int>>);
static_assert(std::is_copy_constructible_v<ImapOptions>);

using Size = std::optional<std::ptrdiff_t>;
static_assert(std::is_same_v<decltype(PoolOptions::processes), Size>);
static_assert(std::is_same_v<decltype(PoolOptions::initializer), std::function<void()>>);
static_assert(std::is_same_v<decltype(PoolOptions::thread_name_prefix), std::string>);
static_assert(std::is_same_v<decltype(PoolOptions::on_unobserved_error),
                             std::function<void(std::exception_ptr)>>);
static_assert(std::is_same_v<decltype(BlockingMapOptions<>::chunksize), Size>);
static_assert(std::is_same_v<decltype(MapOptions<int>::chunksize), Size>);
static_assert(std::is_same_v<decltype(ImapOptions::chunksize), Size>);
static_assert(std::is_same_v<decltype(ImapOptions::buffersize), Size>);

TEST(Options, GiveNothingByDefault) {
  const PoolOptions pool;
  EXPECT_FALSE(pool.processes.has_value());
  EXPECT_FALSE(pool.initializer);
  EXPECT_TRUE(pool.thread_name_prefix.empty());
  EXPECT_FALSE(pool.on_unobserved_error);
  const ApplyOptions<int> apply;
  EXPECT_FALSE(apply.callback);
  EXPECT_FALSE(apply.error_callback);
  const MapOptions<int> map;
  EXPECT_FALSE(map.chunksize.has_value());
  EXPECT_FALSE(map.callback);
  EXPECT_FALSE(map.error_callback);
  EXPECT_FALSE(BlockingMapOptions<>().chunksize.has_value());
  const ImapOptions imap;
  EXPECT_FALSE(imap.chunksize.has_value());
  EXPECT_FALSE(imap.buffersize.has_value());
}

TEST(Options, NameEachOfTheirMembersAlone) {
  EXPECT_EQ(PoolOptions{.processes = 3}.processes, 3);
  EXPECT_TRUE(PoolOptions{.initializer = [] {}}.initializer);
  EXPECT_EQ(PoolOptions{.thread_name_prefix = "mill"}.thread_name_prefix, "mill");
  EXPECT_TRUE(PoolOptions{.on_unobserved_error = [](std::exception_ptr) {}}.on_unobserved_error);
  EXPECT_TRUE(ApplyOptions<int>{.callback = [](int) {}}.callback);
  EXPECT_TRUE(ApplyOptions<int>{.error_callback = [](std::exception_ptr) {}}.error_callback);
  EXPECT_TRUE(ApplyOptions<void>{.callback = [] {}}.callback);
  EXPECT_EQ(MapOptions<int>{.chunksize = 2}.chunksize, 2);
  EXPECT_TRUE(MapOptions<int>{.callback = [](const std::vector<int>&) {}}.callback);
  EXPECT_TRUE(MapOptions<void>{.callback = [] {}}.callback);
  EXPECT_TRUE(MapOptions<int>{.error_callback = [](std::exception_ptr) {}}.error_callback);
  EXPECT_EQ(BlockingMapOptions<>{.chunksize = 2}.chunksize, 2);
  EXPECT_EQ(ImapOptions{.chunksize = 2}.chunksize, 2);
  EXPECT_EQ(ImapOptions{.buffersize = 2}.buffersize, 2);
}

TEST(Options, TellATupleAndOptionsFromOtherArguments) {
  using detail::is_tuple_and_options;
  static_assert(is_tuple_and_options<std::tuple<int>, ApplyOptions<int>>);
  static_assert(is_tuple_and_options<const std::tuple<>&, const ApplyOptions<void>&>);
  static_assert(is_tuple_and_options<std::tuple<int>&, ApplyOptions<int>&>);
  static_assert(!is_tuple_and_options<>);
  static_assert(!is_tuple_and_options<std::tuple<int>>);
  static_assert(!is_tuple_and_options<ApplyOptions<int>>);
  static_assert(!is_tuple_and_options<int, ApplyOptions<int>>);
  static_assert(!is_tuple_and_options<std::pair<int, int>, ApplyOptions<int>>);
  static_assert(!is_tuple_and_options<std::tuple<int>, MapOptions<int>>);
  static_assert(!is_tuple_and_options<std::tuple<int>, ApplyOptions<int>, int>);
  static_assert(!is_tuple_and_options<std::tuple<int>, std::tuple<int>>);
  SUCCEED();
}

// A named options object in last place means the same as a braced one, const or not.

class NamedOptions : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
  const std::vector<int> items_{1, 2, 3};
  const std::vector<std::pair<int, int>> pairs_{{1, 2}, {3, 4}};
};

INSTANTIATE_TEST_SUITE_P(Workers, NamedOptions, worker_counts(),
                         ::testing::PrintToStringParamName());

int twice(int n) { return 2 * n; }
int add(int a, int b) { return a + b; }

TEST_P(NamedOptions, MayBeUsedForManyCalls) {
  const auto calls = std::make_shared<EventCount>();
  const ApplyOptions<int> options{.callback = [calls](int) { calls->add(); }};
  ApplyOptions<int> changeable = options;
  const std::tuple<int> arguments(2);
  EXPECT_EQ(pool_.apply_async(twice, arguments, options).get(), 4);
  EXPECT_EQ(pool_.apply_async(twice, std::tuple(3), options).get(), 6);
  EXPECT_EQ(pool_.apply_async(twice, std::tuple(4), changeable).get(), 8);
  EXPECT_EQ(calls->count(), 3U);
  EXPECT_TRUE(options.callback);
  EXPECT_TRUE(changeable.callback);
}

TEST_P(NamedOptions, WorkForEveryMap) {
  const auto calls = std::make_shared<EventCount>();
  const auto count = [calls](const std::vector<int>&) { calls->add(); };
  const BlockingMapOptions<> blocking{.chunksize = 2};
  EXPECT_EQ(pool_.map(twice, items_, blocking), (std::vector{2, 4, 6}));
  EXPECT_EQ(pool_.map(twice, {1, 2}, blocking), (std::vector{2, 4}));
  EXPECT_EQ(pool_.starmap(add, pairs_, blocking), (std::vector{3, 7}));
  const MapOptions<int> async{.chunksize = 2, .callback = count};
  MapOptions<int> changeable = async;
  EXPECT_EQ(pool_.map_async(twice, items_, async).get(), (std::vector{2, 4, 6}));
  EXPECT_EQ(pool_.map_async(twice, {1, 2}, async).get(), (std::vector{2, 4}));
  EXPECT_EQ(pool_.map_async(twice, items_, changeable).get(), (std::vector{2, 4, 6}));
  EXPECT_EQ(pool_.starmap_async(add, pairs_, async).get(), (std::vector{3, 7}));
  EXPECT_EQ(calls->count(), 4U);
}

TEST_P(NamedOptions, WorkForEveryImap) {
  const ImapOptions options{.chunksize = 2, .buffersize = 1};
  EXPECT_EQ(pool_.imap(twice, items_, options).next(), 2);
  EXPECT_EQ(pool_.imap(twice, {1, 2}, options).next(), 2);
  EXPECT_EQ(pool_.imap_unordered(twice, items_, options).next(), 2);
  EXPECT_EQ(pool_.istarmap(add, pairs_, options).next(), 3);
  EXPECT_EQ(pool_.istarmap_unordered(add, pairs_, options).next(), 3);
}

TEST_P(NamedOptions, WorkForPools) {
  const PoolOptions options{.processes = workers(), .thread_name_prefix = "named"};
  const ThreadPool first(options);
  const ThreadPool second(options);
  EXPECT_EQ(first.size(), static_cast<std::size_t>(workers()));
  EXPECT_EQ(second.size(), first.size());
}

TEST(OptionalSizes, MayBePassedOnAsTheyAre) {
  ThreadPool pool(2);
  for (const Size size : {Size(), Size(1), Size(100)}) {
    EXPECT_EQ(pool.map(twice, {1, 2}, {.chunksize = size}), (std::vector{2, 4}));
    EXPECT_EQ(pool.map_async(twice, {1, 2}, {.chunksize = size}).get(), (std::vector{2, 4}));
    EXPECT_EQ(pool.imap(twice, {1, 2}, {.chunksize = size, .buffersize = size}).next(), 2);
  }
}

}  // namespace
}  // namespace millpond::test
