// SPDX-License-Identifier: MIT
#include "arena.hpp"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

#include "basics.hpp"

namespace explore {

void* map_pages(std::size_t size) {
  void* const pages = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) std::abort();
  return pages;
}

const char* base_name(const char* path) noexcept {
  const char* const slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

void Arena::map() {
  base_ = static_cast<char*>(map_pages(kSize));
  granules_ = static_cast<std::uint8_t*>(map_pages(kSize / kGranule));
  blocks_ = static_cast<std::uint32_t*>(map_pages(kMaxBlocks * sizeof(std::uint32_t)));
}

void Arena::reset() noexcept {
  std::memset(granules_, 0, used_ / kGranule + 1);
  used_ = 0;
  count_ = 0;
  live_ = 0;
}

void* Arena::allocate(std::size_t size, std::size_t alignment) noexcept {
  if (alignment < kGranule) alignment = kGranule;
  const std::size_t block = (used_ + kGranule + alignment - 1) / alignment * alignment;
  const std::size_t end = block + (size + kGranule - 1) / kGranule * kGranule;
  if (end > kSize || count_ == kMaxBlocks) return nullptr;
  *reinterpret_cast<Header*>(base_ + block - kGranule) = {static_cast<std::uint32_t>(size),
                                                          State::live};
  blocks_[count_++] = static_cast<std::uint32_t>(block);
  std::memset(granules_ + block / kGranule, kGranule, size / kGranule);
  if (size % kGranule != 0) {
    granules_[(block + size) / kGranule] = static_cast<std::uint8_t>(size % kGranule);
  }
  used_ = end;
  ++live_;
  return base_ + block;
}

bool Arena::release(void* block) noexcept {
  auto& head = *reinterpret_cast<Header*>(static_cast<char*>(block) - kGranule);
  if (head.state != State::live) return false;
  head.state = State::freed;
  --live_;
  std::memset(granules_ + granule(block), kFreed, (head.size + kGranule - 1) / kGranule);
  std::memset(block, kPoison, head.size);
  return true;
}

std::size_t Arena::size_of(const void* block) const noexcept {
  return header(static_cast<std::size_t>(static_cast<const char*>(block) - base_)).size;
}

std::string Arena::describe_live_blocks() const {
  std::string text;
  for (std::size_t i = 0; i != count_; ++i) {
    if (header(blocks_[i]).state == State::live) {
      text += (text.empty() ? "" : ", ") + std::to_string(header(blocks_[i]).size);
    }
  }
  return text;
}

bool Arena::is_damaged() const noexcept {
  for (std::size_t i = 0; i != count_; ++i) {
    const Header& head = header(blocks_[i]);
    if (head.state != State::freed) continue;
    for (std::size_t k = 0; k != head.size; ++k) {
      if (static_cast<unsigned char>(base_[blocks_[i] + k]) != kPoison) return true;
    }
  }
  return false;
}

}  // namespace explore
