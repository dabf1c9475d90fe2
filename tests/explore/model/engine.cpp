// SPDX-License-Identifier: MIT
#include "engine.hpp"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <link.h>
#include <new>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "primitives.hpp"

namespace explore {

Engine engine;

extern "C" __attribute__((used)) void explore_fiber_main() noexcept { engine.fiber_main(); }

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// "millpond::v0_1::detail::Engine::submit(Job&) [with ...]" -> "Engine::submit"
std::string short_name(const char* function) {
  std::string name(function);
  name.resize(std::min(name.find(" [with"), name.size()));
  name.resize(std::min(name.find('('), name.size()));
  if (const auto space = name.rfind(' '); space != name.npos) name.erase(0, space + 1);
  if (const auto detail = name.rfind("detail::"); detail != name.npos) name.erase(0, detail + 8);
  return name;
}

}  // namespace

void Engine::set_up() {
  report_ = static_cast<Report*>(
      mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  arena_.map();
  sync_states_.map();
  const std::size_t all_stacks = Fiber::kStackSize * kMaxThreads;
  char* const stacks = static_cast<char*>(mmap(nullptr, all_stacks, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  for (int i = 0; i < kMaxThreads; ++i) {
    fibers_[i].stack = stacks + Fiber::kStackSize * static_cast<std::size_t>(i);
    mprotect(fibers_[i].stack, 4096, PROT_NONE);
  }
  races_.add_region(arena_.base(), Arena::kSize);
  races_.add_region(stacks, all_stacks);
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* races) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
          static_cast<RaceDetector*>(races)->add_region(
              reinterpret_cast<const void*>(info->dlpi_addr + header.p_vaddr), header.p_memsz);
        }
        return 1;  // the first is the program
      },
      &races_);
}

void Engine::explore(Body body, const Options& options, std::vector<Choice> replay) {
  storage_.start();
  for (int i = 0; i < kMaxThreads; ++i) {
    const ThreadStorage::Block block = storage_.block(i);
    races_.add_region(block.begin, block.size);
  }
  options_ = options;
  body_ = body;
  strategy_ = std::make_unique<Strategy>(options);
  strategy_->set_replay(std::move(replay));
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t number = 0; number != options.max_executions; ++number) {
    strategy_->begin_execution(number, static_cast<std::uint32_t>(report_->decisions));
    execute();
    const bool more = strategy_->advance(state_);
    report_->seconds = seconds_since(start);
    report_->distinct = strategy_->distinct();
    report_->pruned = strategy_->pruned();
    report_->table_full = strategy_->table_full();
    if (!more) {
      report_->complete = options.method == Method::exhaustive;
      break;
    }
    if (report_->seconds > options.max_seconds) break;
  }
  if (options_.trace) write_trace();
}

void Engine::execute() {
  ++execution_;
  arena_.reset();
  sync_states_.reset();
  races_.reset();
  fiber_count_ = 0;
  current_ = nullptr;
  points_ = decisions_ = in_a_row_ = 0;
  state_ = 0;
  time_ = 1'000'000'000;
  report_->choice_count = 0;
  trace_.clear();

  in_model_ = true;
  Fiber& main = start_thread([](void*) { engine.body_(); }, nullptr, Location::current());
  main.role = "main";
  const std::uintptr_t own_thread_pointer = ThreadStorage::thread_pointer();
  current_ = &main;
  active_ = true;
  ThreadStorage::set_thread_pointer(main.thread_pointer);
  explore_switch(&root_stack_pointer_, main.stack_pointer);
  ThreadStorage::set_thread_pointer(own_thread_pointer);
  active_ = false;

  if (strategy_->failed_to_repeat()) fail("not deterministic: other choices than the last time");
  if (arena_.live_blocks() != 0) {
    fail("leak: blocks of %s bytes are left", arena_.describe_live_blocks().c_str());
  }
  if (arena_.is_damaged()) fail("freed memory has been written to");
  ++report_->executions;
  report_->points += points_;
  report_->longest = std::max<std::uint64_t>(report_->longest, points_);
  report_->decisions = std::max<std::uint64_t>(report_->decisions, decisions_);
}

Fiber& Engine::start_thread(void (*entry)(void*), void* argument, Location location) noexcept {
  if (fiber_count_ == kMaxThreads) fail("more than %d threads", kMaxThreads);
  Fiber& fiber = fibers_[fiber_count_];
  fiber.id = fiber_count_++;
  fiber.role = "";
  fiber.ended = fiber.is_timed = fiber.timed_out = false;
  fiber.op = Op::start;
  fiber.object = nullptr;
  fiber.location = location;
  fiber.points = 0;
  fiber.library_locks = 0;
  fiber.waker_hash = 0;
  fiber.entry = entry;
  fiber.argument = argument;
  if (current_ == nullptr) {
    fiber.hash = 1;
    fiber.clock = {};
  } else {
    fiber.hash = mix(current_->hash, 1000);
    fiber.clock = current_->clock;
    tick(*current_);
  }
  fiber.clock[fiber.id] = 1;
  storage_.initialize(fiber);
  prepare_stack(fiber);
  strategy_->begin_thread(fiber.id);
  report_->threads = std::max(report_->threads, fiber_count_);
  return fiber;
}

void Engine::fiber_main() noexcept {
  Fiber& self = *current_;
  trace(self.id, self.op, TraceEntry::Kind::point, self.location);
  self.op = Op::running;
  in_model_ = false;
  try {
    self.entry(self.argument);
  } catch (const std::exception& error) {
    // A scenario need not handle a fault that it meets itself.
    const bool is_fault = dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
                          dynamic_cast<const std::system_error*>(&error) != nullptr;
    if (!(options_.faults && is_fault && self.id == 0)) {
      fail("an exception leaves thread T%d: %s", self.id, error.what());
    }
  } catch (...) {
    fail("an exception leaves thread T%d", self.id);
  }
  while (self.destructor_count != 0) {
    const ThreadLocalDestructor last = self.destructors[--self.destructor_count];
    last.destroy(last.object);
  }
  in_model_ = true;
  if (self.library_locks != 0) fail("T%d ends with a mutex locked", self.id);
  self.op = Op::ended;
  self.ended = true;
  ++self.points;
  ++points_;
  local_event(99);
  if (Fiber* const next = pick()) switch_to(*next);
  // All have ended.
  void* nowhere;
  explore_switch(&nowhere, root_stack_pointer_);
  std::abort();
}

void Engine::switch_to(Fiber& to) noexcept {
  Fiber& from = *current_;
  current_ = &to;
  ThreadStorage::set_thread_pointer(to.thread_pointer);
  explore_switch(&from.stack_pointer, to.stack_pointer);
}

void Engine::point(Op op, const void* object, Location location) noexcept {
  if (!active_) return;
  in_model_ = true;
  Fiber& self = *current_;
  self.op = op;
  self.object = object;
  self.location = location;
  ++self.points;
  ++points_;
  ++in_a_row_;
  report_->progress = report_->progress + 1;
  if (points_ > options_.max_points) fail("more than %u points: a livelock?", options_.max_points);
  Fiber* const next = pick();
  if (next != &self) switch_to(*next);
  trace(self.id, self.op, TraceEntry::Kind::point, location);
  self.op = Op::running;
  in_model_ = false;
}

void Engine::block(bool (*may_go_on)(const void*), const void* object, Location location) noexcept {
  current_->may_go_on = may_go_on;
  point(Op::block, object, location);
  // Between two points there is an event: else the second would look like the first, and be pruned.
  if (active_) local_event(51);
}

bool Engine::can_go_on(const Fiber& fiber) const noexcept {
  switch (fiber.op) {
    case Op::lock:
    case Op::relock:
      return !fiber.mutex->is_locked();
    case Op::asleep:
    case Op::ended:
      return false;
    case Op::join:
      return fiber.target->ended;
    case Op::block:
      return fiber.may_go_on(fiber.object);
    default:
      return true;
  }
}

/// Who goes on; null if all have ended. May be the current thread.
Fiber* Engine::pick() noexcept {
  Fiber& self = *current_;
  for (std::uint16_t nth = 0;; ++nth) {
    ++decisions_;
    const bool in_busy_loop = in_a_row_ > options_.fair;
    const bool must_yield = self.op == Op::yield || in_busy_loop;
    const bool self_can = !must_yield && can_go_on(self);
    if (self_can && strategy_->goes_straight_on()) return &self;

    Alternative alternatives[kMaxThreads * 3];
    int count = 0;
    if (self_can) alternatives[count++] = {self.id * 4, 0};
    for (int k = 1; k < fiber_count_; ++k) {
      const int id = (self.id + k) % fiber_count_;
      if (!can_go_on(fibers_[id])) continue;
      const bool is_deviation = self_can || (count != 0 && must_yield);
      alternatives[count++] = {id * 4, is_deviation};
    }
    if (count == 0 && must_yield && can_go_on(self)) alternatives[count++] = {self.id * 4, 0};
    if (in_busy_loop && count != 0) ++report_->busy_loops;
    const int ordinary = count;
    bool all_ended = true;
    for (int id = 0; id < fiber_count_; ++id) {
      const Fiber& fiber = fibers_[id];
      all_ended = all_ended && fiber.ended;
      if (fiber.op != Op::asleep || !fiber.is_timed) continue;
      if (ordinary == 0) {
        alternatives[count++] = {id * 4 + 1, 0};
      } else if (options_.timeouts) {
        alternatives[count++] = {id * 4 + 1, 1};
      }
    }
    if (count == 0) {
      if (all_ended) return nullptr;
      fail("deadlock");
    }
    if (options_.spurious) {
      for (int id = 0; id < fiber_count_; ++id) {
        if (fibers_[id].op == Op::asleep) alternatives[count++] = {id * 4 + 2, 1};
      }
    }
    const int chosen = alternatives[decide({.alternatives = alternatives,
                                            .count = count,
                                            .ordinary = ordinary,
                                            .is_data = false,
                                            .must_yield = must_yield,
                                            .thread = self.id,
                                            .state = state_},
                                           nth)]
                           .id;
    Fiber& fiber = fibers_[chosen / 4];
    if (chosen % 4 == 0) {
      if (&fiber != &self || in_busy_loop) in_a_row_ = 0;
      return &fiber;
    }
    wake_from_outside(fiber, chosen % 4 == 1);
  }
}

void Engine::wake_from_outside(Fiber& fiber, bool by_timeout) noexcept {
  const auto& condition = *static_cast<const ConditionVariable*>(fiber.object);
  const_cast<ConditionVariable&>(condition).forget(fiber);
  fiber.op = Op::relock;
  fiber.timed_out = by_timeout;
  refresh(clock_);
  std::uint64_t hash = mix(mix(fiber.hash, 500 + by_timeout), clock_.written);
  if (by_timeout) {
    time_ = std::max(time_, fiber.deadline);
    hash = mix(hash, clock_.read);
    clock_.written = hash;
    clock_.read = 0;
  }
  fiber.hash = hash;
  state_ += hash;
  trace(fiber.id, fiber.op, by_timeout ? TraceEntry::Kind::timeout : TraceEntry::Kind::spurious,
        fiber.location);
}

int Engine::choose(int count, int cost) noexcept {
  if (!active_ || count < 2) return 0;
  in_model_ = true;
  ++decisions_;
  Alternative alternatives[64];
  count = std::min(count, 64);
  for (int i = 0; i < count; ++i) alternatives[i] = {i, i == 0 ? 0 : cost};
  ++current_->points;
  const int chosen = decide({.alternatives = alternatives,
                             .count = count,
                             .ordinary = count,
                             .is_data = true,
                             .must_yield = false,
                             .thread = current_->id,
                             .state = state_},
                            900);
  local_event(600 + static_cast<std::uint64_t>(chosen));
  in_model_ = false;
  return chosen;
}

int Engine::decide(const Decision& decision, std::uint16_t nth) noexcept {
  strategy_->set_place(current_->points, nth);
  const int chosen = strategy_->choose(decision);
  if (chosen != 0 && report_->choice_count != Report::kMaxChoices) {
    report_->choices[report_->choice_count++] = {static_cast<std::uint16_t>(current_->id), nth,
                                                 current_->points,
                                                 decision.alternatives[chosen].id};
  }
  return chosen;
}

std::int64_t Engine::now() noexcept {
  if (active_) read_event(clock_, 71);
  return time_;
}

void Engine::refresh(const ModelObject& object) noexcept {
  if (object.execution == execution_) return;
  object.written = object.read = 0;
  object.sync = nullptr;
  object.execution = execution_;
}

void Engine::local_event(std::uint64_t kind) noexcept {
  current_->hash = mix(current_->hash, kind);
  state_ += current_->hash;
}

void Engine::read_event(const ModelObject& object, std::uint64_t kind) noexcept {
  if (!active_) return;
  refresh(object);
  const std::uint64_t event = mix(mix(current_->hash, kind), object.written);
  current_->hash = event;
  object.read += event;
  state_ += event;
}

void Engine::write_event(const ModelObject& object, std::uint64_t kind) noexcept {
  if (!active_) return;
  refresh(object);
  const std::uint64_t event = mix(mix(mix(current_->hash, kind), object.written), object.read);
  current_->hash = event;
  object.written = event;
  object.read = 0;
  state_ += event;
}

SyncState& Engine::sync_of(const ModelObject& object, std::uint64_t initial_value) noexcept {
  refresh(object);
  if (object.sync == nullptr) {
    object.sync = sync_states_.make();
    if (object.sync == nullptr) fail("too many mutexes and atomics");
    object.sync->entries[0].value = initial_value;
  }
  return *object.sync;
}

void Engine::acquire(const ModelObject& object) noexcept {
  if (active_) current_->clock.join(sync_of(object).entries[0].released);
}

void Engine::release(const ModelObject& object) noexcept {
  if (!active_) return;
  sync_of(object).entries[0].released.join(current_->clock);
  tick(*current_);
}

void Engine::acquire_thread(const Fiber& ended) noexcept { current_->clock.join(ended.clock); }

void Engine::access(const void* address, std::size_t size, RaceDetector::Access access,
                    const void* code) noexcept {
  if (!active_) return;
  const auto race = races_.access(address, size, access, current_->id, current_->clock, code);
  const bool is_freed = arena_.is_freed(address);
  if (!race) {
    if (!arena_.owns(address) || arena_.is_live(address, size)) return;
    fail("%s by T%d at code %p %s", name_of(access), current_->id, code,
         is_freed ? "after the memory was freed" : "beside what was allocated");
  }
  fail("data race: %s by T%d at code %p, %s by T%d at code %p%s", name_of(race->access),
       current_->id, code, name_of(race->other_access), race->other, race->other_code,
       is_freed ? " (the memory is freed)" : "");
}

void Engine::check_alive(const void* object, Location location) noexcept {
  if (!active_ || !arena_.is_freed(object)) return;
  current_->location = location;
  fail("use after free at %s:%u", base_name(location.file_name()), unsigned(location.line()));
}

void Engine::trace(int thread, Op op, TraceEntry::Kind kind, Location location) noexcept {
  if (options_.trace) trace_.push_back({thread, op, kind, location});
}

/// For a debugger: break here.
extern "C" __attribute__((noinline, used)) void explore_failed() noexcept { asm volatile(""); }

void Engine::fail(const char* format, ...) noexcept {
  active_ = false;
  in_model_ = true;
  explore_failed();
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(report_->message, 1024, format, arguments);
  va_end(arguments);
  const std::string threads = describe_threads();
  std::strncat(report_->message, threads.c_str(),
               sizeof report_->message - std::strlen(report_->message) - 1);
  report_->failed = true;
  if (options_.trace) write_trace();
  _exit(kFailed);
}

std::string Engine::describe_threads() const {
  std::string text;
  for (int id = 0; id < fiber_count_; ++id) {
    const Fiber& fiber = fibers_[id];
    if (fiber.ended) continue;
    text += "\n    T" + std::to_string(id) + " " + fiber.role + (&fiber == current_ ? "* " : " ") +
            name_of(fiber.op) + " " + base_name(fiber.location.file_name()) + ":" +
            std::to_string(fiber.location.line()) + " (" +
            short_name(fiber.location.function_name()) + ")";
    const bool wants = fiber.op == Op::lock || fiber.op == Op::relock;
    if (wants && fiber.mutex != nullptr && fiber.mutex->is_locked()) {
      text += ", held by T" + std::to_string(fiber.mutex->owner()->id);
    }
  }
  return text;
}

/// Which thread ran when, with what it did; the middle of a long run is left out.
void Engine::write_trace() {
  std::string text;
  for (std::size_t begin = 0; begin < trace_.size();) {
    std::size_t end = begin;
    while (end < trace_.size() && trace_[end].thread == trace_[begin].thread) ++end;
    const int thread = trace_[begin].thread;
    text += "  T" + std::to_string(thread) + " " + fibers_[thread].role + ":";
    for (std::size_t i = begin; i < end; ++i) {
      if (!options_.full_trace && end - begin > 8 && i >= begin + 3 && i + 4 < end) {
        if (i == begin + 3) text += " ...(" + std::to_string(end - begin - 7) + ")";
        continue;
      }
      const TraceEntry& entry = trace_[i];
      if (entry.kind == TraceEntry::Kind::timeout) {
        text += " TIMEOUT";
      } else if (entry.kind == TraceEntry::Kind::spurious) {
        text += " SPURIOUS";
      } else {
        text += std::string(" ") + name_of(entry.op) + "@" + base_name(entry.location.file_name()) +
                ":" + std::to_string(entry.location.line());
      }
    }
    text += "\n";
    begin = end;
  }
  report_->trace_size = std::min(text.size(), Report::kMaxTrace);
  std::memcpy(report_->trace, text.data(), report_->trace_size);
}

}  // namespace explore
