// SPDX-License-Identifier: MIT
//
// W8: fib(25), each call two tasks, both waited for: nesting to the depth of 25. Pools whose
// workers do not run what they wait for hang here and are left out (Boost.Asio, Eigen,
// BS::thread_pool, CPython);
// std::async would need a quarter of a million threads.

#include <millpond/millpond.hpp>

#include <cstdint>

#include <benchmark/benchmark.h>

#include "support/limit.hpp"
#include "support/tbb_workers.hpp"
#include "support/workload.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/task_group.h>
#endif
#ifdef MILLPOND_BENCH_TASKFLOW
#include <taskflow/taskflow.hpp>
#endif
#ifdef MILLPOND_BENCH_LIBFORK
#include <libfork.hpp>
#endif

namespace {

constexpr int kN = 25;

constexpr std::int64_t fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

// Calls below the first.
constexpr std::int64_t count_tasks(int n) {
  return n < 2 ? 0 : 2 + count_tasks(n - 1) + count_tasks(n - 2);
}

constexpr std::int64_t kFib = 75'025;
constexpr std::int64_t kTasks = 242'784;

// `call` returns fib(kN).
template <class Call>
void measure(benchmark::State& state, Call call) {
  if (!bench::check(state, fib(kN), kFib) || !bench::check(state, count_tasks(kN), kTasks)) {
    return;
  }
  for (auto _ : state) {
    if (!bench::check(state, call(), kFib)) {
      return;
    }
  }
  bench::report_time_a_task(state, kTasks);
}

std::int64_t fib_by_millpond(millpond::ThreadPool& pool, int n) {
  if (n < 2) {
    return n;
  }
  const auto call = [&pool](int m) { return fib_by_millpond(pool, m); };
  const auto a = pool.apply_async(call, n - 1);
  const auto b = pool.apply_async(call, n - 2);
  return a.get() + b.get();
}

void millpond_apply_async(benchmark::State& state) {
  millpond::ThreadPool pool(state.range(1));
  measure(state, [&] { return pool.apply([&] { return fib_by_millpond(pool, kN); }); });
}

#ifdef MILLPOND_BENCH_TBB
std::int64_t fib_by_tbb(int n) {
  if (n < 2) {
    return n;
  }
  std::int64_t a = 0;
  std::int64_t b = 0;
  tbb::task_group group;
  group.run([&] { a = fib_by_tbb(n - 1); });
  group.run([&] { b = fib_by_tbb(n - 2); });
  group.wait();
  return a + b;
}

void tbb_task_group(benchmark::State& state) {
  bench::TbbWorkers workers(static_cast<int>(state.range(1)), bench::TbbCaller::one_of_them);
  measure(state, [&] { return workers.arena().execute([] { return fib_by_tbb(kN); }); });
}
#endif

#ifdef MILLPOND_BENCH_OPENMP
std::int64_t fib_by_openmp(int n) {
  if (n < 2) {
    return n;
  }
  std::int64_t a = 0;
  std::int64_t b = 0;
#pragma omp task shared(a)
  a = fib_by_openmp(n - 1);
#pragma omp task shared(b)
  b = fib_by_openmp(n - 2);
#pragma omp taskwait
  return a + b;
}

void openmp_task(benchmark::State& state) {
  measure(state, [&] {
    std::int64_t result = 0;
#pragma omp parallel num_threads(static_cast<int>(state.range(1)))
#pragma omp single
    result = fib_by_openmp(kN);
    return result;
  });
}
#endif

#ifdef MILLPOND_BENCH_TASKFLOW
std::int64_t fib_by_taskflow(tf::Executor& executor, int n) {
  if (n < 2) {
    return n;
  }
  std::int64_t a = 0;
  std::int64_t b = 0;
  tf::TaskGroup group = executor.task_group();
  group.silent_async([&] { a = fib_by_taskflow(executor, n - 1); });
  group.silent_async([&] { b = fib_by_taskflow(executor, n - 2); });
  group.corun();
  return a + b;
}

void taskflow_task_group(benchmark::State& state) {
  tf::Executor executor(static_cast<std::size_t>(state.range(1)));
  measure(state,
          [&] { return executor.async([&] { return fib_by_taskflow(executor, kN); }).get(); });
}
#endif

#ifdef MILLPOND_BENCH_LIBFORK
// A coroutine that is given itself, which is how libfork's recursion is written.
constexpr auto fib_by_libfork = [](auto self, int n) -> lf::task<std::int64_t> {
  if (n < 2) {
    co_return n;
  }
  std::int64_t a = 0;
  std::int64_t b = 0;
  co_await lf::fork(&a, self)(n - 1);
  co_await lf::fork(&b, self)(n - 2);
  co_await lf::join;
  co_return a + b;
};

// Of libfork's pools the one whose workers sleep when there is nothing to do.
void libfork_fork(benchmark::State& state) {
  lf::lazy_pool pool(static_cast<std::size_t>(state.range(1)));
  measure(state, [&] { return lf::sync_wait(pool, fib_by_libfork, kN); });
}
#endif

// The queue's part of it, for as many tasks, beside the calls themselves.
void limit(benchmark::State& state) {
  measure(state, [] {
    bench::LimitQueue<int> queue;
    std::int64_t sum = 0;
    queue.append(kN);
    for (std::int64_t queued = 1; queued > 0; --queued) {
      const int n = queue.pop();
      if (n < 2) {
        sum += n;
      } else {
        queue.append(n - 1);
        queue.append(n - 2);
        queued += 2;
      }
    }
    return sum;
  });
}

void with_workers(benchmark::internal::Benchmark* benchmark) {
  bench::tasks_and_workers(benchmark, kTasks);
}

BENCHMARK(millpond_apply_async)->Apply(with_workers);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(tbb_task_group)->Apply(with_workers);
#endif
#ifdef MILLPOND_BENCH_OPENMP
BENCHMARK(openmp_task)->Apply(with_workers);
#endif
#ifdef MILLPOND_BENCH_TASKFLOW
BENCHMARK(taskflow_task_group)->Apply(with_workers);
#endif
#ifdef MILLPOND_BENCH_LIBFORK
BENCHMARK(libfork_fork)->Apply(with_workers);
#endif
BENCHMARK(limit)->Apply([](auto* b) { bench::tasks_alone(b, kTasks); });

}  // namespace
