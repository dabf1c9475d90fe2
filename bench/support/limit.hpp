// SPDX-License-Identifier: MIT
#ifndef MILLPOND_BENCH_SUPPORT_LIMIT_HPP
#define MILLPOND_BENCH_SUPPORT_LIMIT_HPP

// What a task costs if there is no pool around its parts: lock, append, unlock; lock, pop, unlock;
// call. One thread, nobody to fight with. No pool with one queue behind one mutex can do better
// unless it takes several tasks under one lock.

#include <deque>
#include <mutex>
#include <utility>

namespace bench {

template <class Task>
class LimitQueue {
 public:
  void append(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }

  Task pop() {
    const std::lock_guard lock(mutex_);
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

 private:
  std::mutex mutex_;
  std::deque<Task> tasks_;
};

}  // namespace bench

#endif  // MILLPOND_BENCH_SUPPORT_LIMIT_HPP
