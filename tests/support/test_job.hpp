// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_SUPPORT_TEST_JOB_HPP
#define MILLPOND_TESTS_SUPPORT_TEST_JOB_HPP

#include <millpond/detail/definitions.hpp>
#include <millpond/detail/engine/job.hpp>

#include <atomic>
#include <exception>

namespace millpond::test {

// A call with a number, for tests of what holds jobs. Counts those alive.
class TestJob final : public detail::Job {
 public:
  explicit TestJob(int its_number = 0) : Job(Kind::call, 1), number(its_number) { ++alive; }
  ~TestJob() override { --alive; }

  void run() noexcept override {}
  void abandon_entry(const std::exception_ptr&) noexcept override {}
  void abandon(const std::exception_ptr&) noexcept override {}

  // As whoever has the handle: claims it before a worker does; and needs it no more.
  bool claim() { return try_claim(); }
  void let_go() { done(); }

  static inline std::atomic<int> alive{0};

  const int number;
};

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_TEST_JOB_HPP
