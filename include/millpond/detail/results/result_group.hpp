// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_RESULTS_RESULT_GROUP_HPP
#define MILLPOND_DETAIL_RESULTS_RESULT_GROUP_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/results/result_state.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// Several results that one thread waits for at once.
///
/// Thread safety: one thread's, but for what the results do. The results must outlive it.
class ResultGroup {
 public:
  /// Throws std::bad_alloc; ValueError if one is not ready and of the parent process.
  explicit ResultGroup(std::span<ResultBase* const> results);
  ResultGroup(const ResultGroup&) = delete;
  ResultGroup& operator=(const ResultGroup&) = delete;
  ~ResultGroup();

  /// Waits until `count` of the results are ready, or one of them with an error of its own if
  /// `or_failed`. On a thread of the pool runs what has not started, one after another, as long as
  /// the deadline has not passed and none of the results can get ready without that. False if the
  /// deadline came first.
  bool wait(std::size_t count, bool or_failed, Deadline deadline);

  /// How many are ready, and the number of the n-th of them, in the order in which they came.
  std::size_t completed() const noexcept;
  std::size_t nth_completed(std::size_t n) const noexcept;

 private:
  class Body;
  Body* const body_;
};

/// The places in the list at which a result comes for the first time, ascending: so that each
/// result is named once.
std::vector<std::size_t> distinct_places(std::span<ResultBase* const> results);

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_RESULTS_RESULT_GROUP_HPP
