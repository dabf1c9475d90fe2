// SPDX-License-Identifier: MIT
//
// name_this_thread: what debuggers, top and perf show.
#include <millpond/detail/platform/thread_name.hpp>

#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "../support/thread_watch.hpp"

namespace millpond::test {
namespace {

// The name of a thread that was called "before" and then named so.
std::string name_after(std::string_view prefix, std::string_view suffix) {
  std::string name;
  std::thread([&] {
    detail::name_this_thread("before", "0");
    detail::name_this_thread(prefix, suffix);
    name = this_thread_name();
  }).join();
  return name;
}

constexpr std::string_view kUnchanged = "before-0";

class ThreadName : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!kSeesThreads) GTEST_SKIP() << "thread names cannot be seen here";
  }
};

TEST_F(ThreadName, IsPrefixAndSuffix) {
  EXPECT_EQ(name_after("mill", "0"), "mill-0");
  EXPECT_EQ(name_after("mill", "1023"), "mill-1023");
  EXPECT_EQ(name_after("m", "cb"), "m-cb");
  EXPECT_EQ(name_after("with space", "1"), "with space-1");
}

TEST_F(ThreadName, IsLeftAloneWithoutAPrefix) {
  EXPECT_EQ(name_after("", "0"), kUnchanged);
  EXPECT_EQ(name_after("", "a suffix of more than fifteen characters"), kUnchanged);
}

TEST_F(ThreadName, LosesTheEndOfAPrefixThatIsTooLong) {
  EXPECT_EQ(name_after("1234567890123", "0"), "1234567890123-0");
  EXPECT_EQ(name_after("12345678901234", "0"), "1234567890123-0");
  EXPECT_EQ(name_after("1234567890123456789012345678901234567890", "0"), "1234567890123-0");
  EXPECT_EQ(name_after("1234567890123", "42"), "123456789012-42");
  EXPECT_EQ(name_after("1234567890123", "cb"), "123456789012-cb");
}

TEST_F(ThreadName, NeverLosesTheSuffix) {
  EXPECT_EQ(name_after("prefix", "1234567890123"), "p-1234567890123");
  EXPECT_EQ(name_after("prefix", "12345678901234"), kUnchanged);
  EXPECT_EQ(name_after("prefix", "1234567890123456789012345678901234567890"), kUnchanged);
}

TEST_F(ThreadName, TakesAPrefixThatIsPartOfALongerText) {
  const std::string text = "millpond";
  EXPECT_EQ(name_after(std::string_view(text).substr(0, 4), std::string_view("123").substr(1, 1)),
            "mill-2");
}

}  // namespace
}  // namespace millpond::test
