// SPDX-License-Identifier: MIT
//
// <windows.h> before everything else, with all that it defines. Some standard libraries undefine
// min and max again.
// clang-format off
#include <windows.h>
// clang-format on

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace {

TEST(WindowsHeader, MayComeFirst) {
  millpond::ThreadPool pool(2);
  EXPECT_EQ(pool.apply([](int n) { return n + 1; }, 1), 2);
  const std::vector<int> items(100, 1);
  const std::vector<int> results = pool.map([](int n) { return 2 * n; }, items);
  EXPECT_EQ(std::accumulate(results.begin(), results.end(), 0), 200);
}

}  // namespace
