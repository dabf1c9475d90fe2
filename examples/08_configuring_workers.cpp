// SPDX-License-Identifier: MIT
//
// docs/guide/configuring.md: how many workers, what each of them starts with, what they are called.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <fstream>
#include <latch>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"

void how_many() {
  // snippet: how many
  millpond::ThreadPool computing;    // cpu_count() workers
  millpond::ThreadPool waiting(64);  // 64 things to wait for at the same time
  // snippet end
  check(computing.size() == millpond::cpu_count() && waiting.size() == 64, "two sizes of pools");

  std::string message;
  // snippet: refused
  try {
    millpond::ThreadPool none(0);
  } catch (const millpond::ValueError& e) {
    message = e.what();  // "Number of processes must be at least 1"
  }
  // snippet end
  check(message == "Number of processes must be at least 1", "a pool has at least one worker");
}

void all_at_once() {
  // snippet: waiting
  std::latch all_have_asked(64);
  millpond::ThreadPool pool(64);
  const auto ask = [&](int page) {
    all_have_asked.arrive_and_wait();  // stands for the network: no CPU is used meanwhile
    return page;
  };
  const auto answers = pool.map(ask, std::views::iota(0, 64), 1);  // all 64 wait together
  // snippet end
  check(answers.size() == 64 && answers.back() == 63, "64 tasks wait at the same time");
}

void two_pools() {
  const std::vector<std::string> addresses{"a", "b", "c"};
  const auto download = [](const std::string& address) { return address + " and more"; };
  const auto count_letters = [](const std::string& text) { return text.size(); };
  std::size_t letters = 0;
  // snippet: two pools
  millpond::ThreadPool network(32);  // waits
  millpond::ThreadPool processors;   // computes
  auto pages = network.imap(download, addresses);
  for (std::size_t n : processors.imap(count_letters, std::move(pages))) letters += n;
  // snippet end
  check(letters == 30, "a pool for each kind of work");
}

// snippet: connection
class Connection {
 public:
  explicit Connection(const std::string& host) : host_(host) {
    if (host.empty()) throw std::invalid_argument("no host");
  }
  std::string get(int page) { return host_ + '/' + std::to_string(page); }

 private:
  std::string host_;
};

thread_local std::unique_ptr<Connection> connection;  // one for each worker

void connect(const std::string& host) { connection = std::make_unique<Connection>(host); }

std::string fetch(int page) { return connection->get(page); }
// snippet end

void initializer() {
  // snippet: initializer
  millpond::ThreadPool pool(3, connect, "example.org");  // connect("example.org") in each worker
  const auto pages = pool.map(fetch, {1, 2});            // {"example.org/1", "example.org/2"}
  // snippet end
  check(pages == std::vector<std::string>{"example.org/1", "example.org/2"},
        "every worker has a connection");
}

void initializer_in_options() {
  const std::string host = "example.org";
  // snippet: options
  millpond::ThreadPool pool(
      {.processes = 3, .initializer = [&host] { connect(host); }, .thread_name_prefix = "web"});
  // snippet end
  check(pool.apply(fetch, 7) == "example.org/7", "an initializer among other options");
}

void state_by_index() {
  // snippet: by index
  millpond::ThreadPool pool(4);
  std::vector<std::mt19937> generators;
  for (unsigned seed = 0; seed < pool.size(); ++seed) generators.emplace_back(seed);

  const auto throw_die = [&](int) {
    std::mt19937& mine = generators[*millpond::this_worker::index()];  // nobody else's: no lock
    return std::uniform_int_distribution(1, 6)(mine);
  };
  const auto throws = pool.map(throw_die, std::views::iota(0, 1000));
  // snippet end
  check(throws.size() == 1000 && std::ranges::min(throws) >= 1 && std::ranges::max(throws) <= 6,
        "a random generator for each worker");
}

void initializer_fails() {
  std::string what;
  // snippet: failing initializer
  try {
    millpond::ThreadPool pool(3, connect, "");
    pool.map(fetch, {1, 2});
  } catch (const std::invalid_argument& e) {
    what = e.what();  // "no host", out of the constructor: there is no pool
  }
  // snippet end
  check(what == "no host", "the constructor throws the initializer's exception");
}

void names() {
  // snippet: names
  millpond::ThreadPool pool({.processes = 2, .thread_name_prefix = "io"});  // "io-0" and "io-1"
  // snippet end

  // Linux tells a thread its name in a file.
  const std::string name = pool.apply([] {
    std::string line;
    std::getline(std::ifstream("/proc/thread-self/comm") >> std::ws, line);
    return line;
  });
  check(name.empty() || name == "io-0" || name == "io-1", "the name of a worker");
}

void unobserved_errors() {
  // snippet: unobserved
  std::mutex mutex;
  std::vector<std::string> log;
  const auto write_to_log = [&](std::exception_ptr error) {
    const std::lock_guard lock(mutex);  // workers may fail at the same time
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      log.push_back(e.what());
    } catch (...) {
      log.push_back("not a std::exception");
    }
  };
  millpond::ThreadPool pool({.processes = 2, .on_unobserved_error = write_to_log});
  pool.apply_async([] { throw std::runtime_error("disk full"); });  // nobody keeps the result
  pool.apply_async([] { throw 42; });
  pool.close();
  pool.join();  // both errors are in the log
  // snippet end
  std::ranges::sort(log);
  check(log == std::vector<std::string>{"disk full", "not a std::exception"},
        "errors that nobody looked at");
}

int main() {
  how_many();
  all_at_once();
  two_pools();
  initializer();
  initializer_in_options();
  state_by_index();
  initializer_fails();
  names();
  unobserved_errors();
}
