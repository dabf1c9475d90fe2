// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_SUPPORT_TBB_WORKERS_HPP
#define MILLPOND_BENCH_SUPPORT_TBB_WORKERS_HPP

#ifdef MILLPOND_BENCH_TBB

#include <cstddef>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

namespace bench {

// The calling thread works along while it waits for oneTBB.
enum class TbbCaller {
  besides,     // it issues tasks meanwhile: it has a slot of its own, as it has beside a pool
  one_of_them  // it would only wait for a pool: it is one of the workers
};

// oneTBB with as many workers as a pool has.
class TbbWorkers {
 public:
  explicit TbbWorkers(int workers, TbbCaller caller = TbbCaller::besides)
      : threads_(caller == TbbCaller::besides ? workers + 1 : workers),
        limit_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads_)),
        arena_(threads_, 1) {}

  tbb::task_arena& arena() { return arena_; }

 private:
  int threads_;
  tbb::global_control limit_;
  tbb::task_arena arena_;
};

}  // namespace bench

#endif  // MILLPOND_BENCH_TBB

#endif  // MILLPOND_BENCH_SUPPORT_TBB_WORKERS_HPP
