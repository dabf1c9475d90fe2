// SPDX-License-Identifier: MIT
//
// this_worker::index(): who runs this.
#include <millpond/millpond.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/gate.hpp"
#include "../support/generated.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

static_assert(noexcept(this_worker::index()));
static_assert(std::is_same_v<decltype(this_worker::index()), std::optional<std::size_t>>);

using Index = std::optional<std::size_t>;

class ThisWorker : public WithWorkers {
 protected:
  ThreadPool pool_{workers()};
};

INSTANTIATE_TEST_SUITE_P(Workers, ThisWorker, worker_counts(), ::testing::PrintToStringParamName());

TEST_P(ThisWorker, IsNoneOnThreadsThatAreNoPools) {
  EXPECT_EQ(this_worker::index(), std::nullopt);
  Index elsewhere = 0;
  std::thread([&] { elsewhere = this_worker::index(); }).join();
  EXPECT_EQ(elsewhere, std::nullopt);
  // Nor does waiting for the pool's work make a thread a worker.
  EXPECT_TRUE(pool_.apply(this_worker::index).has_value());
  EXPECT_EQ(this_worker::index(), std::nullopt);
}

TEST_P(ThisWorker, StaysTheSameInAndAfterWorkThatTheWorkerRunsWhileItWaits) {
  BusyWorkers busy(pool_, pool_.size() - 1);
  const auto outer = pool_.apply_async([this] {
    // Nobody else is free: the waiting worker runs these itself.
    std::vector<Index> seen{this_worker::index()};
    seen.push_back(pool_.apply(this_worker::index));
    seen.push_back(pool_.apply_async(this_worker::index).get());
    const std::vector<Index> mapped =
        pool_.map([](int) { return this_worker::index(); }, std::vector{1, 2});
    seen.insert(seen.end(), mapped.begin(), mapped.end());
    auto iterator = pool_.imap([](int) { return this_worker::index(); }, std::vector{1});
    seen.push_back(*iterator.next());
    seen.push_back(this_worker::index());
    return seen;
  });
  const std::vector<Index>& seen = outer.get();
  EXPECT_TRUE(seen.front().has_value());
  for (const Index& index : seen) EXPECT_EQ(index, seen.front());
}

TEST_P(ThisWorker, IsKnownWhereACallableIsDestroyed) {
  struct Captured {
    explicit Captured(Index* seen) : seen_in_destructor(seen) {}
    Captured(Captured&& other) noexcept
        : seen_in_destructor(std::exchange(other.seen_in_destructor, nullptr)) {}
    Captured(const Captured&) = delete;
    Captured& operator=(const Captured&) = delete;
    Captured& operator=(Captured&&) = delete;
    ~Captured() {
      if (seen_in_destructor != nullptr) *seen_in_destructor = this_worker::index();
    }
    Index* seen_in_destructor;
  };
  Index in_destructor;
  const auto in_task =
      pool_.apply_async([captured = Captured(&in_destructor)] { return this_worker::index(); });
  in_task.wait();
  EXPECT_TRUE(in_destructor.has_value());
  EXPECT_EQ(in_destructor, in_task.get());
}

TEST_P(ThisWorker, IsKnownWhereAnImapReadsItsInput) {
  Generated<Index> input([left = 20]() mutable -> std::optional<Index> {
    if (left-- == 0) return std::nullopt;
    return this_worker::index();
  });
  int read = 0;
  for (const Index& reader : pool_.imap([](Index index) { return index; }, std::move(input))) {
    ASSERT_TRUE(reader.has_value());
    EXPECT_LT(*reader, pool_.size());
    ++read;
  }
  EXPECT_EQ(read, 20);
}

TEST_P(ThisWorker, OutlivesAPoolThatIsDroppedInATask) {
  Gate ended;
  Index before;
  Index after;
  auto pool = std::make_unique<ThreadPool>(workers());
  ThreadPool& plain = *pool;
  plain.apply_async([&, owned = std::move(pool)]() mutable {
    before = this_worker::index();
    owned.reset();
    after = this_worker::index();
    ended.open();
  });
  ended.wait();
  EXPECT_TRUE(before.has_value());
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace millpond::test
