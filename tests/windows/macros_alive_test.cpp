// SPDX-License-Identifier: MIT
//
// <windows.h> before the library, with min and max as macros where the library is read. MinGW's
// standard library sees to it that they are not; then they are defined here.

// clang-format off
#include "../support/standard_headers.hpp"
#include <gtest/gtest.h>

#include <windows.h>
// clang-format on

#if !defined(min)
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#if !defined(max)
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#if !defined(min) || !defined(max)
#error "somebody has undefined them"
#endif

namespace {

int twice(int n) { return 2 * n; }

TEST(WindowsHeader, MayHaveDefinedMinAndMax) {
  millpond::ThreadPool pool(2);
  EXPECT_EQ(pool.map(twice, {1, 2, 3}), (std::vector<int>{2, 4, 6}));
  EXPECT_EQ(pool.imap(twice, {4}).next(), 8);
  const auto result = pool.apply_async(twice, 5);
  EXPECT_TRUE(result.wait((std::chrono::nanoseconds::max)()));
  EXPECT_EQ(millpond::wait(std::vector{result}).done.size(), 1U);
  millpond::PriorityThreadPool priorities(2);
  EXPECT_EQ(priorities.apply(twice, 6), 12);
}

}  // namespace
