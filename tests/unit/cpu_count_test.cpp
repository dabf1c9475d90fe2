// SPDX-License-Identifier: MIT
#include <millpond/cpu_count.hpp>
#include <millpond/detail/platform/cgroup.hpp>
#include <millpond/detail/platform/config.hpp>

#include <gtest/gtest.h>

#if MILLPOND_HAS_SCHED_AFFINITY
#include <sched.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <thread>

namespace {

using millpond::detail::cgroup_cpu_limit;
using millpond::detail::cgroup_relative_to;
using millpond::detail::kNoCpuLimit;
using millpond::detail::parse_positive;

// ------------------------------------------------------------------------------------- cpu_count

constexpr const char* kVariable = "MILLPOND_CPU_COUNT";

void set_variable(const char* value) {
#if defined(_WIN32)
  _putenv_s(kVariable, value == nullptr ? "" : value);
#else
  if (value == nullptr) {
    unsetenv(kVariable);
  } else {
    setenv(kVariable, value, 1);
  }
#endif
}

// Every test starts without the variable; whoever runs the tests gets it back afterwards.
class CpuCount : public testing::Test {
 protected:
  CpuCount() {
    if (const char* value = std::getenv(kVariable)) {
      before_ = value;
    }
    set_variable(nullptr);
  }
  ~CpuCount() override { set_variable(before_ ? before_->c_str() : nullptr); }

 private:
  std::optional<std::string> before_;
};

TEST_F(CpuCount, IsAtLeastOneAndAtMostTheHardwareThreads) {
  EXPECT_GE(millpond::cpu_count(), 1U);
  if (const unsigned hardware = std::thread::hardware_concurrency(); hardware > 0) {
    EXPECT_LE(millpond::cpu_count(), hardware);
  }
}

TEST_F(CpuCount, DoesNotThrow) { static_assert(noexcept(millpond::cpu_count())); }

TEST_F(CpuCount, IsWhatTheEnvironmentVariableSays) {
  set_variable("1");
  EXPECT_EQ(millpond::cpu_count(), 1U);
  set_variable("12345");  // more than there are: the user knows best
  EXPECT_EQ(millpond::cpu_count(), 12345U);
}

TEST_F(CpuCount, IgnoresAVariableThatIsNoPositiveInteger) {
  const std::size_t expected = millpond::cpu_count();
  for (const char* value : {"", "0", "00", "-3", "+3", " 3", "3 ", "3x", "0x10", "2.5", "many",
                            "99999999999999999999999999"}) {
    set_variable(value);
    EXPECT_EQ(millpond::cpu_count(), expected) << '"' << value << '"';
  }
}

TEST_F(CpuCount, AsksAgainEveryTime) {
  set_variable("77");
  EXPECT_EQ(millpond::cpu_count(), 77U);
  set_variable("78");
  EXPECT_EQ(millpond::cpu_count(), 78U);
}

#if MILLPOND_HAS_SCHED_AFFINITY
TEST_F(CpuCount, FollowsTheAffinityOfTheCallingThread) {
  if (millpond::cpu_count() == 1) {
    GTEST_SKIP() << "one CPU cannot become fewer";
  }
  std::size_t pinned = 0;
  std::thread([&] {  // its affinity ends with it
    const int here = sched_getcpu();
    ASSERT_GE(here, 0);
    ASSERT_LT(here, CPU_SETSIZE) << "the mask below would be too small";
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(here), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    pinned = millpond::cpu_count();
  })
      .join();
  EXPECT_EQ(pinned, 1U);
  EXPECT_GT(millpond::cpu_count(), 1U);
}

TEST_F(CpuCount, CountsTheAffinityMask) {
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) {
    GTEST_SKIP() << "more CPUs than fit into a cpu_set_t";
  }
  EXPECT_EQ(millpond::detail::affinity_cpu_limit(), static_cast<std::size_t>(CPU_COUNT(&mask)));
}
#endif

#if MILLPOND_OS_LINUX
TEST_F(CpuCount, RespectsTheRealQuotaOfThisProcess) {
  EXPECT_LE(millpond::cpu_count(), cgroup_cpu_limit());
}
#endif

// --------------------------------------------------------------------------------- control groups

// A folder that plays "/": write() puts a file into it, and limit() is what the library makes of
// the tree.
class Cgroup : public testing::Test {
 protected:
  Cgroup() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(testing::TempDir()) /
            ("millpond_cgroup_" + std::to_string(std::random_device{}()) + "_" + test->name());
    std::filesystem::create_directories(root_);
  }
  ~Cgroup() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ / path.substr(1);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream stream(file, std::ios::binary);
    stream << text;
    ASSERT_TRUE(stream.flush()) << file;
  }

  // The tree of a machine with cgroup v2 alone, this process being in `group`.
  void v2_machine(const std::string& group) {
    write("/proc/self/cgroup", "0::" + group + "\n");
    write("/proc/self/mountinfo",
          "24 29 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw\n"
          "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  }

  // The tree of a machine with cgroup v1, this process being in `group`.
  void v1_machine(const std::string& group) {
    write("/proc/self/cgroup",
          "12:cpuset:/elsewhere\n4:cpu,cpuacct:" + group + "\n1:name=systemd:/elsewhere\n");
    write("/proc/self/mountinfo",
          "31 23 0:28 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755\n"
          "40 31 0:36 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
          "41 31 0:37 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 master:2 - cgroup cgroup "
          "rw,cpu,cpuacct\n");
  }

  void v1_quota(const std::string& group, const std::string& quota, const std::string& period) {
    write("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_quota_us", quota + "\n");
    write("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_period_us", period + "\n");
  }

  std::size_t limit() const { return cgroup_cpu_limit(root_.string().c_str()); }

 private:
  std::filesystem::path root_;
};

TEST_F(Cgroup, SetsNoLimitWhereThereIsNoProc) { EXPECT_EQ(limit(), kNoCpuLimit); }

TEST_F(Cgroup, V2QuotaIsRoundedUp) {
  v2_machine("/job");
  write("/sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  EXPECT_EQ(limit(), 2U);
  write("/sys/fs/cgroup/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2U);
  write("/sys/fs/cgroup/job/cpu.max", "200001 100000\n");
  EXPECT_EQ(limit(), 3U);
  write("/sys/fs/cgroup/job/cpu.max", "1000 100000\n");  // a hundredth of a CPU
  EXPECT_EQ(limit(), 1U);
}

TEST_F(Cgroup, V2MaxIsNoLimit) {
  v2_machine("/job");
  write("/sys/fs/cgroup/job/cpu.max", "max 100000\n");
  EXPECT_EQ(limit(), kNoCpuLimit);
}

TEST_F(Cgroup, V2TheSmallestQuotaUpToTheMountRootWins) {
  v2_machine("/team/job/step");
  write("/sys/fs/cgroup/team/job/step/cpu.max", "800000 100000\n");
  EXPECT_EQ(limit(), 8U);
  write("/sys/fs/cgroup/team/job/cpu.max", "max 100000\n");
  EXPECT_EQ(limit(), 8U);
  write("/sys/fs/cgroup/team/cpu.max", "150000 50000\n");
  EXPECT_EQ(limit(), 3U);
  write("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2U);
  write("/sys/fs/cgroup/team/job/step/cpu.max", "100000 100000\n");
  EXPECT_EQ(limit(), 1U);
}

TEST_F(Cgroup, V2QuotasOfOtherGroupsDoNotCount) {
  v2_machine("/team/job");
  write("/sys/fs/cgroup/team/job/cpu.max", "800000 100000\n");
  write("/sys/fs/cgroup/team/job/below/cpu.max", "100000 100000\n");
  write("/sys/fs/cgroup/team/other/cpu.max", "200000 100000\n");
  write("/sys/fs/cpu.max", "300000 100000\n");  // above the mount
  EXPECT_EQ(limit(), 8U);
}

TEST_F(Cgroup, V2ProcessInTheRootGroup) {
  v2_machine("/");
  EXPECT_EQ(limit(), kNoCpuLimit);
  write("/sys/fs/cgroup/cpu.max", "300000 100000\n");  // a container with its own namespace
  EXPECT_EQ(limit(), 3U);
}

TEST_F(Cgroup, GroupNamesMayHaveColonsAndSpaces) {
  v2_machine("/a b:c/d");
  write("/sys/fs/cgroup/a b:c/d/cpu.max", "300000 100000\n");
  EXPECT_EQ(limit(), 3U);
}

TEST_F(Cgroup, GarbageIsNoLimit) {
  v2_machine("/job");
  for (const char* text :
       {"", "\n", " ", "100000", "100000\n", "100000 \n", "-1 100000\n", "0 100000\n", "100000 0\n",
        "100000 -1\n", "lots 100000\n", "100000 lots\n", "1e5 100000\n", "100000 100000 100000\n",
        "99999999999999999999999 100000\n"}) {
    write("/sys/fs/cgroup/job/cpu.max", text);
    EXPECT_EQ(limit(), kNoCpuLimit) << '"' << text << '"';
  }
}

TEST_F(Cgroup, GarbageInOneGroupLeavesTheOthersTheirSay) {
  v2_machine("/team/job");
  write("/sys/fs/cgroup/team/job/cpu.max", "?");
  write("/sys/fs/cgroup/team/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2U);
}

TEST_F(Cgroup, GarbageInProcIsNoLimit) {
  write("/sys/fs/cgroup/cpu.max", "100000 100000\n");
  for (const char* text : {"", "\n\n", "0", "0:", "0::", "0::relative\n", "::/\n", "1::/\n",
                           "0:cpu\n", "3:cpuset:/\n"}) {
    write("/proc/self/cgroup", text);
    EXPECT_EQ(limit(), kNoCpuLimit) << '"' << text << '"';
  }
}

TEST_F(Cgroup, GarbageInMountinfoCountsAsNoMountinfo) {
  write("/proc/self/cgroup", "0::/job\n");
  write("/sys/fs/cgroup/job/cpu.max", "300000 100000\n");
  for (const char* text : {"", "\n\n", "-", " - ", "1 2 3", "35 24 0:30 / /elsewhere rw cgroup2",
                           "35 24 0:30 / /elsewhere rw - cgroup23 cgroup2 rw\n"}) {
    write("/proc/self/mountinfo", text);
    EXPECT_EQ(limit(), 3U) << '"' << text << '"';
  }
}

TEST_F(Cgroup, V1QuotaIsRoundedUp) {
  v1_machine("/job");
  v1_quota("/job", "150000", "100000");
  EXPECT_EQ(limit(), 2U);
  v1_quota("/job", "50000", "50000");
  EXPECT_EQ(limit(), 1U);
}

TEST_F(Cgroup, V1MinusOneIsNoLimit) {
  v1_machine("/job");
  v1_quota("/job", "-1", "100000");
  EXPECT_EQ(limit(), kNoCpuLimit);
}

TEST_F(Cgroup, V1TheSmallestQuotaUpToTheMountRootWins) {
  v1_machine("/team/job");
  v1_quota("/team/job", "-1", "100000");
  v1_quota("/team", "500000", "100000");
  EXPECT_EQ(limit(), 5U);
  v1_quota("", "400000", "100000");
  EXPECT_EQ(limit(), 4U);
}

TEST_F(Cgroup, V1QuotaWithoutItsPeriodIsNoLimit) {
  v1_machine("/job");
  write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "100000\n");
  EXPECT_EQ(limit(), kNoCpuLimit);
}

TEST_F(Cgroup, V1MountsOfOtherControllersDoNotCount) {
  v1_machine("/job");
  write("/sys/fs/cgroup/cpuset/job/cpu.cfs_quota_us", "100000\n");
  write("/sys/fs/cgroup/cpuset/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), kNoCpuLimit);
}

TEST_F(Cgroup, V1ControllersNamedLikeCpuAreNotIt) {
  write("/proc/self/cgroup", "3:cpuset:/job\n2:cpuacct:/job\n1:name=cpu:/job\n");
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "100000\n");
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), kNoCpuLimit);
}

TEST_F(Cgroup, HybridAsksBothVersions) {
  write("/proc/self/cgroup", "4:cpu:/one\n0::/two\n");
  write("/proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(limit(), kNoCpuLimit);
  write("/sys/fs/cgroup/cpu/one/cpu.cfs_quota_us", "300000\n");
  write("/sys/fs/cgroup/cpu/one/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), 3U);
  write("/sys/fs/cgroup/unified/two/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2U);
  write("/sys/fs/cgroup/unified/two/cpu.max", "400000 100000\n");
  EXPECT_EQ(limit(), 3U);
}

TEST_F(Cgroup, WithoutMountinfoTheCustomaryPlacesAreUsed) {
  write("/proc/self/cgroup", "4:cpu:/one\n0::/two\n");
  write("/sys/fs/cgroup/two/cpu.max", "600000 100000\n");
  EXPECT_EQ(limit(), 6U);
  write("/sys/fs/cgroup/cpu/one/cpu.cfs_quota_us", "500000\n");
  write("/sys/fs/cgroup/cpu/one/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), 5U);
}

// A container that shares the host's cgroup namespace: the path is the host's, the mount shows
// that group alone.
TEST_F(Cgroup, MountThatShowsOnlyTheContainersGroup) {
  write("/proc/self/cgroup", "4:cpu,cpuacct:/docker/abc/inner\n");
  write("/proc/self/mountinfo",
        "41 31 0:37 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
  v1_quota("", "400000", "100000");
  EXPECT_EQ(limit(), 4U);
  v1_quota("/inner", "200000", "100000");
  EXPECT_EQ(limit(), 2U);
}

TEST_F(Cgroup, GroupThatCannotBeSeenUsesTheMountRoot) {
  v2_machine("/kubepods/pod1/abc");  // no such folder below the mount
  write("/sys/fs/cgroup/cpu.max", "250000 100000\n");
  EXPECT_EQ(limit(), 3U);
}

TEST_F(Cgroup, GroupOutsideTheMountedOneUsesTheMountRoot) {
  write("/proc/self/cgroup", "0::/kubepods/abcdef\n");
  write("/proc/self/mountinfo", "35 24 0:30 /kubepods/abc /cg rw - cgroup2 cgroup2 rw\n");
  write("/cg/cpu.max", "200000 100000\n");
  write("/cg/kubepods/abcdef/cpu.max", "100000 100000\n");  // somebody else's of the same name
  EXPECT_EQ(limit(), 2U);
}

TEST_F(Cgroup, GroupOutsideTheNamespaceUsesTheMountRoot) {
  v2_machine("/../../other");
  write("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  write("/sys/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(limit(), 2U);
}

TEST_F(Cgroup, OfSeveralMountsThoseThatShowTheGroupCount) {
  write("/proc/self/cgroup", "0::/job\n");
  write("/proc/self/mountinfo",
        "35 24 0:30 /neighbour /mnt/neighbour rw - cgroup2 cgroup2 rw\n"
        "36 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("/mnt/neighbour/cpu.max", "100000 100000\n");
  write("/sys/fs/cgroup/job/cpu.max", "700000 100000\n");
  EXPECT_EQ(limit(), 7U);
}

TEST_F(Cgroup, LinesThatAreTooLongAreLeftOut) {
  const std::string layers(10'000, 'x');
  write("/proc/self/cgroup", "0::/" + layers + "\n0::/job\n0::/" + layers);
  write("/proc/self/mountinfo", "35 24 0:30 /" + layers +
                                    " /elsewhere rw - overlay overlay rw\n"
                                    "36 24 0:30 / /cg rw - cgroup2 cgroup2 rw\n");
  write("/cg/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2U);
  write("/cg/job/cpu.max", "300000 " + std::string(10'000, '1') + "\n");
  EXPECT_EQ(limit(), kNoCpuLimit);
}

TEST_F(Cgroup, MountPointsMayHaveEscapedCharacters) {
  write("/proc/self/cgroup", "0::/job\n");
  write("/proc/self/mountinfo",
        "36 24 0:30 / /my\\040groups\\134of\\0401 rw - cgroup2 cgroup2 rw\n");
  write("/my groups\\of 1/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2U);
}

TEST_F(Cgroup, LongMountinfoIsReadToItsEnd) {
  std::string mountinfo;
  for (int i = 0; i < 5000; ++i) {
    mountinfo += "99 24 0:30 / /var/lib/layers/" + std::to_string(i) + " rw - overlay overlay rw\n";
  }
  write("/proc/self/cgroup", "0::/job\n");
  write("/proc/self/mountinfo", mountinfo + "36 24 0:30 / /last rw - cgroup2 cgroup2 rw");
  write("/last/job/cpu.max", "200000 100000");  // neither file ends with a newline
  EXPECT_EQ(limit(), 2U);
}

TEST(CgroupRelativeTo, IsThePathBelowTheAncestor) {
  EXPECT_STREQ(cgroup_relative_to("/", "/"), "");
  EXPECT_STREQ(cgroup_relative_to("/", "/a/b"), "/a/b");
  EXPECT_STREQ(cgroup_relative_to("/a", "/a"), "");
  EXPECT_STREQ(cgroup_relative_to("/a", "/a/b"), "/b");
  EXPECT_STREQ(cgroup_relative_to("/", "/..a/b.."), "/..a/b..");
}

TEST(CgroupRelativeTo, IsNothingForStrangers) {
  EXPECT_EQ(cgroup_relative_to("/a", "/"), nullptr);
  EXPECT_EQ(cgroup_relative_to("/a", "/ab"), nullptr);
  EXPECT_EQ(cgroup_relative_to("/a/b", "/a/c"), nullptr);
  EXPECT_EQ(cgroup_relative_to("/", "/.."), nullptr);
  EXPECT_EQ(cgroup_relative_to("/", "/../a"), nullptr);
}

TEST(ParsePositive, TakesWholeDecimalNumbersOnly) {
  EXPECT_EQ(parse_positive("1"), 1U);
  EXPECT_EQ(parse_positive("007"), 7U);
  EXPECT_EQ(parse_positive("18446744073709551615"), 18446744073709551615U);
  for (const char* text : {"", "0", "-1", "+1", "1 ", " 1", "1x", "18446744073709551616"}) {
    EXPECT_EQ(parse_positive(text), 0U) << '"' << text << '"';
  }
}

}  // namespace
