// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_SUPPORT_POOLS_HPP
#define MILLPOND_BENCH_SUPPORT_POOLS_HPP

// The peers that take a task at a time, all with the same four words:
//
//   Pool pool(workers);
//   pool.post(f);          // fire and forget
//   pool.submit(f);        // its std::future
//   pool.join();           // once, after the last post(): all tasks have run
//
// Whatever a peer offers for this is used; where it has no futures, a promise travels in the task.

#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "support/tbb_workers.hpp"

#ifdef MILLPOND_BENCH_TBB
#include <oneapi/tbb/task_group.h>
#endif
#ifdef MILLPOND_BENCH_ASIO
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#endif
#ifdef MILLPOND_BENCH_EIGEN
#include <unsupported/Eigen/CXX11/ThreadPool>
#endif
#ifdef MILLPOND_BENCH_BS
#include <BS_thread_pool.hpp>
#endif
#ifdef MILLPOND_BENCH_TASKFLOW
#include <taskflow/taskflow.hpp>
#endif

namespace bench {

#ifdef MILLPOND_BENCH_TBB
class TbbPool {
 public:
  explicit TbbPool(int workers) : workers_(workers) {}

  template <class F>
  void post(F f) {
    workers_.arena().enqueue(group_.defer(std::move(f)));
  }

  template <class F>
  auto submit(F f) {
    PromiseTask<F> task{{}, std::move(f)};
    auto result = task.promise.get_future();
    workers_.arena().enqueue(std::move(task));
    return result;
  }

  void join() {
    workers_.arena().execute([this] { group_.wait(); });
  }

 private:
  template <class F>
  struct PromiseTask {
    mutable std::promise<std::invoke_result_t<F>> promise;  // the arena calls it as const
    F f;

    void operator()() const { promise.set_value(f()); }
  };

  TbbWorkers workers_;
  tbb::task_group group_;
};
#endif

#ifdef MILLPOND_BENCH_ASIO
class AsioPool {
 public:
  explicit AsioPool(int workers) : pool_(static_cast<std::size_t>(workers)) {}

  template <class F>
  void post(F f) {
    boost::asio::post(pool_, std::move(f));
  }

  template <class F>
  auto submit(F f) {
    return boost::asio::post(pool_, std::packaged_task<std::invoke_result_t<F>()>(std::move(f)));
  }

  void join() { pool_.join(); }

 private:
  boost::asio::thread_pool pool_;
};
#endif

#ifdef MILLPOND_BENCH_EIGEN
// Runs a task in the caller when a worker's queue of 1,024 is full.
class EigenPool {
 public:
  explicit EigenPool(int workers) : pool_(std::make_unique<Eigen::ThreadPool>(workers)) {}

  template <class F>
  void post(F f) {
    pool_->Schedule(std::move(f));
  }

  // Its tasks are std::function, which must be copyable.
  template <class F>
  auto submit(F f) {
    auto promise = std::make_shared<std::promise<std::invoke_result_t<F>>>();
    auto result = promise->get_future();
    pool_->Schedule([promise = std::move(promise), f = std::move(f)] { promise->set_value(f()); });
    return result;
  }

  // Its destructor lets all tasks run.
  void join() { pool_.reset(); }

 private:
  std::unique_ptr<Eigen::ThreadPool> pool_;
};
#endif

#ifdef MILLPOND_BENCH_BS
class BsPool {
 public:
  explicit BsPool(int workers) : pool_(static_cast<std::size_t>(workers)) {}

  template <class F>
  void post(F f) {
    pool_.detach_task(std::move(f));
  }

  template <class F>
  auto submit(F f) {
    return pool_.submit_task(std::move(f));
  }

  void join() { pool_.wait(); }

 private:
  BS::light_thread_pool pool_;
};
#endif

#ifdef MILLPOND_BENCH_TASKFLOW
class TaskflowPool {
 public:
  explicit TaskflowPool(int workers) : executor_(static_cast<std::size_t>(workers)) {}

  template <class F>
  void post(F f) {
    executor_.silent_async(std::move(f));
  }

  template <class F>
  auto submit(F f) {
    return executor_.async(std::move(f));
  }

  void join() { executor_.wait_for_all(); }

 private:
  tf::Executor executor_;
};
#endif

// Registers a benchmark for each of them that was found:
//
//   const bool kPools = bench::for_each_pool([]<class Pool>(const char* name) {
//     benchmark::RegisterBenchmark(name, contender<Pool>);
//   });
template <class Register>
bool for_each_pool([[maybe_unused]] Register register_pool) {
#ifdef MILLPOND_BENCH_TBB
  register_pool.template operator()<TbbPool>("tbb_enqueue");
#endif
#ifdef MILLPOND_BENCH_ASIO
  register_pool.template operator()<AsioPool>("asio_post");
#endif
#ifdef MILLPOND_BENCH_EIGEN
  register_pool.template operator()<EigenPool>("eigen_schedule");
#endif
#ifdef MILLPOND_BENCH_BS
  register_pool.template operator()<BsPool>("bs_task");
#endif
#ifdef MILLPOND_BENCH_TASKFLOW
  register_pool.template operator()<TaskflowPool>("taskflow_async");
#endif
  return true;
}

}  // namespace bench

#endif  // MILLPOND_BENCH_SUPPORT_POOLS_HPP
