// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_PLATFORM_CGROUP_HPP
#define MILLPOND_DETAIL_PLATFORM_CGROUP_HPP

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

#include <millpond/detail/platform/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace millpond::inline MILLPOND_ABI::detail {

inline constexpr std::size_t kNoCpuLimit = SIZE_MAX;

/// The smallest CPU quota set on this process, in CPUs rounded up; kNoCpuLimit if there is none.
/// `root` goes before every path that is opened, so that a test can bring its own /proc and /sys.
/// Reentrant.
///
/// All of this is written with C's strings, in buffers of a fixed size: every file that makes a
/// pool compiles it, and with std::string and std::vector it took 10 KiB of code and a tenth of the
/// time. What does not fit into a buffer is left out.
inline std::size_t cgroup_cpu_limit(const char* root = "") noexcept;

/// The number that `text` consists of; 0 if it is not a decimal number, or too large.
inline std::uint64_t parse_positive(const char* text) noexcept;

enum class CgroupVersion { kV1, kV2 };

/// `path` as seen from the group `ancestor`: "" for itself, "/x/y" for a group two levels below;
/// null if it is neither.
inline const char* cgroup_relative_to(const char* ancestor, const char* path) noexcept;

// ------------------------------------------------------------------------------------------------

/// The longest line that is read and the longest path, with the end of the string. Five of these
/// are on the stack at once, perhaps a worker's small one.
inline constexpr std::size_t kCgroupBuffer = 1024;

/// A file that is read line by line; without lines if it cannot be opened.
class CgroupFile {
 public:
  /// The name is what the parts make together; of `group` the first `group_size` characters.
  MILLPOND_COLD CgroupFile(const char* root, const char* folder, const char* group = "",
                           std::size_t group_size = 0, const char* name = "") noexcept {
    char path[kCgroupBuffer];
    const int size = std::snprintf(path, sizeof path, "%s%s%.*s%s", root, folder,
                                   static_cast<int>(group_size), group, name);
    if (size < 0 || size >= static_cast<int>(sizeof path)) return;
    MILLPOND_ALLOW_DEPRECATED
    file_ = std::fopen(path, "r");
  }
  ~CgroupFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  CgroupFile(const CgroupFile&) = delete;
  CgroupFile& operator=(const CgroupFile&) = delete;

  /// The next line, without the newline; false when there are no more.
  bool next(char (&line)[kCgroupBuffer]) noexcept {
    while (file_ != nullptr && std::fgets(line, sizeof line, file_) != nullptr) {
      char* const end = line + std::strlen(line);
      if (end == line) return true;  // begins with a NUL: garbage
      if (end[-1] == '\n') {
        end[-1] = '\0';
        return true;
      }
      if (std::feof(file_) != 0) return true;
      skip_line();
    }
    return false;
  }

 private:
  void skip_line() noexcept {
    for (int c = 0; c != '\n' && c != EOF;) c = std::fgetc(file_);
  }

  std::FILE* file_ = nullptr;
};

/// Cuts the text before the next separator off the front of `rest`, and the separator with it.
MILLPOND_COLD inline char* take_until(char*& rest, char separator) noexcept {
  char* const field = rest;
  char* const end = std::strchr(rest, separator);
  rest = end != nullptr ? end + 1 : rest + std::strlen(rest);
  if (end != nullptr) *end = '\0';
  return field;
}

inline bool list_contains(char* comma_separated, const char* name) noexcept {
  while (*comma_separated != '\0') {
    if (std::strcmp(take_until(comma_separated, ','), name) == 0) return true;
  }
  return false;
}

MILLPOND_COLD inline std::uint64_t parse_positive(const char* text) noexcept {
  std::uint64_t value = 0;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9') return 0;
    const auto digit = static_cast<unsigned>(*text - '0');
    if (value > (UINT64_MAX - digit) / 10) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/// mountinfo writes space, tab, newline and backslash as a backslash and three octal digits.
MILLPOND_COLD inline const char* unescape_octal(char* text) noexcept {
  const auto is_digit = [](char c, char last) { return c >= '0' && c <= last; };
  char* end = text;
  for (const char* from = text; *from != '\0'; ++from, ++end) {
    *end = *from;
    if (*from == '\\' && is_digit(from[1], '3') && is_digit(from[2], '7') &&
        is_digit(from[3], '7')) {
      *end = static_cast<char>((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 3;
    }
  }
  *end = '\0';
  return text;
}

MILLPOND_COLD inline const char* cgroup_relative_to(const char* ancestor,
                                                    const char* path) noexcept {
  // A process outside its own cgroup namespace sees its path as "/../..": nobody's descendant.
  for (const char* up = path; (up = std::strstr(up, "/..")) != nullptr; ++up) {
    if (up[3] == '/' || up[3] == '\0') return nullptr;
  }
  std::size_t size = std::strlen(ancestor);
  if (size != 0 && ancestor[size - 1] == '/') --size;
  if (std::strncmp(path, ancestor, size) != 0) return nullptr;
  path += size;
  if (*path != '\0' && *path != '/') return nullptr;
  return std::strcmp(path, "/") == 0 ? "" : path;
}

/// The quota that one group sets, in CPUs rounded up. Unlimited is "max" in v2 and -1 in v1, which
/// are no positive numbers. The group is the first `size` characters of `group`.
MILLPOND_COLD inline std::size_t cgroup_own_limit(CgroupVersion version, const char* root,
                                                  const char* point, const char* group,
                                                  std::size_t size) noexcept {
  const auto read = [&](const char* name, char(&line)[kCgroupBuffer]) {
    if (!CgroupFile(root, point, group, size, name).next(line)) line[0] = '\0';
  };
  char line[kCgroupBuffer];
  char* period = line;
  std::uint64_t us;
  if (version == CgroupVersion::kV2) {
    read("/cpu.max", line);
    us = parse_positive(take_until(period, ' '));
  } else {
    read("/cpu.cfs_quota_us", line);
    us = parse_positive(line);
    read("/cpu.cfs_period_us", line);
  }
  const std::uint64_t us_a_period = parse_positive(period);
  if (us == 0 || us_a_period == 0) return kNoCpuLimit;
  const std::uint64_t cpus = us / us_a_period + (us % us_a_period == 0 ? 0 : 1);
  return cpus < kNoCpuLimit ? static_cast<std::size_t>(cpus) : kNoCpuLimit;
}

/// The smallest quota of `group` and all groups above it that can be seen below the mount point.
/// Groups that cannot be seen have no files there, hence no say. `group` is empty or begins with a
/// slash.
MILLPOND_COLD inline std::size_t cgroup_smallest_limit(CgroupVersion version, const char* root,
                                                       const char* point,
                                                       const char* group) noexcept {
  std::size_t smallest = kNoCpuLimit;
  for (std::size_t size = std::strlen(group);;) {
    const std::size_t limit = cgroup_own_limit(version, root, point, group, size);
    if (limit < smallest) smallest = limit;
    if (size == 0) return smallest;
    while (group[--size] != '/') {
    }
  }
}

/// The smallest limit that one hierarchy sets on the group `path`. A line of mountinfo reads
///   36 35 0:30 <root> <mount point> rw,relatime [shared:7 ...] - <type> <source> <options>
/// with any number of optional fields before the dash. The options of a v1 mount name its
/// controllers.
MILLPOND_COLD inline std::size_t cgroup_hierarchy_limit(CgroupVersion version, const char* root,
                                                        const char* path) noexcept {
  const bool is_v2 = version == CgroupVersion::kV2;
  std::size_t smallest = kNoCpuLimit;
  const auto consider = [&](const char* point, const char* group) {
    const std::size_t limit = cgroup_smallest_limit(version, root, point, group);
    if (limit < smallest) smallest = limit;
  };

  char first_point[kCgroupBuffer] = "";
  bool visible = false;
  char line[kCgroupBuffer];
  for (CgroupFile mountinfo(root, "/proc/self/mountinfo"); mountinfo.next(line);) {
    char* rest = line;
    for (int skipped = 0; skipped < 3; ++skipped) take_until(rest, ' ');
    char* const ancestor = take_until(rest, ' ');
    char* const point = take_until(rest, ' ');
    while (*rest != '\0' && std::strcmp(take_until(rest, ' '), "-") != 0) {
    }
    const char* const type = take_until(rest, ' ');
    take_until(rest, ' ');  // the source
    const bool found = is_v2 ? std::strcmp(type, "cgroup2") == 0
                             : std::strcmp(type, "cgroup") == 0 && list_contains(rest, "cpu");
    if (!found) continue;
    unescape_octal(point);
    if (first_point[0] == '\0') std::memcpy(first_point, point, std::strlen(point) + 1);
    if (const char* const group = cgroup_relative_to(unescape_octal(ancestor), path)) {
      visible = true;
      consider(point, group);
    }
  }
  if (first_point[0] == '\0') {  // no mountinfo: the customary places
    const char* const group = cgroup_relative_to("/", path);
    consider(is_v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu", group != nullptr ? group : "");
  } else if (!visible) {
    consider(first_point, "");
  }
  return smallest;
}

/// A line of /proc/self/cgroup reads <hierarchy>:<controllers>:<path>; v2 is hierarchy 0 and names
/// no controllers. The path may contain colons itself.
MILLPOND_COLD inline std::size_t cgroup_cpu_limit(const char* root) noexcept {
  std::size_t smallest = kNoCpuLimit;
  bool asked[2] = {};  // of each version one group counts
  char line[kCgroupBuffer];
  for (CgroupFile file(root, "/proc/self/cgroup"); file.next(line);) {
    char* path = line;
    const bool is_hierarchy_0 = std::strcmp(take_until(path, ':'), "0") == 0;
    char* const controllers = take_until(path, ':');
    const bool is_v2 = is_hierarchy_0 && *controllers == '\0';
    if ((!is_v2 && !list_contains(controllers, "cpu")) || *path != '/' || asked[is_v2]) continue;
    asked[is_v2] = true;
    const std::size_t limit =
        cgroup_hierarchy_limit(is_v2 ? CgroupVersion::kV2 : CgroupVersion::kV1, root, path);
    if (limit < smallest) smallest = limit;
  }
  return smallest;
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_PLATFORM_CGROUP_HPP
