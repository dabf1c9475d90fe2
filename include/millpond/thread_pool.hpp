// SPDX-License-Identifier: MIT
#ifndef MILLPOND_THREAD_POOL_HPP
#define MILLPOND_THREAD_POOL_HPP

#include <millpond/async_result.hpp>
#include <millpond/cpu_count.hpp>
#include <millpond/detail/calls/callback.hpp>
#include <millpond/detail/calls/chunking.hpp>
#include <millpond/detail/calls/invoke.hpp>
#include <millpond/detail/calls/items.hpp>
#include <millpond/detail/calls/map_call.hpp>
#include <millpond/detail/calls/map_overloads.hpp>
#include <millpond/detail/engine/engine.hpp>
#include <millpond/detail/imap/imap_job.hpp>
#include <millpond/detail/jobs/apply_job.hpp>
#include <millpond/detail/jobs/map_job.hpp>
#include <millpond/detail/jobs/map_results.hpp>
#include <millpond/detail/jobs/new_job.hpp>
#include <millpond/detail/jobs/touch_pages.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/ref.hpp>
#include <millpond/errors.hpp>
#include <millpond/imap_iterator.hpp>
#include <millpond/options.hpp>
#include <millpond/state.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace millpond::inline MILLPOND_ABI {

/// A pool of worker threads with the methods of Python's multiprocessing.pool.ThreadPool.
///
/// Work starts in the pool's Order (Fifo: first in, first started, for each issuing thread). Calls
/// that block borrow their items; calls that return before the work is done own them: an rvalue
/// container is moved in, an lvalue container is copied, a view or std::ref of a range is kept as
/// such.
///
/// Thread safety: all members but the destructor, from any thread, tasks and callbacks included
/// (but join(), see there). A task may wait for other work of its own pool: it runs that work
/// itself if it has not started. Issuing throws ValueError "Pool not running" once closed, and
/// std::bad_alloc, with nothing issued, when memory runs out.
///
/// Destruction is Python's __exit__: terminate(), then join(). In one of the pool's own tasks it
/// leaves that thread to end by itself.
template <class Order>
class BasicThreadPool : public detail::MapOverloads<BasicThreadPool<Order>, Order> {
  using Overloads = detail::MapOverloads<BasicThreadPool, Order>;
  using Passing = detail::Passing;
  template <class F, class... Args>
  using ApplyResult = detail::apply_result_t<F, Args...>;

 public:
  // ---- Life ----

  /// cpu_count() workers.
  BasicThreadPool() : BasicThreadPool(PoolOptions{}) {}

  /// Throws ValueError if `processes` < 1, std::system_error if a thread cannot be started,
  /// std::bad_alloc or std::length_error if there is no room for so many.
  template <std::integral Processes>
  explicit BasicThreadPool(Processes processes)
      : BasicThreadPool(PoolOptions{.processes = detail::to_ptrdiff(processes)}) {}

  /// Calls initializer(initargs...) once in every worker before its first task, and returns when
  /// all have; throws what one of them throws, with all workers gone.
  template <std::integral Processes, class Initializer, class... InitArgs>
  BasicThreadPool(Processes processes, Initializer&& initializer, InitArgs&&... initargs);

  MILLPOND_COLD explicit BasicThreadPool(PoolOptions options);

  BasicThreadPool(const BasicThreadPool&) = delete;
  BasicThreadPool& operator=(const BasicThreadPool&) = delete;

  ~BasicThreadPool() {
    if (!engine_->is_of_this_process()) {
      static_cast<void>(engine_.detach());  // its threads are not here to be joined
      return;
    }
    engine_->terminate();
    engine_->join_or_detach();
    engine_->orphan();
  }

  // ---- One call ----

  /// f(args...) on a worker; waits and returns its result or throws its error. Arguments are
  /// passed on by reference. In a task of this pool it runs right here.
  template <class F, class... Args>
  auto apply(F&& f, Args&&... args) -> ApplyResult<F, Args...>;

  /// f(args...) on a worker, some time later. f and the arguments are decayed and moved in. Returns
  /// an AsyncResult<R>; R is a value where f returns an rvalue reference, or is a pointer to a
  /// member of an argument. Any other reference that f returns stays one: it must not refer into f
  /// or its arguments, which are gone before the result is ready.
  //
  // The return type is not declared: it would be asked for, and f's body compiled, for arguments
  // that are meant for the other overload.
  template <class F, class... Args>
    requires(!detail::is_tuple_and_options<Args...>)
  auto apply_async(F&& f, Args&&... args);

  /// The same with the arguments in a tuple, and callbacks: `options` in braces, or an object.
  template <class F, class... Args,
            class Options = ApplyOptions<detail::kept_result_t<std::decay_t<F>, Args...>, Order>>
    requires detail::is_apply_options<Options>
  auto apply_async(F&& f, std::tuple<Args...> args, Options options);

  // ---- One function over many items ----
  //
  // Also as map(f, items, 5) for map(f, items, {.chunksize = 5}), and with items in braces.

  using Overloads::imap;
  using Overloads::imap_unordered;
  using Overloads::istarmap;
  using Overloads::istarmap_unordered;
  using Overloads::map;
  using Overloads::map_async;
  using Overloads::map_into;
  using Overloads::starmap;
  using Overloads::starmap_async;

  /// {f(item) for each item}, in order; waits. The first error in time is thrown, once all
  /// chunks have ended. Throws ValueError if chunksize < 1.
  template <class F, class Items>
  detail::map_result_t<detail::map_result_of_t<Passing::whole, F, Items>> map(
      F&& f, Items&& items, BlockingMapOptions<Order> options = {}) {
    return run_map<Passing::whole>(std::forward<F>(f), std::forward<Items>(items), options);
  }

  /// map whose results are assigned to the elements of `out`, a random-access range of the same
  /// size that the caller keeps, from several workers at once; waits. Elements whose items have
  /// failed or were skipped keep their values. Throws ValueError, nothing run, if the sizes differ.
  template <class Out, class F, class Items>
  void map_into(Out&& out, F&& f, Items&& items, BlockingMapOptions<Order> options = {});

  /// map with each item, a tuple, pair or array, unpacked into f's arguments.
  template <class F, class Items>
  detail::map_result_t<detail::map_result_of_t<Passing::unpacked, F, Items>> starmap(
      F&& f, Items&& items, BlockingMapOptions<Order> options = {}) {
    return run_map<Passing::unpacked>(std::forward<F>(f), std::forward<Items>(items), options);
  }

  /// map that does not wait.
  template <class F, class Items>
  AsyncResult<detail::map_result_t<detail::async_map_result_t<Passing::whole, F, Items>>> map_async(
      F&& f, Items&& items,
      MapOptions<detail::async_map_result_t<Passing::whole, F, Items>, Order> options = {}) {
    return issue_map<Passing::whole>(std::forward<F>(f), std::forward<Items>(items),
                                     std::move(options));
  }

  /// starmap that does not wait.
  template <class F, class Items>
  AsyncResult<detail::map_result_t<detail::async_map_result_t<Passing::unpacked, F, Items>>>
  starmap_async(
      F&& f, Items&& items,
      MapOptions<detail::async_map_result_t<Passing::unpacked, F, Items>, Order> options = {}) {
    return issue_map<Passing::unpacked>(std::forward<F>(f), std::forward<Items>(items),
                                        std::move(options));
  }

  /// map that yields results one by one, in order, and reads its input only as far ahead as
  /// `buffersize` allows, on the pool's threads: the input may be infinite. Throws ValueError if
  /// chunksize or buffersize < 1.
  template <class F, class Items>
  ImapIterator<detail::imap_result_t<Passing::whole, F, Items>> imap(
      F&& f, Items&& items, BasicImapOptions<Order> options = {}) {
    return issue_imap<Passing::whole>(true, std::forward<F>(f), std::forward<Items>(items),
                                      options);
  }

  /// imap that yields results as they get done.
  template <class F, class Items>
  ImapIterator<detail::imap_result_t<Passing::whole, F, Items>> imap_unordered(
      F&& f, Items&& items, BasicImapOptions<Order> options = {}) {
    return issue_imap<Passing::whole>(false, std::forward<F>(f), std::forward<Items>(items),
                                      options);
  }

  /// imap with items unpacked, as in starmap.
  template <class F, class Items>
  ImapIterator<detail::imap_result_t<Passing::unpacked, F, Items>> istarmap(
      F&& f, Items&& items, BasicImapOptions<Order> options = {}) {
    return issue_imap<Passing::unpacked>(true, std::forward<F>(f), std::forward<Items>(items),
                                         options);
  }

  /// imap_unordered with items unpacked, as in starmap.
  template <class F, class Items>
  ImapIterator<detail::imap_result_t<Passing::unpacked, F, Items>> istarmap_unordered(
      F&& f, Items&& items, BasicImapOptions<Order> options = {}) {
    return issue_imap<Passing::unpacked>(false, std::forward<F>(f), std::forward<Items>(items),
                                         options);
  }

  // ---- The end ----

  /// Takes no more work; what was accepted is finished. Idempotent.
  void close() noexcept { engine_->close(); }

  /// Returns at once: running tasks finish, everything else becomes ready with TerminatedError.
  /// Asks nothing of the callers who wait: each is woken. Idempotent.
  void terminate() noexcept { engine_->terminate(); }

  /// Waits until all work that was accepted is finished and all threads have ended. Input of live
  /// imaps is read to its end even if nobody takes the results. Idempotent. Throws ValueError
  /// while running, and on the pool's own threads.
  void join() { engine_->join(); }

  /// The number of workers.
  std::size_t size() const noexcept { return engine_->size(); }

  State state() const noexcept { return engine_->state(); }

  /// "<millpond::ThreadPool state=RUN pool_size=4>"
  std::string to_string() const;
  friend std::string to_string(const BasicThreadPool& pool) { return pool.to_string(); }

  template <class Traits>
  friend std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& stream,
                                                      const BasicThreadPool& pool) {
    return stream << pool.to_string();
  }

 private:
  friend class detail::Handles;

  /// Queues the job; the caller owns its handle's share.
  template <class Job>
  Job* submit(detail::NewJob<Job> job, int priority = 0);
  template <class Job>
  Job* submit_map(detail::NewJob<Job> job, int priority);

  template <class Job, class Items, class F, class... Output>
  auto run_map_job(F& f, Items& items, const BlockingMapOptions<Order>& options, Output&... output);
  template <Passing kPassing, class F, class Items>
  auto run_map(F&& f, Items&& items, const BlockingMapOptions<Order>& options);
  template <Passing kPassing, class F, class Items, class Options>
  auto issue_map(F&& f, Items&& items, Options options);
  template <Passing kPassing, class F, class Items>
  auto issue_imap(bool ordered, F&& f, Items&& items, const BasicImapOptions<Order>& options);

  detail::Ref<detail::Engine> engine_;
};

/// Python's pool: the work that a thread issues starts in the order in which it issues it. Between
/// threads there is no order, but nothing waits for ever.
using ThreadPool = BasicThreadPool<Fifo>;

/// Work of higher priority starts first, in the order of issuing among equals: `.priority` in the
/// options of apply_async and of the maps, 0 by default. What runs is not interrupted, but a map
/// makes way between two chunks.
using PriorityThreadPool = BasicThreadPool<Priority>;

// ---- Definitions ----

template <class Order>
BasicThreadPool<Order>::BasicThreadPool(PoolOptions options) {
  if (options.processes && *options.processes < 1) {
    throw ValueError("Number of processes must be at least 1");
  }
  // Counting processors reads files, so only if asked for.
  const std::size_t size =
      options.processes ? static_cast<std::size_t>(*options.processes) : cpu_count();
  constexpr auto kOrder =
      std::is_same_v<Order, Priority> ? detail::QueueOrder::priority : detail::QueueOrder::fifo;
  engine_ = detail::Engine::make(kOrder, size, std::move(options.on_unobserved_error));
  engine_->start(std::move(options.thread_name_prefix), options.initializer);
}

template <class Order>
template <std::integral Processes, class Initializer, class... InitArgs>
BasicThreadPool<Order>::BasicThreadPool(Processes processes, Initializer&& initializer,
                                        InitArgs&&... initargs)
    : BasicThreadPool(PoolOptions{
          .processes = detail::to_ptrdiff(processes),
          .initializer = detail::is_empty_function(initializer)
                             ? std::function<void()>()
                             : detail::bind_initializer(std::forward<Initializer>(initializer),
                                                        std::forward<InitArgs>(initargs)...)}) {}

template <class Order>
template <class Job>
Job* BasicThreadPool<Order>::submit(detail::NewJob<Job> job, int priority) {
  const auto submit = [&] {
    if constexpr (std::is_base_of_v<detail::StreamJob, Job>) {
      job->set_priority(priority);
      engine_->submit(*job);
    } else {
      detail::Engine::Submission submission = job->enter_queue();
      submission.priority = priority;
      engine_->submit(*job, submission);
    }
  };
  if constexpr (requires { job->stop().enter(*engine_); }) {
    job->stop().enter(*engine_);
    try {
      submit();
    } catch (...) {
      job->stop().leave(*engine_);
      throw;
    }
  } else {
    submit();
  }
  return job.release();
}

template <class Order>
template <class Job>
Job* BasicThreadPool<Order>::submit_map(detail::NewJob<Job> job, int priority) {
  if (job->total() != 0) return submit(std::move(job), priority);
  engine_->accept(Job::kHasCallbacks);
  job->finish_empty();
  return job.release();
}

template <class Order>
template <class F, class... Args>
auto BasicThreadPool<Order>::apply(F&& f, Args&&... args) -> ApplyResult<F, Args...> {
  if constexpr (detail::check_apply<F, Args...>()) {
    using R = ApplyResult<F, Args...>;
    engine_->check_running();
    const auto call = [&f, &args...](auto&&... token) -> R {
      return std::invoke(std::forward<F>(f), std::forward<decltype(token)>(token)...,
                         std::forward<Args>(args)...);
    };
    if constexpr (std::is_invocable_v<F, Args...>) {
      engine_->introduce_thread();
      if (detail::context_in(engine_.get()) != nullptr) return call();
      using Job = detail::ApplyJob<R, decltype(call)>;
      return AsyncResult<R>(submit(detail::make_job<Job>(*engine_, call))).get();
    } else {
      using Job = detail::ApplyJob<R, detail::WithStopToken<decltype(call)>>;
      return AsyncResult<R>(submit(detail::make_job<Job>(*engine_, call))).get();
    }
  }
}

template <class Order>
template <class F, class... Args>
  requires(!detail::is_tuple_and_options<Args...>)
auto BasicThreadPool<Order>::apply_async(F&& f, Args&&... args) {
  using R = detail::kept_result_t<std::decay_t<F>, std::decay_t<Args>...>;
  if constexpr (detail::check_apply<std::decay_t<F>, std::decay_t<Args>...>() &&
                detail::check_kept_result<std::decay_t<F>, std::decay_t<Args>...>() &&
                detail::check_kept_function<F>() && detail::check_kept_arguments<Args...>()) {
    using Call =
        detail::BoundCall<detail::with_stop_token_t<std::decay_t<F>, std::decay_t<Args>...>,
                          std::decay_t<Args>...>;
    using Job = detail::ApplyJob<R, Call>;
    engine_->check_running();  // before anything is moved
    return AsyncResult<R>(submit(
        detail::make_job<Job>(*engine_, std::forward<F>(f),
                              std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...))));
  } else {
    return AsyncResult<R>();
  }
}

template <class Order>
template <class F, class... Args, class Options>
  requires detail::is_apply_options<Options>
auto BasicThreadPool<Order>::apply_async(F&& f, std::tuple<Args...> args, Options options) {
  using R = detail::kept_result_t<std::decay_t<F>, Args...>;
  static_assert(std::is_same_v<Options, ApplyOptions<R, Order>>,
                "millpond: these options are for another kind of result or of pool");
  if constexpr (detail::check_apply<std::decay_t<F>, Args...>() &&
                detail::check_kept_result<std::decay_t<F>, Args...>() &&
                detail::check_kept_function<F>()) {
    using Call = detail::BoundCall<detail::with_stop_token_t<std::decay_t<F>, Args...>, Args...>;
    engine_->check_running();  // before anything is moved
    const auto issue = [&]<class Callbacks>(std::type_identity<Callbacks>) {
      using Job = detail::ApplyJob<R, Call, Callbacks>;
      auto job = detail::make_job<Job>(*engine_, std::forward<F>(f), std::move(args));
      if constexpr (Job::kHasCallbacks) {
        job->set_callbacks({std::move(options.callback), std::move(options.error_callback)});
      }
      return AsyncResult<R>(submit(std::move(job), detail::priority_of(options)));
    };
    if (detail::has_callbacks(options)) {
      return issue(std::type_identity<detail::Callbacks<R>>());
    }
    return issue(std::type_identity<detail::NoCallbacks>());
  } else {
    return AsyncResult<R>();
  }
}

template <class Order>
template <class Job, class Items, class F, class... Output>
auto BasicThreadPool<Order>::run_map_job(F& f, Items& items,
                                         const BlockingMapOptions<Order>& options,
                                         Output&... output) {
  engine_->check_running();
  detail::check_size("Chunksize", options.chunksize);
  auto job = detail::make_job<Job>(*engine_, options.chunksize, detail::borrow_items<Items>(items),
                                   f, output...);
  return AsyncResult<typename Job::Result>(submit_map(std::move(job), detail::priority_of(options)))
      .get();
}

template <class Order>
template <detail::Passing kPassing, class F, class Items>
auto BasicThreadPool<Order>::run_map(F&& f, Items&& items,
                                     const BlockingMapOptions<Order>& options) {
  using Call = detail::BlockingMapCall<kPassing, F, Items>;
  if constexpr (detail::check_map<Call, kPassing, F, Items>()) {
    using Job = detail::MapJob<detail::MapResults<detail::item_result_t<Call>>,
                               typename Call::Function, typename Call::Source>;
    const detail::TouchPages touch(*engine_);
    return run_map_job<Job, Items>(f, items, options, touch);
  }
}

template <class Order>
template <class Out, class F, class Items>
void BasicThreadPool<Order>::map_into(Out&& out, F&& f, Items&& items,
                                      BlockingMapOptions<Order> options) {
  using Call = detail::BlockingMapCall<Passing::whole, F, Items>;
  if constexpr (detail::check_map<Call, Passing::whole, F, Items>()) {
    if constexpr (detail::check_map_output<Out, typename Call::Result>()) {
      using Job = detail::MapJob<detail::MapOutput<std::remove_reference_t<Out>>,
                                 typename Call::Function, typename Call::Source>;
      run_map_job<Job, Items>(f, items, options, out);
    }
  }
}

template <class Order>
template <detail::Passing kPassing, class F, class Items, class Options>
auto BasicThreadPool<Order>::issue_map(F&& f, Items&& items, Options options) {
  using Call = detail::AsyncMapCall<kPassing, F, Items>;
  using R = detail::item_result_t<Call>;
  using Result = detail::map_result_t<R>;
  if constexpr (detail::check_owning_map<Call, kPassing, F, Items>()) {
    engine_->check_running();
    detail::check_size("Chunksize", options.chunksize);
    const auto issue = [&]<class Callbacks>(std::type_identity<Callbacks>) {
      using Job = detail::MapJob<detail::MapResults<R>, typename Call::Function,
                                 typename Call::Source, Callbacks>;
      const detail::TouchPages touch(*engine_);
      auto job = detail::make_job<Job>(*engine_, options.chunksize, detail::own_items<Items>(items),
                                       std::forward<F>(f), touch);
      if constexpr (Job::kHasCallbacks) {
        job->set_callbacks({std::move(options.callback), std::move(options.error_callback)});
      }
      return AsyncResult<Result>(submit_map(std::move(job), detail::priority_of(options)));
    };
    if (detail::has_callbacks(options)) {
      return issue(std::type_identity<detail::Callbacks<Result>>());
    }
    return issue(std::type_identity<detail::NoCallbacks>());
  } else {
    return AsyncResult<Result>();
  }
}

template <class Order>
template <detail::Passing kPassing, class F, class Items>
auto BasicThreadPool<Order>::issue_imap(bool ordered, F&& f, Items&& items,
                                        const BasicImapOptions<Order>& options) {
  using Call = detail::ImapCall<kPassing, F, Items>;
  using R = detail::item_result_t<Call>;
  if constexpr (detail::check_owning_map<Call, kPassing, F, Items>()) {
    using Job =
        detail::ImapJob<detail::imap_value_t<R>, typename Call::Function, typename Call::Source>;
    engine_->check_running();
    detail::check_size("Chunksize", options.chunksize);
    detail::check_size("Buffersize", options.buffersize);
    auto job = detail::make_job<Job>(
        *engine_, ordered, detail::size_or(options.chunksize, 1),
        detail::size_or(options.buffersize, detail::default_buffersize(size())),
        !options.buffersize.has_value(), detail::own_items<Items>(items), std::forward<F>(f));
    return ImapIterator<R>(submit(std::move(job), detail::priority_of(options)));
  } else {
    return ImapIterator<R>();
  }
}

template <class Order>
std::string BasicThreadPool<Order>::to_string() const {
  constexpr const char* kStates[] = {"RUN", "CLOSE", "TERMINATE"};
  constexpr const char* kName =
      std::is_same_v<Order, Priority> ? "PriorityThreadPool" : "ThreadPool";
  return std::string("<millpond::") + kName +
         " state=" + kStates[static_cast<std::size_t>(state())] +
         " pool_size=" + std::to_string(size()) + ">";
}

}  // namespace millpond::inline MILLPOND_ABI

#if !MILLPOND_IS_COMPILED
#include <millpond/detail/definitions.hpp>
#endif

#endif  // MILLPOND_THREAD_POOL_HPP
