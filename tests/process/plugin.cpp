// SPDX-License-Identifier: MIT
#include "plugin.hpp"

#include <chrono>
#include <stdexcept>
#include <tuple>
#include <vector>

namespace {

using millpond::AsyncResult;
using millpond::ThreadPool;

int nested_apply_async(ThreadPool& pool) {
  return pool.apply_async([] { return 41; }).get() + 1;
}

int nested_apply(ThreadPool& pool) {
  return pool.apply([&pool] { return pool.apply([] { return 42; }); });
}

int nested_map(ThreadPool& pool) {
  int sum = 0;
  for (const int x : pool.map([](int i) { return 2 * i; }, {6, 7, 8})) sum += x;
  return sum;
}

int nested_imap(ThreadPool& pool) {
  int sum = 0;
  for (const int x : pool.imap([](int i) { return 2 * i; }, {6, 7, 8})) sum += x;
  return sum;
}

int nested_group(ThreadPool& pool) {
  const std::vector results{pool.apply_async([] { return 1; }), pool.apply_async([] { return 2; })};
  const auto [done, not_done] = millpond::wait(results, millpond::ReturnWhen::first_completed);
  int sum = 0;
  for (const AsyncResult<int>& result : millpond::as_completed(results)) sum += result.get();
  return not_done.size() < 2 ? sum : 0;
}

bool join_is_refused(ThreadPool& pool) {
  try {
    pool.join();
  } catch (const millpond::ValueError& error) {
    return std::string(error.what()) == "A pool cannot be joined from one of its own threads";
  }
  return false;
}

int get(const AsyncResult<int>& result) { return result.get(); }

int get_first(const AsyncResult<int>& a, const AsyncResult<int>& b) {
  return millpond::wait({a, b}, millpond::ReturnWhen::first_completed).done.front().get();
}

AsyncResult<std::optional<std::size_t>> index_in_task(ThreadPool& pool) {
  return pool.apply_async([] { return millpond::this_worker::index(); });
}

AsyncResult<int> later(ThreadPool& pool, int x) {
  return pool.apply_async([](int y) { return y; }, x);
}

int callback_that_waits(ThreadPool& pool) {
  int told = 0;
  const auto result = pool.apply_async(
      [] { return 1; }, std::tuple(), {.callback = [&](int x) {
        told = x + pool.apply_async([] { return 2; }, std::tuple(), {.callback = [](int) {}}).get();
      }});
  result.wait();
  return told;
}

void add_done_callback_that_throws(const AsyncResult<int>& result) {
  result.add_done_callback(
      [](const AsyncResult<int>&) { throw std::runtime_error("done-callback"); });
}

std::optional<std::size_t> index() { return millpond::this_worker::index(); }

void throw_timeout_error() { throw millpond::TimeoutError("from the plugin"); }

bool catches_timeout_error(void (*thrower)()) {
  try {
    thrower();
  } catch (const millpond::TimeoutError&) {
    return true;
  } catch (...) {
  }
  return false;
}

void terminate(ThreadPool& pool) { pool.terminate(); }

ThreadPool* make_pool() { return new ThreadPool(1); }
void destroy_pool(ThreadPool* pool) { delete pool; }

int sum_up_to(int n) {
  ThreadPool pool(2);
  int sum = 0;
  for (int round = 0; round != 3; ++round) {
    std::vector<AsyncResult<int>> results;
    for (int i = 1; i <= n; ++i) results.push_back(later(pool, i));
    sum = 0;
    for (const AsyncResult<int>& result : results) sum += result.get();
  }
  pool.close();
  pool.join();
  return sum;
}

constexpr Plugin kPlugin{
    .nested_apply_async = nested_apply_async,
    .nested_apply = nested_apply,
    .nested_map = nested_map,
    .nested_imap = nested_imap,
    .nested_group = nested_group,
    .join_is_refused = join_is_refused,
    .get = get,
    .get_first = get_first,
    .index_in_task = index_in_task,
    .later = later,
    .callback_that_waits = callback_that_waits,
    .add_done_callback_that_throws = add_done_callback_that_throws,
    .index = index,
    .throw_timeout_error = throw_timeout_error,
    .catches_timeout_error = catches_timeout_error,
    .terminate = terminate,
    .make_pool = make_pool,
    .destroy_pool = destroy_pool,
    .sum_up_to = sum_up_to,
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const Plugin* millpond_test_plugin() {
  return &kPlugin;
}
