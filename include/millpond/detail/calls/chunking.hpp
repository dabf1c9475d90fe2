// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLS_CHUNKING_HPP
#define MILLPOND_DETAIL_CALLS_CHUNKING_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/smaller.hpp>
#include <millpond/errors.hpp>

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Chunks that each worker gets of a map when all are of the default size. Python's.
inline constexpr std::size_t kChunksPerWorker = 4;

/// ceil(n / d) without overflow; d > 0.
constexpr std::size_t divide_rounding_up(std::size_t n, std::size_t d) noexcept {
  return n / d + (n % d != 0 ? 1 : 0);
}

/// Python's default chunk size for a map of n items; 0 if there are none.
constexpr std::size_t default_chunksize(std::size_t n, std::size_t workers) noexcept {
  return divide_rounding_up(n, kChunksPerWorker * workers);
}

/// How many chunks an imap reads ahead of its reader by default: as many as a map would give its
/// workers, so that none waits for the reader.
constexpr std::size_t default_buffersize(std::size_t workers) noexcept {
  return kChunksPerWorker * workers;
}

/// Any integral type as the options hold it; what does not fit is as good as the limit.
template <std::integral T>
constexpr std::ptrdiff_t to_ptrdiff(T value) noexcept {
  using Limits = std::numeric_limits<std::ptrdiff_t>;
  const auto number = +value;  // bool and characters, too, as a number
  if (std::cmp_greater(number, (Limits::max)())) return (Limits::max)();
  if (std::cmp_less(number, (Limits::min)())) return (Limits::min)();
  return static_cast<std::ptrdiff_t>(number);
}

[[noreturn]] MILLPOND_COLD inline void throw_size_error(const char* name, std::ptrdiff_t size) {
  char message[64];
  std::snprintf(message, sizeof message, "%s must be 1+, not %lld", name,
                static_cast<long long>(size));
  throw ValueError(message);
}

/// Throws ValueError "<name> must be 1+, not 0" for a given size that is not positive.
inline void check_size(const char* name, std::optional<std::ptrdiff_t> size) {
  if (size && *size < 1) throw_size_error(name, *size);
}

/// A size that has been checked, or `otherwise`.
inline std::size_t size_or(std::optional<std::ptrdiff_t> size, std::size_t otherwise) noexcept {
  return size ? static_cast<std::size_t>(*size) : otherwise;
}

/// How a map of n items is cut. A given size is kept exactly (the last chunk may be short); the
/// default starts with Python's and shrinks towards the end, when less than two such chunks a
/// worker are left: so no worker is left with a straggler while the others have nothing to do.
class Chunking {
 public:
  Chunking(std::optional<std::ptrdiff_t> chunksize, std::size_t n, std::size_t workers) noexcept
      : size_(smaller(size_or(chunksize, default_chunksize(n, workers)), n)),
        shares_(chunksize ? 0 : kSharesPerWorker * workers) {}

  /// Whether all chunks are of size(), but for the last, which may be shorter.
  bool is_fixed() const noexcept { return shares_ == 0; }
  /// Of the first chunk; not more than there are items.
  std::size_t size() const noexcept { return size_; }

  /// Not fewer chunks than n > 0 items make.
  std::size_t at_most_chunks_of(std::size_t n) const noexcept {
    return is_fixed() ? divide_rounding_up(n, size_) : n;
  }

  /// The size of the next chunk when `left` > 0 items are left.
  std::size_t next(std::size_t left) const noexcept {
    if (is_fixed()) return smaller(size_, left);
    return smaller(size_, divide_rounding_up(left, shares_));
  }

 private:
  /// Near the end a chunk is 1/(2 * workers) of what is left: 10,000 items sorted by cost, the
  /// expensive ones last, took 13.3 ms where Python's four chunks a worker took 18.7.
  static constexpr std::size_t kSharesPerWorker = 2;

  std::size_t size_;
  std::size_t shares_;  // 0: a given size
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CALLS_CHUNKING_HPP
