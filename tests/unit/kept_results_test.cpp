// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// What becomes of results that refer to something, and of those that cannot be moved.
namespace millpond::test {
namespace {

class Person {
 public:
  explicit Person(std::string its_name) : name(std::move(its_name)) {}
  // Whoever looks at a dead one sees it.
  Person(const Person&) = default;
  Person(Person&&) = default;
  ~Person() { name = "dead and gone, with a name that is too long to be kept in the string"; }

  const std::string& get_name() const { return name; }
  std::string&& take_name() { return std::move(name); }
  Person& itself() & { return *this; }

  std::string name;
};

const std::string kName = "a name that is too long to be kept in the string itself";

TEST(KeptResults, AMemberOfAKeptArgumentIsAValue) {
  ThreadPool pool(1);
  const Person person(kName);
  const auto member = pool.apply_async(&Person::name, person);
  const auto rvalue = pool.apply_async(&Person::take_name, person);
  const auto reference = pool.apply_async(&Person::get_name, person);
  static_assert(std::is_same_v<decltype(member), const AsyncResult<std::string>>);
  static_assert(std::is_same_v<decltype(rvalue), const AsyncResult<std::string>>);
  static_assert(std::is_same_v<decltype(reference), const AsyncResult<std::string>>);
  EXPECT_EQ(member.get(), kName);
  EXPECT_EQ(rvalue.get(), kName);
  EXPECT_EQ(reference.get(), kName);
}

TEST(KeptResults, AMemberOfAKeptArgumentIsAValueForCallbacks) {
  ThreadPool pool(1);
  std::string told;
  const auto result =
      pool.apply_async(&Person::get_name, std::tuple(Person(kName)),
                       {.callback = [&told](const std::string& name) { told = name; }});
  EXPECT_EQ(result.get(), kName);
  EXPECT_EQ(told, kName);
}

TEST(KeptResults, AnRvalueReferenceIsAValue) {
  ThreadPool pool(1);
  const auto result =
      pool.apply_async([](std::string&& text) -> std::string&& { return std::move(text); }, kName);
  static_assert(std::is_same_v<decltype(result), const AsyncResult<std::string>>);
  EXPECT_EQ(result.get(), kName);
}

TEST(KeptResults, AReferenceToWhatTheCallerKeepsStaysOne) {
  ThreadPool pool(1);
  Person person(kName);
  const auto by_wrapper = pool.apply_async(&Person::itself, std::ref(person));
  const auto by_pointer = pool.apply_async(&Person::name, &person);
  const auto by_function = pool.apply_async([&person]() -> Person& { return person; });
  EXPECT_EQ(&by_wrapper.get(), &person);
  EXPECT_EQ(&by_pointer.get(), &person.name);
  EXPECT_EQ(&by_function.get(), &person);
  EXPECT_EQ(&pool.apply(&Person::itself, person), &person);
}

TEST(KeptResults, OneThatCannotBeMovedStaysInItsHandle) {
  struct Immovable {
    explicit Immovable(int x) : value(x) {}
    Immovable(Immovable&&) = delete;
    int value;
  };
  ThreadPool pool(1);
  const auto result = pool.apply_async([] { return Immovable(3); });
  EXPECT_EQ(result.get().value, 3);
  EXPECT_EQ(&result.get(), &result.get());
}

int told_value = 0;
void tell(const int& value) { told_value = value; }

TEST(KeptResults, APlainFunctionIsACallback) {
  ThreadPool pool(1);
  pool.apply_async([] { return 3; }, std::tuple(), {.callback = tell}).get();
  EXPECT_EQ(told_value, 3);
}

TEST(KeptResults, AnyIntegralTypeIsASize) {
  ThreadPool pool(char{1});
  ThreadPool another(true);
  EXPECT_EQ(pool.size(), 1U);
  EXPECT_EQ(another.size(), 1U);
  const auto identity = [](int x) { return x; };
  const std::vector items{1, 2, 3};
  EXPECT_EQ(pool.map(identity, items, char{2}), items);
  EXPECT_EQ(pool.map(identity, items, true), items);
  EXPECT_EQ(pool.map(identity, items, u'\2'), items);
  EXPECT_EQ(pool.map(identity, items, U'\2'), items);
  EXPECT_EQ(pool.map_async(identity, items, L'\2').get(), items);
  EXPECT_EQ(pool.imap(identity, items, u8'\2').next(), 1);
  EXPECT_THROW(pool.map(identity, items, false), ValueError);
  const signed char negative = -1;
  EXPECT_THROW(ThreadPool{negative}, ValueError);
}

#if MILLPOND_HAS_STOP_TOKEN
TEST(KeptResults, AMapGivesEachCallATokenThatIsNotItsOwnToTake) {
  ThreadPool pool(2);
  const auto f = [](const std::stop_token& token, int x) { return token.stop_possible() ? x : 0; };
  EXPECT_EQ(pool.map(f, {1, 2, 3}), (std::vector{1, 2, 3}));
}
#endif

}  // namespace
}  // namespace millpond::test
