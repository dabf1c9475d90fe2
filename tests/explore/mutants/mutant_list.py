# SPDX-License-Identifier: MIT
"""The mutants: see mutants.py.

Grouped by header. `old` must occur exactly once in the header, and is replaced by `new`. `scenarios`
are those that are likely to find it. One that changes nothing a program could see is `equivalent`,
and says why.
"""

import dataclasses


@dataclasses.dataclass
class Mutant:
    name: str
    file: str  # under include/millpond
    kind: str  # the class of breakage; "order": a memory order is weaker
    old: str
    new: str
    scenarios: str
    equivalent: str = ""
    deep: str = ""  # one more run, where one deviation is not enough


MUTANTS = []


def header(path):
    """Adds the mutants of this header."""
    def add(*arguments, **more):
        name, *rest = arguments
        MUTANTS.append(Mutant(name, path, *rest, **more))
    return add


# ---- The engine ----

M = header("detail/engine/*engine*.hpp")
M("call_is_queued_and_wakes_nobody", "wake-up",
  "  if (!sleep_.needs_wake()) return AfterAdding::nothing;\n  add_ref();",
  "  return AfterAdding::nothing;\n  add_ref();", "worker_is_woken_again")
M("waker_holds_no_reference", "reference", "  add_ref();\n  return AfterAdding::wake_and_release;",
  "  return AfterAdding::wake_and_release;", "destroyed_by_its_last_task worker_is_woken_again")
M("waker_lets_go_before_it_wakes", "reference", "      sleep_.wake();\n      return release();",
  "      release();\n      return sleep_.wake();", "destroyed_by_its_last_task")
M("waker_keeps_its_reference", "reference", "      sleep_.wake();\n      return release();",
  "      return sleep_.wake();", "worker_is_woken_again")
M("wake_is_forgotten", "wake-up", "      sleep_.wake();\n      return release();",
  "      return release();", "worker_is_woken_again")
M("call_is_queued_before_it_is_accepted", "check",
  "check_state();\n  if (!queue_.reserve_locked(door, submission.entries)) throw_not_running();\n"
  "  queue_.push_locked(door, job, submission.entries, submission.priority, submission.rank);",
  "if (!queue_.reserve_locked(door, submission.entries)) throw_not_running();\n"
  "  queue_.push_locked(door, job, submission.entries, submission.priority, submission.rank);\n"
  "  check_state();",
  "close_against_issue terminate_against_issue")
M("call_is_queued_without_the_lock", "lock",
  "  const SpinningLockGuard lock(door.lock);\n  check_state();", "  check_state();",
  "close_against_issue worker_for_two_producers")
M("closed_pool_accepts_what_a_task_issues", "predicate",
  "  check_state();\n  if (!queue_.lanes().reserve_own", "  if (!queue_.lanes().reserve_own",
  "lane_of_one_who_closes",
  equivalent="The call has looked before. That the pool is closed in between does no harm: the task that "
             "issues is unfinished itself, and add_own() looks for terminate() afterwards.")
M("closed_lane_is_added_to", "queue",
  "  if (!queue_.lanes().reserve_own(worker.lane, entries)) throw_not_running();",
  "  static_cast<void>(queue_.lanes().reserve_own(worker.lane, entries));", "lane_against_terminate", deep="--bound 2")
M("nested_job_is_not_counted", "count", "  worker.lane.issued.add_one();\n", "",
  "nest_async_one_worker lane_of_one_who_closes")
M("nested_job_is_counted_too_late", "count",
  "  worker.lane.issued.add_one();\n"
  "  for (; entries != 0; --entries) queue_.lanes().push_own(worker.lane, job);\n",
  "  for (; entries != 0; --entries) queue_.lanes().push_own(worker.lane, job);\n"
  "  worker.lane.issued.add_one();\n", "lane_of_a_closed_pool", deep="--bound 2")
M("nested_job_is_left_in_a_terminated_pool", "abandon",
  "  if (state_.load(memory_order_seq_cst) == State::terminate) return AfterAdding::abandon;\n", "",
  "lane_against_terminate nest_against_terminate")
M("nested_job_looks_for_terminate_out_of_order", "order",
  "state_.load(memory_order_seq_cst) == State::terminate) return AfterAdding",
  "state_.load(memory_order_acquire) == State::terminate) return AfterAdding",
  "nest_against_terminate lane_against_terminate")
M("nested_job_is_given_up_by_nobody", "abandon",
  "    case AfterAdding::abandon:\n      return abandon_queued();\n",
  "    case AfterAdding::abandon:\n      return;\n", "lane_against_terminate nest_against_terminate")
M("nested_job_wakes_nobody", "wake-up",
  "  return sleep_.needs_wake() ? AfterAdding::wake : AfterAdding::nothing;",
  "  return AfterAdding::nothing;", "lane_of_one_who_is_stuck")
M("imap_in_its_turn_goes_to_the_back", "queue",
  "  if (place == Place::back && !queue_.is_by_priority() && requeue_in_lane(job)) return;",
  "  if (!queue_.is_by_priority() && requeue_in_lane(job)) return;", "imap_goes_on_before_what_came_later")
M("imap_is_put_back_to_the_front", "queue",
  "  if (place == Place::back && !queue_.is_by_priority() && requeue_in_lane(job)) return;\n", "",
  "imap_lines_up_behind_calls")
M("imap_is_put_back_into_a_dead_list", "queue",
  "    if (state() == State::terminate) return;\n    job.add_ref();", "    job.add_ref();",
  "imap_terminated_while_advancing imap_terminated_while_running",
  equivalent="terminate() gives up the imaps after it has emptied the queue, and to give one up takes it out "
             "of the list.")
M("imap_is_put_back_into_a_dead_lane", "queue",
  "    if (state() == State::terminate) return true;\n", "",
  "imap_goes_on_while_a_task_destroys_its_pool")
M("list_takes_no_reference_on_an_imap", "reference", "    job.add_ref();\n    queue_.push_locked",
  "    queue_.push_locked", "imap_one_reader")
M("imap_in_its_turn_wakes_nobody", "wake-up",
  "    queue_.push_locked(job, place == Place::front);\n    wakes = sleep_.needs_wake();",
  "    queue_.push_locked(job, place == Place::front);\n    wakes = false;",
  "imap_items_meet")
M("imap_in_a_lane_wakes_nobody", "wake-up",
  "    queue_.push_again_locked(door, job);\n    wakes = sleep_.needs_wake();",
  "    queue_.push_again_locked(door, job);\n    wakes = false;", "imap_buffersize_one")
M("map_is_put_back_into_a_terminated_pool", "abandon",
  "    if (state() != State::terminate) return queue_.put_back_locked(job, rank);",
  "    return queue_.put_back_locked(job, rank);", "priority_map_against_terminate")
M("map_is_put_back_without_the_lock", "lock",
  "    const lock_guard lock(queue_.imap_mutex());\n    if (state() != State::terminate) return queue_",
  "    if (state() != State::terminate) return queue_",
  "priority_map_two_workers priority_map_against_terminate")
M("job_is_not_on_the_workers_stack", "wait graph", "    frame.job = job;\n", "",
  "callback_waits_for_a_task_that_waits_for_a_callback")
M("worker_searches_unannounced", "count", "      sleep_.begin_search();\n", "",
  "worker_is_woken_again")
M("worker_stays_when_it_may_go", "predicate", "    if (may_leave()) return true;\n    job =",
  "    job =", "close_idle_workers")
M("worker_falls_asleep_when_it_may_go", "predicate", "if (may_leave() || queue_.any()) return true;",
  "if (queue_.any()) return true;", "close_idle_workers",
  equivalent="quit() has been called, or will be: the sleep ends at once, or then.")
M("worker_falls_asleep_without_a_second_look", "wake-up",
  "if (may_leave() || queue_.any()) return true;", "if (may_leave()) return true;",
  "worker_is_woken_again lane_of_one_who_is_stuck")
M("nobody_asks_whether_all_is_finished", "predicate",
  "    check_finished_locked();\n    return may_leave();", "    return may_leave();",
  "close_runs_what_is_queued")
M("every_idle_worker_asks_whether_all_is_finished", "predicate",
  "if (state() != State::close || sleep_.idle() != size_) return false;",
  "if (state() != State::close) return false;", "close_with_both_workers_at_work",
  equivalent="What is unfinished is never too small, whoever asks.")
M("last_idle_worker_does_not_ask", "predicate", "sleep_.idle() != size_", "sleep_.idle() != size_ + 1",
  "close_runs_what_is_queued close_with_both_workers_at_work")
M("worker_that_may_go_sleeps", "predicate", "    check_finished_locked();\n    return may_leave();",
  "    check_finished_locked();\n    return false;", "close_runs_what_is_queued",
  equivalent="If it may go, check_finished_locked() has called quit().")
M("nobody_is_told_that_all_are_busy", "wake-up",
  "  if (sleep_.end_search([&] { return queue_.any(); })) waits_.all_busy();",
  "  sleep_.end_search([&] { return queue_.any(); });",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("worker_wakes_no_next", "wake-up", "sleep_.end_search([&] { return queue_.any(); })",
  "sleep_.end_search([] { return false; })", "worker_wakes_the_next worker_wakes_two_more")
M("left_worker_is_still_there", "count", "    --workers_alive_;\n    if", "    if",
  "close_idle_workers")
M("last_worker_tells_no_joiner", "wake-up",
  "    if (workers_alive_ <= 1) exit_condition_.notify_all();  // a joiner may be a worker itself\n",
  "", "close_idle_workers")
M("worker_tells_no_joiner_that_is_a_worker", "wake-up", "if (workers_alive_ <= 1)",
  "if (workers_alive_ == 0)", "destroy_in_a_task_of_two_workers destroyed_in_a_task")
M("last_worker_tells_no_callback_thread", "wake-up",
  "if (workers_alive_ == 0) callbacks_.wake_locked();", "",
  "destroyed_in_a_callback destroyed_in_a_callback_under_a_waiting_task")
M("last_worker_settles_nothing", "reference",
  "    last = settle_locked();\n  }\n  sleep_.quit();  // wakes the next",
  "    last = false;\n  }\n  sleep_.quit();  // wakes the next", "destroyed_by_its_last_task destroy_in_a_task")
M("worker_leaves_and_wakes_no_next", "wake-up", "  sleep_.quit();  // wakes the next\n", "",
  "close_idle_workers")

M = header("detail/engine/*engine*.hpp")
M("worker_is_not_counted_in", "count", "        ++workers_alive_;\n", "", "close_idle_workers")
M("close_undoes_terminate", "predicate", "    if (state() != State::run) return;\n", "",
  "close_against_terminate close_then_terminate")
M("close_publishes_nothing", "order", "state_.store(State::close, memory_order_seq_cst);",
  "state_.store(State::close, memory_order_relaxed);",
  "close_against_issue close_against_terminate lane_is_empty_when_the_pool_is_closed "
  "lane_of_one_who_closes",
  equivalent="Who adds a job sees it by the lock of the door; a worker that falls asleep, by the "
             "turn that follows.")
M("close_passes_no_door", "wait", "queue_.pass_doors();\n  const lock_guard lock(mutex_);",
  "const lock_guard lock(mutex_);", "close_against_issue")
M("close_lets_nobody_go", "predicate", "  all_issued_ = true;\n  sleep_.take_turn();",
  "  sleep_.take_turn();", "close_idle_workers")
M("close_takes_no_turn", "order",
  "all_issued_ = true;\n  sleep_.take_turn();\n  check_finished_locked();",
  "all_issued_ = true;\n  check_finished_locked();", "lane_is_empty_when_the_pool_is_closed close_runs_what_is_queued",
  equivalent="A worker that falls asleep looks at the queue under the locks that close() passes, before "
             "it looks at the state: so it has seen the state, or close() sees what it has finished.")
M("close_does_not_ask_what_is_unfinished", "wake-up",
  "all_issued_ = true;\n  sleep_.take_turn();\n  check_finished_locked();",
  "all_issued_ = true;\n  sleep_.take_turn();", "close_idle_workers")
M("terminate_publishes_nothing", "order", "state_.store(State::terminate, memory_order_seq_cst);",
  "state_.store(State::terminate, memory_order_relaxed);",
  "nest_against_terminate lane_against_terminate")
M("terminate_releases_only", "order", "state_.store(State::terminate, memory_order_seq_cst);",
  "state_.store(State::terminate, memory_order_release);",
  "nest_against_terminate lane_against_terminate")
M("terminate_closes_no_queue", "lock", "  queue_.close();\n", "", "terminate_and_then_nothing_begins")
M("terminate_tells_no_joiner", "wake-up",
  "check_finished_locked(); // who finished the last job before this line has told nobody",
  "callbacks_.wake_locked();", "terminate_between_a_cancel_and_a_join")
M("worker_without_memory_wakes_nobody", "wake-up",
  "return abandon_queued();\n  if (sleep_.needs_wake()) sleep_.wake();", "return abandon_queued();",
  "fault_when_a_lane_grows", deep="--bound 2")
M("worker_without_memory_gives_nothing_up", "abandon",
  "  if (state_.load(memory_order_seq_cst) == State::terminate) return abandon_queued();\n", "",
  "fault_when_a_lane_grows_as_the_pool_is_terminated", deep="--bound 2")
M("terminate_wakes_no_worker", "wake-up", "queue_.pass_doors();\n  sleep_.quit();",
  "queue_.pass_doors();", "destroyed_in_a_callback")
M("terminate_leaves_it_to_close", "predicate", "all_issued_ = true;\n    check_finished_locked(); // who finished the last job before this line has told nobody",
  "    callbacks_.wake_locked();", "callback_thread_idle_then_terminated")
M("terminate_wakes_no_callback_thread", "wake-up",
  "all_issued_ = true;\n    check_finished_locked(); // who finished the last job before this line has told nobody",
  "all_issued_ = true;", "callback_thread_idle_then_terminated callback_of_a_terminated_call")
M("terminate_requests_no_stop", "abandon", "  request_stops();\n", "", "stop_by_terminate")
M("terminate_forgets_the_queue", "queue", "request_stops();\n  abandon_queued();", "request_stops();",
  "terminate_what_runs_and_what_is_queued")
M("terminate_forgets_the_imaps", "abandon", "    job->abandon(terminated_error());\n", "",
  "imap_outlives_its_pool imap_pool_destroyed_while_waiting")
M("terminate_gives_up_what_is_dead", "claim", "    if (!job->take_entry()) continue;\n",
  "    job->take_entry();\n", "cancel_against_terminate")
M("terminate_drops_what_it_takes", "abandon", "    job->abandon_entry(terminated_error());\n", "",
  "terminate_what_runs_and_what_is_queued")
M("terminate_holds_no_reference", "reference",
  "  const Ref<Engine> self = Ref<Engine>::share(this);  // a capture that dies here may own the pool\n",
  "", "destroyed_by_an_abandoned_capture destroy_in_a_capture")
M("terminate_is_no_completion", "scope",
  "CompletionScope scope(this); // what is run here may wait for what is queued",
  "struct { void set_job(Job*) {} } scope;",
  "destroyed_in_a_stop_callback_of_terminate callout_helped_imap_waits_for_a_map "
  "stop_callback_waits_in_terminate")
M("queue_is_given_up_without_completion", "wait graph",
  "inline void PoolEngine::abandon_queued() noexcept {\n  CompletionScope scope(this);",
  "inline void PoolEngine::abandon_queued() noexcept {\n  struct { void set_job(Job*) {} } scope;",
  "callback_needs_what_is_given_up")
M("join_lifts_no_limit", "abandon", "      lift_look_ahead_limit();\n", "",
  "imap_join_lifts_the_limit")
M("join_holds_no_reference", "reference",
  "  const Ref<Engine> self = Ref<Engine>::share(this);  // a task may destroy the pool meanwhile",
  "  // the pool may be destroyed meanwhile", "destroy_in_a_task_during_join_with_all_handles")
M("thread_at_its_end_may_join", "predicate",
  "CompletionScope::is_inside(*this) ||\n      is_left_by_this_thread()) {",
  "CompletionScope::is_inside(*this)) {",
  "thread_end_of_a_worker_that_joins thread_end_of_the_callback_thread_that_joins")
M("callback_that_destroys_serves_no_other", "wait graph",
  "serve_callbacks(lock, [this] { return workers_alive_ == 0; });",
  "exit_condition_.wait(lock, [this] { return workers_alive_ == 0; });",
  "destroyed_in_a_callback_under_a_waiting_task")
M("task_that_destroys_waits_for_no_callback", "predicate",
  "workers_alive_ == own_workers && callbacks_.idle_locked()", "workers_alive_ == own_workers",
  "destroyed_in_a_task destroy_in_a_task_of_two_workers")
M("join_waits_for_no_cancel", "predicate", "workers_alive_ == 0 && unfinished() == 0 &&",
  "workers_alive_ == 0 &&", "cancel_against_destruction")
M("join_waits_for_no_callback_thread", "predicate",
  "unfinished() == 0 && !callbacks_.alive_locked()", "unfinished() == 0",
  "callback_before_the_destructor_returns callback_thread_idle_then_closed",
  equivalent="The handle of the callback thread is joined next; nothing is unfinished, so it is "
             "about to end.")
M("task_that_destroys_joins_itself", "predicate",
  "if (worker.get_id() == this_thread::get_id()) {", "if (false) {", "destroy_in_a_task")
M("thread_is_joined_twice", "predicate", "    if (!worker.joinable()) continue;\n", "",
  "join_by_two")
M("two_join_one_thread", "lock", "  const lock_guard lock(join_mutex_);\n", "", "join_by_two")
M("who_gives_up_waits_for_himself", "predicate",
  "const bool completing = own != nullptr || CompletionScope::is_inside(*this);",
  "const bool completing = own != nullptr;", "destroyed_by_a_cancelled_capture")
M("unfinished_jobs_keep_no_core", "reference", "  if (orphaned_) add_ref();\n", "",
  "result_outlives_its_pool destroyed_by_a_cancelled_capture destroy_in_a_task")
M("pool_is_never_orphaned", "reference", "  orphaned_ = unfinished() != 0;\n",
  "  orphaned_ = false;\n", "destroyed_by_a_cancelled_capture callout_cancelled_capture_destroys_the_pool "
  "destroyed_in_a_stop_callback_of_cancel")

M = header("detail/engine/*engine*.hpp")
M("state_is_read_without_order", "order", "return state_.load(memory_order_acquire);",
  "return state_.load(memory_order_relaxed);",
  "close_against_issue terminate_against_issue destructor_of_an_abandoned_capture_waits",
  equivalent="As for the store in close(); what must not be missed is read in sequential order.")
M("who_cancels_keeps_the_pools_reference", "reference",
  "last = settle_locked();\n  }\n  if (last) release();\n}\n\ninline void PoolEngine::check_finished_locked()",
  "last = settle_locked();\n  }\n}\n\ninline void PoolEngine::check_finished_locked()",
  "destroyed_by_a_cancelled_capture")
M("closed_pool_accepts_a_job", "predicate",
  "  if (state_.load(memory_order_relaxed) != State::run) throw_not_running();\n", "",
  "close_against_issue")
M("callback_thread_holds_no_reference", "reference", "  add_ref();\n  try {\n    callbacks_",
  "  try {\n    callbacks_", "callback_before_ready")
M("finished_imap_stays_listed", "reference",
  "  streams_.erase(job);\n}\n", "  static_cast<void>(job);\n}\n",
  "imap_one_reader imap_outlives_its_pool")
M("terminate_takes_no_reference_on_an_imap", "reference",
  "return Ref<StreamJob>::share(&job);", "return Ref<StreamJob>::adopt(&job);",
  "imap_terminated_while_full")
M("join_lifts_the_limit_of_none", "abandon", "    job->lift_limit();\n", "",
  "imap_join_lifts_the_limit")
M("join_lifts_the_limit_of_the_first_imap_only", "abandon",
  "      streams_.erase(*job);\n      streams_.push_back(*job);  // next time the next one\n",
  "", "imap_join_lifts_the_limit_of_two")
M("limit_comes_back", "predicate", "  look_ahead_unlimited_.store(true, memory_order_release);\n",
  "", "imap_join_lifts_the_limit")
M("limit_is_lifted_without_release", "order",
  "look_ahead_unlimited_.store(true, memory_order_release);",
  "look_ahead_unlimited_.store(true, memory_order_relaxed);",
  "destroy_in_a_task_during_join")
M("lifted_limit_is_seen_without_acquire", "order",
  "look_ahead_unlimited_.load(memory_order_seq_cst);",
  "look_ahead_unlimited_.load(memory_order_relaxed);",
  "destroy_in_a_task_during_join")
M("lifted_limit_is_seen_by_an_acquire_only", "order",
  "look_ahead_unlimited_.load(memory_order_seq_cst);",
  "look_ahead_unlimited_.load(memory_order_acquire);",
  "imap_join_lifts_the_limit_beside_an_item")
M("idle_callback_thread_tells_no_joiner", "wake-up",
  "    if (state() != State::run) exit_condition_.notify_all();\n", "",
  "destroyed_in_a_task destroy_in_a_task_of_two_workers")
M("callback_thread_ends_and_tells_nobody", "wake-up",
  "    callbacks_.end_locked();\n    exit_condition_.notify_all();", "    callbacks_.end_locked();",
  "callback_thread_idle_then_closed")
M("stop_source_enters_a_terminated_pool", "abandon",
  "    if (state() != State::terminate) return stops_.insert(source);\n  }\n  source.request();",
  "    stops_.insert(source);\n  }", "stop_while_issuing stop_by_terminate",
  equivalent="A job whose source comes after terminate() is refused next, and its source taken out "
             "of the list again: nobody has seen its token.")
M("stop_source_leaves_without_the_lock", "lock",
  "    const lock_guard lock(mutex_);\n    stops_.erase(source);", "    stops_.erase(source);",
  "stop_of_what_has_ended stop_while_issuing stop_or_never_start")
M("stop_is_requested_under_the_lock", "lock", "    if (!stops_.pop(source)) return;\n",
  "    if (!stops_.pop(source)) return;\n    source.request_stop();\n",
  "stop_callback_waits_in_terminate stop_callback_terminates")
M("finished_is_counted_after_issued", "count",
  "  std::size_t finished = finished_elsewhere_.get();\n"
  "  for (std::size_t i = 0; i != size_; ++i) finished += workers_[i].finished.get();\n"
  "  std::size_t issued = queue_.issued() + accepted_elsewhere_.get();\n"
  "  for (std::size_t i = 0; i != size_; ++i) issued += workers_[i].lane.issued.get();\n",
  "  std::size_t issued = queue_.issued() + accepted_elsewhere_.get();\n"
  "  for (std::size_t i = 0; i != size_; ++i) issued += workers_[i].lane.issued.get();\n"
  "  std::size_t finished = finished_elsewhere_.get();\n"
  "  for (std::size_t i = 0; i != size_; ++i) finished += workers_[i].finished.get();\n",
  "order_of_counting_issued_and_finished", deep="--bound 2")
M("worker_counts_no_job_out", "count",
  "    context->worker->finished.add_one();  // it asks what is unfinished when it has nothing to do\n",
  "", "close_runs_what_is_queued")
M("callback_thread_counts_as_a_worker", "count",
  "  if (context != nullptr && context->worker != nullptr) {\n    context->worker->finished",
  "  if (context != nullptr) {\n    context->worker->finished", "callback_before_ready")
M("job_finished_elsewhere_is_not_counted", "count", "    finished_elsewhere_.add_one();\n", "",
  "cancel_the_last_of_a_closed_pool")
M("who_finishes_elsewhere_takes_no_turn", "order",
  "finished_elsewhere_.add_one();\n    sleep_.take_turn();", "finished_elsewhere_.add_one();",
  "cancel_after_the_worker_has_gone_to_sleep",
  equivalent="Who closes, and the last worker that falls asleep after that, ask under the mutex that is "
             "held here: so one of the three sees what all have finished.")
M("who_finishes_elsewhere_lets_nobody_go", "wake-up",
  "    check_finished_locked();\n    last = settle_locked();", "    last = settle_locked();",
  "cancel_the_last_of_a_closed_pool callback_thread_idle_until_one_is_cancelled")
M("workers_go_though_the_pool_runs", "predicate", "  if (!all_issued_ || unfinished() != 0) return;",
  "  if (unfinished() != 0) return;", "map_without_items_and_then_a_call")
M("workers_go_though_work_is_left", "predicate", "  if (!all_issued_ || unfinished() != 0) return;",
  "  if (!all_issued_) return;", "close_runs_what_is_queued")
M("nobody_may_go", "predicate", "  may_leave_.store(true, memory_order_release);\n", "",
  "close_idle_workers")
M("leave_is_given_without_release", "order", "may_leave_.store(true, memory_order_release);",
  "may_leave_.store(true, memory_order_relaxed);",
  "close_idle_workers close_with_both_workers_at_work close_runs_what_is_queued",
  equivalent="Who goes takes the engine's mutex, under which it was said.")
M("leave_is_taken_without_acquire", "order", "may_leave_.load(memory_order_acquire)",
  "may_leave_.load(memory_order_relaxed)",
  "close_idle_workers close_with_both_workers_at_work close_runs_what_is_queued",
  equivalent="As for the store.")
M("last_job_wakes_no_worker", "wake-up",
  "  may_leave_.store(true, memory_order_release);\n  sleep_.quit();\n",
  "  may_leave_.store(true, memory_order_release);\n", "callback_closes close_idle_workers")
M("last_job_wakes_no_callback_thread", "wake-up",
  "  callbacks_.wake_locked();\n  exit_condition_.notify_all();\n}", "  exit_condition_.notify_all();\n}",
  "callback_thread_idle_until_one_is_cancelled")
M("last_job_wakes_no_joiner", "wake-up",
  "  callbacks_.wake_locked();\n  exit_condition_.notify_all();\n}", "  callbacks_.wake_locked();\n}",
  "cancel_against_destruction")
M("empty_map_is_not_counted_in", "count", "  accepted_elsewhere_.add_one();\n", "",
  "map_without_items callback_of_the_empty_map")
M("closed_pool_accepts_an_empty_map", "predicate",
  "  const lock_guard lock(mutex_);\n  check_state();\n  accepted_elsewhere_",
  "  const lock_guard lock(mutex_);\n  accepted_elsewhere_", "close_against_a_map_without_items")
M("unfinished_jobs_give_up_the_core_twice", "reference",
  "return orphaned_ && unfinished() == 0 && std::exchange(orphaned_, false);",
  "return orphaned_ && unfinished() == 0;", "destroyed_in_a_task_during_a_cancel")
M("unfinished_jobs_give_up_the_core_too_early", "reference",
  "return orphaned_ && unfinished() == 0 && std::exchange(orphaned_, false);",
  "return std::exchange(orphaned_, false);",
  "destroyed_in_a_task_during_a_cancel")
M("terminated_pool_keeps_its_workers", "predicate",
  "return may_leave_.load(memory_order_acquire) || state() == State::terminate;",
  "return may_leave_.load(memory_order_acquire);", "destroyed_in_a_callback")
M("callback_thread_ends_with_callbacks_to_come", "predicate",
  "return all_issued_ && unfinished() == 0;", "return all_issued_;",
  "callback_thread_idle_until_the_last_job callback_before_the_destructor_returns")
M("callback_thread_ends_when_it_has_nothing_to_do", "predicate",
  "return all_issued_ && unfinished() == 0;", "return unfinished() == 0;",
  "callback_thread_idle_then_told callback_before_ready")
M("group_relies_on_workers_that_leave", "predicate",
  "return state() != State::terminate && sleep_.idle() != 0;", "return sleep_.idle() != 0;",
  "group_in_a_task_against_terminate group_in_a_task_first_two_workers",
  equivalent="A worker that leaves ends its search first, and the last one to do so asks again all that "
             "have relied on a free one.")

M = header("detail/engine/worker_sleep.hpp")
M("sleeper_is_sought_out_of_order", "order",
  "    const std::uint64_t word = word_.load(memory_order_seq_cst);\n    return sleepers(word) != 0 &&",
  "    const std::uint64_t word = word_.load(memory_order_acquire);\n    return sleepers(word) != 0 &&",
  "lane_of_one_who_is_stuck")
M("wake_is_needed_only_if_somebody_searches", "predicate",
  "return sleepers(word) != 0 && searchers(word) == 0;",
  "return sleepers(word) != 0 && searchers(word) != 0;", "worker_is_woken_again")
M("wake_wakes_where_nobody_sleeps", "predicate",
  "if (sleepers(word) == 0 || searchers(word) != 0) return;", "if (searchers(word) != 0) return;",
  "wake_up_by_two_of_a_task_that_needs_a_worker")
M("wake_wakes_though_somebody_searches", "predicate",
  "if (sleepers(word) == 0 || searchers(word) != 0) return;", "if (sleepers(word) == 0) return;",
  "worker_for_two_producers worker_wakes_the_next",
  equivalent="One more worker is woken than need be.")
M("two_wake_one_sleeper", "claim",
  "    } while (!word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_seq_cst,\n"
  "                                          memory_order_relaxed));",
  "      word_.store(word - kSleeper + kSearcher, memory_order_seq_cst);\n    } while (false);",
  "wake_up_by_two_and_again")
M("wake_changes_the_word_without_order", "order",
  "    } while (!word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_seq_cst,",
  "    } while (!word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_relaxed,",
  "lane_of_one_who_is_stuck worker_is_woken_again worker_wakes_the_next",
  equivalent="Who sees the word of before wakes in vain, and his own exchange tells him. No turn is "
             "taken by it.")
M("wake_leaves_no_permit", "wake-up", "      ++permits_;\n", "", "worker_is_woken_again")
M("wake_leaves_its_permit_without_the_lock", "lock",
  "      const lock_guard lock(mutex_);\n      ++permits_;", "      ++permits_;",
  "worker_is_woken_again")
M("wake_notifies_nobody", "wake-up", "      ++permits_;\n    }\n    condition_.notify_one();\n",
  "      ++permits_;\n    }\n", "worker_is_woken_again")
M("search_begins_without_order", "order",
  "word_.fetch_add(kSearcher, memory_order_seq_cst);", "word_.fetch_add(kSearcher, memory_order_relaxed);",
  "worker_is_woken_again close_with_both_workers_at_work close_runs_what_is_queued "
  "cancel_after_the_worker_has_gone_to_sleep",
  equivalent="Each worker takes another step before it asks what is unfinished: it falls asleep. Who "
             "does not see it searching wakes another in vain.")
M("search_ends_without_order", "order",
  "word_.fetch_sub(kSearcher, memory_order_seq_cst);", "word_.fetch_sub(kSearcher, memory_order_acq_rel);",
  "order_of_the_end_of_a_search")
M("last_searcher_wakes_no_next", "wake-up",
  "    if (searchers(word) == 1 && sleepers(word) != 0 && any()) wake();\n", "",
  "worker_wakes_the_next")
M("only_one_of_two_searchers_wakes_the_next", "predicate", "if (searchers(word) == 1 && sleepers",
  "if (searchers(word) == 2 && sleepers", "worker_wakes_the_next worker_wakes_two_more")
M("last_searcher_does_not_know_it", "wake-up", "    return word == kSearcher;", "    return false;",
  "group_in_a_task_first_behind_one_that_is_stuck")
M("sleeper_goes_on_as_a_searcher", "count",
  "    word_.fetch_add(kSleeper - kSearcher, memory_order_seq_cst);\n", "", "worker_is_woken_again")
M("sleep_begins_out_of_order", "order",
  "word_.fetch_add(kSleeper - kSearcher, memory_order_seq_cst);",
  "word_.fetch_add(kSleeper - kSearcher, memory_order_acq_rel);", "lane_of_one_who_is_stuck")
M("sleep_begins_without_order", "order",
  "word_.fetch_add(kSleeper - kSearcher, memory_order_seq_cst);",
  "word_.fetch_add(kSleeper - kSearcher, memory_order_relaxed);",
  "lane_of_one_who_is_stuck close_with_both_workers_at_work")
M("sleeper_does_not_look_again", "wake-up", "    if (any()) {\n      std::uint64_t word",
  "    if (false) {\n      std::uint64_t word", "worker_is_woken_again lane_of_one_who_is_stuck")
M("sleeper_takes_itself_back_though_it_was_woken", "claim", "      while (sleepers(word) != 0) {\n",
  "      for (;;) {\n", "wake_up_of_one_that_sees_the_task_itself")
M("sleeper_that_takes_itself_back_meets_a_waker", "claim",
  "        if (word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_seq_cst,\n"
  "                                        memory_order_relaxed)) {\n          return;\n        }",
  "        word_.store(word - kSleeper + kSearcher, memory_order_seq_cst);\n        return;",
  "wake_up_by_two_and_again", deep="--bound 2")
M("sleeper_takes_itself_back_without_order", "order",
  "        if (word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_seq_cst,",
  "        if (word_.compare_exchange_weak(word, word - kSleeper + kSearcher, memory_order_relaxed,",
  "lane_of_one_who_is_stuck worker_is_woken_again worker_wakes_the_next",
  equivalent="As for wake().")
M("sleeper_believes_every_wake_up", "predicate",
  "    condition_.wait(lock, [this] { return permits_ != 0 || quit_; });",
  "    if (permits_ == 0 && !quit_) condition_.wait(lock);", "wake_up_of_one_that_sees_the_task_itself", deep="--bound 2 --spurious")
M("sleeper_does_not_quit", "predicate", "return permits_ != 0 || quit_; });",
  "return permits_ != 0; });", "close_idle_workers")
M("sleeper_keeps_its_permit", "count", "      --permits_;\n", "      static_cast<void>(permits_);\n",
  "wake_up_and_close")
M("sleeper_that_quits_counts_as_asleep", "count",
  "      word_.fetch_add(kSearcher - kSleeper, memory_order_seq_cst);\n", "",
  "close_idle_workers destroy_idle_workers close_with_both_workers_at_work",
  equivalent="After quit() nobody asks how many search or sleep, and nobody need be woken.")
M("idle_are_counted_out_of_order", "order",
  "    const std::uint64_t word = word_.load(memory_order_seq_cst);\n    return static_cast",
  "    const std::uint64_t word = word_.load(memory_order_acquire);\n    return static_cast",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("turn_is_taken_without_order", "order", "word_.fetch_add(0, memory_order_seq_cst);",
  "word_.fetch_add(0, memory_order_relaxed);", "lane_is_empty_when_the_pool_is_closed",
  equivalent="A worker that falls asleep looks at the queue under the locks that close() passes, before "
             "it looks at the state: so it has seen the state, or close() sees what it has finished.")
M("turn_is_taken_without_acquire", "order", "word_.fetch_add(0, memory_order_seq_cst);",
  "word_.fetch_add(0, memory_order_release);", "lane_is_empty_when_the_pool_is_closed",
  equivalent="A worker that falls asleep looks at the queue under the locks that close() passes, before "
             "it looks at the state: so it has seen the state, or close() sees what it has finished.")
M("turn_is_taken_without_release", "order", "word_.fetch_add(0, memory_order_seq_cst);",
  "word_.fetch_add(0, memory_order_acquire);",
  "lane_is_empty_when_the_pool_is_closed close_runs_what_is_queued close_with_both_workers_at_work",
  equivalent="A worker that falls asleep looks at the queue under the locks that close() passes, before "
             "it looks at the state: so it has seen the state, or close() sees what it has finished.")
M("quit_lasts_only_a_moment", "predicate", "      quit_ = true;\n", "", "close_idle_workers")
M("quit_takes_no_lock", "lock", "      const lock_guard lock(mutex_);\n      quit_ = true;",
  "      quit_ = true;", "close_idle_workers")
M("quit_notifies_nobody", "wake-up", "      quit_ = true;\n    }\n    condition_.notify_one();",
  "      quit_ = true;\n    }", "close_idle_workers")
M("workers_begin_as_nothing", "count", "word_(workers * kSearcher)", "word_(workers * 0)",
  "close_runs_what_is_queued worker_is_woken_again")

M = header("detail/engine/tally.hpp")
M("tally_counts_without_release", "order",
  "count_.load(memory_order_relaxed) + 1, memory_order_release);",
  "count_.load(memory_order_relaxed) + 1, memory_order_relaxed);",
  "order_of_issued_and_finished")
M("tally_is_read_without_acquire", "order", "return count_.load(memory_order_acquire);",
  "return count_.load(memory_order_relaxed);",
  "order_of_issued_and_finished")

M = header("detail/engine/callback_thread.hpp")
M("callback_thread_at_its_end_joins_itself", "predicate",
  "    if (thread_.get_id() == this_thread::get_id()) {", "    if (false) {",
  "thread_end_of_the_callback_thread_destroys_the_pool")
M("callback_runs_while_other_pools_have_its_thread_wait", "scope",
  "  if (wait != nullptr) wait->interrupt();\n", "", "two_pools_wait_for_both_while_giving_up")
M("late_callback_thread_is_not_detached", "reference", "    if (detached_) thread_.detach();\n", "",
  "coroutine_awaits_a_call_that_has_destroyed_its_pool")
M("due_callback_wakes_nobody", "wake-up", "  due_.push_back(job);\n  condition_.notify_one();",
  "  due_.push_back(job);", "callback_thread_idle_then_told")
M("callback_that_has_run_counts_as_running", "count", "  --running_;\n", "",
  "destroyed_in_a_task destroy_in_a_task_of_two_workers")
M("callback_runs_under_the_lock", "lock",
  "  lock.unlock();\n  if (wait != nullptr) wait->interrupt();\n  job.run_callback();\n"
  "  if (wait != nullptr) wait->resume();\n  lock.lock();",
  "  job.run_callback();", "callback_before_ready")
M("idle_callback_thread_tells_nobody", "wake-up", "      if (idle_locked()) on_idle();\n", "",
  "destroyed_in_a_task destroy_in_a_task_of_two_workers")
M("waiting_callback_runs_no_other", "wait graph",
  "waits_.find_locked(alarm.awaited(), is_due)) {", "static_cast<Job*>(nullptr)) {",
  "callback_waits_for_one_that_is_due")
M("new_wait_does_not_wake_the_callback_thread", "wake-up",
  "void on_wait_locked() noexcept override { callbacks_.condition_.notify_one(); }",
  "void on_wait_locked() noexcept override {}", "callback_thread_needed_by_what_it_waits_for")
M("alarm_wakes_nobody", "wake-up", "      rang_ = true;\n      callbacks_.condition_.notify_one();",
  "      rang_ = true;", "callback_waits_for_a_running_task")
M("alarm_rings_without_the_lock", "lock",
  "      const lock_guard lock(callbacks_.mutex_);\n      ring_locked();", "      ring_locked();",
  "callback_waits_for_a_running_task")
M("due_callback_is_not_marked", "wait graph", "*job.due_links() = {nullptr, last_, true};",
  "*job.due_links() = {nullptr, last_, false};", "callback_waits_for_one_that_is_due")
M("callback_runs_and_is_still_due", "queue", "      links.is_due = false;\n", "",
  "callback_waits_for_a_task_that_waits_for_a_callback")
M("due_callback_leaves_a_stale_link", "queue",
  "      (links.next != nullptr ? links.next->due_links()->prev : last_) = links.prev;\n", "",
  "callback_order callback_one_at_a_time callback_before_ready")
M("due_callback_that_runs_out_of_turn_stays", "queue",
  "(links.prev != nullptr ? links.prev->due_links()->next : first_) = links.next;",
  "first_ = links.next;", "callback_needs_one_that_is_due_later")
M("due_callbacks_run_in_the_wrong_order", "queue",
  "      (last_ != nullptr ? last_->due_links()->next : first_) = &job;\n      last_ = &job;",
  "      *job.due_links() = {first_, nullptr, true};\n"
  "      (first_ != nullptr ? first_->due_links()->prev : last_) = &job;\n      first_ = &job;",
  "callback_order callback_one_at_a_time")

M = header("detail/engine/wait_graph.hpp")
M("new_wait_asks_nobody", "wake-up",
  "if (wait.next_ != nullptr) wait.next_->link_ = &wait.next_;\n    ask_locked();",
  "if (wait.next_ != nullptr) wait.next_->link_ = &wait.next_;",
  "callback_thread_needed_by_what_it_waits_for group_in_a_task_first_is_asked_to_help")
M("wait_ends_and_leaves_a_stale_link", "wait graph",
  "    if (wait.next_ != nullptr) wait.next_->link_ = wait.link_;\n", "",
  "callback_thread_needed_by_what_it_waits_for nest_inside_and_outside_wait "
  "group_in_a_task_first_two_workers")
M("search_remembers_the_last_one", "wait graph",
  "    for (Wait* wait = first_; wait != nullptr; wait = wait->next_) wait->reached_ = false;\n", "",
  "callback_needs_one_that_gets_due")
M("wait_begins_without_the_lock", "lock",
  "      const lock_guard lock(graph_.mutex_);\n      graph_.begin_locked(wait_);",
  "      graph_.begin_locked(wait_);", "callback_thread_needed_by_what_it_waits_for callback_waits_for_a_task_that_waits_for_a_callback nest_map_in_map")
M("busy_workers_ask_nobody", "wake-up",
  "    asks_when_all_busy_.store(false, memory_order_seq_cst);\n    ask_locked();",
  "    asks_when_all_busy_.store(false, memory_order_seq_cst);",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("busy_workers_do_not_see_who_asks", "wake-up",
  "    if (!asks_when_all_busy_.load(memory_order_seq_cst)) return;\n", "    return;\n",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("who_asks_is_seen_out_of_order", "order",
  "if (!asks_when_all_busy_.load(memory_order_seq_cst)) return;",
  "if (!asks_when_all_busy_.load(memory_order_acquire)) return;",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("who_asks_says_so_out_of_order", "order",
  "asks_when_all_busy_.store(true, memory_order_seq_cst);",
  "asks_when_all_busy_.store(true, memory_order_release);",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("who_asks_is_forgotten_without_order", "order",
  "asks_when_all_busy_.store(false, memory_order_seq_cst);",
  "asks_when_all_busy_.store(false, memory_order_relaxed);",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help",
  equivalent="Both stores are made under the mutex, and who still sees the request asks once more.")
M("busy_workers_ask_without_the_lock", "lock",
  "    const lock_guard lock(mutex_);\n    asks_when_all_busy_.store(false",
  "    asks_when_all_busy_.store(false",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")

# ---- Results ----

M = header("detail/results/result_[sw]*.hpp")
M("callback_waits_for_its_own_result", "predicate",
  "  if (context != nullptr && context->calling_back.contains(this)) return true;\n"
  "  if (deadline.is_poll())", "  if (deadline.is_poll())", "callback_gets_its_own_result")
M("waiter_leaves_it_to_terminate", "abandon", "    if (engine_->state() == State::terminate) {",
  "    if (false) {", "destructor_of_an_abandoned_capture_waits")
M("waiting_task_helps_nobody", "help", "else if (context != nullptr) {\n      help(deadline);",
  "else if (context != nullptr) {", "nest_async_one_worker")
M("helped_job_is_not_on_the_stack", "wait graph",
  "    const JobStack::Frame frame(waiter->running, this);\n", "",
  "callback_needs_what_a_waiting_task_runs")
M("wait_is_not_in_the_graph", "wait graph",
  "  const WaitGraph::Scope waits(PoolEngine::of(*engine_).waits(), wait);\n", "",
  "callback_waits_for_a_task_that_waits_for_a_callback "
  "callback_thread_needed_by_what_it_waits_for")
M("timed_waiter_leaves_though_it_is_being_told", "reference",
  "    if (waiters_.remove(waiter)) return false;\n",
  "    waiters_.remove(waiter);\n    return false;\n", "result_is_awaited_for_a_time")
M("timed_callback_leaves_though_it_is_being_told", "reference",
  "  if (waiters_.remove(alarm)) return false;\n", "  waiters_.remove(alarm);\n  return false;\n",
  "callback_waits_for_a_time")
M("core_is_sought_without_holding_the_waiter", "lock",
  "    const unique_lock lock = waiter.hold();\n", "",
  "result_is_awaited_when_the_pool_dies result_outlives_its_pool "
  "coroutine_awaits_and_pool_is_destroyed")
M("core_is_sought_by_one_who_does_not_wait", "reference",
  "  if (!waiters_.remove(waiter)) waiter.wait();\n", "  waiters_.remove(waiter);\n",
  "result_is_awaited_when_the_pool_dies result_outlives_its_pool apply_returns_the_result")
M("unseen_error_keeps_no_core", "reference", "    engine_->add_ref();\n", "",
  "unobserved_after_the_pool_has_gone unobserved_without_handles")
M("seen_error_is_reported", "predicate",
  "    if (!observed_.load(memory_order_relaxed)) engine_->report(error);", "    engine_->report(error);",
  "unobserved_is_not_what_another_handle_saw unobserved_by_two")
M("reported_error_keeps_the_core", "reference", "    engine_->release();\n", "",
  "unobserved_without_handles")
M("unseen_error_is_not_expected", "abandon",
  "    if (outcome_.is_error()) this->expect_observation();\n", "", "unobserved_without_handles")
M("callbacks_die_after_ready", "ready", "    callbacks.reset();\n", "",
  "callback_dies_before_ready")
M("callback_is_not_on_the_stack", "wait graph",
  "    const JobStack::Frame frame(current_thread_context->calling_back, this);\n", "",
  "callback_gets_its_own_result")
M("told_error_counts_as_unseen", "predicate", "    this->observe();\n    try {\n", "    try {\n",
  "unobserved_is_not_what_a_callback_was_told")
M("abandoned_job_counts_as_unseen_error", "abandon",
  "    outcome_.set_error(why);\n    this->observe();", "    outcome_.set_error(why);",
  "unobserved_are_no_cancelled_results")
M("cancel_is_no_completion", "wait graph", "    const CompletionScope scope(engine_, this);\n", "",
  "destroyed_by_a_cancelled_capture")
M("cancel_uses_the_cores_error_beyond_its_end", "reference",
  "give_up(std::exception_ptr(engine_->cancelled_error()));", "give_up(engine_->cancelled_error());",
  "destroyed_by_a_cancelled_capture callout_cancelled_capture_destroys_the_pool "
  "cancel_the_last_of_a_closed_pool",
  equivalent="Who gives up copies the error before the job counts as finished, and so before the engine may end.")
M("last_handle_is_seen_without_order", "order", "handles_.load(memory_order_acquire) != 1",
  "handles_.load(memory_order_relaxed) != 1",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("handle_goes_without_order", "order", "handles_.fetch_sub(1, memory_order_acq_rel)",
  "handles_.fetch_sub(1, memory_order_relaxed)",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("handle_goes_without_release", "order", "handles_.fetch_sub(1, memory_order_acq_rel)",
  "handles_.fetch_sub(1, memory_order_acquire)",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("handle_goes_without_acquire", "order", "handles_.fetch_sub(1, memory_order_acq_rel)",
  "handles_.fetch_sub(1, memory_order_release)",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("last_handle_disposes_of_nothing", "reference", "    if (this->drop()) dispose();",
  "    this->drop();", "apply_returns_the_result")
M("work_disposes_of_nothing", "reference", "if (unwatched) dispose();", "",
  "result_handle_is_dropped_at_once")
M("last_handle_disposes_of_what_is_not_ready", "reference", "return !waiters_.close(); }",
  "return waiters_.close(), true; }", "result_handle_is_dropped_at_once")
M("result_is_never_ready", "ready", "const bool unwatched = !this->complete();",
  "const bool unwatched = true;", "apply_returns_the_result")
M("job_is_counted_out_before_it_is_ready", "count",
  "const bool unwatched = !this->complete();\n    if (unwatched) dispose();\n    engine.job_done(unwatched);",
  "engine.job_done();\n    if (!this->complete()) dispose();",
  "cancel_against_destruction cancel_the_last_of_a_closed_pool")
M("finished_job_counts_as_unfinished", "count", "engine.job_done(unwatched);", "",
  "close_runs_what_is_queued")
M("outcome_is_kept_by_a_dead_entry", "reference", "    outcome_.reset();\n    this->retire();",
  "    this->retire();", "result_dies_though_its_entry_is_queued")
M("disposed_job_is_not_given_up", "reference", "    outcome_.reset();\n    this->retire();",
  "    outcome_.reset();", "apply_returns_the_result")
M("dead_entries_stay_in_the_own_lane", "queue",
  "    while (has_entry() && Engine::take_back_entry(engine_, *this)) drop_entry();\n", "",
  "nest_map_one_worker nest_async_one_worker",
  equivalent="Whoever takes a dead entry steps over it: only later.")

M = header("detail/results/result_group*.hpp")
M("group_leaves_without_those_being_told", "reference",
  "    while (completed_.size() != told) {", "    if (completed_.size() != told) {",
  "group_leaves_while_the_other_completes")
M("group_does_not_see_a_failure", "predicate",
  "    if (members_[number].result->failed()) failed_ = true;\n", "", "group_first_exception")
M("group_is_not_told_of_one_in_the_way", "wake-up", "(or_failed_ || satisfied_locked())) {",
  "satisfied_locked()) {", "group_in_a_task_first_exception_after_one_ends_well")
M("group_is_told_without_the_lock", "lock",
  "    const lock_guard lock(mutex_);\n    completed_.push_back(number);",
  "    completed_.push_back(number);", "group_all_two_workers")
M("group_is_told_without_release", "order", "is_told.store(true, memory_order_release);",
  "is_told.store(true, memory_order_relaxed);",
  "group_in_a_task_first_two_workers",
  equivalent="What follows is looked up under the group's mutex, which complete() holds when it says so: the "
             "store cannot be seen before.")
M("group_sees_what_it_was_told_without_acquire", "order", "is_told.load(memory_order_acquire);",
  "is_told.load(memory_order_relaxed);",
  "group_in_a_task_first_two_workers",
  equivalent="As for the store in complete().")
M("group_sleeps_without_a_last_look", "wake-up",
  "    if (satisfied_locked() || (or_failed_ && completed_.size() != before)) return false;\n", "",
  "group_all")
M("group_sleeps_on_after_one_in_the_way", "wake-up",
  "satisfied_locked() || (or_failed_ && completed_.size() != before)", "satisfied_locked()",
  "group_in_a_task_first_exception_after_one_ends_well",
  equivalent="To sleep is to enter the wait graph, which asks the group once more whether it had better help.")
M("group_leaves_its_sleeper_behind", "reference",
  "    const lock_guard lock(mutex_);\n    sleeper_ = nullptr;", "    const lock_guard lock(mutex_);",
  "group_for_a_time group_in_time_or_not")
M("group_in_a_callback_waits_for_its_own_result", "predicate",
  "      if (mine_ != nullptr && mine_->context.calling_back.contains(results[i])) continue;\n", "",
  "callback_waits_for_a_group_with_its_own_result")
M("group_misses_what_was_ready", "count",
  "      if (!members_[i].is_registered) members_[i].notify();\n", "", "group_all group_first")
M("group_leaves_it_to_terminate", "abandon",
  "        part.jobs[next]->abandon(part.engine().terminated_error());\n", "",
  "destructor_of_an_abandoned_capture_waits_for_a_group")
M("group_helps_nobody", "claim", "    result_of(&job).take_part(deadline);\n", "",
  "group_in_a_task_all_one_worker")
M("group_asks_for_help_with_nobody", "wait graph", "asked_to_help_ = !may_come_locked();",
  "asked_to_help_ = false;", "group_in_a_task_first_is_asked_to_help")
M("group_is_asked_and_sleeps_on", "wake-up",
  "      if (group_.is_to_help_locked()) waiter_.notify();", "      group_.is_to_help_locked();",
  "group_in_a_task_first_is_asked_to_help")
M("group_in_a_callback_is_asked_and_sleeps_on", "wake-up",
  "      if (group_.is_to_help_locked()) ring_locked();", "      group_.is_to_help_locked();",
  "callback_thread_is_asked_to_help")
M("group_helps_though_one_may_come", "wait graph",
  "(others_may_come() || mine_->engine().any_worker_free() || may_come_locked())",
  "(others_may_come() || mine_->engine().any_worker_free())",
  "group_in_a_task_first_beside_one_that_waits_for_it group_in_a_task_first_two_workers")
M("group_does_not_ask_to_be_asked", "wake-up",
  "      engine.waits().ask_when_all_busy();\n", "",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("group_does_not_look_again_for_a_free_worker", "wake-up",
  "      if (engine.any_worker_free()) return false;\n    }", "      return false;\n    }",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")

M = header("detail/engine/*waiter*.hpp")
M("ready_is_seen_without_order", "order", "return word_.load(memory_order_acquire) == kReady;",
  "return word_.load(memory_order_relaxed) == kReady;", "result_is_polled")
M("waiter_sees_ready_without_order", "order",
  "  bool add(Waiter& waiter) noexcept {\n    std::uintptr_t word = word_.load(memory_order_acquire);",
  "  bool add(Waiter& waiter) noexcept {\n    std::uintptr_t word = word_.load(memory_order_relaxed);",
  "result_is_awaited_by_two done_callback_added_while_completing apply_returns_the_result")
M("waiter_enters_without_release", "order",
  "to_word(&waiter), memory_order_acq_rel,", "to_word(&waiter), memory_order_acquire,",
  "result_is_awaited_by_two")
M("waiter_enters_without_acquire", "order",
  "to_word(&waiter), memory_order_acq_rel,", "to_word(&waiter), memory_order_release,",
  "result_is_awaited_by_two result_loses_a_timed_waiter_of_two",
  equivalent="Who enters the list reads nothing of those in it; whoever walks the list acquires all, "
             "as an exchange continues the release sequences of those before.")
M("waiter_meets_ready_without_order", "order",
  "to_word(&waiter), memory_order_acq_rel,\n                                      memory_order_acquire",
  "to_word(&waiter), memory_order_acq_rel,\n                                      memory_order_relaxed",
  "done_callback_added_while_completing result_is_awaited_by_two")
M("leaver_looks_without_order", "order",
  "  bool remove(Waiter& waiter) noexcept {\n    std::uintptr_t word = word_.load(memory_order_acquire);",
  "  bool remove(Waiter& waiter) noexcept {\n    std::uintptr_t word = word_.load(memory_order_relaxed);",
  "result_is_awaited_for_a_time result_loses_a_timed_waiter_of_two",
  equivalent="The exchange acquires. Who finds it ready reads no outcome before the waiter's own "
             "mutex has told that it was notified.")
M("leaver_walks_the_list_without_acquire", "order",
  "word | kLocked, memory_order_acq_rel,\n                                          memory_order_acquire));",
  "word | kLocked, memory_order_release,\n                                          memory_order_relaxed));",
  "result_loses_a_timed_waiter_of_two result_loses_both_timed_waiters")
M("leaver_locks_without_release", "order", "word | kLocked, memory_order_acq_rel,",
  "word | kLocked, memory_order_acquire,",
  "result_loses_a_timed_waiter_of_two result_loses_both_timed_waiters",
  equivalent="Nobody uses the list while the bit is set; the store that clears it releases what was "
             "written, and all that came before.")
M("leaver_unlocks_without_release", "order", "word_.store(to_word(head), memory_order_release);",
  "word_.store(to_word(head), memory_order_relaxed);",
  "result_loses_a_timed_waiter_of_two result_loses_both_timed_waiters")
M("two_leave_at_once", "lock",
  "    do {\n      word = unlocked(word);\n      if (word == kReady) return false;\n    } while",
  "    do {\n      if (word == kReady) return false;\n    } while", "result_loses_both_timed_waiters")
M("waiter_enters_while_another_leaves", "lock",
  "      word = unlocked(word);\n      if (word == kReady) return false;\n      waiter.next_",
  "      if (word == kReady) return false;\n      waiter.next_",
  "result_loses_a_timed_waiter_of_two result_waits_follow_each_other")
M("outcome_is_not_published", "order", "word, kReady, memory_order_acq_rel,",
  "word, kReady, memory_order_acquire,", "result_is_polled apply_returns_the_result")
M("completer_takes_the_list_without_acquire", "order", "word, kReady, memory_order_acq_rel,",
  "word, kReady, memory_order_release,", "apply_returns_the_result")
M("completer_fails_without_acquire", "order", "kReady, memory_order_acq_rel, memory_order_acquire));",
  "kReady, memory_order_acq_rel, memory_order_relaxed));",
  "result_is_awaited_by_two apply_returns_the_result",
  equivalent="What a failed exchange has read is only expected by the next, which acquires.")
M("waiter_is_read_after_it_was_told", "reference",
  "      Waiter* const next = sleepers->next_;  // read first: notify() may end the waiter's life\n"
  "      sleepers->notify();\n      sleepers = next;",
  "      sleepers->notify();\n      sleepers = sleepers->next_;", "coroutines_await_one_call")
M("done_callback_is_read_after_it_was_run", "reference",
  "      Waiter* const next = first->next_;  // read first: notify() may end the waiter's life\n"
  "      first->notify();\n      first = next;",
  "      first->notify();\n      first = first->next_;", "done_callbacks_in_order")
M("done_callbacks_come_before_threads", "ready",
  "    while (sleepers != nullptr) {", "    WaitingCode::run_all(std::exchange(code, nullptr));\n"
  "    while (sleepers != nullptr) {", "done_callback_needs_who_waits")
M("waiter_is_notified_after_the_unlock", "lock",
  "    const lock_guard lock(mutex_);\n    notified_ = true;\n    condition_.notify_one();",
  "    {\n      const lock_guard lock(mutex_);\n      notified_ = true;\n    }\n"
  "    condition_.notify_one();", "apply_returns_the_result")
M("waiter_is_told_and_not_woken", "wake-up", "    notified_ = true;\n    condition_.notify_one();",
  "    notified_ = true;", "apply_returns_the_result")
M("waiter_believes_every_wake_up", "predicate",
  "    condition_.wait(lock, [this] { return notified_; });",
  "    if (!notified_) condition_.wait(lock);", "apply_returns_the_result result_is_awaited_by_two")
M("result_completes_while_a_waiter_leaves", "lock",
  "      word = unlocked(word);\n      if (word == kClosed)", "      if (word == kClosed)",
  "result_is_awaited_for_a_time result_loses_a_timed_waiter_of_two")
M("completer_looks_without_order", "order",
  "  bool complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_acquire);",
  "  bool complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_relaxed);",
  "result_is_awaited_by_two apply_returns_the_result result_handle_is_dropped_at_once "
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("completer_takes_the_list_without_any_acquire", "order",
  "  bool complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_acquire);\n"
  "    do {\n      word = unlocked(word);\n      if (word == kClosed) return false;\n"
  "      // release: publishes the outcome to ready(). acquire: pairs with add().\n    } while (\n"
  "        !word_.compare_exchange_weak(word, kReady, memory_order_acq_rel, memory_order_acquire));",
  "  bool complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_relaxed);\n"
  "    do {\n      word = unlocked(word);\n      if (word == kClosed) return false;\n    } while (\n"
  "        !word_.compare_exchange_weak(word, kReady, memory_order_release, memory_order_relaxed));",
  "result_is_awaited_by_two apply_returns_the_result")
M("closed_result_completes", "reference", "      if (word == kClosed) return false;\n", "",
  "result_handle_is_dropped_at_once")
M("last_handle_closes_without_order", "order",
  "compare_exchange_strong(none, kClosed, memory_order_acq_rel,",
  "compare_exchange_strong(none, kClosed, memory_order_relaxed,",
  "result_handle_is_dropped_during_the_task result_copies_are_dropped_by_two "
  "result_handle_is_dropped_at_once")
M("last_handle_closes_without_release", "order",
  "compare_exchange_strong(none, kClosed, memory_order_acq_rel,",
  "compare_exchange_strong(none, kClosed, memory_order_acquire,",
  "result_handle_is_dropped_during_the_task result_copies_are_dropped_by_two "
  "result_handle_is_dropped_at_once")
M("last_handle_closes_without_acquire", "order",
  "compare_exchange_strong(none, kClosed, memory_order_acq_rel,",
  "compare_exchange_strong(none, kClosed, memory_order_release,",
  "result_handle_is_dropped_during_the_task result_copies_are_dropped_by_two "
  "result_handle_is_dropped_at_once",
  equivalent="Who closes leaves all that comes to the completing thread.")
M("last_handle_meets_ready_without_order", "order",
  "compare_exchange_strong(none, kClosed, memory_order_acq_rel,\n"
  "                                         memory_order_acquire);",
  "compare_exchange_strong(none, kClosed, memory_order_acq_rel,\n"
  "                                         memory_order_relaxed);",
  "result_handle_is_dropped_at_once result_handle_is_dropped_during_the_task")
M("last_handle_looks_without_order", "order", "    return word_.load(memory_order_acquire) == none &&",
  "    return word_.load(memory_order_relaxed) == none &&",
  "result_handle_is_dropped_at_once result_handle_is_dropped_during_the_task result_outlives_its_pool")
M("last_handle_closes_what_is_ready", "claim",
  "           word_.compare_exchange_strong(none, kClosed, memory_order_acq_rel,\n"
  "                                         memory_order_acquire);",
  "           (word_.store(kClosed, memory_order_release), true);",
  "result_handle_is_dropped_at_once")

# ---- Jobs ----

M = header("detail/engine/job.hpp")
M("two_claim_an_entry", "claim",
  "      if (bits_.compare_exchange_weak(bits, bits + kClaimed - kEntry, memory_order_acq_rel,\n"
  "                                      memory_order_acquire)) {\n        return true;\n      }",
  "      bits_.store(bits + kClaimed - kEntry, memory_order_release);\n      return true;",
  "cancel_against_the_start nest_async_two_workers")
M("claim_keeps_the_entry", "reference", "bits, bits + kClaimed - kEntry, memory_order_acq_rel,",
  "bits, bits + kClaimed, memory_order_acq_rel,", "apply_returns_the_result")
M("entry_is_claimed_without_order", "order",
  "bits, bits + kClaimed - kEntry, memory_order_acq_rel,",
  "bits, bits + kClaimed - kEntry, memory_order_relaxed,",
  "cancel_against_the_start nest_async_two_workers result_handle_is_dropped_at_once",
  equivalent="Who claims has the job's fields by the ring, and does with it what done() or the word of "
             "the waiters publishes.")
M("entry_is_looked_at_without_order", "order",
  "    std::uint32_t bits = bits_.load(memory_order_acquire);\n    while ((bits & kClaimed) == 0) {\n"
  "      // acq_rel",
  "    std::uint32_t bits = bits_.load(memory_order_relaxed);\n    while ((bits & kClaimed) == 0) {\n"
  "      // acq_rel",
  "cancel_against_the_start nest_async_two_workers cancel_queued",
  equivalent="Who finds it claimed looks again to give up the entry, with order.")
M("dead_entry_of_a_call_is_kept", "reference", "    drop_entry();\n    return false;\n  }\n\n  /// Likewise",
  "    return false;\n  }\n\n  /// Likewise", "cancel_queued")
M("live_entries_are_forgotten", "predicate", "is_call_ ? !is_claimed() : !is_spent()",
  "is_call_ ? is_claimed() : !is_spent()", "worker_takes_while_the_queue_grows")
M("dead_entries_are_never_forgotten", "predicate",
  "    if (is_call_ ? !is_claimed() : !is_spent()) return false;\n    drop_entry();\n    return true;",
  "    if (!is_call_ && is_spent()) {\n      drop_entry();\n      return true;\n    }\n    return false;",
  "cancel_behind_what_runs cancel_after_the_queue_has_closed_up",
  equivalent="They are stepped over: only more memory.")
M("last_entry_is_dropped_without_a_look", "order",
  "    const std::uint32_t bits = bits_.load(memory_order_acquire);\n    // If this is the last",
  "    const std::uint32_t bits = bits_.load(memory_order_relaxed);\n    // If this is the last",
  "cancel_queued map_two_workers cancel_against_the_start cancel_map_lets_others_pass")
M("last_entry_takes_the_job_from_its_work", "reference",
  "(bits & ~kFlags) == kEntry && (bits & kDone) != 0;", "(bits & ~kFlags) == kEntry;",
  "map_one_worker cancel_queued")
M("entry_is_dropped_without_order", "order", "bits_.fetch_sub(kEntry, memory_order_acq_rel)",
  "bits_.fetch_sub(kEntry, memory_order_relaxed)", "map_two_workers imap_dropped_early map_handle_is_dropped")
M("entry_is_dropped_without_release", "order", "bits_.fetch_sub(kEntry, memory_order_acq_rel)",
  "bits_.fetch_sub(kEntry, memory_order_acquire)", "map_two_workers imap_dropped_early map_handle_is_dropped")
M("entry_is_dropped_without_acquire", "order", "bits_.fetch_sub(kEntry, memory_order_acq_rel)",
  "bits_.fetch_sub(kEntry, memory_order_release)", "map_two_workers imap_dropped_early map_handle_is_dropped")
M("last_entry_keeps_the_job", "reference",
  "if (last || is_last(bits_.fetch_sub(kEntry, memory_order_acq_rel), kEntry, kDone)) delete this;",
  "if (last) delete this; else bits_.fetch_sub(kEntry, memory_order_acq_rel);",
  "map_two_workers imap_dropped_early map_handle_is_dropped")
M("any_last_entry_deletes_the_job", "reference",
  "return (before & ~kFlags) == entries && (before & kDone) == done;",
  "return (before & ~kFlags) == entries;", "map_two_workers cancel_queued map_handle_is_dropped")
M("any_end_deletes_the_job", "reference",
  "return (before & ~kFlags) == entries && (before & kDone) == done;",
  "return (before & kDone) == done;", "map_two_workers cancel_queued map_handle_is_dropped")
M("work_ends_and_looks_without_order", "order",
  "    const std::uint32_t bits = bits_.load(memory_order_acquire);\n    const bool last = (bits & ~kFlags) == 0;",
  "    const std::uint32_t bits = bits_.load(memory_order_relaxed);\n    const bool last = (bits & ~kFlags) == 0;",
  "map_two_workers map_handle_is_dropped result_handle_is_dropped_during_the_task")
M("work_ends_with_entries_left", "reference", "const bool last = (bits & ~kFlags) == 0;",
  "const bool last = true;", "cancel_queued map_two_workers")
M("work_ends_without_order", "order", "bits_.fetch_or(kDone, memory_order_acq_rel)",
  "bits_.fetch_or(kDone, memory_order_relaxed)", "cancel_queued map_two_workers map_handle_is_dropped")
M("work_ends_without_release", "order", "bits_.fetch_or(kDone, memory_order_acq_rel)",
  "bits_.fetch_or(kDone, memory_order_acquire)", "cancel_queued map_two_workers map_handle_is_dropped")
M("work_ends_without_acquire", "order", "bits_.fetch_or(kDone, memory_order_acq_rel)",
  "bits_.fetch_or(kDone, memory_order_release)", "cancel_queued map_two_workers map_handle_is_dropped")
M("work_does_not_end", "reference",
  "if (last || is_last(bits_.fetch_or(kDone, memory_order_acq_rel), 0, 0)) delete this;",
  "if (last) delete this;", "cancel_queued map_two_workers")
M("entry_is_sought_without_order", "order",
  "    return (bits_.load(memory_order_acquire) & ~kFlags) != 0;",
  "    return (bits_.load(memory_order_relaxed) & ~kFlags) != 0;",
  "nest_map_one_worker nest_async_two_workers",
  equivalent="A hint; done() looks again, with order.")
M("two_claim_at_once", "claim",
  "(bits_.fetch_or(kClaimed, memory_order_acq_rel) & kClaimed) == 0;",
  "(bits_.fetch_or(kClaimed, memory_order_acq_rel), true);",
  "nest_async_two_workers lane_is_taken_from_at_both_ends nest_against_destruction", deep="--bound 2")
M("claim_has_no_order", "order", "bits_.fetch_or(kClaimed, memory_order_acq_rel)",
  "bits_.fetch_or(kClaimed, memory_order_relaxed)",
  "nest_async_two_workers lane_is_taken_from_at_both_ends nest_against_destruction",
  equivalent="As for an entry.")
M("cancel_claims_what_another_has_claimed", "claim",
  "      if (bits_.compare_exchange_weak(bits, bits | kClaimed | kCancelled, memory_order_acq_rel,\n"
  "                                      memory_order_relaxed)) {\n        return true;\n      }",
  "      bits_.store(bits | kClaimed | kCancelled, memory_order_release);\n      return true;",
  "cancel_against_the_start cancel_against_cancel")
M("cancel_has_no_order", "order",
  "bits | kClaimed | kCancelled, memory_order_acq_rel,",
  "bits | kClaimed | kCancelled, memory_order_relaxed,",
  "cancel_against_the_start cancel_against_cancel cancel_queued",
  equivalent="As for an entry.")
M("cancel_does_not_say_so", "predicate", "bits | kClaimed | kCancelled, memory_order_acq_rel,",
  "bits | kClaimed, memory_order_acq_rel,", "cancel_queued")
M("imap_is_given_up_and_its_entry_is_kept", "reference", "    abandon(why);\n    release();",
  "    abandon(why);", "imap_terminated_while_queued imap_outlives_its_pool imap_terminated_while_full")
M("lower_priority_comes_first", "queue", "priority > other.priority", "priority < other.priority",
  "priority_orders_what_is_queued")
M("later_job_comes_first", "queue", "order < other.order;", "order > other.order;",
  "priority_orders_what_is_queued")

M = header("detail/engine/findable*.hpp")
M("pool_is_left_without_order", "order", "refs_.fetch_sub(1, memory_order_acq_rel)",
  "refs_.fetch_sub(1, memory_order_relaxed)", "destroy_in_a_task destroyed_by_its_last_task")
M("pool_is_left_without_release", "order", "refs_.fetch_sub(1, memory_order_acq_rel)",
  "refs_.fetch_sub(1, memory_order_acquire)", "destroy_in_a_task destroyed_by_its_last_task")
M("pool_is_left_without_acquire", "order", "refs_.fetch_sub(1, memory_order_acq_rel)",
  "refs_.fetch_sub(1, memory_order_release)", "destroy_in_a_task destroyed_by_its_last_task")
M("dying_pool_is_found", "reference",
  "        return live->try_add_ref() ? Ref<Findable>::adopt(live) : Ref<Findable>();",
  "        return Ref<Findable>::share(live);",
  "unobserved_while_the_pool_dies")

M = header("detail/jobs/apply_job.hpp")
M("cancel_stops_nothing_that_runs", "abandon",
  "      if (!cancelled()) stop_.request();\n", "", "stop_by_cancel")
M("cancelled_call_counts_as_failed", "predicate", "    this->set_outcome_cancelled();\n", "",
  "group_first_exception_of_a_cancelled_one")
M("given_up_call_is_not_destroyed", "ready",
  "  void give_up(const std::exception_ptr& why) noexcept {\n    std::destroy_at(&call_);",
  "  void give_up(const std::exception_ptr& why) noexcept {", "cancel_queued")
M("call_dies_after_ready", "ready",
  "    std::destroy_at(&call_);\n    stop_.leave(this->engine());\n    this->finish();",
  "    stop_.leave(this->engine());\n    this->finish();\n    std::destroy_at(&call_);",
  "result_is_ready_after_its_captures_have_died")
M("call_that_has_ended_may_still_be_stopped", "reference",
  "    std::destroy_at(&call_);\n    stop_.leave(this->engine());\n    this->finish();",
  "    std::destroy_at(&call_);\n    this->finish();", "stop_of_what_has_ended stop_by_cancel")
M("terminate_gives_up_what_runs", "claim",
  "    if (this->try_claim()) give_up(why);", "    this->try_claim();\n    give_up(why);",
  "destructor_of_an_abandoned_capture_waits nest_against_terminate nest_against_destruction "
  "group_in_a_task_against_terminate")
M("waiter_runs_what_another_has_claimed", "claim",
  "if (Engine::take_back_entry(&this->engine(), *this) ? this->take_entry() : this->try_claim()) execute();",
  "Engine::take_back_entry(&this->engine(), *this) ? this->take_entry() : this->try_claim();\n"
  "    execute();", "nest_async_two_workers lane_is_taken_from_at_both_ends", deep="--bound 2")
M("waiter_runs_only_the_youngest", "claim",
  "Engine::take_back_entry(&this->engine(), *this) ? this->take_entry() : this->try_claim()",
  "Engine::take_back_entry(&this->engine(), *this) && this->take_entry()",
  "nest_wait_for_what_is_queued_behind")
M("waiter_leaves_a_dead_entry", "queue",
  "Engine::take_back_entry(&this->engine(), *this) ? this->take_entry() : this->try_claim()",
  "this->try_claim()", "nest_async_one_worker nest_async_two_workers",
  equivalent="It is stepped over, or given up at the end of the job.")
M("taken_back_entry_is_kept", "reference",
  "Engine::take_back_entry(&this->engine(), *this) ? this->take_entry() : this->try_claim()",
  "(Engine::take_back_entry(&this->engine(), *this), this->try_claim())", "nest_async_one_worker")
M("refused_call_is_not_destroyed", "ready",
  "    if (!this->is_claimed()) std::destroy_at(&call_);  // it was never issued\n", "",
  "close_against_issue fault_in_apply_async")

M = header("detail/jobs/map_job.hpp")
M("two_take_one_chunk", "claim",
  "      begin = next_.fetch_add(chunking_.size(), memory_order_relaxed);",
  "      begin = next_.load(memory_order_relaxed);\n"
  "      next_.store(begin + chunking_.size(), memory_order_relaxed);", "map_two_workers")
M("chunk_begins_beyond_the_end", "claim",
  "memory_order_relaxed);\n      if (begin >= size_) return {};\n      return {begin,",
  "memory_order_relaxed);\n      return {begin,", "map_with_a_short_last_chunk")
M("two_take_one_shrinking_chunk", "claim",
  "    } while (!next_.compare_exchange_weak(begin, end, memory_order_relaxed));",
  "      next_.store(end, memory_order_relaxed);\n    } while (false);", "map_with_shrinking_chunks")
M("map_that_runs_does_not_say_so", "predicate",
  "      if (!this->claimed()) this->try_claim();  // it is running now\n", "",
  "map_says_that_it_runs")
M("two_errors_are_kept", "claim",
  "    if (!failed_.exchange(true, memory_order_relaxed)) error_ = error;",
  "    failed_.store(true, memory_order_relaxed);\n    error_ = error;", "map_two_items_fail")
M("chunks_end_without_order", "order", "done_.fetch_add(count, memory_order_acq_rel)",
  "done_.fetch_add(count, memory_order_relaxed)", "map_two_workers")
M("chunks_end_without_release", "order", "done_.fetch_add(count, memory_order_acq_rel)",
  "done_.fetch_add(count, memory_order_acquire)", "map_two_workers")
M("chunks_end_without_acquire", "order", "done_.fetch_add(count, memory_order_acq_rel)",
  "done_.fetch_add(count, memory_order_release)", "map_two_workers")
M("items_die_with_the_last_reference", "ready", "    work_.reset();\n    stop_.leave", "    stop_.leave",
  "map_two_workers map_async_owns_its_items destructor_of_items_waits")
M("cancel_stops_no_map", "abandon", "    stop_.request();\n    return begin", "    return begin",
  "stop_in_a_map")
M("cancelled_map_counts_as_failed", "predicate",
  "      if (cancels) this->set_outcome_cancelled();\n", "",
  "group_first_exception_of_a_cancelled_map")
M("given_up_items_do_not_count", "count",
  "    if (progress_) progress_->add(count);\n    finish_items(count);",
  "    if (progress_) progress_->add(count);", "cancel_map_under_way")
M("map_never_makes_way", "predicate", "      work(1, Deadline::never());",
  "      work(~std::size_t{0}, Deadline::never());", "priority_interrupts_a_map")
M("map_makes_way_for_good", "queue",
  "      if (!is_spent()) return engine.put_back(*this, rank_);\n", "", "priority_interrupts_a_map")
M("map_has_no_entries", "reference",
  "    this->add_entries(static_cast<std::uint32_t>(entries));\n", "", "map_two_workers map_one_worker")
M("map_has_one_entry_too_few", "reference",
  "this->add_entries(static_cast<std::uint32_t>(entries));",
  "this->add_entries(static_cast<std::uint32_t>(entries - 1));", "map_two_workers map_one_worker")
M("map_is_for_one_worker", "queue",
  "    return {.entries = entries, .has_callbacks", "    return {.entries = 1, .has_callbacks",
  "map_items_meet")
M("worker_keeps_the_entry_of_a_map", "reference",
  "      if (!is_spent()) return engine.put_back(*this, rank_);\n    }\n    this->drop_entry();",
  "      if (!is_spent()) return engine.put_back(*this, rank_);\n    }", "map_one_worker map_two_workers")
M("abandoned_map_keeps_its_entry", "reference", "    abandon(why);\n    this->drop_entry();",
  "    abandon(why);", "terminate_a_map_under_way destroy_with_work terminate_against_a_blocking_map")
M("map_runs_on_in_a_terminated_pool", "abandon",
  "      if (this->engine().state() == State::terminate) {", "      if (false) {",
  "terminate_a_map_under_way")
M("terminated_map_forgets_the_chunk_in_hand", "count",
  "give_up(range.size() + size_ - smaller(size_, claim_rest(size_)),",
  "give_up(size_ - std::min(size_, claim_rest(size_)),", "terminate_a_map_under_way")
M("spent_map_is_not_dead", "queue",
  "    return next_.load(memory_order_relaxed) >= size_;\n  }\n\n  Stop",
  "    return false;\n  }\n\n  Stop", "cancel_map_lets_others_pass map_beside_another_map",
  equivalent="A worker that takes such an entry finds nothing to claim, and gives it up.")
M("rest_of_a_map_is_given_up_twice", "claim",
  "    while (begin < size_ && !next_.compare_exchange_weak(begin, mark, memory_order_relaxed)) {\n    }",
  "    if (begin < size_) next_.store(mark, memory_order_relaxed);",
  "cancel_map_against_cancel cancel_map_against_its_workers")

# ---- Queues ----

M = header("detail/engine/job_ring.hpp")
M("ring_looks_empty_out_of_order", "order",
  "return head_.load(memory_order_seq_cst) >= tail_.load(memory_order_seq_cst);",
  "return head_.load(memory_order_seq_cst) >= tail_.load(memory_order_acquire);",
  "lane_of_one_who_is_stuck")
M("ring_looks_at_its_head_out_of_order", "order",
  "return head_.load(memory_order_seq_cst) >= tail_.load(memory_order_seq_cst);",
  "return head_.load(memory_order_relaxed) >= tail_.load(memory_order_seq_cst);",
  "lane_of_one_who_is_stuck worker_is_woken_again",
  equivalent="An older head is a smaller one: the ring looks less empty than it is, and is looked at "
             "again.")
M("taker_sees_an_old_tail", "order",
  "      if (head >= tail_.load(memory_order_seq_cst)) return nullptr;\n      // acquire, as",
  "      if (head >= tail_.load(memory_order_acquire)) return nullptr;\n      // acquire, as",
  "lane_whose_end_is_taken_back_unseen")
M("taker_reads_the_buffer_without_order", "order",
  "      // acquire, as for the tail: the entry at the head was written before the tail passed it.\n"
  "      Job* const job = buffer_.load(memory_order_acquire)",
  "      Job* const job = buffer_.load(memory_order_relaxed)", "lane_grows_while_another_takes")
M("taker_reads_the_tail_without_order", "order",
  "      if (head >= tail_.load(memory_order_seq_cst)) return nullptr;\n      // acquire, as",
  "      if (head >= tail_.load(memory_order_relaxed)) return nullptr;\n      // acquire, as",
  "lane_of_one_who_is_stuck lane_is_taken_from_at_both_ends")
M("two_take_one_entry", "claim",
  "      // acquire, as for the tail: the entry at the head was written before the tail passed it.\n"
  "      Job* const job = buffer_.load(memory_order_acquire)->at(head).load(memory_order_relaxed);\n"
  "      if (head_.compare_exchange_weak(head, head + 1, memory_order_seq_cst,\n"
  "                                      memory_order_seq_cst)) {\n        return job;\n      }",
  "      Job* const job = buffer_.load(memory_order_acquire)->at(head).load(memory_order_relaxed);\n"
  "      head_.store(head + 1, memory_order_seq_cst);\n      return job;",
  "lane_is_taken_from_at_both_ends lane_grows_while_another_takes nest_async_two_workers")
M("taker_moves_the_head_out_of_order", "order",
  "      // acquire, as for the tail: the entry at the head was written before the tail passed it.\n"
  "      Job* const job = buffer_.load(memory_order_acquire)->at(head).load(memory_order_relaxed);\n"
  "      if (head_.compare_exchange_weak(head, head + 1, memory_order_seq_cst,",
  "      Job* const job = buffer_.load(memory_order_acquire)->at(head).load(memory_order_relaxed);\n"
  "      if (head_.compare_exchange_weak(head, head + 1, memory_order_acq_rel,",
  "lane_whose_end_is_taken_back_unseen",
  equivalent="Stronger than needed. If the owner's load of the head in pop_back() does not see this, it is "
             "before the next taker's load of the head in the order of all sequentially consistent "
             "operations, as both are such loads of one word and the second sees this or a later value; so "
             "the owner's store of the tail is before that taker's load of the tail, which sees it.")
M("taker_reads_the_entry_too_late", "claim",
  "      // acquire, as for the tail: the entry at the head was written before the tail passed it.\n"
  "      Job* const job = buffer_.load(memory_order_acquire)->at(head).load(memory_order_relaxed);\n"
  "      if (head_.compare_exchange_weak(head, head + 1, memory_order_seq_cst,\n"
  "                                      memory_order_seq_cst)) {\n        return job;\n      }",
  "      if (head_.compare_exchange_weak(head, head + 1, memory_order_seq_cst,\n"
  "                                      memory_order_seq_cst)) {\n"
  "        return buffer_.load(memory_order_acquire)->at(head).load(memory_order_relaxed);\n      }",
  "lane_grows_while_another_takes", deep="--bound 2")
M("closed_ring_stays_open", "queue",
  "void close() noexcept { head_.fetch_or(kClosed, memory_order_seq_cst); }",
  "void close() noexcept {}", "terminate_and_then_nothing_begins")
M("ring_is_closed_without_order", "order", "head_.fetch_or(kClosed, memory_order_seq_cst);",
  "head_.fetch_or(kClosed, memory_order_relaxed);",
  "terminate_against_the_start lane_against_terminate nest_against_terminate",
  equivalent="Only the word itself matters: who would move the head fails.")
M("ring_is_emptied_out_of_order", "order",
  "if (position >= tail_.load(memory_order_seq_cst)) return nullptr;",
  "if (position >= tail_.load(memory_order_acquire)) return nullptr;",
  "nest_against_terminate lane_against_terminate")
M("two_empty_one_ring", "claim",
  "      Job* const job = buffer_.load(memory_order_acquire)->at(position).load(memory_order_relaxed);\n"
  "      if (head_.compare_exchange_weak(head, head + 1, memory_order_seq_cst,\n"
  "                                      memory_order_seq_cst)) {\n        return job;\n      }",
  "      Job* const job = buffer_.load(memory_order_acquire)->at(position).load(memory_order_relaxed);\n"
  "      head_.store(head + 1, memory_order_seq_cst);\n      return job;",
  "terminate_against_terminate callout_two_terminate_and_a_capture_waits")
M("dying_ring_keeps_its_entries", "reference",
  "    while (Job* const job = drain()) job->drop_entry();\n", "",
  "nest_against_destruction cancel_queued destroy_with_work",
  equivalent="terminate() has emptied it, and after that only a worker that gives up what it has "
             "added adds to it.")
M("dying_ring_keeps_its_memory", "reference", "    delete buffer_.load(memory_order_relaxed);\n", "",
  "worker_is_woken_again")
M("reader_of_a_ring_looks_without_order", "order",
  "          tail_ = ring.tail_.load(memory_order_acquire);",
  "          tail_ = ring.tail_.load(memory_order_relaxed);", "worker_is_woken_again apply_returns_the_result")
M("reader_reads_the_buffer_without_order", "order",
  "          buffer_ = ring.buffer_.load(memory_order_acquire);",
  "          buffer_ = ring.buffer_.load(memory_order_relaxed);",
  "worker_takes_while_the_queue_grows lane_that_is_shared_grows_while_two_take")
M("reader_takes_what_is_not_there", "queue", "          if (head >= tail_) return nullptr;\n", "",
  "worker_is_woken_again")
M("reader_keeps_an_old_buffer", "queue",
  "          buffer_ = ring.buffer_.load(memory_order_acquire);\n",
  "          if (buffer_ == nullptr) buffer_ = ring.buffer_.load(memory_order_acquire);\n",
  "worker_takes_while_the_queue_grows lane_that_is_shared_grows_while_two_take")
M("two_readers_take_one_entry", "claim",
  "        if (ring.head_.compare_exchange_weak(head, head + 1, memory_order_acq_rel,\n"
  "                                             memory_order_acquire)) {",
  "        ring.head_.store(head + 1, memory_order_release);\n        {",
  "worker_wakes_the_next lane_that_is_shared_grows_while_two_take")
M("ring_has_room_for_one_too_many", "queue",
  "tail - head_seen_ + count <= buffer->capacity()) return true;\n    head_seen_",
  "tail - head_seen_ + count <= buffer->capacity() + 1) return true;\n    head_seen_",
  "worker_takes_while_the_queue_grows")
M("ring_never_sees_its_head_again", "queue",
  "    head_seen_ = head_.load(memory_order_acquire) & ~kClosed;\n", "",
  "worker_takes_while_the_queue_grows",
  equivalent="It makes room though it has some.")
M("entry_is_added_out_of_order", "order",
  "    buffer_.load(memory_order_relaxed)->at(tail).store(&job, memory_order_relaxed);\n"
  "    tail_.store(tail + 1, memory_order_seq_cst);",
  "    buffer_.load(memory_order_relaxed)->at(tail).store(&job, memory_order_relaxed);\n"
  "    tail_.store(tail + 1, memory_order_release);", "lane_of_one_who_is_stuck")
M("entry_is_added_without_release", "order",
  "    buffer_.load(memory_order_relaxed)->at(tail).store(&job, memory_order_relaxed);\n"
  "    tail_.store(tail + 1, memory_order_seq_cst);",
  "    buffer_.load(memory_order_relaxed)->at(tail).store(&job, memory_order_relaxed);\n"
  "    tail_.store(tail + 1, memory_order_relaxed);", "apply_returns_the_result lane_of_one_who_is_stuck")
M("entry_of_another_is_taken_back", "claim",
  "    if (head_.load(memory_order_relaxed) >= tail ||\n"
  "        buffer->at(tail - 1).load(memory_order_relaxed) != &job) {",
  "    if (head_.load(memory_order_relaxed) >= tail) {",
  "lane_keeps_what_is_not_awaited")
M("entry_is_hidden_out_of_order", "order", "tail_.store(tail - 1, memory_order_seq_cst);",
  "tail_.store(tail - 1, memory_order_release);", "lane_whose_end_is_taken_back_unseen")
M("owner_sees_an_old_head", "order",
  "    std::uint64_t head = head_.load(memory_order_seq_cst);\n    if (head < tail - 1) return true;",
  "    std::uint64_t head = head_.load(memory_order_acquire);\n    if (head < tail - 1) return true;",
  "lane_whose_end_is_taken_back_unseen")
M("owner_takes_the_last_as_a_taker_does", "claim", "    if (head < tail - 1) return true;",
  "    if (head <= tail - 1) return true;", "nest_async_two_workers lane_is_taken_from_at_both_ends", deep="--bound 2")
M("owner_takes_the_last_without_order", "order",
  "                                              head, tail, memory_order_seq_cst,\n"
  "                                              memory_order_seq_cst);",
  "                                              head, tail, memory_order_relaxed,\n"
  "                                              memory_order_relaxed);",
  "nest_async_two_workers lane_is_taken_from_at_both_ends",
  equivalent="It meets a taker at the word of the head itself, and publishes nothing.")
M("tail_stays_back", "queue",
  "    tail_.store(tail, memory_order_seq_cst);\n    return mine;", "    return mine;",
  "lane_goes_on_after_an_entry_was_taken_back")
M("tail_comes_back_without_order", "order",
  "    tail_.store(tail, memory_order_seq_cst);\n    return mine;",
  "    tail_.store(tail, memory_order_relaxed);\n    return mine;",
  "lane_goes_on_after_an_entry_was_taken_back nest_async_two_workers",
  equivalent="No entry is before it then; the next one that is added publishes itself.")
M("owner_takes_what_a_taker_has", "claim", "    return mine;\n  }\n\n private:",
  "    return true;\n  }\n\n private:", "nest_async_two_workers lane_is_taken_from_at_both_ends", deep="--bound 2")
M("first_buffer_is_published_without_release", "order",
  "buffer_.store(new Buffer(capacity, nullptr), memory_order_release);",
  "buffer_.store(new Buffer(capacity, nullptr), memory_order_relaxed);",
  "worker_is_woken_again lane_of_one_who_is_stuck",
  equivalent="The tail that an entry moves is stored after it, with release, and loaded before it.")
M("larger_buffer_is_published_without_release", "order",
  "      buffer_.store(larger, memory_order_release);", "      buffer_.store(larger, memory_order_relaxed);",
  "lane_grows_while_another_takes lane_that_is_shared_grows_while_two_take")
M("closed_ring_is_opened_again", "predicate", "    if ((head & kClosed) != 0) return false;\n", "",
  "lane_against_terminate")
M("owner_makes_room_and_takes_what_others_take", "claim",
  "  } while (!head_.compare_exchange_weak(head, tail, memory_order_seq_cst, memory_order_seq_cst));",
  "    head_.store(tail, memory_order_seq_cst);\n  } while (false);",
  "worker_takes_while_the_queue_grows lane_grows_while_another_takes")
M("owner_makes_room_without_order", "order",
  "head_.compare_exchange_weak(head, tail, memory_order_seq_cst, memory_order_seq_cst));",
  "head_.compare_exchange_weak(head, tail, memory_order_relaxed, memory_order_relaxed));",
  "worker_takes_while_the_queue_grows lane_grows_while_another_takes",
  equivalent="It meets takers at the word of the head itself; what it gives is published by the tail. "
             "(An entry written before its slot was read by others cannot be shown by loads.)")
M("larger_ring_is_empty", "queue",
  "        larger->at(position).store(buffer->at(position).load(memory_order_relaxed),\n"
  "                                   memory_order_relaxed);",
  "        static_cast<void>(position);", "worker_takes_while_the_queue_grows")
M("old_buffers_are_lost", "reference", "std::bit_ceil(kept + count + buffer->capacity() / 2), buffer);",
  "std::bit_ceil(kept + count + buffer->capacity() / 2), nullptr);",
  "worker_takes_while_the_queue_grows")
M("larger_ring_is_never_made", "queue",
  "  if (kept + count > buffer->capacity() - buffer->capacity() / 4) {", "  if (false) {",
  "worker_takes_while_the_queue_grows")
M("what_is_put_back_stays_hidden", "queue",
  "  tail_.store(end, memory_order_seq_cst);\n  return true;", "  return true;",
  "worker_takes_while_the_queue_grows")
M("what_is_put_back_is_published_without_release", "order",
  "  tail_.store(end, memory_order_seq_cst);\n  return true;",
  "  tail_.store(end, memory_order_relaxed);\n  return true;",
  "cancel_after_the_queue_has_closed_up cancel_behind_what_runs cancel_and_make_room")
M("what_is_put_back_is_shown_out_of_order", "order",
  "  tail_.store(end, memory_order_seq_cst);\n  return true;",
  "  tail_.store(end, memory_order_release);\n  return true;",
  "worker_takes_while_the_queue_grows lane_grows_while_another_takes",
  equivalent="An entry is added next, with a store in sequential order, which shows these, too.")
M("failed_growth_hides_what_is_queued", "queue",
  "        tail_.store(end, memory_order_seq_cst);\n        throw;", "        throw;",
  "fault_when_the_queue_grows", deep="--bound 2")
M("failed_growth_goes_unnoticed", "predicate",
  "      if (kept + count > buffer->capacity()) {\n        tail_", "      if (false) {\n        tail_",
  "fault_when_the_queue_grows", deep="--bound 2")

M = header("detail/engine/lanes.hpp")
M("lane_is_not_listed", "queue", "    if (!own.is_listed) list(own);\n", "",
  "lane_of_one_who_is_stuck")
M("lane_is_listed_again_and_again", "queue", "    own.is_listed = true;\n", "",
  "lane_goes_on_after_an_entry_was_taken_back lane_grows_while_another_takes")
M("two_lanes_are_listed_at_one_place", "lock",
  "const lock_guard lock(list_mutex_);\n    const std::size_t count =", "const std::size_t count =",
  "lanes_of_two_who_are_stuck")
M("lane_is_listed_out_of_order", "order", "listed_count_.store(count + 1, memory_order_seq_cst);",
  "listed_count_.store(count + 1, memory_order_release);", "lane_of_one_who_is_stuck")
M("lane_is_listed_without_release", "order", "listed_count_.store(count + 1, memory_order_seq_cst);",
  "listed_count_.store(count + 1, memory_order_relaxed);", "lane_of_one_who_is_stuck")
M("worker_takes_from_no_other", "queue", "    return take_in_rotation(turn);\n",
  "    return nullptr;\n", "lane_of_one_who_is_stuck",
  equivalent="It looks at the others in one of so many turns, and searches as long as there is something: "
             "only later.")
M("worker_with_work_looks_at_no_other", "queue",
  "    if (turn % tuning::kTurnsOfOthers == 0) {\n", "    if (false) {\n",
  "lane_of_endless_work_and_one_who_is_stuck")
M("worker_always_takes_its_own_first", "queue", "const bool own_first = turn % 2 != 0;",
  "const bool own_first = true;", "lane_of_endless_work_lets_others_pass")
M("worker_always_begins_with_one_shared_lane", "queue", "const std::size_t lane = own.shared % kShared;",
  "const std::size_t lane = i;", "lanes_of_two_producers_take_turns")
M("dead_entry_ends_the_search_of_a_shared_lane", "queue",
  "      while (Job* const job = own.readers[lane].pop(shared_[lane].ring)) {",
  "      if (Job* const job = own.readers[lane].pop(shared_[lane].ring)) {",
  "cancel_in_the_middle_of_the_queue",
  equivalent="The worker sees that there is more when it would fall asleep, and searches again.")
M("dead_entry_ends_the_search_of_a_lane", "queue", "    while (Job* const job = ring.pop()) {",
  "    if (Job* const job = ring.pop()) {", "nest_wait_for_what_is_queued_behind",
  equivalent="As in a shared lane.")
M("worker_keeps_a_dead_entry", "claim",
  "        if (job->take_entry()) return job;\n      }\n    }\n    if (!own_first)",
  "        job->take_entry();\n        return job;\n      }\n    }\n    if (!own_first)",
  "cancel_queued cancel_against_the_start")
M("sleeper_does_not_look_at_shared_lanes", "wake-up",
  "      if (!lane.ring.empty()) return true;\n", "", "worker_is_woken_again")
M("sleeper_looks_at_shared_lanes_without_the_lock", "lock",
  "      const lock_guard lock(lane.lock);\n      if (!lane.ring.empty()) return true;",
  "      if (!lane.ring.empty()) return true;",
  "fault_in_apply_async", deep="--bound 2")
M("sleeper_does_not_look_at_own_lanes", "wake-up",
  "      if (!listed_[i].load(memory_order_relaxed)->ring.empty()) return true;\n",
  "      static_cast<void>(i);\n", "lane_of_one_who_is_stuck")
M("sleeper_counts_lanes_out_of_order", "order",
  "    const std::size_t listed = listed_count_.load(memory_order_seq_cst);\n"
  "    for (std::size_t i = 0; i != listed; ++i) {\n"
  "      if (!listed_[i].load(memory_order_relaxed)->ring.empty())",
  "    const std::size_t listed = listed_count_.load(memory_order_acquire);\n"
  "    for (std::size_t i = 0; i != listed; ++i) {\n"
  "      if (!listed_[i].load(memory_order_relaxed)->ring.empty())", "lane_of_one_who_is_stuck")
M("jobs_in_shared_lanes_are_not_counted", "count", "sum += lane.issued.get();",
  "static_cast<void>(lane);", "close_runs_what_is_queued")
M("doors_of_shared_lanes_are_not_passed", "lock",
  "    for (Shared& lane : shared_) const lock_guard lock(lane.lock);\n", "", "close_against_issue")
M("shared_lanes_are_not_closed", "queue", "      lane.ring.close();\n", "",
  "terminate_and_then_nothing_begins")
M("own_lanes_are_not_closed", "queue",
  "      listed_[i].load(memory_order_relaxed)->ring.close();\n", "      static_cast<void>(i);\n",
  "terminate_in_a_task_and_then_nothing_begins")
M("shared_lanes_are_not_emptied", "abandon",
  "      if (Job* const job = lane.ring.drain()) return job;\n", "",
  "terminate_what_runs_and_what_is_queued")
M("own_lanes_are_not_emptied", "abandon",
  "      if (Job* const job = listed_[i].load(memory_order_relaxed)->ring.drain()) return job;\n",
  "      static_cast<void>(i);\n", "lane_against_terminate lane_of_one_who_terminates")
M("own_lanes_are_emptied_out_of_order", "order",
  "    const std::size_t listed = listed_count_.load(memory_order_seq_cst);\n"
  "    for (std::size_t i = 0; i != listed; ++i) {\n      if (Job*",
  "    const std::size_t listed = listed_count_.load(memory_order_acquire);\n"
  "    for (std::size_t i = 0; i != listed; ++i) {\n      if (Job*",
  "order_of_the_first_use_of_a_lane", deep="--bound 3 --stale")
M("other_lanes_are_found_without_order", "order", "listed_count_.load(memory_order_acquire);",
  "listed_count_.load(memory_order_relaxed);", "lane_of_one_who_is_stuck lanes_of_two_who_are_stuck")

M = header("detail/engine/job_heap.hpp")
M("heap_takes_the_last", "queue",
  "    std::pop_heap(entries_.begin(), entries_.end(), is_after);\n", "",
  "priority_orders_what_is_queued")
M("heap_is_not_mended_when_it_grows", "queue",
  "    std::push_heap(entries_.begin(), entries_.end(), is_after);\n", "",
  "priority_of_the_last")
M("heap_is_not_mended_without_the_dead", "queue",
  "    std::make_heap(entries_.begin(), entries_.end(), is_after);\n", "",
  "priority_without_the_first")
M("dead_entries_fill_the_heap", "queue",
  "    std::erase_if(entries_, [](const Entry& entry) { return entry.job->drop_if_dead(); });\n", "",
  "priority_cancel priority_cancel_and_grow",
  equivalent="They are stepped over: only more memory.")
M("dying_heap_keeps_its_entries", "reference",
  "    for (const Entry& entry : entries_) entry.job->drop_entry();\n", "", "priority_against_terminate",
  equivalent="terminate() has emptied it.")

M = header("detail/engine/stream_list.hpp")
M("terminated_imap_counts_as_listed", "queue", "    job.is_listed_ = false;\n", "",
  "imap_terminated_beside_a_drop")
M("listed_imap_is_erased_from_one_side", "queue",
  "    (job.next_live_ != nullptr ? job.next_live_->prev_live_ : last_) = job.prev_live_;\n", "",
  "imap_join_lifts_the_limit_of_two imap_one_reader")

M = header("detail/engine/stream_queue.hpp")
M("imap_is_queued_and_does_not_know_it", "queue",
  "    job.queued_.store(true, memory_order_relaxed);\n", "",
  "imap_read_in_a_task imap_one_reader imap_items_meet")
M("imap_leaves_the_list_twice", "queue", "    job.queued_.store(false, memory_order_relaxed);\n", "",
  "imap_one_reader imap_read_in_a_task imap_items_meet")

M = header("detail/engine/job_queue.hpp")
M("call_is_not_counted", "count", "      door.lane->issued.add_one();\n", "",
  "close_runs_what_is_queued")
M("call_by_priority_is_not_counted", "count", "    issued_.add_one();\n", "", "priority_close")
M("calls_by_priority_are_not_counted", "count",
  "return lanes_.issued_to_shared() + issued_.get();", "return lanes_.issued_to_shared();",
  "priority_close")
M("equals_have_no_order", "queue", "    const Rank rank{priority, ++last_order_};",
  "    const Rank rank{priority, last_order_};", "priority_of_equals")
M("map_forgets_its_rank", "queue", "    if (wanted_rank != nullptr) *wanted_rank = rank;\n", "",
  "priority_map_keeps_its_place")
M("map_has_one_entry", "queue", "      for (; count != 0; --count) door.lane->ring.push(job);",
  "      if (count != 0) door.lane->ring.push(job);", "map_items_meet")
M("map_by_priority_has_one_entry", "queue", "    for (; count != 0; --count) heap_.push(job, rank);",
  "    if (count != 0) heap_.push(job, rank);", "priority_map_two_workers priority_map_keeps_its_place")
M("no_room_is_kept_for_what_is_put_back", "queue", "      heap_.reserve(count + workers_);  // room",
  "      heap_.reserve(count);  // room", "fault_when_a_map_is_put_back priority_map_two_workers")
M("imap_loses_its_turn", "queue", "in_turn ? StreamQueue::kInTurn : ++last_order_", "++last_order_",
  "priority_imap_goes_on_with_its_turn")
M("imap_keeps_its_turn", "queue", "in_turn ? StreamQueue::kInTurn : ++last_order_",
  "StreamQueue::kInTurn", "priority_imap_makes_way")
M("imap_in_its_turn_waits_for_calls", "queue",
  "if (Job* const job = take_stream(own.streams_next)) return job;", "",
  "imap_goes_on_before_what_came_later")
M("lane_takes_no_reference_on_an_imap", "reference",
  "job.add_ref();\n    door.lane->ring.push(job);", "door.lane->ring.push(job);",
  "imap_buffersize_one imap_makes_way")
M("imap_is_never_found", "queue",
  "return streams_.empty() ? lanes_.take(own) : take_with_streams(own);", "return lanes_.take(own);",
  "imap_goes_on_before_what_came_later")
M("sleeper_does_not_look_at_imaps", "wake-up", "(!streams_.empty() || !heap_.empty())",
  "!heap_.empty()", "imap_items_meet imap_one_reader")
M("sleeper_does_not_look_at_the_heap", "wake-up", "(!streams_.empty() || !heap_.empty())",
  "!streams_.empty()", "priority_wakes_the_next priority_close")
M("sleeper_looks_at_the_heap_without_the_lock", "lock",
  "      const lock_guard lock(mutex_);\n      if (!closed_ && (", "      if (!closed_ && (",
  "priority_wakes_the_next priority_close")
M("door_of_the_heap_is_not_passed", "lock", "    { const lock_guard lock(mutex_); }\n", "",
  "priority_close_against_issue")
M("heap_is_not_closed", "queue", "      closed_ = true;\n", "",
  "priority_terminate_and_then_nothing_begins")
M("heap_is_closed_without_the_lock", "lock",
  "      const lock_guard lock(mutex_);\n      closed_ = true;", "      closed_ = true;",
  "priority_against_terminate priority_close")
M("heap_is_not_emptied", "abandon", "      if (!heap_.empty()) return heap_.pop();\n", "",
  "priority_against_terminate priority_map_against_terminate")
M("imaps_are_not_emptied", "abandon", "      if (!streams_.empty()) return pop_stream_locked();\n", "",
  "imap_terminated_while_advancing imap_terminated_while_running imap_outlives_its_pool",
  equivalent="terminate() gives up every imap afterwards, and takes it out of the list for that.")
M("list_of_imaps_is_taken_from_when_it_is_empty", "predicate",
  "    if (closed_ || streams_.empty()) return nullptr;", "    if (closed_) return nullptr;",
  "imap_two_readers imap_items_meet imap_read_in_a_task_of_two imap_of_an_imap_two_workers")
M("imap_comes_before_calls_of_higher_priority", "queue",
  "(heap_.empty() || !heap_.first_rank().is_before(streams_.first_rank()))", "true",
  "priority_of_an_imap")
M("imap_comes_after_calls_of_lower_priority", "queue",
  "(heap_.empty() || !heap_.first_rank().is_before(streams_.first_rank()))", "heap_.empty()",
  "priority_of_an_imap")

M = header("detail/platform/spin.hpp")
M("lock_is_only_tried", "lock", "  if (!lockable.try_lock()) lock_contended(lockable);",
  "  lockable.try_lock();", "worker_is_woken_again")

# ---- Imaps ----

M = header("detail/imap/imap_state.hpp")
M("reader_leaves_it_to_terminate", "abandon",
  "if (engine.state() == State::terminate && this->may_be_given_up()) {", "if (false) {",
  "destructor_of_an_abandoned_capture_reads")
M("slot_is_emptied_without_order", "order",
  "chunk.emptied.fetch_add(1, memory_order_acq_rel)",
  "chunk.emptied.fetch_add(1, memory_order_relaxed)", "imap_two_readers_of_a_chunk")
M("slot_is_emptied_without_release", "order",
  "chunk.emptied.fetch_add(1, memory_order_acq_rel)",
  "chunk.emptied.fetch_add(1, memory_order_acquire)", "imap_two_readers_of_a_chunk")
M("first_reader_gives_the_chunk_back", "claim",
  "        if (size != 1 && chunk.emptied.fetch_add(1, memory_order_acq_rel) + 1 != size) return;\n",
  "        if (size != 1 && chunk.emptied.fetch_add(1, memory_order_acq_rel) + 1 != 1) return;\n",
  "imap_two_readers_of_a_chunk imap_chunks_of_two")
M("taken_chunk_stays_in_the_window", "count",
  "const bool makes_room = claim.is_last && this->return_room_locked(false);",
  "const bool makes_room = false;", "imap_buffersize_one imap_terminated_while_full",
  equivalent="A reader returns all room before it waits: an iterator that is not asked reads on later.")
M("reader_waits_with_room_unreturned", "count",
  "const bool makes_room = this->return_room_locked(true);\n    front().unlock();",
  "const bool makes_room = false;\n    front().unlock();", "imap_reads_runs",
  equivalent="Only a window of 16 and more returns its room late; no scenario has one.")
M("room_is_made_and_nobody_comes", "queue",
  "    front().unlock();\n    if (makes_room) this->go_on();\n    if (finished) {",
  "    front().unlock();\n    if (finished) {", "imap_buffersize_one",
  equivalent="See the one before: there is no room left to return.")
M("taken_item_makes_nobody_come", "queue",
  "    front().unlock();\n    if (makes_room) this->go_on();\n    struct Emptied {",
  "    front().unlock();\n    struct Emptied {", "imap_buffersize_one")
M("end_is_seen_before_the_last_result", "predicate",
  "    const bool finished = this->finished_.load(memory_order_acquire);  // pairs with finish()\n",
  "    const bool finished = this->may_be_given_up() == false;\n",
  "imap_one_reader imap_keeps_the_order")

M = header("detail/imap/imap_stream.hpp")
M("what_dies_with_an_imap_issues_to_its_own_lane", "predicate",
  "  context.is_at_finished_job = true;\n", "", "imap_result_that_issues_when_the_pool_is_closed")
M("taken_entry_still_counts", "queue", "  entry_.arrive();\n", "",
  "imap_buffersize_one imap_run_is_shared")
M("nobody_comes_for_what_is_left", "wake-up",
  "  if (!entry_.exists() && !lingers_.load()) invite();\n", "",
  "imap_run_is_shared imap_keeps_the_order")
M("turn_never_ends", "queue",
  "  if (turn_is_over()) {\n    end_turn();\n    return Then::leave;\n  }\n  if (move_reading",
  "  if (move_reading", "imap_makes_way")
M("worker_stays_after_its_turn", "queue",
  "  if (turn_is_over()) {\n    end_turn();\n    return Then::leave;\n  }\n  if (!entry_.exists()",
  "  if (turn_is_over()) {\n    end_turn();\n  }\n  if (!entry_.exists()",
  "imap_makes_way imap_run_is_shared_after_a_turn",
  equivalent="It leaves when it next has to read: a window later at most.")
M("two_read_the_input", "claim",
  "  if (move_reading(Reading::open, Reading::reading)) read(most_at_once_);\n",
  "  reading_.store(Reading::reading);\n  read(most_at_once_);\n",
  "imap_full_ring_two_workers imap_unordered_two_workers")
M("published_chunk_wakes_no_reader", "wake-up",
  "  if (front_.is_ordered() ? readers_.want(claim.position) : readers_.want_any()) wake_readers();\n",
  "", "imap_buffersize_one imap_one_reader")
M("given_up_chunk_is_run", "abandon",
  "given_up_.load() ? typename ImapRing<Chunk>::Claim() : ring_.claim();", "ring_.claim();",
  "imap_run_is_dropped imap_terminated_while_advancing",
  equivalent="give_up() claims what is unclaimed, too; only the order of two threads differs.")
M("worker_lingers_for_ever", "predicate", "  lingers_.store(false);", "  lingers_.store(true);",
  "imap_buffersize_one imap_makes_way")
M("full_imap_is_parked_without_a_look", "queue",
  "    if (room() != 0 || ring_.any_unclaimed()) {", "    if (ring_.any_unclaimed()) {",
  "imap_buffersize_one imap_join_beside_a_reader")
M("given_up_imap_is_parked", "abandon",
  "    if (given_up_.load() || !move_reading(Reading::open, Reading::full)) return Then::leave;",
  "    if (!move_reading(Reading::open, Reading::full)) return Then::leave;",
  "imap_dropped_under_two_workers", deep="--bound 3 --from 3")
M("parked_imap_forgets_what_is_unclaimed", "queue",
  "    if (room() != 0 || ring_.any_unclaimed()) {", "    if (room() != 0) {",
  "imap_is_parked_while_another_reads")
M("parked_imap_stays_queued", "queue",
  "    taken_out = entry_.take_out_locked(*engine_);\n    // help() needs",
  "    taken_out = false;\n    // help() needs",
  "imap_buffersize_one imap_run_is_shared",
  equivalent="A worker takes the entry in vain; or it is there when there is room again.")
M("parked_imap_is_not_put_back", "queue",
  "reading_.load() != Reading::open) return;\n  put_locked(Engine::Place::back);",
  "reading_.load() != Reading::open) return;", "imap_buffersize_one imap_join_lifts_the_limit")
M("room_beside_a_chunk_that_blocks_is_not_used", "wake-up",
  "           (reading == Reading::open && !entry_.exists() && !lingers_.load());",
  "           false;", "imap_run_is_shared_after_a_turn")
M("helper_does_not_see_to_what_is_left", "wake-up",
  "  static_cast<void>(pass_on());  // who has claimed it meanwhile could not see that there is more\n",
  "", "imap_turns_end_under_two_tasks imap_read_by_two_tasks",
  equivalent="A reader that helps comes again, or is the only one; no scenario has a third.")
M("chunk_is_not_counted_as_pending", "count",
  "  pending_.fetch_add(planned, memory_order_relaxed);\n", "", "imap_one_reader")
M("given_up_while_it_reads_is_overlooked", "abandon",
  "    if (given_up_.load() && move_reading(Reading::open, Reading::over)) ++left;\n", "",
  "imap_terminated_while_advancing imap_dropped_while_running")
M("what_was_read_meanwhile_is_kept", "abandon",
  "  if (given_up_.load()) left += discard_unclaimed();\n", "",
  "imap_terminated_while_advancing imap_terminated_while_input_fails")
M("unread_input_wakes_no_reader", "wake-up",
  "  if (readers_.want_any()) wake_readers();\n}\n", "}\n",
  "imap_read_by_two_tasks imap_turns_end_under_two_tasks", deep="--bound 2")
M("helper_runs_what_comes", "claim",
  "  if (const auto claim = ring_.claim_at(position); claim.chunk != nullptr) {",
  "  if (const auto claim = ring_.claim(); claim.chunk != nullptr) {",
  "imap_read_by_two_tasks imap_run_is_read_by_a_task imap_read_in_a_task_of_two")
M("helper_does_not_read", "wait",
  "  ring_.read() == wanted ? read(1) : let_go_unread();\n", "  let_go_unread();\n",
  "imap_read_in_a_task")
M("helpers_chunk_is_not_settled", "count", "    settle(1);\n    return true;", "    return true;",
  "imap_read_in_a_task")
M("reader_falls_asleep_before_a_result", "wake-up",
  "  if (available || !is_next || finished_.load()) return true;\n", "  if (finished_.load()) return true;\n",
  "imap_one_reader imap_buffersize_one")
M("reader_falls_asleep_after_the_end", "wake-up",
  "  if (available || !is_next || finished_.load()) return true;\n",
  "  if (available || !is_next) return true;\n", "imap_over_nothing")
M("task_falls_asleep_before_what_it_could_run", "wake-up",
  "  if (ring_.read() != next) return true;\n", "  if (ring_.read() != next) return false;\n",
  "imap_read_by_two_tasks imap_run_is_read_by_a_task imap_turns_end_under_two_tasks", deep="--bound 2")
M("end_tells_of_terminate_again_and_again", "predicate",
  "    termination_ = Termination::told;\n", "",
  "imap_terminated_while_queued imap_terminated_while_full imap_read_on_after_terminate")
M("imap_is_given_up_twice", "claim", "    if (!may_be_given_up()) return;\n", "",
  "imap_terminated_when_all_has_begun")
M("given_up_imap_reads_on", "abandon",
  "    ends = move_reading(Reading::open, Reading::over) || move_reading(Reading::full, Reading::over);\n",
  "    ends = false;\n", "imap_dropped_early imap_terminated_while_full")
M("given_up_chunks_are_kept", "abandon",
  "  settle(discard_unclaimed() + (ends ? 1 : 0));\n", "  settle(ends ? 1 : 0);\n",
  "imap_run_is_dropped imap_runs_are_terminated_at_any_time")
M("given_up_imap_keeps_the_queues_reference", "reference",
  "  settle(discard_unclaimed() + (ends ? 1 : 0));\n"
  "  if (taken_out) this->release();  // not the last: our caller holds another\n",
  "  settle(discard_unclaimed() + (ends ? 1 : 0));\n", "imap_dropped_while_it_wants_a_worker")
M("finished_imap_stays_queued", "queue",
  "    taken_out = entry_.take_out_locked(*engine_);\n    finished_.store(true);",
  "    taken_out = false;\n    finished_.store(true);",
  "imap_run_is_read_by_a_task imap_goes_on_with_its_turn",
  equivalent="Its entry keeps it, and whoever takes that finds it over and lets go; terminate(), which each "
             "destructor calls, does at the latest.")
M("finished_imap_is_put_back", "queue",
  "if (!entry_.exists() && !finished_.load(memory_order_relaxed)) entry_",
  "if (!entry_.exists()) entry_", "imap_full_ring_two_readers",
  equivalent="Likewise; and a terminated pool takes nothing back.")
M("imaps_function_dies_after_the_end", "ready",
  "  destroy_work();\n  engine_->forget(*this);\n", "  engine_->forget(*this);\n",
  "imap_function_dies_before_the_end")
M("end_wakes_no_reader", "wake-up",
  "    finished_.store(true);  // what was done before happens before the end is seen\n"
  "    readers_.wake_all_locked();\n",
  "    finished_.store(true);\n", "imap_over_nothing")
M("finished_imap_counts_as_unfinished", "count", "  engine_->job_done();\n", "", "imap_over_nothing")
M("dropped_input_error_is_not_told", "abandon",
  "  if (input_error_ && !is_termination(input_error_)) engine_->report(input_error_);\n", "",
  "imap_dropped_input_error_is_told")
M("priority_pools_worker_stays", "queue", "      if (gives_way_ && has_work()) {", "      if (false) {",
  "imap_gives_way_to_a_higher_priority")

M = header("detail/imap/imap_window.hpp")
M("window_is_one_too_large", "count", "return used < size ? size - used : 0;",
  "return used <= size ? size + 1 - used : 0;", "imap_buffersize_one")
M("turn_begins_never_anew", "count",
  "    turn_begin_.store(claimed, memory_order_relaxed);\n", "", "imap_makes_way imap_buffersize_one",
  equivalent="Once over, always over: every chunk goes to the queue's back, which is only slower.")

M = header("detail/imap/imap_entry.hpp")
M("entry_is_put_in_and_not_counted", "queue",
  "    exists_.store(true);\n    engine.requeue(imap_, place);", "    engine.requeue(imap_, place);",
  "imap_goes_on_with_its_turn")
M("entry_is_taken_out_and_still_counts", "queue",
  "    exists_.store(false);\n    return true;", "    return true;",
  "imap_reads_runs imap_run_is_shared_after_a_turn imap_makes_way")

M = header("detail/imap/imap_ring.hpp")
M("chunk_is_pushed_without_order", "order",
  "    read_.store(position + 1, memory_order_release);",
  "    read_.store(position + 1, memory_order_relaxed);", "imap_two_readers imap_one_reader")
M("two_claim_one_chunk", "claim",
  "    if (!claimed_.compare_exchange_strong(position, position + 1)) return {};\n",
  "    claimed_.store(position + 1);\n", "imap_full_ring_two_workers imap_run_is_shared")
M("ring_does_not_grow", "queue",
  "  if (end - first_used <= old->mask) return;\n", "  static_cast<void>(first_used);\n  return;\n",
  "imap_ring_grows imap_join_lifts_the_limit")
M("grown_ring_forgets_what_it_had", "queue",
  "  for (std::size_t i = first_used; i != end; ++i) {", "  for (std::size_t i = end; i != end; ++i) {",
  "imap_ring_grows imap_join_lifts_the_limit")
M("old_ring_is_freed_at_once", "reference", "  larger->older.reset(old);\n",
  "  const std::unique_ptr<Places> gone(old);\n", "imap_ring_grows")

M = header("detail/imap/imap_front.hpp")
M("front_is_locked_without_order", "order", "!locked_.exchange(true, memory_order_acquire)",
  "!locked_.exchange(true, memory_order_relaxed)", "imap_two_readers_of_a_chunk imap_two_readers")
M("front_is_unlocked_without_order", "order", "locked_.store(false, memory_order_release)",
  "locked_.store(false, memory_order_relaxed)", "imap_two_readers_of_a_chunk imap_two_readers")
M("two_lock_the_front", "lock", "return !locked_.exchange(true, memory_order_acquire);",
  "locked_.store(true);\n    return true;", "imap_two_readers imap_two_readers_of_a_chunk")
M("chunk_is_published_without_order", "order", "      chunk.done.store(true);",
  "      chunk.done.store(true, memory_order_relaxed);", "imap_one_reader imap_two_readers")
M("unordered_chunks_are_lost", "queue",
  "    while (!done_.compare_exchange_weak(top, &chunk));", "    while (false);\n    done_.store(&chunk);",
  "imap_unordered_two_workers")
M("unordered_chunks_come_newest_first", "queue",
  "      Chunk* const below = std::exchange(chunk->next, in_turn_);\n"
  "      in_turn_ = std::exchange(chunk, below);\n",
  "      in_turn_ = std::exchange(chunk, nullptr);\n",
  "imap_unordered_yields_in_order_of_completion")
M("chunk_that_is_not_done_is_opened", "ready",
  "      if (!chunk->done.load()) return false;", "      if (false) return false;",
  "imap_one_reader imap_keeps_the_order")

M = header("detail/imap/imap_chunk.hpp")
M("used_chunk_counts_as_done", "ready", "  chunk.done.store(false, memory_order_relaxed);\n", "",
  "imap_reads_runs imap_one_reader imap_two_readers")
M("used_chunk_counts_as_emptied", "count", "  chunk.emptied.store(0, memory_order_relaxed);\n", "",
  "imap_chunks_of_two imap_two_readers_of_several_chunks imap_one_reader",
  equivalent="The chunk is kept until the imap ends instead of being used again: only more memory.")
M("chunk_is_handed_over_without_order", "order",
  "handed_over_.store(std::exchange(given_back_, nullptr), memory_order_release);",
  "handed_over_.store(std::exchange(given_back_, nullptr), memory_order_relaxed);",
  "imap_one_reader imap_buffersize_one imap_chunks_of_two")
M("chunk_is_taken_over_without_order", "order",
  "    spare_ = handed_over_.load(memory_order_acquire);",
  "    spare_ = handed_over_.load(memory_order_relaxed);",
  "imap_one_reader imap_buffersize_one imap_chunks_of_two")
M("handed_over_chunks_stay_there", "reference",
  "    if (spare_ != nullptr) handed_over_.store(nullptr, memory_order_relaxed);\n", "",
  "imap_buffersize_one imap_chunks_of_two imap_reads_runs")

M = header("detail/imap/imap_readers*.hpp")
M("only_one_reader_is_woken", "wake-up", "if (sleepers_ != 0) condition_.notify_all();",
  "if (sleepers_ != 0) condition_.notify_one();", "imap_terminated_two_readers imap_two_readers")
M("reader_in_a_callback_is_not_woken", "wake-up",
  "    for (Waiter* const alarm : alarms_) alarm->notify();\n", "",
  "imap_read_in_a_callback_while_it_runs")
M("reader_is_not_in_the_graph", "wait graph",
  "      waits.emplace(PoolEngine::of(engine).waits(), wait.emplace(*context, std::span(&imap_, 1)));\n", "",
  "callback_needs_what_an_item_waits_for")
M("reader_leaves_its_alarm_behind", "reference", "    alarms_.pop_back();\n", "",
  "imap_read_in_a_callback_while_it_runs")
M("sleeping_reader_is_not_counted", "count",
  "    ++sleepers_;\n    bool in_time", "    bool in_time", "imap_one_reader")
M("reader_announces_nothing", "wake-up", "wanted_.exchange(position + 1);",
  "wanted_.exchange(0);", "imap_buffersize_one imap_one_reader")
M("readers_of_an_older_chunk_sleep_on", "wake-up",
  "    if (before != 0 && before != position + 1) notify_locked();\n", "    static_cast<void>(before);\n",
  "imap_two_readers imap_full_ring_two_readers", deep="--bound 2")

# ---- The rest ----

M = header("detail/engine/stop_list.hpp")
M("stop_source_enters_and_leaves_a_stale_link", "queue",
  "    if (source.next_ != nullptr) source.next_->link_ = &source.next_;\n", "",
  "stop_by_terminate_after_another_has_ended")
M("stop_source_leaves_twice", "queue", "    source.link_ = nullptr;\n", "",
  "stop_by_terminate stop_or_never_start stop_of_what_has_ended")

M = header("detail/engine/start_up.hpp")
M("initialized_worker_tells_nobody", "wake-up", "    condition_.notify_one();\n", "",
  "start_up_two_workers")
M("initialized_worker_tells_after_the_unlock", "lock",
  "    const lock_guard lock(mutex_);\n    ++initialized_;\n"
  "    if (error && !error_) error_ = std::move(error);\n    condition_.notify_one();",
  "    {\n      const lock_guard lock(mutex_);\n      ++initialized_;\n"
  "      if (error && !error_) error_ = std::move(error);\n    }\n    condition_.notify_one();",
  "start_up_two_workers")
M("constructor_waits_for_one_worker", "predicate", "return initialized_ == workers;",
  "return initialized_ != 0;", "start_up_two_workers start_up_comes_before_tasks")
M("constructor_believes_every_wake_up", "predicate",
  "    condition_.wait(lock, [&] { return initialized_ == workers; });",
  "    if (initialized_ != workers) condition_.wait(lock);", "start_up_two_workers")

M = header("detail/engine/thread_context.hpp")
M("threads_of_all_pools_are_the_same", "predicate",
  "return context != nullptr && context->engine == engine ? context : nullptr;", "return context;",
  "two_pools_task_waits_for_task")
M("end_of_a_completion_is_not_noted", "reference",
  "  ~CompletionScope() { innermost_ = outer_; }", "  ~CompletionScope() {}",
  "cancel_queued destroyed_by_a_cancelled_capture terminate_what_runs_and_what_is_queued")

M = header("coroutine.hpp")
M("coroutine_is_told_and_goes_on", "claim", "      if (state->add_waiter(*this)) return true;",
  "      state->add_waiter(*this);", "coroutine_awaits_a_call")
M("coroutine_needs_no_callback_thread", "predicate", "engine && engine->need_callbacks();",
  "static_cast<bool>(engine);", "coroutine_awaits_a_call")
M("resumed_coroutine_counts_as_unfinished", "count", "    engine.job_done();\n", "",
  "coroutine_resumes_on_a_pool")
M("abandoned_coroutine_is_no_completion", "wait graph",
  "    const CompletionScope scope(engine_, this);\n", "", "coroutine_resumes_on_a_terminated_pool",
  equivalent="terminate(), which alone abandons such jobs, has a scope of its own for them.")
M("coroutine_is_not_resumed", "wake-up",
  "    if (!resume_on_target(job)) engine.post_callback(*job.release());",
  "    resume_on_target(job);", "coroutine_awaits_a_call")
M("coroutine_is_kept_by_two", "reference", "      static_cast<void>(job.release());\n", "",
  "coroutine_resumes_on_a_pool")
M("resumed_coroutines_job_is_kept", "reference", "    done();\n    engine.job_done();",
  "    engine.job_done();", "coroutine_resumes_on_a_pool")
M("called_back_coroutines_job_is_kept", "reference", "    coroutine_.resume();\n    delete this;",
  "    coroutine_.resume();", "coroutine_awaits_a_call")
M("job_is_used_after_its_coroutine", "reference",
  "    Engine& engine = *engine_;\n    coroutine_.resume();\n    done();\n    engine.job_done();",
  "    coroutine_.resume();\n    done();\n    engine_->job_done();", "coroutine_resumes_on_a_pool")
M("destroyed_coroutine_still_waits", "reference",
  "    if (job_) Handles::state_of(result_)->remove_waiter(*this);\n", "",
  "defect_suspended_coroutine_is_destroyed")

M = header("async_result.hpp")
M("late_done_callback_takes_a_dead_core", "reference", "is_late_ ? Ref<Engine>() : engine_", "engine_",
  "done_callback_added_after_the_pool_has_gone")
M("done_callback_is_kept", "reference", "    const std::unique_ptr<DoneCallback> self(this);\n", "",
  "done_callback_added_while_completing")
M("done_callback_is_forgotten_when_ready", "abandon", "    detail::WaitingCode::run(waiter);\n", "",
  "done_callback_added_while_completing")
M("done_callback_runs_twice", "claim", "    if (state.add_waiter(waiter)) return;\n",
  "    state.add_waiter(waiter);\n", "done_callback_added_while_completing")
M("cancel_keeps_no_handle", "reference",
  "    const auto keep = state_;  // what this runs, such as a stop callback, may drop the handle\n",
  "", "callout_stop_callback_drops_the_handle")
