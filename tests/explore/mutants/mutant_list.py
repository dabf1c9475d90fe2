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
    deep: bool = False  # one deviation is not enough


MUTANTS = []


def header(path):
    """Adds the mutants of this header."""
    def add(*arguments, **more):
        name, *rest = arguments
        MUTANTS.append(Mutant(name, path, *rest, **more))
    return add


# ---- The engine ----

M = header("detail/pool_core.hpp")
M("worker_is_not_counted_in", "count", "        ++workers_alive_;\n", "", "close_idle_workers")
M("pools_reference_is_kept_when_all_is_done", "reference",
  "if (settle_locked(std::exchange(context.finished_jobs, 0))) release();",
  "static_cast<void>(settle_locked(std::exchange(context.finished_jobs, 0)));",
  "worker_is_woken_again")
M("finished_jobs_are_counted_twice", "count", "std::exchange(context.finished_jobs, 0)",
  "context.finished_jobs", "worker_is_woken_again close_runs_what_is_queued")
M("workers_stay_when_closed", "predicate", "if (workers_done_locked()) break;",
  "if (state() == State::terminate) break;", "close_idle_workers")
M("worker_wakes_no_next", "wake-up",
  "const bool wakes = (fills || sleeper_could_steal_locked()) && begin_wake_locked();",
  "const bool wakes = false;", "worker_wakes_the_next worker_wakes_two_more")
M("worker_wakes_nobody_to_steal", "wake-up", "(fills || sleeper_could_steal_locked())", "fills",
  "batch_is_taken_by_a_third")
M("worker_begins_a_wake_and_forgets_it", "wake-up",
  "lock.unlock();\n      if (wakes) wake();\n", "lock.unlock();\n", "worker_wakes_the_next")
M("nobody_is_told_that_all_are_busy", "wake-up",
  "if (++workers_busy_ == workers_alive_) waits_.all_busy_locked();", "++workers_busy_;",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("last_worker_tells_no_joiner", "wake-up",
  "  if (workers_alive_ <= 1) exit_condition_.notify_all();", "", "close_idle_workers")
M("worker_tells_no_joiner_that_is_a_worker", "wake-up", "if (workers_alive_ <= 1)",
  "if (workers_alive_ == 0)", "destroy_in_a_task_of_two_workers destroyed_in_a_task")
M("last_worker_tells_no_callback_thread", "wake-up",
  "if (workers_alive_ == 0) callbacks_.wake_locked();", "",
  "destroyed_in_a_callback destroyed_in_a_callback_under_a_waiting_task")
M("worker_leaves_and_wakes_no_next", "wake-up", "if (others_sleep) workers_.notify_one();", "",
  "close_idle_workers")
M("worker_leaves_one_asleep", "predicate", "workers_.sleepers_locked() != 0;",
  "workers_.sleepers_locked() > 1;", "close_idle_workers")
M("idle_worker_steals_nothing", "predicate",
  "queue_.empty() ? batches_.steal_locked(worker) : batches_.rescue_locked(worker)",
  "batches_.rescue_locked(worker)", "batch_is_taken_by_a_third batch_is_stolen_by_halves")
M("batch_is_not_kept", "queue", "        batches_.fill_locked(worker, jobs, count);\n", "",
  "batch_of_one_worker")
M("batch_is_left_with_jobs", "queue",
  "for (; Job* const job = batches_.take(worker); ++count) {",
  "if (Job* const job = batches_.take(worker)) {\n    ++count;", "batch_of_one_worker")
M("job_is_not_on_the_workers_stack", "wait graph", "  frame.job = taken.job;\n", "",
  "callback_waits_for_a_task_that_waits_for_a_callback")
M("job_of_a_batch_is_not_on_the_workers_stack", "wait graph", "    frame.job = job;\n", "",
  "batch_holds_what_a_callback_waits_for")
M("worker_spins_for_ever_in_name", "wake-up",
  "  workers_.set_spinning_locked(false);\n", "", "worker_is_woken_again")
M("one_spinner_will_do_for_any_number", "wake-up",
  "!(workers_.any_spins_locked() && queue_.size() == 1)", "!workers_.any_spins_locked()",
  "worker_wakes_the_next_again worker_wakes_two_more worker_for_two_producers_that_meet",
  equivalent="The spinning worker takes the mutex before it sleeps, finds more than one job, and "
             "wakes the next itself: only later.")
M("waker_holds_no_reference", "reference", "  add_ref();  // the work just queued",
  "  // the work just queued", "destroyed_by_its_last_task worker_is_woken_again")
M("waker_lets_go_before_it_notifies", "reference", "  workers_.notify_one();\n  release();\n",
  "  release();\n  workers_.notify_one();\n", "destroyed_by_its_last_task destroy_in_a_task")
M("wake_notifies_nobody", "wake-up", "  workers_.notify_one();\n  release();\n", "  release();\n",
  "worker_is_woken_again")
M("call_is_queued_before_it_is_accepted", "claim",
  "    accept_locked(with_callbacks ? NeedsCallbacks::yes : NeedsCallbacks::no);\n"
  "    queue_.push_back(job);\n",
  "    queue_.push_back(job);\n"
  "    accept_locked(with_callbacks ? NeedsCallbacks::yes : NeedsCallbacks::no);\n",
  "close_against_issue terminate_against_issue")
M("imap_is_issued_and_wakes_nobody", "wake-up",
  "    accept_locked(job, place);\n    queue_.push_back(job);\n"
  "    wakes = begin_wake_for_new_locked();",
  "    accept_locked(job, place);\n    queue_.push_back(job);\n    wakes = false;", "imap_one_reader")
M("unlink_takes_no_lock", "lock", "  const lock_guard lock(mutex_);\n  return queue_.erase(job);",
  "  return queue_.erase(job);", "cancel_queued cancel_in_the_middle_of_the_queue")
M("imap_is_put_back_into_a_dead_queue", "queue", "    if (state() == State::terminate) return;\n",
  "", "imap_terminated_while_advancing imap_terminated_while_running",
  equivalent="terminate() gives up the imaps after it has emptied the queue, and to give one up takes it out "
             "of the queue.")
M("queue_takes_no_reference_on_an_imap", "reference", "    job.add_ref();\n", "", "imap_one_reader")
M("imap_is_put_back_and_wakes_nobody", "wake-up",
  "      queue_.push_back(job);\n    }\n    wakes = begin_wake_for_new_locked();",
  "      queue_.push_back(job);\n    }\n    wakes = false;", "imap_buffersize_one imap_items_wait")
M("imap_is_put_to_the_wrong_end", "queue", "    if (place == Place::front) {",
  "    if (place != Place::front) {", "imap_makes_way")
M("close_undoes_terminate", "predicate", "  if (state() != State::run) return;\n", "",
  "close_against_terminate close_then_terminate")
M("close_wakes_no_worker", "wake-up",
  "  workers_.notify_one();                             // the first to leave wakes the next\n", "",
  "close_idle_workers")
M("close_wakes_no_callback_thread", "wake-up",
  "// the first to leave wakes the next\n  callbacks_.wake_locked();\n", "\n",
  "callback_thread_idle_then_closed",
  equivalent="The last worker that leaves wakes it, and none leaves later than that.")
M("close_publishes_nothing", "order", "state_.store(State::close, memory_order_release);",
  "state_.store(State::close, memory_order_relaxed);",
  "close_against_issue close_against_terminate",
  equivalent="Who reads the state without the mutex and acts on it uses nothing else that was "
             "written before: constants of the core, or what the mutex guards.")
M("terminate_publishes_nothing", "order", "state_.store(State::terminate, memory_order_release);",
  "state_.store(State::terminate, memory_order_relaxed);",
  "terminate_against_issue destructor_of_an_abandoned_capture_waits",
  equivalent="As for close().")
M("terminate_wakes_no_worker", "wake-up",
  "      workers_.notify_one();                                 // the first to leave wakes the next\n",
  "", "destroy_idle_workers")
M("terminate_wakes_no_callback_thread", "wake-up",
  "// the first to leave wakes the next\n      callbacks_.wake_locked();\n", "\n",
  "callback_thread_idle_then_terminated",
  equivalent="As in close().")
M("terminate_requests_no_stop", "abandon", "  request_stops();\n", "", "stop_by_terminate")
M("terminate_forgets_the_queue", "abandon", "    if (!job) break;\n    abandon(*job);\n",
  "    if (!job) break;\n", "terminate_what_runs_and_what_is_queued")
M("terminate_forgets_the_batches", "abandon",
  "  while (const Ref<Job> job = Ref<Job>::adopt(batches_.drain())) abandon(*job);\n", "",
  "batch_of_one_who_is_stuck_is_given_up")
M("terminate_forgets_the_imaps", "abandon",
  "  while (const Ref<StreamJob> job = pop_stream()) abandon(*job);\n", "",
  "imap_outlives_its_pool imap_pool_destroyed_while_waiting")
M("terminate_abandons_under_the_lock", "lock",
  "      job = Ref<Job>::adopt(queue_.pop());\n    }\n    if (!job) break;\n    abandon(*job);\n",
  "      job = Ref<Job>::adopt(queue_.pop());\n      if (!job) break;\n      abandon(*job);\n    }\n",
  "terminate_what_runs_and_what_is_queued")
M("terminate_holds_no_reference", "reference",
  "  const Ref<Core> self = Ref<Core>::share(this);  // a capture that dies here may own the pool\n",
  "", "destroyed_by_an_abandoned_capture destroy_in_a_capture")
M("join_lifts_no_limit", "abandon", "      lift_look_ahead_limit();\n", "",
  "imap_join_lifts_the_limit")
M("join_holds_no_reference", "reference",
  "  const Ref<Core> self = Ref<Core>::share(this);  // the pool may be destroyed meanwhile",
  "  // the pool may be destroyed meanwhile", "destroy_in_a_task_during_join_with_all_handles")
M("callback_that_destroys_serves_no_other", "wait graph",
  "serve_callbacks(lock, [this] { return workers_alive_ == 0; });",
  "exit_condition_.wait(lock, [this] { return workers_alive_ == 0; });",
  "destroyed_in_a_callback_under_a_waiting_task")
M("task_that_destroys_waits_for_no_callback", "predicate",
  "workers_alive_ == own_workers && callbacks_.idle_locked()", "workers_alive_ == own_workers",
  "destroyed_in_a_task destroy_in_a_task_of_two_workers")
M("join_waits_for_no_cancel", "predicate", "workers_alive_ == 0 && unfinished_ == 0 &&",
  "workers_alive_ == 0 &&", "cancel_against_destruction")
M("task_that_destroys_joins_itself", "predicate",
  "if (worker.get_id() == this_thread::get_id()) {", "if (false) {", "destroy_in_a_task")
M("thread_is_joined_twice", "predicate", "    if (!worker.joinable()) continue;\n", "",
  "join_by_two")
M("who_gives_up_waits_for_himself", "predicate",
  "const bool completing = own != nullptr || CompletionScope::is_inside(*this);",
  "const bool completing = own != nullptr;", "destroyed_by_a_cancelled_capture")

M = header("detail/core.hpp")
M("state_is_read_without_order", "order", "return state_.load(memory_order_acquire);",
  "return state_.load(memory_order_relaxed);",
  "close_against_issue terminate_against_issue destructor_of_an_abandoned_capture_waits",
  equivalent="As for the store in PoolCore::close().")
M("worker_counts_no_job_out", "count", "    ++context->finished_jobs;", "    ",
  "close_runs_what_is_queued")
M("callback_thread_counts_as_a_worker", "count",
  "if (context != nullptr && !context->is_callback_thread()) {", "if (context != nullptr) {",
  "callback_before_ready")
M("who_cancels_keeps_the_pools_reference", "reference", "  if (last) release();\n", "",
  "callback_before_ready cancel_the_last_of_a_closed_pool")
M("last_job_wakes_no_worker", "wake-up",
  "    workers_.notify_one();  // the first to leave wakes the next\n", "",
  "callback_closes callback_waits_and_is_closed")
M("last_job_wakes_no_callback_thread", "wake-up",
  "    callbacks_.wake_locked();\n    exit_condition_", "    exit_condition_",
  "callback_thread_idle_until_one_is_cancelled")
M("last_job_wakes_no_joiner", "wake-up",
  "    callbacks_.wake_locked();\n    exit_condition_.notify_all();", "    callbacks_.wake_locked();",
  "cancel_against_destruction")
M("job_is_accepted_without_a_reference", "reference", "  if (unfinished_++ == 0) add_ref();",
  "  ++unfinished_;", "result_outlives_its_pool worker_is_woken_again")
M("closed_pool_accepts_a_job", "predicate",
  "  if (state_.load(memory_order_relaxed) != State::run) throw_not_running();\n", "",
  "close_against_issue")
M("callback_thread_holds_no_reference", "reference", "  add_ref();\n  try {\n    callbacks_",
  "  try {\n    callbacks_", "callback_before_ready")
M("finished_imap_stays_listed", "reference",
  "  if (std::exchange(job.listed_, false)) node.splice(node.begin(), streams_, job.place_);\n", "",
  "imap_one_reader imap_outlives_its_pool")
M("terminated_imap_counts_as_listed", "queue", "  node.front()->listed_ = false;\n", "",
  "imap_terminated_while_full")
M("terminate_takes_no_reference_on_an_imap", "reference",
  "return Ref<StreamJob>::share(node.front());", "return Ref<StreamJob>::adopt(node.front());",
  "imap_terminated_while_full")
M("join_lifts_the_limit_of_none", "abandon", "    job->lift_limit();\n", "",
  "imap_join_lifts_the_limit")
M("join_lifts_the_limit_of_the_first_imap_only", "abandon",
  "      streams_.splice(streams_.end(), streams_, streams_.begin());  // next time the next one\n",
  "", "imap_join_lifts_the_limit_of_two")
M("limit_comes_back", "predicate", "  look_ahead_unlimited_.store(true, memory_order_release);\n",
  "", "imap_join_lifts_the_limit")
M("limit_is_lifted_without_release", "order",
  "look_ahead_unlimited_.store(true, memory_order_release);",
  "look_ahead_unlimited_.store(true, memory_order_relaxed);",
  "destroy_in_a_task_during_join")
M("lifted_limit_is_seen_without_acquire", "order",
  "look_ahead_unlimited_.load(memory_order_acquire);",
  "look_ahead_unlimited_.load(memory_order_relaxed);",
  "destroy_in_a_task_during_join")
M("idle_callback_thread_tells_no_joiner", "wake-up",
  "    if (state() != State::run) exit_condition_.notify_all();\n", "",
  "destroyed_in_a_task destroy_in_a_task_of_two_workers")
M("callback_thread_ends_and_tells_nobody", "wake-up",
  "    callbacks_.end_locked();\n    exit_condition_.notify_all();", "    callbacks_.end_locked();",
  "callback_thread_idle_then_closed")
M("callback_thread_ends_with_callbacks_to_come", "predicate",
  "return state() != State::run && unfinished_ == 0;", "return state() != State::run;",
  "callback_thread_idle_until_the_last_job callback_before_the_destructor_returns")
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

M = header("detail/worker_sleep.hpp")
M("wake_is_under_way_for_ever", "wake-up", "    waking_ = false;\n", "", "worker_is_woken_again")
M("wake_is_begun_with_nobody_asleep", "predicate", "return sleepers_ != 0 && !waking_;",
  "return !waking_;", "worker_is_woken_again worker_wakes_the_next_again")
M("sleeper_is_not_counted_in", "count", "    ++sleepers_;\n    condition_.wait(lock);\n    --sleepers_;",
  "    condition_.wait(lock);", "worker_is_woken_again")

M = header("detail/callback_thread.hpp")
M("late_callback_thread_is_not_detached", "reference", "    if (detached_) thread_.detach();\n", "",
  "coroutine_awaits_a_call_that_has_destroyed_its_pool")
M("due_callback_is_not_marked", "wait graph", "  job.callback_due_ = true;\n", "",
  "callback_waits_for_one_that_is_due")
M("due_callback_wakes_nobody", "wake-up", "  due_.push_back(job);\n  condition_.notify_one();",
  "  due_.push_back(job);", "callback_thread_idle_then_told")
M("callback_runs_and_is_still_due", "queue", "  job.callback_due_ = false;\n", "",
  "callback_waits_for_a_task_that_waits_for_a_callback")
M("callback_that_has_run_counts_as_running", "count", "  --running_;\n", "",
  "destroyed_in_a_task destroy_in_a_task_of_two_workers")
M("callback_runs_under_the_lock", "lock", "  lock.unlock();\n  job.run_callback();\n  lock.lock();",
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

M = header("detail/wait_graph.hpp")
M("new_wait_asks_nobody", "wake-up",
  "if (wait.next_ != nullptr) wait.next_->link_ = &wait.next_;\n    ask_locked();",
  "if (wait.next_ != nullptr) wait.next_->link_ = &wait.next_;",
  "callback_thread_needed_by_what_it_waits_for group_in_a_task_first_is_asked_to_help")
M("wait_ends_and_leaves_a_stale_link", "wait graph",
  "    if (wait.next_ != nullptr) wait.next_->link_ = wait.link_;\n", "",
  "callback_thread_needed_by_what_it_waits_for nest_inside_and_outside_wait "
  "group_in_a_task_first_two_workers")
M("busy_workers_ask_nobody", "wake-up",
  "if (std::exchange(asks_when_all_busy_, false)) ask_locked();", "asks_when_all_busy_ = false;",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("search_remembers_the_last_one", "wait graph",
  "    for (Wait* wait = first_; wait != nullptr; wait = wait->next_) wait->reached_ = false;\n", "",
  "callback_thread_needed_by_what_it_waits_for callback_waits_for_a_task_that_waits_for_a_callback")
M("wait_begins_without_the_lock", "lock",
  "      const lock_guard lock(graph_.mutex_);\n      graph_.begin_locked(wait_);",
  "      graph_.begin_locked(wait_);", "callback_thread_needed_by_what_it_waits_for callback_waits_for_a_task_that_waits_for_a_callback nest_map_in_map")

# ---- Results ----

M = header("detail/result_state.hpp")
M("callback_waits_for_its_own_result", "predicate",
  "  if (context != nullptr && context->calling_back.contains(this)) return true;\n"
  "  if (deadline.is_poll())", "  if (deadline.is_poll())", "callback_gets_its_own_result")
M("waiter_leaves_it_to_terminate", "abandon", "    if (core_->state() == State::terminate) {",
  "    if (false) {", "destructor_of_an_abandoned_capture_waits")
M("waiting_task_helps_nobody", "claim", "      help(deadline);\n", "", "nest_async_one_worker")
M("helped_job_is_not_on_the_stack", "wait graph",
  "    const JobStack::Frame frame(waiter->running, this);\n", "",
  "callback_waits_for_a_task_that_waits_for_a_callback nest_depth_two_one_worker")
M("wait_is_not_in_the_graph", "wait graph",
  "  const WaitGraph::Scope waits(core_->waits(), wait);\n", "",
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
M("two_may_claim", "claim",
  "    return claim_.compare_exchange_strong(none, claim, memory_order_relaxed);",
  "    if (claim_.load(memory_order_relaxed) != none) return false;\n"
  "    claim_.store(claim, memory_order_relaxed);\n    return true;",
  "cancel_against_the_start terminate_against_the_start")
M("unlinked_job_keeps_the_queues_reference", "reference",
  "if (this->is_queued() && core_->unlink(*this)) this->release();",
  "if (this->is_queued()) core_->unlink(*this);", "cancel_queued nest_async_one_worker")
M("unseen_error_keeps_no_core", "reference", "    core_->add_ref();\n", "",
  "unobserved_after_the_pool_has_gone unobserved_without_handles")
M("seen_error_is_reported", "predicate",
  "    if (!observed_.load(memory_order_relaxed)) core_->report(error);", "    core_->report(error);",
  "unobserved_is_not_what_another_handle_saw unobserved_by_two")
M("reported_error_keeps_the_core", "reference", "    core_->release();\n", "",
  "unobserved_without_handles")
M("last_owner_is_seen_without_order", "order", "owners_.load(memory_order_acquire) != 1",
  "owners_.load(memory_order_relaxed) != 1",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("owner_leaves_without_order", "order", "owners_.fetch_sub(1, memory_order_acq_rel)",
  "owners_.fetch_sub(1, memory_order_relaxed)",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("owner_leaves_without_release", "order", "owners_.fetch_sub(1, memory_order_acq_rel)",
  "owners_.fetch_sub(1, memory_order_acquire)",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("owner_leaves_without_acquire", "order", "owners_.fetch_sub(1, memory_order_acq_rel)",
  "owners_.fetch_sub(1, memory_order_release)",
  "result_copies_are_dropped_by_two result_handle_is_dropped_during_the_task")
M("last_owner_keeps_the_job", "reference", "    this->release();\n    return true;",
  "    return true;", "result_handle_is_dropped_at_once")
M("unseen_error_is_not_expected", "abandon",
  "    if (outcome_.is_error()) this->expect_observation();\n", "", "unobserved_without_handles")
M("job_is_counted_out_before_it_is_ready", "count",
  "    if (!remove_owner()) this->complete();  // without handles nobody waits, or ever will\n"
  "    core.job_done();",
  "    core.job_done();\n    if (!remove_owner()) this->complete();",
  "cancel_against_destruction cancel_the_last_of_a_closed_pool")
M("result_is_ready_before_its_worker_lets_go", "ready",
  "    if (!remove_owner()) this->complete();", "    this->complete();\n    remove_owner();",
  "result_dies_with_its_last_handle")
M("result_is_never_ready", "ready",
  "    if (!remove_owner()) this->complete();", "    remove_owner();", "apply_returns_the_result")
M("callbacks_die_after_ready", "ready", "    callbacks.reset();\n", "",
  "callback_dies_before_ready")
M("callback_phase_keeps_the_job", "reference", "  make_ready();\n  this->release();", "  make_ready();",
  "callback_before_ready")
M("callback_is_not_on_the_stack", "wait graph",
  "    const JobStack::Frame frame(current_thread_context->calling_back, this);\n", "",
  "callback_gets_its_own_result")
M("told_error_counts_as_unseen", "predicate", "    this->observe();\n    try {\n", "    try {\n",
  "unobserved_is_not_what_a_callback_was_told")
M("due_callback_holds_no_reference", "reference",
  "      this->add_ref();\n      this->core().callbacks().post(*this);",
  "      this->core().callbacks().post(*this);", "callback_before_ready")
M("abandoned_job_counts_as_unseen_error", "abandon",
  "    outcome_.set_error(why);\n    this->observe();", "    outcome_.set_error(why);",
  "unobserved_are_no_cancelled_results")
M("cancel_is_no_completion", "wait graph", "    const CompletionScope scope(core_, this);\n", "",
  "destroyed_by_a_cancelled_capture")
M("cancelled_job_stays_queued", "queue", "    leave_queue();\n    // A copy", "    // A copy",
  "callback_of_a_cancelled_call cancel_queued")
M("cancel_uses_the_cores_error_beyond_its_end", "reference",
  "give_up(std::exception_ptr(core_->cancelled_error()));", "give_up(core_->cancelled_error());",
  "destroyed_by_a_cancelled_capture callout_cancelled_capture_destroys_the_pool "
  "cancel_the_last_of_a_closed_pool",
  equivalent="Who gives up copies the error before the job counts as finished, and so before the core may end.")

M = header("detail/result_group.hpp")
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
  "        part.jobs[next]->abandon(part.core().terminated_error());\n", "",
  "destructor_of_an_abandoned_capture_waits_for_a_group")
M("group_helps_nobody", "claim", "    result_of(&job).take_part(deadline);\n", "",
  "group_in_a_task_all_one_worker")
M("group_helps_though_one_may_come", "wait graph",
  "(others_may_come() || mine_->core().any_worker_free_locked() || may_come_locked())",
  "(others_may_come() || mine_->core().any_worker_free_locked())",
  "group_in_a_task_first_beside_one_that_waits_for_it group_in_a_task_first_two_workers")
M("group_asks_for_help_with_nobody", "wait graph", "asked_to_help_ = !may_come_locked();",
  "asked_to_help_ = false;", "group_in_a_task_first_is_asked_to_help")
M("group_does_not_ask_to_be_asked", "wake-up",
  "      mine_->core().waits().ask_when_all_busy_locked();\n", "",
  "group_in_a_task_first_behind_one_that_is_stuck group_in_a_task_first_is_asked_to_help")
M("group_is_asked_and_sleeps_on", "wake-up",
  "      if (group_.is_to_help_locked()) waiter_.notify();", "      group_.is_to_help_locked();",
  "group_in_a_task_first_is_asked_to_help")
M("group_in_a_callback_is_asked_and_sleeps_on", "wake-up",
  "      if (group_.is_to_help_locked()) ring_locked();", "      group_.is_to_help_locked();",
  "callback_thread_is_asked_to_help")

M = header("detail/waiters.hpp")
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
M("result_completes_while_a_waiter_leaves", "lock",
  "      word = unlocked(word);\n      // release: publishes", "      // release: publishes",
  "result_is_awaited_for_a_time result_loses_a_timed_waiter_of_two")
M("completer_looks_without_order", "order",
  "  void complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_acquire);",
  "  void complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_relaxed);",
  "result_is_awaited_by_two apply_returns_the_result",
  equivalent="It only looks at the word itself before the exchange, which acquires.")
M("outcome_is_not_published", "order", "word, kReady, memory_order_acq_rel,",
  "word, kReady, memory_order_acquire,", "result_is_polled apply_returns_the_result")
M("completer_takes_the_list_without_acquire", "order", "word, kReady, memory_order_acq_rel,",
  "word, kReady, memory_order_release,", "result_is_awaited_by_two apply_returns_the_result",
  equivalent="The load before it, or the failed exchange, has acquired from whoever wrote that very word.")
M("completer_takes_the_list_without_any_acquire", "order",
  "  void complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_acquire);\n"
  "    do {\n      word = unlocked(word);\n"
  "      // release: publishes the outcome to ready(). acquire: pairs with add().\n    } while (\n"
  "        !word_.compare_exchange_weak(word, kReady, memory_order_acq_rel, memory_order_acquire));",
  "  void complete() noexcept {\n    std::uintptr_t word = word_.load(memory_order_relaxed);\n"
  "    do {\n      word = unlocked(word);\n    } while (\n"
  "        !word_.compare_exchange_weak(word, kReady, memory_order_release, memory_order_relaxed));",
  "result_is_awaited_by_two apply_returns_the_result")
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

# ---- Jobs ----

M = header("detail/job.hpp")
M("last_holder_is_seen_without_order", "order", "refs_.load(memory_order_acquire) == 1",
  "refs_.load(memory_order_relaxed) == 1",
  "result_handle_is_dropped_during_the_task result_copies_are_dropped_by_two imap_dropped_early")
M("holder_leaves_without_order", "order", "refs_.fetch_sub(1, memory_order_acq_rel)",
  "refs_.fetch_sub(1, memory_order_relaxed)",
  "result_handle_is_dropped_during_the_task result_copies_are_dropped_by_two imap_dropped_early")
M("holder_leaves_without_release", "order", "refs_.fetch_sub(1, memory_order_acq_rel)",
  "refs_.fetch_sub(1, memory_order_acquire)",
  "result_handle_is_dropped_during_the_task result_copies_are_dropped_by_two imap_dropped_early")
M("holder_leaves_without_acquire", "order", "refs_.fetch_sub(1, memory_order_acq_rel)",
  "refs_.fetch_sub(1, memory_order_release)",
  "result_handle_is_dropped_during_the_task result_copies_are_dropped_by_two imap_dropped_early")

M = header("detail/findable.hpp")
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

M = header("detail/apply_job.hpp")
M("worker_runs_what_another_has_claimed", "claim", "    if (this->try_claim()) execute();\n",
  "    this->try_claim();\n    execute();\n", "cancel_against_the_start cancel_queued")
M("terminate_gives_up_what_runs", "claim",
  "    if (!this->try_claim()) return;\n    this->leave_queue();\n    give_up(why);",
  "    this->try_claim();\n    this->leave_queue();\n    give_up(why);",
  "terminate_against_the_start nest_against_terminate cancel_against_terminate")
M("worker_keeps_the_queues_reference", "reference", "execute();\n    this->release();", "execute();",
  "apply_returns_the_result")
M("cancel_stops_nothing_that_runs", "abandon",
  "      if (!cancelled()) stop_.request();\n", "", "stop_by_cancel")
M("cancelled_call_counts_as_failed", "predicate", "    this->set_outcome_cancelled();\n", "",
  "group_first_exception_of_a_cancelled_one")
M("helped_call_stays_queued", "queue", "    this->leave_queue();\n    execute();", "    execute();",
  "callback_waits_for_a_task nest_async_one_worker callback_waits_for_one_that_is_due")
M("given_up_call_is_not_destroyed", "ready",
  "  void give_up(const std::exception_ptr& why) noexcept {\n    std::destroy_at(&call_);",
  "  void give_up(const std::exception_ptr& why) noexcept {", "cancel_queued")
M("call_dies_after_ready", "ready",
  "    std::destroy_at(&call_);\n    stop_.leave(this->core());\n    this->finish();",
  "    stop_.leave(this->core());\n    this->finish();\n    std::destroy_at(&call_);",
  "result_is_ready_after_its_captures_have_died")
M("call_that_has_ended_may_still_be_stopped", "reference",
  "    std::destroy_at(&call_);\n    stop_.leave(this->core());\n    this->finish();",
  "    std::destroy_at(&call_);\n    this->finish();", "stop_of_what_has_ended stop_by_cancel")
M("refused_call_is_not_destroyed", "ready",
  "    if (this->claim() == Claim::none) std::destroy_at(&call_);  // it was never issued\n", "",
  "close_against_issue fault_in_apply_async")

M = header("detail/map_job.hpp")
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
M("claimed_map_stays_queued", "queue", "      if (range.end == size_) this->leave_queue();\n", "",
  "callback_of_a_map map_beside_another_map")
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
M("given_up_items_do_not_count", "count",
  "    if (progress_) progress_->add(size_ - begin);\n    finish_items(size_ - begin);",
  "    if (progress_) progress_->add(size_ - begin);", "cancel_map_under_way")
M("cancel_stops_no_map", "abandon", "    stop_.request();\n    return begin", "    return begin",
  "stop_in_a_map")
M("cancelled_map_counts_as_failed", "predicate",
  "      if (cancels) this->set_outcome_cancelled();\n", "",
  "group_first_exception_of_a_cancelled_map")
M("spent_map_blocks_the_queue", "predicate",
  "    return next_.load(memory_order_relaxed) >= size_;\n  }\n\n  Stop",
  "    return false;\n  }\n\n  Stop", "cancel_map_lets_others_pass",
  equivalent="Whoever claimed the last chunk takes the map out as soon as he gets the mutex; until then workers "
             "look again and again: only later.")
M("map_never_makes_way", "predicate", "work(this->core().takes_turns() ? 1 : ~std::size_t{0},",
  "work(~std::size_t{0},", "priority_interrupts_a_map")

# ---- Queues ----

M = header("detail/task_queue.hpp")
M("worker_takes_no_reference_on_a_map", "reference", "        job->add_ref();\n", "",
  "map_two_workers")
M("spent_map_keeps_the_queues_reference", "reference",
  "      job->release();  // not the last: see is_spent()\n", "",
  "cancel_map_lets_others_pass map_beside_another_map")
M("erased_job_still_counts", "count",
  "    if (!job.is_queued() || !jobs_.erase(job)) return false;\n    add(std::size_t{0} - 1);",
  "    if (!job.is_queued() || !jobs_.erase(job)) return false;",
  "batch_holds_what_another_waits_for worker_wakes_the_next_again cancel_in_the_middle_of_the_queue")

M = header("detail/job_ring.hpp")
M("job_of_a_batch_is_erased_from_the_ring", "queue", " || job.position_ < begin_ ||\n        to_job",
  " ||\n        to_job", "cancel_in_a_batch worker_takes_while_the_queue_grows")
M("hole_ends_the_queue", "queue", "    skip_holes();\n    return begin_", "    return begin_",
  "cancel_in_the_middle_of_the_queue")
M("batch_takes_a_hole", "queue", "      if (entry == kHole) continue;\n      if ((entry",
  "      if ((entry", "batch_is_taken_over_a_hole")
M("batch_takes_a_map", "queue", "      if ((entry & kNotACall) != 0) break;\n", "",
  "batch_ends_before_a_map")
M("moved_job_does_not_know_its_place", "queue", "      to_job(entry)->position_ = free;\n", "",
  "cancel_after_the_queue_has_closed_up")

M = header("detail/job_heap.hpp")
M("later_job_comes_first", "queue", "order < other.order;", "order > other.order;",
  "priority_orders_what_is_queued")
M("lower_priority_comes_first", "queue", "priority > other.priority", "priority < other.priority",
  "priority_orders_what_is_queued")
M("job_does_not_know_its_place", "queue", "    entry.job->position_ = index;\n", "",
  "priority_cancel priority_orders_what_is_queued")
M("heap_is_not_mended", "queue", "    sift_down(hole);\n", "", "priority_orders_what_is_queued")

M = header("detail/batch.hpp")
M("batch_is_filled_without_release", "order",
  "range_.store(range_of(begin, begin + count), memory_order_release);",
  "range_.store(range_of(begin, begin + count), memory_order_relaxed);",
  "batch_of_one_worker batch_against_terminate batch_holds_what_another_waits_for terminate_batches",
  equivalent="All but the owner take under the pool's mutex, under which batches are filled, or, in "
             "terminate(), after it has held that mutex and nobody fills any more.")
M("batch_is_taken_from_without_order", "order",
  "    return range_.compare_exchange_weak(range, range_of(begin, end_of(range)), memory_order_acq_rel,\n"
  "                                        memory_order_acquire);",
  "    return range_.compare_exchange_weak(range, range_of(begin, end_of(range)), memory_order_relaxed,\n"
  "                                        memory_order_relaxed);",
  "batch_of_one_worker batch_against_terminate batch_holds_what_another_waits_for terminate_batches",
  equivalent="As for the store in fill().")
M("two_take_one_job_of_a_batch", "claim",
  "    return range_.compare_exchange_weak(range, range_of(begin, end_of(range)), memory_order_acq_rel,\n"
  "                                        memory_order_acquire);",
  "    range_.store(range_of(begin, end_of(range)), memory_order_release);\n    return true;",
  "batch_against_terminate terminate_batches batch_is_taken_from_one_who_is_stuck")
M("last_job_of_a_batch_is_not_stolen", "predicate", "return (size + 1) / 2;", "return size / 2;",
  "batch_is_taken_by_a_third batch_is_stolen_by_halves")

M = header("detail/batches.hpp")
M("filled_batch_is_not_in_use", "count",
  "    ++in_use_;\n  }\n  /// A worker has found its batch empty that it had filled.\n"
  "  void emptied_locked() noexcept { --in_use_; }",
  "  }\n  void emptied_locked() noexcept {}", "batch_is_taken_by_a_third batch_is_stolen_by_halves")
M("stolen_jobs_are_lost", "queue",
  "    if (count > 1) fill_locked(worker, jobs + 1, count - 1);\n", "",
  "batch_is_stolen_by_halves")

M = header("detail/spin.hpp")
M("lock_is_only_tried", "lock", "  if (!lockable.try_lock()) lock_contended(lockable);",
  "  lockable.try_lock();", "worker_is_woken_again")

# ---- Imaps ----

M = header("detail/imap_state.hpp")
M("reader_leaves_it_to_terminate", "abandon",
  "if (core.state() == State::terminate && this->may_be_given_up()) {", "if (false) {",
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
M("iterating_thread_leaves_the_front_open", "lock",
  "        front().lock();  // which take() unlocks\n", "", "imap_is_iterated",
  equivalent="One thread iterates, so nobody else looks at the lock, which take() clears.")

M = header("detail/imap_stream.hpp")
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
M("parked_imap_forgets_what_is_unclaimed", "queue",
  "    if (room() != 0 || ring_.any_unclaimed()) {", "    if (room() != 0) {",
  "imap_run_is_shared imap_run_is_shared_after_a_turn imap_full_ring_two_workers")
M("parked_imap_stays_queued", "queue",
  "    taken_out = entry_.take_out_locked(*core_);\n  }\n"
  "  if (taken_out) this->release();  // not the last: our caller holds another\n"
  "  return Then::leave;",
  "    taken_out = false;\n  }\n"
  "  if (taken_out) this->release();\n  return Then::leave;",
  "imap_buffersize_one imap_run_is_shared",
  equivalent="A worker takes the entry in vain; or it is there when there is room again.")
M("parked_imap_is_not_put_back", "queue",
  "reading_.load() != Reading::open) return;\n  put_locked(Core::Place::back);",
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
  "imap_read_by_two_tasks imap_turns_end_under_two_tasks", deep=True)
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
  "imap_read_by_two_tasks imap_run_is_read_by_a_task imap_turns_end_under_two_tasks", deep=True)
M("end_tells_of_terminate_again_and_again", "predicate",
  "    termination_ = Termination::told;\n", "",
  "imap_terminated_while_queued imap_terminated_while_full imap_read_on_after_terminate")
M("imap_is_given_up_twice", "claim", "    if (!may_be_given_up()) return;\n", "",
  "imap_dropped_early imap_one_reader imap_terminated_while_full")
M("given_up_imap_reads_on", "abandon",
  "    ends = move_reading(Reading::open, Reading::over) || move_reading(Reading::full, Reading::over);\n",
  "    ends = false;\n", "imap_dropped_early imap_terminated_while_full")
M("given_up_chunks_are_kept", "abandon",
  "  settle(discard_unclaimed() + (ends ? 1 : 0));\n", "  settle(ends ? 1 : 0);\n",
  "imap_run_is_dropped imap_runs_are_terminated_at_any_time")
M("given_up_imap_keeps_the_queues_reference", "reference",
  "  settle(discard_unclaimed() + (ends ? 1 : 0));\n"
  "  if (taken_out) this->release();  // not the last: our caller holds another\n",
  "  settle(discard_unclaimed() + (ends ? 1 : 0));\n", "imap_dropped_unread")
M("finished_imap_stays_queued", "queue",
  "    taken_out = entry_.take_out_locked(*core_);\n    finished_.store(true);",
  "    taken_out = false;\n    finished_.store(true);",
  "imap_read_in_a_task imap_run_is_read_by_a_task imap_timed_next_in_a_task")
M("finished_imap_is_put_back", "queue",
  "if (!entry_.exists() && !finished_.load(memory_order_relaxed)) entry_",
  "if (!entry_.exists()) entry_", "imap_two_readers imap_full_ring_two_readers", deep=True)
M("imaps_function_dies_after_the_end", "ready",
  "  destroy_work();\n  core_->forget(*this);\n", "  core_->forget(*this);\n",
  "imap_function_dies_before_the_end")
M("end_wakes_no_reader", "wake-up",
  "    finished_.store(true);  // what was done before happens before the end is seen\n"
  "    readers_.wake_all_locked();\n",
  "    finished_.store(true);\n", "imap_over_nothing")
M("finished_imap_counts_as_unfinished", "count", "  core_->job_done();\n", "", "imap_over_nothing")
M("dropped_input_error_is_not_told", "abandon",
  "  if (input_error_ && !is_termination(input_error_)) core_->report(input_error_);\n", "",
  "imap_dropped_input_error_is_told")
M("priority_pools_worker_stays", "queue", "      if (gives_way_ && has_work()) {", "      if (false) {",
  "imap_gives_way_to_a_higher_priority")

M = header("detail/imap_window.hpp")
M("window_is_one_too_large", "count", "return used < size ? size - used : 0;",
  "return used <= size ? size + 1 - used : 0;", "imap_buffersize_one")
M("turn_begins_never_anew", "count",
  "    turn_begin_.store(claimed, memory_order_relaxed);\n", "", "imap_makes_way imap_buffersize_one",
  equivalent="Once over, always over: every chunk goes to the queue's back, which is only slower.")

M = header("detail/imap_entry.hpp")
M("entry_is_put_in_and_not_counted", "queue",
  "    exists_.store(true);\n    core.requeue(imap_, place);", "    core.requeue(imap_, place);",
  "imap_buffersize_one imap_run_is_shared")
M("entry_is_taken_out_and_still_counts", "queue",
  "    exists_.store(false);\n    return true;", "    return true;",
  "imap_reads_runs imap_run_is_shared_after_a_turn imap_makes_way")

M = header("detail/imap_ring.hpp")
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

M = header("detail/imap_front.hpp")
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

M = header("detail/imap_chunk.hpp")
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

M = header("detail/imap_readers.hpp")
M("only_one_reader_is_woken", "wake-up", "if (sleepers_ != 0) condition_.notify_all();",
  "if (sleepers_ != 0) condition_.notify_one();", "imap_terminated_two_readers imap_two_readers")
M("reader_in_a_callback_is_not_woken", "wake-up",
  "    for (CallbackThread::Alarm* const alarm : alarms_) alarm->notify();\n", "",
  "imap_read_in_a_callback_while_it_runs")
M("reader_is_not_in_the_graph", "wait graph",
  "      waits.emplace(core.waits(), wait.emplace(*context, std::span(&imap_, 1)));\n", "",
  "imap_item_waits_for_a_callback callback_thread_needed_by_what_it_waits_for")
M("reader_leaves_its_alarm_behind", "reference", "    alarms_.pop_back();\n", "",
  "imap_read_in_a_callback_while_it_runs")
M("sleeping_reader_is_not_counted", "count",
  "    ++sleepers_;\n    bool in_time", "    bool in_time", "imap_one_reader")
M("reader_announces_nothing", "wake-up", "wanted_.exchange(position + 1);",
  "wanted_.exchange(0);", "imap_buffersize_one imap_one_reader")
M("readers_of_an_older_chunk_sleep_on", "wake-up",
  "    if (before != 0 && before != position + 1) notify_locked();\n", "    static_cast<void>(before);\n",
  "imap_two_readers imap_full_ring_two_readers", deep=True)

# ---- The rest ----

M = header("detail/stop.hpp")
M("stop_source_enters_and_leaves_a_stale_link", "queue",
  "    if (source.next_ != nullptr) source.next_->link_ = &source.next_;\n", "",
  "stop_by_terminate_after_another_has_ended")
M("stop_source_leaves_twice", "queue", "    source.link_ = nullptr;\n", "",
  "stop_by_terminate stop_or_never_start stop_of_what_has_ended")

M = header("detail/start_up.hpp")
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

M = header("detail/thread_context.hpp")
M("threads_of_all_pools_are_the_same", "predicate",
  "return context != nullptr && context->core == core ? context : nullptr;", "return context;",
  "two_pools_task_waits_for_task")
M("end_of_a_completion_is_not_noted", "reference",
  "  ~CompletionScope() { innermost_ = outer_; }", "  ~CompletionScope() {}",
  "cancel_queued destroyed_by_a_cancelled_capture terminate_what_runs_and_what_is_queued")

M = header("coroutine.hpp")
M("coroutine_is_not_resumed", "wake-up",
  "    if (!resume_on_target(*job)) core.callbacks().post(*job);", "    resume_on_target(*job);",
  "coroutine_awaits_a_call")
M("coroutine_is_told_and_goes_on", "claim", "      if (state->add_waiter(*this)) return true;",
  "      state->add_waiter(*this);", "coroutine_awaits_a_call")
M("coroutine_keeps_the_queues_reference", "reference",
  "    job->release();  // the queue's reference\n    return false;", "    return false;",
  "coroutine_awaits_a_call coroutine_awaits_what_is_ready")
M("coroutine_needs_no_callback_thread", "predicate", "core && core->need_callbacks();",
  "static_cast<bool>(core);", "coroutine_awaits_a_call")
M("resumed_coroutine_counts_as_unfinished", "count", "    core.job_done();\n", "",
  "coroutine_resumes_on_a_pool")
M("abandoned_coroutine_is_no_completion", "wait graph",
  "    const CompletionScope scope(core_, this);\n", "", "coroutine_resumes_on_a_terminated_pool",
  equivalent="terminate(), which alone abandons such jobs, has a scope of its own for them.")

M = header("async_result.hpp")
M("late_done_callback_takes_a_dead_core", "reference", "is_late_ ? Ref<Core>() : core_", "core_",
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
