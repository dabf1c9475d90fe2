// SPDX-License-Identifier: MIT
//
// The calls over many items that test::Mix has not: unpacked items, outputs of the caller's, inputs
// that fail or never end, several readers, timeouts, sizes that are refused.
#ifndef MILLPOND_TESTS_NOISE_MAPS_HPP
#define MILLPOND_TESTS_NOISE_MAPS_HPP

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "../support/faults.hpp"
#include "../support/generated.hpp"
#include "../support/instance_counter.hpp"
#include "../support/mix.hpp"
#include "../support/steps.hpp"
#include "../support/stress.hpp"

namespace millpond::noise {

using test::Boom;
using test::Counted;
using test::exposed;
using test::kOutside;
using test::Random;
using test::SayWhen;
using test::Sheltered;
using test::Step;

// What a callback throws.
struct Rude : std::runtime_error {
  Rude() : std::runtime_error("rude") {}
};

template <class Order>
class Maps : public test::Mix<Order> {
  using Base = test::Mix<Order>;

 public:
  using Base::Base;

 protected:
  using Base::any_throws;
  using Base::counter_;
  using Base::expect_value;
  using Base::expect_values;
  using Base::faults_;
  using Base::function;
  using Base::issue;
  using Base::keep;
  using Base::new_ids;
  using Base::new_items;
  using Base::pool_;
  using Base::ran;
  using Base::task;
  using Base::throws;

  // Options of a kind, now and then with a priority.
  template <class Options>
  static Options urgent(Options options, Random& random) {
    if constexpr (requires { options.priority; }) options.priority = random.between(-1, 1);
    return options;
  }

  // A call that yields `items`, or whose error one of them is.
  template <class Call>
  void expect_map(const std::vector<int>& items, Call call) {
    try {
      expect_values(exposed(call), items);
      EXPECT_FALSE(any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    }
  }

  void starmap(Random& random, int depth, int parent) {
    const Step step("starmap");
    const std::vector<int> items = new_items(random);
    std::vector<std::pair<int, int>> pairs;
    for (const int id : items) pairs.emplace_back(id, -id);
    const auto f = [one = function(random, depth, parent)](int id, int minus) {
      EXPECT_EQ(minus, -id);
      return one(id);
    };
    const int size = random.between(1, 3);
    switch (random.between(0, 3)) {
      case 0:
        return expect_map(items, [&] { return pool_.starmap(f, pairs, size); });
      case 1: {
        const auto result = exposed([&] { return pool_.starmap_async(f, pairs, size); });
        keep(result);
        return expect_map(items, [&] { return result.get(); });
      }
      case 2: {
        auto results = exposed([&] { return pool_.istarmap(f, pairs, size); });
        return expect_items(results, items, true);
      }
      default: {
        auto results = exposed([&] { return pool_.istarmap_unordered(f, pairs); });
        return expect_items(results, items, false);
      }
    }
  }

  // Reads to the end.
  void expect_items(ImapIterator<int>& results, std::vector<int> items, bool ordered) {
    std::vector<int> values;
    const std::size_t booms = read(results, values);
    EXPECT_EQ(values.size() + booms, items.size());
    std::erase_if(items, throws);
    if (!ordered) std::sort(values.begin(), values.end());
    EXPECT_EQ(values, items);
  }

  // Appends what this reader gets to `values` and returns how many failed.
  static std::size_t read(ImapIterator<int>& results, std::vector<int>& values) {
    std::size_t booms = 0;
    for (;;) {
      try {
        const std::optional<int> value = exposed([&] { return results.next(); });
        if (!value) return booms;
        values.push_back(*value);
      } catch (const Boom&) {
        ++booms;
      }
    }
  }

  void map_into(Random& random, int depth, int parent) {
    const Step step("map_into");
    const std::vector<int> items = new_items(random);
    std::vector<int> out(items.size(), -1);
    const auto f = function(random, depth, parent);
    const auto options =
        urgent(BlockingMapOptions<Order>{.chunksize = random.between(1, 3)}, random);
    expect_map(items, [&] {
      pool_.map_into(out, f, items, options);
      return out;
    });
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_TRUE(out[i] == items[i] || out[i] == -1);
    }
  }

  template <class Call>
  static void expect_refused(const std::string& sentence, Call call) {
    try {
      call();
      ADD_FAILURE() << "not refused: " << sentence;
    } catch (const ValueError& error) {
      if (error.what() != std::string("Pool not running")) {
        EXPECT_EQ(error.what(), sentence);
      }
    }
  }

  void wrong_sizes(Random& random) {
    const Step step("wrong sizes");
    const std::vector<int> items(3);
    const auto never = [](int item) {
      ADD_FAILURE() << "a task of a call that was refused";
      return item;
    };
    const int size = random.between(-1, 0);
    const std::string chunks = "Chunksize must be 1+, not " + std::to_string(size);
    expect_refused(chunks, [&] { pool_.map(never, items, size); });
    expect_refused(chunks, [&] { pool_.map_async(never, items, size); });
    expect_refused(chunks, [&] { pool_.imap(never, items, size); });
    expect_refused("Buffersize must be 1+, not " + std::to_string(size), [&] {
      pool_.imap_unordered(never, items, {.chunksize = 1, .buffersize = size});
    });
  }

  void imap_of_failing_input(Random& random, int depth, int parent) {
    const Step step("imap of failing input");
    const int count = random.between(0, 6);
    const int first = new_ids(count);
    const auto f = [one = function(random, depth, parent), first](int i) { return one(first + i); };
    const auto options = urgent(BasicImapOptions<Order>{.chunksize = random.between(1, 3)}, random);
    auto input = test::counting_until_throw(count);
    ImapIterator<int> results = exposed([&] { return pool_.imap(f, std::move(input), options); });
    for (int i = 0; i <= count; ++i) {
      try {
        const std::optional<int> value = exposed([&] { return results.next(); });
        EXPECT_EQ(value, std::optional<int>(first + i));
        EXPECT_LT(i, count);
      } catch (const Boom&) {
        EXPECT_TRUE(throws(first + i) && i < count);
      } catch (const SayWhen&) {
        EXPECT_EQ(i, count);
      }
    }
    EXPECT_EQ(exposed([&] { return results.next(); }), std::nullopt);
  }

  void imap_of_infinite_input(Random& random, int depth, int parent) {
    const Step step("imap of infinite input");
    // Its items have numbers as they are read, as long as there are any.
    const auto f = [one = function(random, depth, parent)](int id) {
      const Sheltered sheltered;
      return id < 0 ? id : one(id);
    };
    test::Generated<int> input([this, token = Counted(counter_)]() -> std::optional<int> {
      const Sheltered sheltered;
      return this->has_room() ? new_ids(1) : -1;
    });
    const bool ordered = random.one_in(2);
    const auto options =
        urgent(BasicImapOptions<Order>{.buffersize = random.between(1, 4)}, random);
    ImapIterator<int> results = exposed([&] {
      return ordered ? pool_.imap(f, std::move(input), options)
                     : pool_.imap_unordered(f, std::move(input), options);
    });
    int before = -1;
    for (int reads = random.between(0, 8); reads > 0; --reads) {
      try {
        const std::optional<int> value = exposed([&] { return results.next(); });
        if (!value) {
          ADD_FAILURE() << "an end without TerminatedError";
          return;
        }
        if (*value < 0) continue;
        EXPECT_EQ(ran(*value), 1);
        if (ordered) {
          EXPECT_GT(*value, before);
        }
        before = *value;
      } catch (const Boom&) {
      }
    }
  }

  void several_readers(Random& random, int depth) {
    const Step step("several readers");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, kOutside);
    ImapIterator<int> results = exposed(
        [&] { return pool_.imap_unordered(f, items, {.buffersize = random.between(1, 3)}); });
    std::mutex mutex;
    std::vector<int> values;
    std::size_t booms = 0;
    bool broken = false;  // terminated, or without memory
    const auto reader = [&] {
      const Step inner("a reader");
      std::vector<int> mine;
      std::size_t my_booms = 0;
      bool ended = false;
      while (!ended) {
        try {
          my_booms += read(results, mine);
          ended = true;
        } catch (const TerminatedError&) {
          const std::lock_guard lock(mutex);
          broken = true;
        } catch (const std::bad_alloc&) {
          const std::lock_guard lock(mutex);
          EXPECT_TRUE(faults_);
          broken = true;
        }
      }
      const std::lock_guard lock(mutex);
      values.insert(values.end(), mine.begin(), mine.end());
      booms += my_booms;
    };
    std::vector<std::thread> threads;
    for (int i = random.between(1, 2); i > 0; --i) threads.emplace_back(reader);
    reader();
    for (std::thread& thread : threads) thread.join();
    std::sort(values.begin(), values.end());
    EXPECT_EQ(std::adjacent_find(values.begin(), values.end()), values.end());
    if (!broken) {
      EXPECT_EQ(values.size() + booms, items.size());
    }
  }

  // One of which throws, perhaps.
  void map_with_callbacks(Random& random, int depth, int parent) {
    const Step step("map_async with callbacks");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, parent);
    const bool rude = random.one_in(4);
    const auto calls = std::make_shared<std::atomic<int>>(0);
    auto options = urgent(MapOptions<int, Order>{.chunksize = random.between(1, 3)}, random);
    options.callback = [calls, rude, items, token = Counted(counter_)](const auto& values) {
      const Sheltered sheltered;
      EXPECT_EQ(values, items);
      ++*calls;
      if (rude) throw Rude();
    };
    options.error_callback = [calls, token = Counted(counter_)](const std::exception_ptr& error) {
      const Sheltered sheltered;
      EXPECT_TRUE(error != nullptr);
      ++*calls;
    };
    const auto result = exposed([&] { return pool_.map_async(f, items, std::move(options)); });
    keep(result);
    if (random.one_in(3)) return;
    try {
      expect_values(exposed([&] { return result.get(); }), items);
      EXPECT_FALSE(rude || any_throws(items));
    } catch (const Boom&) {
      EXPECT_TRUE(any_throws(items));
    } catch (const Rude&) {
      EXPECT_TRUE(rude && !any_throws(items));
    }
    EXPECT_EQ(*calls, 1);
  }

  void timed_imap(Random& random, int depth, int parent) {
    const Step step("imap with timeouts");
    const std::vector<int> items = new_items(random);
    const auto f = function(random, depth, parent);
    const auto options = urgent(BasicImapOptions<Order>{.chunksize = random.between(1, 3)}, random);
    ImapIterator<int> results = exposed([&] { return pool_.imap(f, items, options); });
    std::size_t at = 0;
    for (;;) {
      const std::chrono::microseconds timeout(random.between(-1, 50));
      try {
        const std::optional<int> value = exposed([&] { return results.next(timeout); });
        if (!value) break;
        ASSERT_LT(at, items.size());
        EXPECT_EQ(*value, items[at++]);
      } catch (const Boom&) {
        ASSERT_LT(at, items.size());
        EXPECT_TRUE(throws(items[at++]));
      } catch (const TimeoutError&) {
        // A task that only looks keeps a worker from what it looks for.
        if (parent != kOutside) {
          return;
        }
      }
    }
    EXPECT_EQ(at, items.size());
  }
};

}  // namespace millpond::noise

#endif  // MILLPOND_TESTS_NOISE_MAPS_HPP
