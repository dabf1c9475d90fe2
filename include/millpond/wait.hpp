// SPDX-License-Identifier: MIT
#ifndef MILLPOND_WAIT_HPP
#define MILLPOND_WAIT_HPP

#include <millpond/async_result.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/deadline.hpp>
#include <millpond/detail/platform/smaller.hpp>
#include <millpond/detail/results/result_group.hpp>
#include <millpond/errors.hpp>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// Waiting for several results at once: wait() and as_completed(), as in concurrent.futures.

namespace millpond::inline MILLPOND_ABI {

/// When wait() returns.
enum class ReturnWhen {
  all_completed,    // all are ready
  first_completed,  // one is ready
  first_exception,  // one has failed, or all are ready; to be cancelled is not to fail
};

/// What wait() found, each in the order given: `auto [done, not_done] = wait(results)`.
template <class R>
struct WaitResult {
  std::vector<AsyncResult<R>> done;
  std::vector<AsyncResult<R>> not_done;
};

namespace detail {

template <class T>
inline constexpr bool is_async_result = false;
template <class R>
inline constexpr bool is_async_result<AsyncResult<R>> = true;

template <class Results>
concept ResultRange =
    std::ranges::input_range<Results> && is_async_result<std::ranges::range_value_t<Results>>;

template <class Results>
using result_of_range_t = typename std::ranges::range_value_t<Results>::value_type;

/// What they refer to.
template <class R>
std::vector<ResultBase*> states_of(const std::vector<AsyncResult<R>>& handles) {
  std::vector<ResultBase*> states;
  states.reserve(handles.size());
  for (const AsyncResult<R>& handle : handles) states.push_back(Handles::state_of(handle));
  return states;
}

/// Of the handles on one result keeps the first.
template <class R>
void drop_repeated(std::vector<AsyncResult<R>>& handles) {
  const std::vector<std::size_t> kept = distinct_places(detail::states_of(handles));
  for (std::size_t i = 0; i != kept.size(); ++i) {
    if (kept[i] != i) handles[i] = std::move(handles[kept[i]]);
  }
  handles.erase(handles.begin() + static_cast<std::ptrdiff_t>(kept.size()), handles.end());
}

/// Handles on distinct results, in the order in which they came. Throws ValueError if one refers to
/// nothing.
template <class Results>
auto distinct(Results&& results) {
  std::vector<std::ranges::range_value_t<Results>> handles;
  for (auto&& result : results) {
    if (!result.valid()) throw_value_error("This AsyncResult refers to no result");
    handles.push_back(result);
  }
  detail::drop_repeated(handles);
  return handles;
}

template <class Results>
auto wait_for(Results&& results, ReturnWhen return_when, Deadline deadline) {
  const auto handles = detail::distinct(results);
  ResultGroup group(detail::states_of(handles));
  const std::size_t count = return_when == ReturnWhen::first_completed
                                ? detail::smaller(1, handles.size())
                                : handles.size();
  group.wait(count, return_when == ReturnWhen::first_exception, deadline);
  std::vector<bool> is_done(handles.size());
  for (std::size_t n = group.completed(); n-- != 0;) is_done[group.nth_completed(n)] = true;
  WaitResult<result_of_range_t<Results>> found;
  for (std::size_t i = 0; i != handles.size(); ++i) {
    (is_done[i] ? found.done : found.not_done).push_back(handles[i]);
  }
  return found;
}

}  // namespace detail

/// Waits for results of one type, in any range: a vector, a span, a set. Returns the finished and
/// the unfinished ones, each result once. Cancelled and terminated results are finished. Does not
/// count as looking at errors. Throws ValueError if a handle refers to nothing.
///
/// Costs one registration a result. In a task of the results' pool, runs what has not started.
/// Thread safety: any thread.
template <detail::ResultRange Results>
WaitResult<detail::result_of_range_t<Results>> wait(
    Results&& results, ReturnWhen return_when = ReturnWhen::all_completed) {
  return detail::wait_for(results, return_when, detail::Deadline::never());
}

/// The same, but no longer than `timeout`; zero and less only look.
template <detail::ResultRange Results, class Rep, class Period>
WaitResult<detail::result_of_range_t<Results>> wait(Results&& results, ReturnWhen return_when,
                                                    std::chrono::duration<Rep, Period> timeout) {
  return detail::wait_for(results, return_when, detail::Deadline::after(timeout));
}
template <detail::ResultRange Results, class Rep, class Period>
WaitResult<detail::result_of_range_t<Results>> wait(Results&& results,
                                                    std::chrono::duration<Rep, Period> timeout) {
  return detail::wait_for(results, ReturnWhen::all_completed, detail::Deadline::after(timeout));
}

/// The same, of results in braces: `wait({a, b})`.
template <class R>
WaitResult<R> wait(std::initializer_list<AsyncResult<R>> results,
                   ReturnWhen return_when = ReturnWhen::all_completed) {
  return detail::wait_for(results, return_when, detail::Deadline::never());
}
template <class R, class Rep, class Period>
WaitResult<R> wait(std::initializer_list<AsyncResult<R>> results, ReturnWhen return_when,
                   std::chrono::duration<Rep, Period> timeout) {
  return detail::wait_for(results, return_when, detail::Deadline::after(timeout));
}
template <class R, class Rep, class Period>
WaitResult<R> wait(std::initializer_list<AsyncResult<R>> results,
                   std::chrono::duration<Rep, Period> timeout) {
  return detail::wait_for(results, ReturnWhen::all_completed, detail::Deadline::after(timeout));
}

/// Results as they get ready: an input range, made by as_completed().
template <class R>
class AsCompleted {
 public:
  class Iterator;

  AsCompleted(const AsCompleted&) = delete;
  AsCompleted& operator=(const AsCompleted&) = delete;

  /// Waits for the first result that has not been yielded. Throws TimeoutError.
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  template <detail::ResultRange Results>
  friend AsCompleted<detail::result_of_range_t<Results>> as_completed(Results&& results);
  template <detail::ResultRange Results, class Rep, class Period>
  friend AsCompleted<detail::result_of_range_t<Results>> as_completed(
      Results&& results, std::chrono::duration<Rep, Period> timeout);
  template <class T>
  friend AsCompleted<T> as_completed(std::initializer_list<AsyncResult<T>> results);
  template <class T, class Rep, class Period>
  friend AsCompleted<T> as_completed(std::initializer_list<AsyncResult<T>> results,
                                     std::chrono::duration<Rep, Period> timeout);

  AsCompleted(std::vector<AsyncResult<R>> handles, detail::Deadline deadline)
      : handles_(std::move(handles)), deadline_(deadline), group_(detail::states_of(handles_)) {}

  /// A copy of the next handle, as its user may do with it what he likes; null at the end.
  AsyncResult<R>* next() {
    current_ = {};
    if (yielded_ == handles_.size()) return nullptr;
    if (!group_.wait(yielded_ + 1, false, deadline_)) {
      throw TimeoutError(std::to_string(handles_.size() - yielded_) + " (of " +
                         std::to_string(handles_.size()) + ") results unfinished");
    }
    current_ = handles_[group_.nth_completed(yielded_++)];
    return &current_;
  }

  const std::vector<AsyncResult<R>> handles_;
  AsyncResult<R> current_;
  const detail::Deadline deadline_;
  detail::ResultGroup group_;  // after handles_, which it looks at
  std::size_t yielded_ = 0;
};

template <class R>
class AsCompleted<R>::Iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = AsyncResult<R>;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;

  AsyncResult<R>& operator*() const noexcept { return *current_; }
  /// Waits for the next.
  Iterator& operator++() {
    current_ = range_->next();
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const noexcept { return current_ == nullptr; }

 private:
  friend class AsCompleted;
  explicit Iterator(AsCompleted& range) : range_(&range), current_(range.next()) {}

  AsCompleted* range_ = nullptr;
  AsyncResult<R>* current_ = nullptr;
};

/// The results, each once, as they get ready; those that are ready already come first. Waits
/// between them, not here.
///
///     for (millpond::AsyncResult<int>& result : millpond::as_completed(results)) ...
///
/// Throws ValueError if a handle refers to nothing. The range is its creator's thread's.
template <detail::ResultRange Results>
AsCompleted<detail::result_of_range_t<Results>> as_completed(Results&& results) {
  return {detail::distinct(results), detail::Deadline::never()};
}

/// The same; iterating throws TimeoutError "1 (of 3) results unfinished" when `timeout`, which
/// begins here, is over.
template <detail::ResultRange Results, class Rep, class Period>
AsCompleted<detail::result_of_range_t<Results>> as_completed(
    Results&& results, std::chrono::duration<Rep, Period> timeout) {
  return {detail::distinct(results), detail::Deadline::after(timeout)};
}

/// The same, of results in braces.
template <class R>
AsCompleted<R> as_completed(std::initializer_list<AsyncResult<R>> results) {
  return {detail::distinct(results), detail::Deadline::never()};
}
template <class R, class Rep, class Period>
AsCompleted<R> as_completed(std::initializer_list<AsyncResult<R>> results,
                            std::chrono::duration<Rep, Period> timeout) {
  return {detail::distinct(results), detail::Deadline::after(timeout)};
}

}  // namespace millpond::inline MILLPOND_ABI

#if !MILLPOND_IS_COMPILED
#include <millpond/detail/definitions.hpp>
#endif

#endif  // MILLPOND_WAIT_HPP
