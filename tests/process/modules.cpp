// SPDX-License-Identifier: MIT
//
// A pool made in one module and used in another. Without an argument the plugin is linked; with one
// it is the plugin's path, to be opened and closed.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "check.hpp"
#include "plugin.hpp"
#include "tests/support/gate.hpp"

#ifdef OPENS_PLUGIN
#include <dlfcn.h>
#endif

namespace {

using millpond::AsyncResult;
using millpond::ThreadPool;

void waits_of_the_plugin_on_our_worker(const Plugin& plugin) {
  ThreadPool pool(1);
  check(pool.apply([&] { return plugin.nested_apply_async(pool); }) == 42, "nested apply_async");
  check(pool.apply([&] { return plugin.nested_apply(pool); }) == 42, "nested apply");
  check(pool.apply([&] { return plugin.nested_map(pool); }) == 42, "nested map");
  check(pool.apply([&] { return plugin.nested_imap(pool); }) == 42, "nested imap");
  check(pool.apply([&] { return plugin.nested_group(pool); }) == 3, "nested group");
  check(pool.apply([&] { return plugin.join_is_refused(pool); }), "join() of the own pool");
}

/// The plugin has had nothing to do with the pool when it is given its results: a thread each time,
/// that has not been in the plugin before.
void waits_of_the_plugin_for_our_results(const Plugin& plugin) {
  const auto on_fresh_worker = [](auto f) {
    ThreadPool pool(1);
    return pool.apply([&] { return f(pool); });
  };
  const auto one = [] { return 1; };
  check(on_fresh_worker([&](ThreadPool& pool) { return plugin.get(pool.apply_async(one)); }) == 1,
        "get() of a result that was issued here");
  check(on_fresh_worker([&](ThreadPool& pool) {
          return plugin.get_first(pool.apply_async(one), pool.apply_async(one));
        }) == 1,
        "a group of results that were issued here");
  check(on_fresh_worker([&](ThreadPool& pool) {
          return pool.apply([&] { return plugin.later(pool, 5); }).get();
        }) == 5,
        "get() of a result that was issued there");
}

/// What dies when a job is given up waits for another job that is.
struct WaitsInDestructor {
  const Plugin* plugin;
  AsyncResult<int> awaited;
  bool* ended;
  WaitsInDestructor(const Plugin* its_plugin, AsyncResult<int> result, bool* its_end)
      : plugin(its_plugin), awaited(std::move(result)), ended(its_end) {}
  WaitsInDestructor(WaitsInDestructor&&) = default;
  ~WaitsInDestructor() {
    if (!awaited.valid()) return;
    try {
      plugin->get(awaited);
    } catch (const std::exception&) {
      *ended = true;
    }
  }
};

void giving_up(const Plugin& plugin) {
  ThreadPool pool(1);
  millpond::test::Gate started;
  millpond::test::Gate finish;
  const auto running = pool.apply_async([&] {
    started.open();
    finish.wait();
  });
  started.wait();
  const auto queued = plugin.later(pool, 1);
  bool ended = false;
  auto last = std::make_shared<AsyncResult<int>>();
  auto destroyed = pool.apply_async(
      [waits = std::make_unique<WaitsInDestructor>(&plugin, queued, &ended)] { return 0; });
  plugin.terminate(pool);
  check(ended, "a destructor that waits while the other module terminates");
  try {
    queued.get();
    check(false, "a result that was given up there");
  } catch (const std::runtime_error& error) {
    check(std::string(error.what()) == "Pool terminated", "the error of one that was given up");
  }
  finish.open();
  running.wait();
}

void index(const Plugin& plugin) {
  ThreadPool pool(1);
  check(plugin.index_in_task(pool).get() == 0U, "index() in the plugin's own task");
  check(pool.apply([&] {
    plugin.later(pool, 1);
    return plugin.index();
  }) == 0U,
        "index() where the plugin has to do with the pool");
  if (UNIFIES) {
    ThreadPool fresh(1);
    check(fresh.apply([&] { return plugin.index(); }) == 0U, "index() anywhere in the plugin");
  }
  check(!plugin.index().has_value(), "index() on no worker");
  const std::unique_ptr<ThreadPool, void (*)(ThreadPool*)> theirs(plugin.make_pool(),
                                                                  plugin.destroy_pool);
  check(theirs->apply_async([] { return millpond::this_worker::index(); }).get() == 0U,
        "index() on a worker that was started there");
  check(theirs->apply([&] { return theirs->apply_async([] { return 1; }).get(); }) == 1,
        "a nested wait on a worker that was started there");
}

void callbacks(const Plugin& plugin) {
  std::atomic<int> reported{0};
  ThreadPool pool({.processes = 1, .on_unobserved_error = [&](auto) { ++reported; }});
  check(plugin.callback_that_waits(pool) == 3, "a callback that waits in the other module");
  millpond::test::Gate start;
  const auto result = pool.apply_async([&] {
    start.wait();
    return 1;
  });
  plugin.add_done_callback_that_throws(result);
  start.open();
  pool.close();
  pool.join();
  check(reported == 1, "what a done-callback of the other module throws is reported");
}

void errors(const Plugin& plugin) {
  if (!UNIFIES_TYPES) return;
  try {
    plugin.throw_timeout_error();
  } catch (const millpond::TimeoutError&) {
    check(plugin.catches_timeout_error([] { throw millpond::TimeoutError("from here"); }),
          "a TimeoutError from here, caught there");
    return;
  } catch (...) {
  }
  check(false, "a TimeoutError from there, caught here");
}

void test(const Plugin& plugin) {
  waits_of_the_plugin_on_our_worker(plugin);
  waits_of_the_plugin_for_our_results(plugin);
  giving_up(plugin);
  index(plugin);
  callbacks(plugin);
  errors(plugin);
  check(plugin.sum_up_to(1000) == 500500, "a pool of its own");
}

}  // namespace

#ifdef OPENS_PLUGIN
int main(int, char** arguments) {
  for (int round = 0; round != 3; ++round) {
    void* const library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      std::cerr << dlerror() << '\n';
      return 1;
    }
    const auto get =
        reinterpret_cast<decltype(&millpond_test_plugin)>(dlsym(library, "millpond_test_plugin"));
    // On a thread of its own, which is to end without what the plugin has left on it.
    std::thread(test, std::cref(*get())).join();
    test(*get());
    check(dlclose(library) == 0, "dlclose()");
    // Ours works on, with memory, threads and handlers that may be those of the closed one.
    ThreadPool pool(2);
    check(pool.map([](int x) { return x; }, {1, 2, 3}).size() == 3, "a pool after dlclose()");
  }
  return failures;
}
#else
int main() {
  test(*millpond_test_plugin());
  return failures;
}
#endif
