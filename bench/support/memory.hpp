// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_SUPPORT_MEMORY_HPP
#define MILLPOND_BENCH_SUPPORT_MEMORY_HPP

// How much memory this process holds, and held at most: Linux's /proc. Elsewhere everything is 0.

#include <cstdint>
#include <fstream>
#include <string>

namespace bench {

// A line such as "VmHWM:	  2188 kB" of /proc/self/status, in bytes.
inline std::int64_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) {
      return 1024 * std::stoll(line.substr(name.size() + 1));
    }
  }
  return 0;
}

// The most that was held since its construction, above what was held then.
class MemoryGrowth {
 public:
  MemoryGrowth() {
    std::ofstream("/proc/self/clear_refs") << "5";  // forgets the peak so far
    before_ = status_bytes("VmRSS");
  }

  std::int64_t peak_bytes() const { return status_bytes("VmHWM") - before_; }

 private:
  std::int64_t before_ = 0;
};

}  // namespace bench

#endif  // MILLPOND_BENCH_SUPPORT_MEMORY_HPP
