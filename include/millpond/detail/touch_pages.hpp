// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_TOUCH_PAGES_HPP
#define MILLPOND_DETAIL_TOUCH_PAGES_HPP

#include <millpond/detail/apply_job.hpp>
#include <millpond/detail/chunking.hpp>
#include <millpond/detail/config.hpp>
#include <millpond/detail/map_job.hpp>
#include <millpond/detail/map_results.hpp>
#include <millpond/detail/core_work.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>

namespace millpond::inline MILLPOND_ABI::detail {

/// Writes a byte to each page of fresh memory, together with workers that are free. The first write
/// to a page is a trap into the system, 1.2 us for 4 KiB, and workers can take some of them. This
/// thread takes part, so it does not wait for workers that are busy.
class TouchPages {
 public:
  explicit TouchPages(Core& core) noexcept : core_(core) {}

  /// Throws as issuing work does.
  void operator()(std::byte* memory, std::size_t size) const {
    const auto touch_block = [memory, size](std::size_t block) {
      const std::size_t end = (std::min)((block + 1) * kBlock, size);
      for (std::size_t at = block * kBlock; at < end; at += kPage) memory[at] = std::byte{0};
    };
    using TouchJob = MapJob<MapResults<void>, decltype(touch_block)&, Blocks>;
    auto job = std::make_unique<TouchJob>(core_, 1, divide_rounding_up(size, kBlock), touch_block);
    core_.submit(*job, job->enter_queue());
    const ResultHandle<void> handle(job.release());
    handle.get()->take_part(Deadline::never());
    handle.get()->wait(Deadline::never());
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kBlock = 64 * kPage;

  /// The numbers of all blocks, as a source of items.
  class Blocks {
   public:
    explicit Blocks(std::size_t count) noexcept : count_(count) {}
    std::size_t size() const noexcept { return count_; }
    std::size_t operator[](std::size_t index) const noexcept { return index; }

   private:
    std::size_t count_;
  };

  Core& core_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_TOUCH_PAGES_HPP
