// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_JOB_HPP
#define MILLPOND_DETAIL_JOB_HPP

#include <millpond/detail/config.hpp>
#include <millpond/detail/job_memory.hpp>
#include <millpond/detail/sync.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <new>

namespace millpond::inline MILLPOND_ABI::detail {

/// What the queue holds: one call, one whole map or one whole imap. Intrusive (its links are the
/// queue's nodes) and counted (handles, the queue and whoever runs it hold references), so that a
/// job is one allocation.
///
/// A job is *claimed*, not merely popped: workers, waiters that help, cancel() and terminate() may
/// all try, each derived class decides who wins, and the losers leave it alone.
///
/// Thread safety: the counts are atomic; the links belong to the list that the job is in and to
/// that list's mutex.
class Job {
 public:
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  // Sized: the destructor is virtual, so these get the size of the derived class.
  static void* operator new(std::size_t size) { return JobMemory::allocate(size); }
  static void operator delete(void* job, std::size_t size) noexcept {
    JobMemory::release(job, size);
  }
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* job, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(job, alignment);
  }

  /// Claims and runs what has not started. Called by a worker without locks; takes over one
  /// reference.
  virtual void run() noexcept = 0;

  /// Gives up what has not started, with `why` as its error. Called without locks; idempotent.
  virtual void abandon(const std::exception_ptr& why) noexcept = 0;

  /// The callback phase, on the callback thread, without locks; takes over one reference. Only
  /// jobs that were posted there have one.
  virtual void run_callback() noexcept {}

  /// How a worker takes it from the queue.
  enum class Kind : std::uint8_t {
    call,  // off the queue, alone or with others that are next; run at once and wholly
    map,   // stays at its place until its last chunk is claimed
    imap,  // off the queue; puts itself back
  };
  Kind kind() const noexcept { return kind_; }

  /// Of a map: its last chunk is claimed, though whoever claimed it may not have taken it out of
  /// the queue yet. That one holds a reference until it has.
  virtual bool is_spent() const noexcept { return false; }

  /// False: it is in no list and no queue; exact for whoever alone could put it there. True is a
  /// hint: a call that was taken together with others is not told so.
  bool is_queued() const noexcept { return place_.load(memory_order_relaxed) != Place::nowhere; }

  void add_ref() noexcept { refs_.fetch_add(1, memory_order_relaxed); }

  void release() noexcept {
    // acquire: pairs with the release half of the others' decrements, whose writes we destroy.
    // Being the only holder nobody can add a reference meanwhile, so a plain load is enough.
    if (refs_.load(memory_order_acquire) == 1 || refs_.fetch_sub(1, memory_order_acq_rel) == 1) {
      delete this;
    }
  }

  int priority() const noexcept { return priority_; }
  void set_priority(int priority) noexcept { priority_ = priority; }

 protected:
  explicit Job(Kind kind) noexcept : kind_(kind) {}

 private:
  friend class JobList;
  friend class JobRing;
  friend class JobHeap;
  friend class CallbackThread;

  enum class Place : std::uint8_t { nowhere, list, ring, heap };
  struct Links {
    Job* next;
    Job* prev;
  };

  union {
    Links links_;             // in a JobList
    std::uint64_t position_;  // in a JobRing or a JobHeap
  };
  atomic<std::uint32_t> refs_{2};  // a new job: one for the queue, one for the handle
  int priority_ = 0;
  atomic<Place> place_{Place::nowhere};
  const Kind kind_;
  bool callback_due_ = false;  // guarded by the core's mutex
};

/// A job that reads its input bit by bit (an imap) and so is at times unfinished though neither
/// queued nor running: its core keeps a list of them.
class StreamJob : public Job {
 public:
  /// Lets it read to the end of its input though nobody takes results. Called without locks.
  virtual void lift_limit() noexcept = 0;

 protected:
  StreamJob() noexcept : Job(Kind::imap) {}

 private:
  friend class Core;
  std::list<StreamJob*>::iterator place_;  // guarded by the core's mutex, as is the next
  bool listed_ = false;
};

/// A doubly linked list of jobs, first in first out; holds one reference to each. Not thread-safe.
class JobList {
 public:
  bool empty() const noexcept { return head_ == nullptr; }
  Job* front() const noexcept { return head_; }

  void push_back(Job& job) noexcept {
    job.links_ = {nullptr, tail_};
    (tail_ != nullptr ? tail_->links_.next : head_) = &job;
    tail_ = &job;
    job.place_.store(Job::Place::list, memory_order_relaxed);
  }

  void push_front(Job& job) noexcept {
    job.links_ = {head_, nullptr};
    (head_ != nullptr ? head_->links_.prev : tail_) = &job;
    head_ = &job;
    job.place_.store(Job::Place::list, memory_order_relaxed);
  }

  /// Takes out `job`; false if it is in no list. It must not be in another one.
  bool erase(Job& job) noexcept {
    if (job.place_.load(memory_order_relaxed) != Job::Place::list) return false;
    const Job::Links links = job.links_;
    (links.prev != nullptr ? links.prev->links_.next : head_) = links.next;
    (links.next != nullptr ? links.next->links_.prev : tail_) = links.prev;
    job.place_.store(Job::Place::nowhere, memory_order_relaxed);
    return true;
  }

 private:
  Job* head_ = nullptr;
  Job* tail_ = nullptr;
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_JOB_HPP
