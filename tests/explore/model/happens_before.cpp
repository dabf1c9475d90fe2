// SPDX-License-Identifier: MIT
#include "happens_before.hpp"

#include <new>
namespace explore {

void SyncStates::map() { states_ = static_cast<SyncState*>(map_pages(kMax * sizeof(SyncState))); }

SyncState* SyncStates::make() noexcept {
  return used_ != kMax ? new (&states_[used_++]) SyncState : nullptr;
}

void RaceDetector::add_region(const void* begin, std::size_t size) {
  if (region_count_ == regions_.size()) std::abort();
  const auto from = reinterpret_cast<std::uintptr_t>(begin) / kGranule * kGranule;
  regions_[region_count_++] = {
      .begin = from,
      .size = size + kGranule,
      .cells = static_cast<Cell*>(map_pages((size / kGranule + 2) * sizeof(Cell)))};
}

std::optional<RaceDetector::Race> RaceDetector::access(const void* address, std::size_t size,
                                                       Access access, int thread,
                                                       const VectorClock& clock,
                                                       const void* code) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (std::size_t i = 0; i != region_count_; ++i) {
    const Region& region = regions_[i];
    if (at - region.begin >= region.size) continue;
    std::size_t offset = at - region.begin;
    while (size != 0) {
      const std::size_t first = offset % kGranule;
      const std::size_t count = size < kGranule - first ? size : kGranule - first;
      const auto mask = static_cast<std::uint8_t>(((1U << count) - 1U) << first);
      if (const auto race = access_granule(region.cells[offset / kGranule], mask, access, thread,
                                           clock, address, code)) {
        return race;
      }
      offset += count;
      size -= count;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

/// Four accesses are remembered; the fifth replaces the oldest, which may hide a race.
std::optional<RaceDetector::Race> RaceDetector::access_granule(Cell& cell, std::uint8_t mask,
                                                               Access access, int thread,
                                                               const VectorClock& clock,
                                                               const void* address,
                                                               const void* code) noexcept {
  Slot* place = nullptr;
  for (Slot& slot : cell.slots) {
    if (slot.execution != execution_) {
      if (place == nullptr) place = &slot;
      continue;
    }
    if ((slot.mask & mask) == 0) continue;
    if (slot.thread == thread) {
      if (slot.mask == mask && slot.access == access) place = &slot;
      continue;
    }
    const bool conflict = slot.access != access || access == Access::write;
    if (conflict && slot.moment > clock[slot.thread]) {
      return Race{slot.thread, access, slot.access, address, slot.code};
    }
  }
  if (place == nullptr) place = &cell.slots[cell.next++ % kSlots];
  *place = {execution_, clock[thread], static_cast<std::uint8_t>(thread), mask, access, code};
  return std::nullopt;
}

const char* name_of(RaceDetector::Access access) noexcept {
  switch (access) {
    case RaceDetector::Access::read:
      return "read";
    case RaceDetector::Access::write:
      return "write";
    case RaceDetector::Access::atomic:
      return "atomic operation";
  }
  return "";
}

}  // namespace explore
