// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOBS_TOUCH_PAGES_HPP
#define MILLPOND_DETAIL_JOBS_TOUCH_PAGES_HPP

#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/platform/config.hpp>

#include <cstddef>

namespace millpond::inline MILLPOND_ABI::detail {

/// Writes a byte to each page of fresh memory, together with workers that are free. The first write
/// to a page is a trap into the system, 1.2 us for 4 KiB, and workers can take some of them. This
/// thread takes part, so it does not wait for workers that are busy.
class TouchPages {
 public:
  explicit TouchPages(Engine& engine) noexcept : engine_(engine) {}

  /// Throws as issuing work does.
  MILLPOND_COLD void operator()(std::byte* memory, std::size_t size) const;

 private:
  Engine& engine_;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOBS_TOUCH_PAGES_HPP
