// SPDX-License-Identifier: MIT
//
// Runs programs (generate.py), read from stdin, on millpond::ThreadPool: a line for each call's
// outcome, in the words of on_cpython.py.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "../support/gate.hpp"
#include "../support/generated.hpp"

namespace {

using millpond::AsyncResult;
using millpond::ImapIterator;
using millpond::ThreadPool;
using Words = std::vector<std::string>;

struct Mine : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() { gate_->open(); }

  bool has_pool() const { return pool_ != nullptr; }

  std::string run(const Words& words) {
    return outcome([&] { return call(words.at(0), words); });
  }

 private:
  using Single = AsyncResult<int>;
  using Map = AsyncResult<std::vector<int>>;
  struct Items {
    std::shared_ptr<ImapIterator<int>> iterator;
    bool ordered;
  };
  using Object = std::variant<Single, Map, Items>;

  // ---- The functions ----

  std::function<int(int)> function(const std::string& name) {
    return [this, name](int x) {
      ++calls_;
      const std::string number = std::to_string(x);
      if (name == "odd_fails" && x % 2 == 1) throw Mine("odd " + number);
      if (name == "fails") throw Mine("fails " + number);
      if (name == "value_error") throw millpond::ValueError("mine " + number);
      if (name == "nested") return pool_->apply(function("square"), x) + 1;
      return x * x;
    };
  }
  std::function<int(int, int)> function_of_two(const std::string& name) {
    return [f = function(name)](int x, int minus) {
      if (minus != -x) throw Mine("not unpacked");
      return f(x);
    };
  }

  static millpond::test::Generated<int> failing(int count) {
    return millpond::test::Generated<int>([next = 0, count]() mutable -> std::optional<int> {
      if (next == count) throw Mine("input");
      return next++;
    });
  }

  // ---- Outcomes ----

  std::string of_error(const std::exception_ptr& error, bool of_map = false) {
    const std::string any = of_map && pool_ && pool_->size() > 1 ? "..." : "";  // which is first?
    try {
      std::rethrow_exception(error);
    } catch (const Mine& e) {
      return "Mine " + (any.empty() ? e.what() : any);
    } catch (const millpond::ValueError& e) {
      const std::string text = e.what();
      if (text.ends_with("not ready")) return "ValueError not ready";
      return "ValueError " + (any.empty() || text.find("mine") == text.npos ? text : any);
    } catch (const millpond::TimeoutError&) {
      return "TimeoutError";
    } catch (const millpond::TerminatedError&) {
      return "TerminatedError";
    } catch (const std::exception& e) {
      return std::string("unexpected ") + e.what();
    }
  }

  template <class Call>
  std::string outcome(Call call, bool of_map = false) {
    try {
      return call();
    } catch (...) {
      return of_error(std::current_exception(), of_map);
    }
  }

  static std::string of_value(int value) { return "value " + std::to_string(value); }
  static std::string of_value(const std::vector<int>& values) {
    std::string text = "list";
    for (const int value : values) text += " " + std::to_string(value);
    return text;
  }
  static std::string of_value(const std::optional<int>& value) {
    return value ? of_value(*value) : "end";
  }
  static std::string of_value(bool value) { return value ? "True" : "False"; }

  void tell(const std::string& text) {
    const std::lock_guard lock(mutex_);
    told_.push_back("[" + text + "]");
  }
  template <class Options>
  Options callbacks(const std::string& wanted, bool of_map, Options options = {}) {
    if (wanted == "none") return options;
    options.callback = [this](const auto& value) { tell(of_value(value)); };
    options.error_callback = [this, of_map](const std::exception_ptr& error) {
      tell(of_error(error, of_map));
    };
    return options;
  }

  // ---- Calls ----

  static std::optional<std::ptrdiff_t> chunksize(const std::string& word) {
    if (word == "-") return std::nullopt;
    return std::stol(word);
  }
  static std::vector<int> range(const std::string& count) {
    const auto numbers = std::views::iota(0, std::stoi(count));
    return {numbers.begin(), numbers.end()};
  }
  static std::vector<std::pair<int, int>> pairs(const std::string& count) {
    std::vector<std::pair<int, int>> result;
    for (const int x : range(count)) result.emplace_back(x, -x);
    return result;
  }

  std::string keep(const std::string& name, Object object) {
    objects_.insert_or_assign(name, std::move(object));
    return "ok";
  }

  std::string call(const std::string& kind, const Words& words) {
    if (kind == "pool") {
      pool_ = std::make_unique<ThreadPool>(
          millpond::PoolOptions{.processes = std::stol(words.at(1)),
                                .on_unobserved_error = [](const std::exception_ptr&) {}});
      return "ok";
    }
    if (kind == "apply") {
      return of_value(pool_->apply(function(words.at(1)), std::stoi(words.at(2))));
    }
    if (kind == "map" || kind == "starmap" || kind == "map_bad") {
      return blocking_map(kind, words.at(1), words.at(2), {.chunksize = chunksize(words.at(3))});
    }
    if (kind == "apply_async") {
      using Options = millpond::ApplyOptions<int>;
      return keep(words.at(1),
                  pool_->apply_async(function(words.at(2)), std::tuple(std::stoi(words.at(3))),
                                     callbacks<Options>(words.at(4), false)));
    }
    if (kind == "map_async" || kind == "starmap_async") {
      const auto options = callbacks<millpond::MapOptions<int>>(
          words.at(5), true, {.chunksize = chunksize(words.at(4))});
      if (kind == "map_async") {
        return keep(words.at(1),
                    pool_->map_async(function(words.at(2)), range(words.at(3)), options));
      }
      return keep(words.at(1),
                  pool_->starmap_async(function_of_two(words.at(2)), pairs(words.at(3)), options));
    }
    if (kind.starts_with("imap")) return imap(kind, words);
    if (kind == "hold") {
      const auto started = std::make_shared<millpond::test::Gate>();
      auto result = pool_->apply_async([started, gate = gate_] {
        started->open();
        gate->wait();
        return 42;
      });
      started->wait();
      return keep(words.at(1), std::move(result));
    }
    if (kind == "open") {
      std::exchange(gate_, std::make_shared<millpond::test::Gate>())->open();
      return "ok";
    }
    if (kind == "close") return pool_->close(), "ok";
    if (kind == "terminate") return pool_->terminate(), "ok";
    if (kind == "join") return pool_->join(), "ok";
    if (kind == "state") {
      const std::string text = pool_->to_string();
      return text.substr(text.find(' ') + 1);
    }
    if (kind == "callbacks") return what_was_told();
    if (kind == "calls") return std::to_string(calls_);
    return use(kind, words.at(1));
  }

  std::string blocking_map(const std::string& kind, const std::string& f, const std::string& count,
                           millpond::BlockingMapOptions<> options) {
    return outcome(
        [&] {
          if (kind == "map") return of_value(pool_->map(function(f), range(count), options));
          if (kind == "map_bad") {
            return of_value(pool_->map(function(f), failing(std::stoi(count)), options));
          }
          return of_value(pool_->starmap(function_of_two(f), pairs(count), options));
        },
        kind != "map_bad");
  }

  std::string imap(const std::string& kind, const Words& words) {
    const auto f = function(words.at(2));
    const millpond::ImapOptions options{.chunksize = chunksize(words.at(4))};
    const auto started = [&] {
      if (kind == "imap_bad") return pool_->imap(f, failing(std::stoi(words.at(3))), options);
      if (kind == "imap") return pool_->imap(f, range(words.at(3)), options);
      return pool_->imap_unordered(f, range(words.at(3)), options);
    };
    return keep(words.at(1),
                Items{std::make_shared<ImapIterator<int>>(started()), kind != "imap_unordered"});
  }

  std::string what_was_told() {
    const std::lock_guard lock(mutex_);
    Words told = told_;
    if (pool_->size() > 1) std::sort(told.begin(), told.end());
    return join(told);
  }
  static std::string join(const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  std::string use(const std::string& kind, const std::string& name) {
    const auto found = objects_.find(name);
    if (found == objects_.end()) return "nothing";
    if (auto* const items = std::get_if<Items>(&found->second)) return read(kind, *items);
    if (auto* const map = std::get_if<Map>(&found->second)) return use_result(kind, *map, true);
    return use_result(kind, std::get<Single>(found->second), false);
  }

  template <class Result>
  std::string use_result(const std::string& kind, const Result& result, bool of_map) {
    return outcome(
        [&]() -> std::string {
          if (kind == "get" || kind == "abandoned") return of_value(result.get());
          if (kind == "poll") return of_value(result.get(std::chrono::seconds(0)));
          if (kind == "ready") return of_value(result.ready());
          if (kind == "successful") return of_value(result.successful());
          result.wait();
          return "ok";
        },
        of_map);
  }

  std::string read(const std::string& kind, const Items& items) {
    const auto next = [&] { return outcome([&] { return of_value(items.iterator->next()); }); };
    if (kind != "drain") return next();
    Words all;
    for (std::string item = next(); item != "end"; item = next()) all.push_back("[" + item + "]");
    if (!items.ordered && pool_->size() > 1) std::sort(all.begin(), all.end());
    all.insert(all.begin(), "items");
    return join(all);
  }

  std::shared_ptr<millpond::test::Gate> gate_ = std::make_shared<millpond::test::Gate>();
  std::atomic<int> calls_{0};
  std::mutex mutex_;
  Words told_;  // guarded by mutex_
  std::unique_ptr<ThreadPool> pool_;
  std::map<std::string, Object> objects_;
};

}  // namespace

int main() {
  auto machine = std::make_unique<Machine>();
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream stream(line);
    Words words;
    for (std::string word; stream >> word;) words.push_back(word);
    if (words.at(0) == "program") {
      machine = std::make_unique<Machine>();
      std::cout << line << std::endl;
    } else if (!machine->has_pool() && words.at(0) != "pool") {
      std::cout << "no pool" << std::endl;
    } else {
      std::cout << machine->run(words) << std::endl;
    }
  }
}
