// SPDX-License-Identifier: MIT
//
// <windows.h> after the library, before its templates are used.
// clang-format off
#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <chrono>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <windows.h>
// clang-format on

namespace {

TEST(WindowsHeader, MayComeLast) {
  millpond::ThreadPool pool(2);
  const std::vector<std::tuple<int, int>> pairs{{1, 2}, {4, 3}};
  EXPECT_EQ(pool.starmap([](int a, int b) { return a + b; }, pairs), (std::vector<int>{3, 7}));
  const auto result = pool.map_async([](int n) { return 2 * n; }, {1, 2, 3});
  EXPECT_EQ(result.get(std::chrono::hours(24)), (std::vector<int>{2, 4, 6}));
}

}  // namespace
