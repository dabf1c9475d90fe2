// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_ARENA_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_ARENA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace explore {

/// The heap of one execution. No address is used twice in an execution, and what is freed is
/// poisoned: so use after free, double free, leaks and accesses beside a block are found for
/// certain, and addresses are the same in every execution that makes the same choices.
class Arena {
 public:
  static constexpr std::size_t kSize = std::size_t{8} << 20;

  void map();
  /// For the next execution.
  void reset() noexcept;

  /// Null if it is full.
  void* allocate(std::size_t size, std::size_t alignment) noexcept;
  /// False if this is no live block.
  bool release(void* block) noexcept;

  bool owns(const void* address) const noexcept {
    return static_cast<std::size_t>(static_cast<const char*>(address) - base_) < kSize;
  }
  bool is_freed(const void* address) const noexcept {
    return owns(address) && granules_[granule(address)] == kFreed;
  }
  /// Whether all of it is in one live block; `address` is here.
  bool is_live(const void* address, std::size_t size) const noexcept {
    const std::size_t offset = offset_of(address);
    const std::size_t end = offset + size;
    for (std::size_t i = offset / kGranule; i * kGranule < end; ++i) {
      if (granules_[i] == kFreed || granules_[i] < (std::min)(end - i * kGranule, kGranule)) {
        return false;
      }
    }
    return true;
  }
  const char* base() const noexcept { return base_; }
  std::size_t size_of(const void* block) const noexcept;

  std::size_t live_blocks() const noexcept { return live_; }
  std::string describe_live_blocks() const;
  /// Whether a freed block has been written to.
  bool is_damaged() const noexcept;

 private:
  static constexpr std::size_t kGranule = 16;
  static constexpr std::size_t kMaxBlocks = std::size_t{1} << 16;
  static constexpr unsigned char kPoison = 0xdd;
  static constexpr std::uint8_t kFreed = 0xff;
  enum class State : std::uint32_t { live = 1, freed = 2 };
  struct Header {
    std::uint32_t size;
    State state;
  };

  std::size_t offset_of(const void* address) const noexcept {
    return static_cast<std::size_t>(static_cast<const char*>(address) - base_);
  }
  std::size_t granule(const void* address) const noexcept { return offset_of(address) / kGranule; }
  const Header& header(std::size_t block) const noexcept {
    return *reinterpret_cast<const Header*>(base_ + block - kGranule);
  }

  char* base_ = nullptr;
  std::uint8_t* granules_ = nullptr;  // of each, how many bytes are a live block's, or kFreed
  std::uint32_t* blocks_ = nullptr;   // offsets
  std::size_t used_ = 0;
  std::size_t count_ = 0;
  std::size_t live_ = 0;
};

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_ARENA_HPP
