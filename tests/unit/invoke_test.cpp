// SPDX-License-Identifier: MIT
//
// How functions and their arguments are told apart, kept for later and called.
#include <millpond/detail/calls/invoke.hpp>
#include <millpond/thread_pool.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/instance_counter.hpp"
#include "../support/move_only.hpp"

namespace millpond::test {
namespace {

using detail::BoundCall;
using detail::invoke_or_misuse_t;
using detail::is_applicable;
using detail::is_callable;
using detail::Misuse;
using detail::Unpacked;

int twice(int n) { return 2 * n; }
int add(int a, int b) { return a + b; }

struct Point {
  int x;
  [[nodiscard]] int doubled() const { return 2 * x; }
};

// Is it a function at all?

struct OneCall {
  int operator()(int n) const { return n; }
};
struct ManyCalls {
  int operator()(int n) const { return n; }
  double operator()(double n) const { return n; }
};
struct GenericCall {
  template <class T>
  T operator()(T t) const {
    return t;
  }
};
struct FinalCall final {
  int operator()(int n) const { return n; }
};
struct InheritedCall : OneCall {};
struct RvalueCall {
  int operator()() && { return 1; }
};
union UnionCall {
  int operator()() const { return 1; }
  int n;
};
struct NoCall {
  int n;
};
struct AbstractNoCall {
  AbstractNoCall() = default;
  AbstractNoCall(const AbstractNoCall&) = default;
  AbstractNoCall& operator=(const AbstractNoCall&) = default;
  virtual ~AbstractNoCall() = default;
  virtual void other() = 0;
};
enum class Enumeration { value };

using Lambda = decltype([](int n) { return n; });
using GenericLambda = decltype([](auto n) { return n; });

static_assert(is_callable<decltype(twice)>);
static_assert(is_callable<decltype(&twice)>);
static_assert(is_callable<int (&)(int)>);
static_assert(is_callable<int (*const&)(int)>);
static_assert(is_callable<int Point::*>);
static_assert(is_callable<decltype(&Point::doubled)>);
static_assert(is_callable<Lambda>);
static_assert(is_callable<const Lambda&>);
static_assert(is_callable<GenericLambda>);
static_assert(is_callable<OneCall>);
static_assert(is_callable<OneCall&>);
static_assert(is_callable<const OneCall&&>);
static_assert(is_callable<ManyCalls>);
static_assert(is_callable<GenericCall>);
static_assert(is_callable<InheritedCall>);
static_assert(is_callable<RvalueCall>);
static_assert(is_callable<std::function<int(int)>>);
static_assert(is_callable<std::reference_wrapper<OneCall>>);
static_assert(is_callable<decltype(std::bind(twice, 1))>);
static_assert(is_callable<std::plus<>>);
// Some cannot be looked into: they get the benefit of the doubt.
static_assert(is_callable<FinalCall>);
static_assert(is_callable<UnionCall>);

static_assert(!is_callable<int>);
static_assert(!is_callable<const int&>);
static_assert(!is_callable<double>);
static_assert(!is_callable<std::nullptr_t>);
static_assert(!is_callable<int*>);
static_assert(!is_callable<OneCall*>);
static_assert(!is_callable<const char (&)[4]>);
static_assert(!is_callable<std::string>);
static_assert(!is_callable<std::vector<int>&>);
static_assert(!is_callable<std::unique_ptr<OneCall>>);
static_assert(!is_callable<std::tuple<int>>);
static_assert(!is_callable<NoCall>);
static_assert(!is_callable<AbstractNoCall&>);
static_assert(!is_callable<Enumeration>);

// Called through a conversion instead of an operator(), which std::invoke can do.
struct ConvertsToAFunction {
  using Function = int (*)(int);
  operator Function() const { return twice; }  // NOLINT(google-explicit-constructor)
};
static_assert(std::is_invocable_r_v<int, ConvertsToAFunction, int>);

// is_callable cannot see that; it is only asked why a call does not fit.
TEST(Apply, CallsWhatConvertsToAFunction) {
  EXPECT_EQ(ThreadPool(1).apply(ConvertsToAFunction(), 2), twice(2));
}

// What a call gives

static_assert(std::is_same_v<invoke_or_misuse_t<decltype(twice), int>, int>);
static_assert(std::is_same_v<invoke_or_misuse_t<decltype(twice), std::string>, Misuse>);
static_assert(std::is_same_v<invoke_or_misuse_t<decltype(twice)>, Misuse>);
static_assert(std::is_same_v<invoke_or_misuse_t<int, int>, Misuse>);
static_assert(std::is_same_v<invoke_or_misuse_t<void (*)()>, void>);
static_assert(std::is_same_v<invoke_or_misuse_t<int& (*)()>, int&>);
static_assert(std::is_same_v<invoke_or_misuse_t<const int& (*)()>, const int&>);
static_assert(std::is_same_v<invoke_or_misuse_t<int && (*)()>, int&&>);
static_assert(std::is_same_v<invoke_or_misuse_t<const std::string (*)()>, std::string>);
static_assert(std::is_same_v<invoke_or_misuse_t<int Point::*, Point&>, int&>);

// A call kept for later

template <class F, class... Args>
auto bound(F f, Args... args) {
  return BoundCall<F, Args...>(std::move(f), std::tuple<Args...>(std::move(args)...));
}

TEST(BoundCallTest, CallsAnyKindOfFunction) {
  EXPECT_EQ(bound(&add, 1, 2)(), 3);
  EXPECT_EQ(bound([] { return 1; })(), 1);
  EXPECT_EQ(bound(&Point::doubled, Point{2})(), 4);
  EXPECT_EQ(bound(&Point::x, Point{2})(), 2);
  EXPECT_EQ(bound(&Point::doubled, std::make_unique<Point>(Point{3}))(), 6);
  EXPECT_EQ(bound(std::function<int(int)>(twice), 4)(), 8);
}

TEST(BoundCallTest, CallsTheFunctionAsAnRvalue) {
  struct Valued {
    std::string operator()() & { return "lvalue"; }
    std::string operator()() && { return "rvalue"; }
  };
  EXPECT_EQ(bound(Valued())(), "rvalue");
}

TEST(BoundCallTest, MovesItsArgumentsIn) {
  EXPECT_EQ(bound([](MoveOnly a, MoveOnly&& b) { return a.value() + b.value(); }, MoveOnly(1),
                  MoveOnly(2))(),
            3);
  InstanceCounter counter;
  {
    auto call = bound([](Counted a) { return a.value(); }, Counted(counter, 5));
    EXPECT_EQ(std::move(call)(), 5);
    EXPECT_EQ(counter.copies(), 0);
  }
  EXPECT_TRUE(counter.balanced());
}

TEST(BoundCallTest, PassesReferencesThatAreWrapped) {
  int n = 1;
  bound([](int& m) { ++m; }, std::ref(n))();
  EXPECT_EQ(n, 2);
}

TEST(BoundCallTest, KeepsAReferenceResult) {
  int n = 1;
  const auto refer = [](int& m) -> int& { return m; };
  static_assert(std::is_same_v<decltype(bound(refer, std::ref(n))()), int&>);
  EXPECT_EQ(&bound(refer, std::ref(n))(), &n);
}

TEST(BoundCallTest, TakesATupleAsAnArgument) {
  EXPECT_EQ(bound([](const std::tuple<int, int>& t) { return std::get<1>(t); }, std::tuple(1, 2))(),
            2);
}

TEST(BoundCallTest, TakesNoRoomForWhatIsEmpty) {
  static_assert(sizeof(BoundCall<Lambda, int>) == sizeof(int));
  SUCCEED();
}

// Unpacked

static_assert(detail::TupleLike<std::tuple<>>);
static_assert(detail::TupleLike<const std::pair<int, int>&>);
static_assert(detail::TupleLike<std::array<int, 3>&&>);
static_assert(!detail::TupleLike<int>);
static_assert(!detail::TupleLike<std::vector<int>>);
static_assert(!detail::TupleLike<int[2]>);

using Add = decltype(&add);
static_assert(is_applicable<Add&, std::tuple<int, int>>());
static_assert(is_applicable<Add&, const std::pair<int, int>&>());
static_assert(is_applicable<Add&, std::array<int, 2>>());
static_assert(!is_applicable<Add&, std::tuple<int>>());
static_assert(!is_applicable<Add&, std::tuple<int, int, int>>());
static_assert(!is_applicable<Add&, std::tuple<int, std::string>>());
static_assert(!is_applicable<Add&, int>());
static_assert(is_applicable<Lambda&, std::tuple<int>>());
using TakesRvalue = decltype([](MoveOnly&&) {});
static_assert(is_applicable<TakesRvalue&, std::tuple<MoveOnly>>());
static_assert(is_applicable<TakesRvalue&, std::tuple<MoveOnly>&&>());
static_assert(!is_applicable<TakesRvalue&, std::tuple<MoveOnly>&>());
static_assert(!is_applicable<TakesRvalue&, const std::tuple<MoveOnly>&>());

// It says what it takes, so that mistakes can be told before they happen.
static_assert(std::is_invocable_r_v<int, Unpacked<Add>&, std::tuple<int, int>>);
static_assert(!std::is_invocable_v<Unpacked<Add>&, std::tuple<int>>);
static_assert(!std::is_invocable_v<Unpacked<Add>&, int, int>);
static_assert(!std::is_invocable_v<Unpacked<Add>&, int>);

TEST(UnpackedTest, PassesTheElementsAsArguments) {
  Unpacked<Add> f(&add);
  EXPECT_EQ(f(std::tuple(1, 2)), 3);
  EXPECT_EQ(f(std::pair(1, 2)), 3);
  EXPECT_EQ(f(std::array{1, 2}), 3);
  for (const auto& entry : std::map<int, int>{{1, 2}}) EXPECT_EQ(f(entry), 3);
  Unpacked<int (*)()> none([] { return 7; });
  EXPECT_EQ(none(std::tuple()), 7);
}

TEST(UnpackedTest, PassesElementsAsTheTupleIs) {
  struct Valued {
    std::string operator()(int&) { return "lvalue"; }
    std::string operator()(const int&) { return "const lvalue"; }
    std::string operator()(int&&) { return "rvalue"; }
  };
  Unpacked<Valued> f{Valued()};
  std::tuple<int> t(1);
  const std::tuple<int> constant(1);
  EXPECT_EQ(f(t), "lvalue");
  EXPECT_EQ(f(constant), "const lvalue");
  EXPECT_EQ(f(std::tuple<int>(1)), "rvalue");
}

TEST(UnpackedTest, MovesMoveOnlyElements) {
  Unpacked<int (*)(MoveOnly, std::unique_ptr<int>)> f(
      [](MoveOnly a, std::unique_ptr<int> b) { return a.value() + *b; });
  EXPECT_EQ(f(std::tuple(MoveOnly(1), std::make_unique<int>(2))), 3);
}

TEST(UnpackedTest, KeepsAReferenceResult) {
  int n = 1;
  Unpacked<int& (*)(int&)> f([](int& m) -> int& { return m; });
  EXPECT_EQ(&f(std::tuple<int&>(n)), &n);
}

TEST(UnpackedTest, MayBorrowItsFunction) {
  struct Counting {
    void operator()(int) { ++calls; }
    int calls = 0;
  };
  Counting function;
  Unpacked<Counting&> f(function);
  f(std::tuple(1));
  f(std::tuple(1));
  EXPECT_EQ(function.calls, 2);
}

TEST(UnpackedTest, CallsItsFunctionAsAnLvalue) {
  struct Valued {
    std::string operator()(int) & { return "lvalue"; }
    std::string operator()(int) && { return "rvalue"; }
  };
  Unpacked<Valued> f{Valued()};
  EXPECT_EQ(f(std::tuple(1)), "lvalue");
}

// Initializers

TEST(BindInitializer, CallsTheFunctionWithItsArgumentsEachTime) {
  int sum = 0;
  const std::function<void()> f =
      detail::bind_initializer([&sum](int a, int b) { sum += a + b; }, 1, 2);
  f();
  f();
  EXPECT_EQ(sum, 6);
}

TEST(BindInitializer, PassesLvaluesSoThatNobodyFindsThemMovedFrom) {
  const std::function<void()> f =
      detail::bind_initializer([](const MoveOnly& m) { EXPECT_EQ(m.value(), 5); }, MoveOnly(5));
  f();
  f();
  const std::function<void()> by_value = detail::bind_initializer(
      [](std::string text) {
        EXPECT_EQ(text, "text");
        text.clear();
      },
      std::string("text"));
  by_value();
  by_value();
}

TEST(BindInitializer, NeedsNothingCopyable) {
  int result = 0;
  const std::function<void()> f =
      detail::bind_initializer([&result, owned = std::make_unique<int>(1)](
                                   const MoveOnly& m) { result = *owned + m.value(); },
                               MoveOnly(2));
  const std::function<void()> copy = f;
  copy();
  EXPECT_EQ(result, 3);
}

TEST(BindInitializer, IgnoresAResult) {
  int calls = 0;
  detail::bind_initializer([&calls] { return ++calls; })();
  EXPECT_EQ(calls, 1);
}

TEST(BindInitializer, UnwrapsReferences) {
  int n = 0;
  detail::bind_initializer([](int& m) { ++m; }, std::ref(n))();
  EXPECT_EQ(n, 1);
}

TEST(BindInitializer, CopiesLvaluesAndMovesTheRest) {
  InstanceCounter counter;
  {
    const Counted kept(counter, 1);
    int seen = 0;
    detail::bind_initializer(
        [&seen](const Counted& a, const Counted& b) { seen = a.value() + b.value(); }, kept,
        Counted(counter, 2))();
    EXPECT_EQ(seen, 3);
    EXPECT_EQ(counter.copies(), 1);
    EXPECT_EQ(kept.value(), 1);
  }
  EXPECT_TRUE(counter.balanced());
}

}  // namespace
}  // namespace millpond::test
