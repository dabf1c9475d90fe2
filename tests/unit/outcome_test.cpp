// SPDX-License-Identifier: MIT
//
// Outcome: a value, an error, or nothing yet.
#include <millpond/detail/results/outcome.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"
#include "../support/throws.hpp"

namespace millpond::test {
namespace {

using detail::Outcome;

static_assert(std::is_same_v<decltype(std::declval<const Outcome<int>&>().get()), const int&>);
static_assert(std::is_same_v<decltype(std::declval<Outcome<int>&>().take()), int>);
static_assert(std::is_same_v<decltype(std::declval<const Outcome<int&>&>().get()), int&>);
static_assert(std::is_same_v<decltype(std::declval<Outcome<int&>&>().take()), int&>);
static_assert(std::is_same_v<decltype(std::declval<Outcome<const int&>&>().get()), const int&>);
static_assert(std::is_same_v<decltype(std::declval<const Outcome<int&&>&>().get()), int&&>);
static_assert(std::is_void_v<decltype(std::declval<const Outcome<void>&>().get())>);
static_assert(std::is_void_v<decltype(std::declval<Outcome<void>&>().take())>);
static_assert(std::is_nothrow_default_constructible_v<Outcome<NoDefault>>);
static_assert(!std::is_copy_constructible_v<Outcome<int>>);
static_assert(std::is_nothrow_move_constructible_v<Outcome<std::string>>);

const auto fail = []() -> int { throw std::runtime_error("bad"); };

TEST(OutcomeTest, StartsAsNeither) {
  const Outcome<std::string> outcome;
  EXPECT_FALSE(outcome.is_error());
}

TEST(OutcomeTest, HoldsWhatACallReturns) {
  Outcome<std::string> outcome;
  outcome.run([] { return std::string("value"); });
  EXPECT_FALSE(outcome.is_error());
  EXPECT_EQ(outcome.get(), "value");
  EXPECT_EQ(&outcome.get(), &outcome.get());
  EXPECT_EQ(outcome.take(), "value");
}

TEST(OutcomeTest, HoldsWhatACallThrows) {
  Outcome<int> outcome;
  outcome.run(fail);
  ASSERT_TRUE(outcome.is_error());
  EXPECT_EQ(message_of<std::runtime_error>(outcome.error()), "bad");

  Outcome<int> other;
  other.run([]() -> int { throw 5; });
  ASSERT_TRUE(other.is_error());
  EXPECT_TRUE(holds<int>(other.error()));
}

TEST(OutcomeTest, MayBeOfNothing) {
  int calls = 0;
  Outcome<void> outcome;
  outcome.run([&calls] { ++calls; });
  EXPECT_FALSE(outcome.is_error());
  outcome.get();
  outcome.take();
  EXPECT_EQ(calls, 1);

  Outcome<void> error;
  error.run([] { throw std::runtime_error("bad"); });
  EXPECT_TRUE(error.is_error());
}

TEST(OutcomeTest, OfNothingMakesTheCallOnceAndIgnoresWhatItReturns) {
  int calls = 0;
  Outcome<void> outcome;
  outcome.run([&calls] { return ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(OutcomeTest, MayBeAReference) {
  int target = 1;
  Outcome<int&> outcome;
  outcome.run([&target]() -> int& { return target; });
  EXPECT_EQ(&outcome.get(), &target);
  outcome.take() = 2;
  EXPECT_EQ(target, 2);
}

TEST(OutcomeTest, MayBeAnRvalueReference) {
  std::string target = "value";
  Outcome<std::string&&> outcome;
  outcome.run([&target]() -> std::string&& { return std::move(target); });
  EXPECT_EQ(target, "value");
  const std::string taken = outcome.take();
  EXPECT_EQ(taken, "value");
}

TEST(OutcomeTest, MayBeOfATypeThatCanOnlyBeMoved) {
  Outcome<MoveOnly> outcome;
  outcome.run([] { return MoveOnly(5); });
  EXPECT_EQ(outcome.get().value(), 5);
  EXPECT_EQ(outcome.take().value(), 5);
  EXPECT_EQ(outcome.get().value(), MoveOnly::kMovedFrom);
}

TEST(OutcomeTest, MayBeOfATypeThatCannotEvenBeMoved) {
  struct Fixed {
    explicit Fixed(int n) : value(n) {}
    Fixed(const Fixed&) = delete;
    Fixed& operator=(const Fixed&) = delete;
    ~Fixed() = default;
    int value;
  };
  Outcome<Fixed> outcome;
  outcome.run([] { return Fixed(5); });
  EXPECT_EQ(outcome.get().value, 5);
}

TEST(OutcomeTest, MayBeOfAConstType) {
  Outcome<const std::string> outcome;
  outcome.run([]() -> std::string { return "value"; });
  EXPECT_EQ(outcome.get(), "value");
}

TEST(OutcomeTest, MayBeOfATypeThatOverloadsAddressOf) {
  struct Hidden {
    int value;
    Hidden* operator&() const { return nullptr; }  // NOLINT(google-runtime-operator)
  };
  Outcome<Hidden> outcome;
  outcome.run([] { return Hidden{5}; });
  EXPECT_EQ(outcome.get().value, 5);
  Hidden target{6};
  Outcome<Hidden&> reference;
  reference.run([&target]() -> Hidden& { return target; });
  EXPECT_EQ(reference.get().value, 6);
}

TEST(OutcomeTest, MayBeOverAligned) {
  struct alignas(128) Wide {
    std::array<char, 128> bytes{};
  };
  Outcome<Wide> outcome;
  outcome.run([] { return Wide(); });
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&outcome.get()) % alignof(Wide), 0U);
}

TEST(OutcomeTest, MayBeAnExceptionPointerThatIsNoError) {
  Outcome<std::exception_ptr> outcome;
  outcome.run([] { return std::make_exception_ptr(5); });
  EXPECT_FALSE(outcome.is_error());
  EXPECT_TRUE(holds<int>(outcome.get()));
}

TEST(OutcomeTest, ConvertsWhatTheCallReturns) {
  Outcome<std::string> outcome;
  outcome.run([] { return "value"; });
  EXPECT_EQ(outcome.get(), "value");
}

TEST(OutcomeTest, KeepsTheErrorOfMakingTheValue) {
  struct Refuses {
    explicit Refuses(int) { throw std::runtime_error("bad"); }
  };
  Outcome<Refuses> outcome;
  outcome.run([] { return Refuses(1); });
  ASSERT_TRUE(outcome.is_error());
  EXPECT_EQ(message_of<std::runtime_error>(outcome.error()), "bad");
}

TEST(OutcomeTest, NeitherCopiesNorMovesTheValueUntilItIsTaken) {
  InstanceCounter counter;
  {
    Outcome<Counted> outcome;
    outcome.run([&counter] { return Counted(counter, 5); });
    EXPECT_EQ(counter.constructed(), 1);
    EXPECT_EQ(outcome.get().value(), 5);
    EXPECT_EQ(counter.constructed(), 1);
    const Counted taken = outcome.take();
    EXPECT_EQ(taken.value(), 5);
    EXPECT_EQ(counter.copies(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(OutcomeTest, MayBecomeAnErrorAfterAll) {
  InstanceCounter counter;
  Outcome<Counted> outcome;
  outcome.run([&counter] { return Counted(counter); });
  outcome.set_error(std::make_exception_ptr(std::runtime_error("bad")));
  EXPECT_TRUE(counter.balanced());
  EXPECT_EQ(message_of<std::runtime_error>(outcome.error()), "bad");
  outcome.set_error(std::make_exception_ptr(std::logic_error("worse")));
  EXPECT_EQ(message_of<std::logic_error>(outcome.error()), "worse");
}

TEST(OutcomeTest, MayBeMoved) {
  InstanceCounter counter;
  {
    std::vector<Outcome<Counted>> outcomes;
    for (int n = 0; n < 10; ++n) {  // grows, and so moves what it has
      outcomes.emplace_back().run([&counter, n]() -> Counted {
        if (n % 2 != 0) throw n;
        return Counted(counter, n);
      });
    }
    outcomes.emplace_back();
    const std::vector<Outcome<Counted>> moved = std::move(outcomes);
    for (int n = 0; n < 10; ++n) {
      const Outcome<Counted>& outcome = moved[static_cast<std::size_t>(n)];
      ASSERT_EQ(outcome.is_error(), n % 2 != 0);
      if (!outcome.is_error()) {
        EXPECT_EQ(outcome.get().value(), n);
      } else {
        EXPECT_TRUE(holds<int>(outcome.error()));
      }
    }
    EXPECT_FALSE(moved.back().is_error());
    EXPECT_EQ(counter.copies(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(OutcomeTest, GivesItsErrorAway) {
  const auto tracked = std::make_shared<int>(1);
  Outcome<int> outcome;
  outcome.run([&tracked]() -> int { throw tracked; });
  EXPECT_GE(tracked.use_count(), 2);
  std::exception_ptr error = outcome.take_error();
  EXPECT_TRUE(holds<std::shared_ptr<int>>(error));
  EXPECT_TRUE(outcome.is_error());
  EXPECT_EQ(outcome.error(), nullptr);
  error = nullptr;
  EXPECT_EQ(tracked.use_count(), 1);
}

TEST(OutcomeTest, DestroysWhatItHolds) {
  InstanceCounter counter;
  const auto tracked = std::make_shared<int>(1);
  {
    Outcome<Counted> value;
    value.run([&counter] { return Counted(counter); });
    Outcome<int> error;
    error.run([&tracked]() -> int { throw tracked; });
    EXPECT_EQ(counter.alive(), 1);
  }
  EXPECT_TRUE(counter.balanced());
  EXPECT_EQ(tracked.use_count(), 1);
}

}  // namespace
}  // namespace millpond::test
