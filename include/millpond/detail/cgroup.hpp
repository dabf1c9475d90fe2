// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CGROUP_HPP
#define MILLPOND_DETAIL_CGROUP_HPP

/// The CPU quota of Linux control groups, v1 and v2: what `docker run --cpus=1.5`, a Kubernetes
/// limit or a systemd CPUQuota= come down to.
///
/// A hierarchy is described by three files:
///
///   /proc/self/cgroup     which group this process is in     0::/team/job        (v2)
///                                                            4:cpu,cpuacct:/job  (v1)
///   /proc/self/mountinfo  where the groups can be seen       /sys/fs/cgroup
///   <group's folder>      its quota, in us a period          cpu.max             (v2)
///                                                            cpu.cfs_quota_us, cpu.cfs_period_us
///
/// A group's quota binds everything below it, so the one that counts is the smallest between the
/// process's own group and the root of the mount. In a container the group's path may name a folder
/// that cannot be seen from inside; then the root of the mount is the container's own group.
/// A machine may have both versions mounted (systemd's "hybrid" layout); both are asked.
///
/// Nothing here is an error: a file that is missing or makes no sense sets no limit.

#include <millpond/detail/config.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

inline constexpr std::size_t kNoCpuLimit = SIZE_MAX;

/// The smallest CPU quota set on this process, in CPUs rounded up; kNoCpuLimit if there is none.
/// `root` goes before every path that is opened, so that a test can bring its own /proc and /sys.
/// Reentrant. Throws nothing but std::bad_alloc.
inline std::size_t cgroup_cpu_limit(const std::string& root = {});

/// The number that `text` consists of; none if it is not a decimal number, too large, or zero.
inline std::optional<std::uint64_t> parse_positive(std::string_view text) noexcept;

enum class CgroupVersion { kV1, kV2 };

/// A place where (part of) a hierarchy with the CPU controller can be seen.
struct CgroupMount {
  CgroupVersion version;
  std::string root;   // the group that is seen at `point`
  std::string point;  // a folder
};

inline std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

/// The path of the process's group in that hierarchy; none if it is in no such hierarchy.
inline std::optional<std::string_view> parse_cgroup_path(std::string_view proc_self_cgroup,
                                                         CgroupVersion version) noexcept;

/// `path` as seen from the group `ancestor`: "" for itself, "/x/y" for a group two levels below;
/// none if it is neither.
inline std::optional<std::string_view> cgroup_relative_to(std::string_view ancestor,
                                                          std::string_view path);

// ------------------------------------------------------------------------------------------------

/// All of a file, or as much as could be read. Files in /proc have no size to ask for beforehand.
inline std::string read_text(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  std::string text;
  MILLPOND_ALLOW_DEPRECATED
  if (const std::unique_ptr<std::FILE, Close> file{std::fopen(path.c_str(), "r")}) {
    char buffer[4096];
    while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, file.get())) {
      text.append(buffer, size);
    }
  }
  return text;
}

/// Cuts the text before the next separator off the front of `rest`, and the separator with it.
inline std::string_view take_until(std::string_view& rest, char separator) noexcept {
  const std::size_t end = rest.find(separator);
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return field;
}

inline std::string read_first_line(const std::string& path) {
  std::string text = read_text(path);
  text.resize((std::min)(text.find('\n'), text.size()));
  return text;
}

inline bool list_contains(std::string_view comma_separated, std::string_view name) noexcept {
  while (!comma_separated.empty()) {
    if (take_until(comma_separated, ',') == name) {
      return true;
    }
  }
  return false;
}

inline std::optional<std::uint64_t> parse_positive(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value == 0) {
    return std::nullopt;
  }
  return value;
}

/// mountinfo writes space, tab, newline and backslash as a backslash and three octal digits.
inline std::string unescape_octal(std::string_view text) {
  const auto digit = [&](std::size_t at) -> unsigned {
    return at < text.size() && text[at] >= '0' && text[at] <= '7' ? unsigned(text[at] - '0') : 8U;
  };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned high = digit(i + 1);
    const unsigned middle = digit(i + 2);
    const unsigned low = digit(i + 3);
    if (text[i] == '\\' && high < 4 && middle < 8 && low < 8) {
      plain += static_cast<char>(high * 64 + middle * 8 + low);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// A line reads
///   36 35 0:30 <root> <mount point> rw,relatime [shared:7 ...] - <type> <source> <options>
/// with any number of optional fields before the dash. The options of a v1 mount name its
/// controllers.
inline std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  while (!mountinfo.empty()) {
    std::string_view line = take_until(mountinfo, '\n');
    for (int skipped = 0; skipped < 3; ++skipped) {
      take_until(line, ' ');
    }
    const std::string_view root = take_until(line, ' ');
    const std::string_view point = take_until(line, ' ');
    while (!line.empty() && take_until(line, ' ') != "-") {
    }
    const std::string_view type = take_until(line, ' ');
    take_until(line, ' ');  // the source
    if (type == "cgroup2") {
      mounts.push_back({CgroupVersion::kV2, unescape_octal(root), unescape_octal(point)});
    } else if (type == "cgroup" && list_contains(line, "cpu")) {
      mounts.push_back({CgroupVersion::kV1, unescape_octal(root), unescape_octal(point)});
    }
  }
  return mounts;
}

/// A line reads <hierarchy>:<controllers>:<path>; v2 is hierarchy 0 and names no controllers. The
/// path may contain colons itself.
inline std::optional<std::string_view> parse_cgroup_path(std::string_view proc_self_cgroup,
                                                         CgroupVersion version) noexcept {
  while (!proc_self_cgroup.empty()) {
    std::string_view line = take_until(proc_self_cgroup, '\n');
    const std::string_view hierarchy = take_until(line, ':');
    const std::string_view controllers = take_until(line, ':');
    const bool found = version == CgroupVersion::kV2 ? hierarchy == "0" && controllers.empty()
                                                     : list_contains(controllers, "cpu");
    if (found && line.starts_with('/')) {
      return line;
    }
  }
  return std::nullopt;
}

inline std::optional<std::string_view> cgroup_relative_to(std::string_view ancestor,
                                                          std::string_view path) {
  // A process outside its own cgroup namespace sees its path as "/../..": nobody's descendant.
  if (std::string(path).append("/").find("/../") != std::string::npos) {
    return std::nullopt;
  }
  if (ancestor.ends_with('/')) {
    ancestor.remove_suffix(1);
  }
  if (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  if (!path.starts_with(ancestor)) {
    return std::nullopt;
  }
  path.remove_prefix(ancestor.size());
  if (!path.empty() && path.front() != '/') {
    return std::nullopt;
  }
  return path;
}

/// The quota that one group sets, in CPUs rounded up. Unlimited is "max" in v2 and -1 in v1, which
/// are no positive numbers.
inline std::size_t cgroup_own_limit(CgroupVersion version, const std::string& folder) {
  const std::string line = version == CgroupVersion::kV2
                               ? read_first_line(folder + "/cpu.max")
                               : read_first_line(folder + "/cpu.cfs_quota_us") + ' ' +
                                     read_first_line(folder + "/cpu.cfs_period_us");
  std::string_view period = line;
  const std::string_view quota = take_until(period, ' ');
  const std::optional<std::uint64_t> us = parse_positive(quota);
  const std::optional<std::uint64_t> us_a_period = parse_positive(period);
  if (!us || !us_a_period) {
    return kNoCpuLimit;
  }
  const std::uint64_t cpus = *us / *us_a_period + (*us % *us_a_period == 0 ? 0 : 1);
  return static_cast<std::size_t>((std::min)(cpus, std::uint64_t{kNoCpuLimit}));
}

/// The smallest quota of `group` and all groups above it that can be seen below `mount_point`.
/// Groups that cannot be seen have no files there, hence no say. `group` is empty or begins with a
/// slash.
inline std::size_t cgroup_smallest_limit(CgroupVersion version, const std::string& mount_point,
                                         std::string_view group) {
  std::size_t smallest = kNoCpuLimit;
  for (;;) {
    smallest = (std::min)(smallest, cgroup_own_limit(version, mount_point + std::string(group)));
    if (group.empty()) {
      return smallest;
    }
    group = group.substr(0, group.rfind('/'));
  }
}

/// The smallest limit that one hierarchy sets on the group `path`.
inline std::size_t cgroup_hierarchy_limit(CgroupVersion version, const std::string& root,
                                          std::string_view path,
                                          const std::vector<CgroupMount>& mounts) {
  std::size_t smallest = kNoCpuLimit;
  const auto consider = [&](const std::string& mount_point, std::string_view group) {
    smallest = (std::min)(smallest, cgroup_smallest_limit(version, root + mount_point, group));
  };

  const CgroupMount* first_mount = nullptr;
  bool visible = false;
  for (const CgroupMount& mount : mounts) {
    if (mount.version != version) {
      continue;
    }
    first_mount = first_mount == nullptr ? &mount : first_mount;
    if (const auto group = cgroup_relative_to(mount.root, path)) {
      visible = true;
      consider(mount.point, *group);
    }
  }
  if (first_mount == nullptr) {  // no mountinfo: the customary places
    consider(version == CgroupVersion::kV2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu",
             cgroup_relative_to("/", path).value_or(""));
  } else if (!visible) {
    consider(first_mount->point, "");
  }
  return smallest;
}

inline std::size_t cgroup_cpu_limit(const std::string& root) {
  const std::string proc_self_cgroup = read_text(root + "/proc/self/cgroup");
  const std::vector<CgroupMount> mounts =
      parse_cgroup_mounts(read_text(root + "/proc/self/mountinfo"));
  std::size_t smallest = kNoCpuLimit;
  for (const CgroupVersion version : {CgroupVersion::kV1, CgroupVersion::kV2}) {
    if (const auto path = parse_cgroup_path(proc_self_cgroup, version)) {
      smallest = (std::min)(smallest, cgroup_hierarchy_limit(version, root, *path, mounts));
    }
  }
  return smallest;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CGROUP_HPP
