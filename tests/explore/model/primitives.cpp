// SPDX-License-Identifier: MIT
#include "primitives.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <system_error>

namespace explore {

namespace {

const void* caller() noexcept { return __builtin_return_address(0); }

/// Scenarios may use the model's mutexes themselves, and call the pool while they hold them.
bool is_scenarios(Location location) noexcept {
  return std::strstr(location.file_name(), "/scenarios/") != nullptr ||
         std::strstr(location.file_name(), "selftest.cpp") != nullptr;
}

/// An operation of `op` on an object at `address` that synchronises: it must be alive, and made or
/// destroyed in an order that clocks know of.
void begin(Op op, const void* address, Location location) noexcept {
  engine.check_alive(address, location);
  engine.point(op, address, location);
  engine.check_alive(address, location);
  engine.access(address, 8, RaceDetector::Access::atomic, caller());
}

}  // namespace

// Mutex

Mutex::~Mutex() {
  if (engine.active() && owner_ != nullptr) engine.fail("a locked mutex is destroyed");
  alive_ = 0;
}

void Mutex::check(Location location) const noexcept {
  if (alive_ == kAlive) return;
  engine.fail("a mutex is used after its end: %s:%u", base_name(location.file_name()),
              unsigned(location.line()));
}

void Mutex::take(Location location) noexcept {
  if (whose_ == Whose::unknown) {
    whose_ = is_scenarios(location) ? Whose::scenarios : Whose::librarys;
  }
  Fiber& self = engine.current();
  owner_ = &self;
  if (whose_ == Whose::librarys) ++self.library_locks;
  engine.write_event(*this, 1);
  engine.acquire(*this);
}

void Mutex::give() noexcept {
  if (whose_ == Whose::librarys) --owner_->library_locks;
  owner_ = nullptr;
  engine.write_event(*this, 3);
  engine.release(*this);
}

void Mutex::lock(Location location) noexcept {
  if (!engine.active()) return;
  Fiber& self = engine.current();
  if (owner_ == &self) {
    engine.fail("locked twice by one thread: %s:%u", base_name(location.file_name()),
                unsigned(location.line()));
  }
  self.mutex = this;
  begin(Op::lock, this, location);
  check(location);
  take(location);
}

bool Mutex::try_lock(Location location) noexcept {
  if (!engine.active()) return true;
  begin(Op::try_lock, this, location);
  check(location);
  if (owner_ != nullptr || (engine.options().weak && engine.choose(2, 1) == 1)) {
    engine.read_event(*this, 2);
    return false;
  }
  take(location);
  return true;
}

void Mutex::unlock(Location location) noexcept {
  if (!engine.active()) return;
  engine.check_alive(this, location);
  check(location);
  if (owner_ != &engine.current()) {
    engine.fail("unlocked by another thread: %s:%u", base_name(location.file_name()),
                unsigned(location.line()));
  }
  if (engine.options().unlock_points) engine.point(Op::unlock, this, location);
  engine.access(this, 8, RaceDetector::Access::atomic, caller());
  give();
}

// ConditionVariable

ConditionVariable::~ConditionVariable() {
  if (engine.active() && count_ != 0)
    engine.fail("a condition variable with sleepers is destroyed");
  alive_ = 0;
}

void ConditionVariable::check(Location location) const noexcept {
  if (alive_ == kAlive) return;
  engine.fail("a condition variable is used after its end: %s:%u", base_name(location.file_name()),
              unsigned(location.line()));
}

void ConditionVariable::notify_one(Location location) noexcept {
  if (!engine.active()) return;
  begin(Op::notify_one, this, location);
  check(location);
  engine.write_event(*this, 10);
  if (count_ != 0) wake(engine.choose(count_, 0));
}

void ConditionVariable::notify_all(Location location) noexcept {
  if (!engine.active()) return;
  begin(Op::notify_all, this, location);
  check(location);
  engine.write_event(*this, 11);
  while (count_ != 0) wake(0);
}

void ConditionVariable::wake(int number) noexcept {
  Fiber& fiber = *sleepers_[number];
  forget(fiber);
  fiber.op = Op::relock;
  fiber.waker_hash = engine.current().hash;
}

void ConditionVariable::forget(const Fiber& fiber) noexcept {
  count_ = static_cast<int>(std::remove(sleepers_, sleepers_ + count_, &fiber) - sleepers_);
}

void ConditionVariable::sleep(Mutex& mutex, Location location) noexcept {
  do_sleep(mutex, false, 0, location);
}

bool ConditionVariable::sleep_until(Mutex& mutex, std::int64_t time, Location location) noexcept {
  return do_sleep(mutex, true, time, location);
}

bool ConditionVariable::do_sleep(Mutex& mutex, bool is_timed, std::int64_t time,
                                 Location location) noexcept {
  if (!engine.active()) return true;
  Fiber& self = engine.current();
  if (mutex.owner() != &self) engine.fail("a wait without the mutex");
  begin(Op::wait, this, location);
  check(location);
  if (is_timed && time <= engine.time()) {
    mutex.give();
    engine.now();
    mutex.lock(location);
    return true;
  }
  engine.write_event(*this, 12 + static_cast<std::uint64_t>(is_timed));
  mutex.give();
  sleepers_[count_++] = &self;
  self.is_timed = is_timed;
  self.timed_out = false;
  self.deadline = time;
  self.mutex = &mutex;
  self.waker_hash = 0;
  engine.point(Op::asleep, this, location);
  // The mutex is free, and it is our turn.
  engine.check_alive(&mutex, location);
  mutex.check(location);
  self.hash = mix(self.hash, self.waker_hash);
  mutex.take(location);
  return self.timed_out;
}

// Atomic

void AtomicBits::at(Op op, Location location) const noexcept {
  if (!engine.active()) return;
  begin(op, this, location);
  engine.sync_of(*this, bits_);
}

std::uint64_t AtomicBits::peek() const noexcept { return bits_; }

std::uint64_t AtomicBits::load(std::memory_order order, Location location) const noexcept {
  at(Op::load, location);
  if (!engine.active()) return bits_;
  engine.read_event(*this, 20);
  SyncState& state = *sync;
  Fiber& self = engine.current();
  const bool is_seq_cst = order == std::memory_order_seq_cst;
  int seen = 0;
  if (engine.options().stale) {
    // Down to the newest value that the thread knows to have been written, or read by somebody.
    int oldest = 0;
    for (; oldest + 1 < state.count; ++oldest) {
      const SyncState::Entry& entry = state.entries[static_cast<std::size_t>(oldest)];
      bool is_known = entry.written_at <= self.clock[entry.writer] || (is_seq_cst && entry.seq_cst);
      for (int thread = 0; thread != kMaxThreads; ++thread) {
        const std::uint32_t read_at = entry.first_read[thread];
        is_known = is_known || (read_at != 0 && read_at <= self.clock[thread]);
      }
      if (is_known) break;
    }
    seen = engine.choose(oldest + 1, 1);
  }
  SyncState::Entry& entry = state.entries[static_cast<std::size_t>(seen)];
  if (entry.first_read[self.id] == 0) entry.first_read[self.id] = self.clock[self.id];
  entry.seq_cst = entry.seq_cst || is_seq_cst;
  if (acquires(order)) self.clock.join(entry.released);
  return entry.value;
}

/// A read-modify-write continues the release sequence that it reads from; a store ends it.
void AtomicBits::write(std::uint64_t bits, std::memory_order order,
                       bool continues_release) noexcept {
  bits_ = bits;
  if (!engine.active()) return;
  SyncState& state = *sync;
  Fiber& self = engine.current();
  VectorClock released;
  if (continues_release) released = state.entries[0].released;
  if (releases(order)) released.join(self.clock);
  for (int i = state.count < SyncState::kKept ? state.count : SyncState::kKept - 1; i > 0; --i) {
    state.entries[static_cast<std::size_t>(i)] = state.entries[static_cast<std::size_t>(i - 1)];
  }
  state.count = std::min(state.count + 1, SyncState::kKept);
  state.entries[0] = {.value = bits,
                      .released = released,
                      .first_read = {},
                      .writer = self.id,
                      .written_at = self.clock[self.id],
                      .seq_cst = order == std::memory_order_seq_cst};
  state.entries[0].first_read[self.id] = self.clock[self.id];
  engine.tick(self);
}

void AtomicBits::store(std::uint64_t bits, std::memory_order order, Location location) noexcept {
  at(Op::store, location);
  engine.write_event(*this, 21);
  write(bits, order, false);
}

std::uint64_t AtomicBits::change(Change change, std::uint64_t operand, std::uint64_t mask,
                                 std::memory_order order, Location location) noexcept {
  at(Op::exchange, location);
  engine.write_event(*this, 22 + static_cast<std::uint64_t>(change));
  const std::uint64_t before = bits_;
  std::uint64_t after = operand;
  switch (change) {
    case Change::exchange:
      break;
    case Change::add:
      after = before + operand;
      break;
    case Change::subtract:
      after = before - operand;
      break;
    case Change::bit_or:
      after = before | operand;
      break;
    case Change::bit_and:
      after = before & operand;
      break;
  }
  if (engine.active() && acquires(order)) engine.acquire(*this);
  write(after & mask, order, true);
  return before;
}

bool AtomicBits::compare_exchange(std::uint64_t& expected, std::uint64_t bits, bool is_weak,
                                  std::memory_order success, std::memory_order failure,
                                  Location location) noexcept {
  at(Op::compare_exchange, location);
  const bool fails_anyway =
      bits_ == expected && is_weak && engine.options().weak && engine.choose(2, 1) == 1;
  if (bits_ != expected || fails_anyway) {
    engine.read_event(*this, 28);
    if (engine.active() && acquires(failure)) engine.acquire(*this);
    expected = bits_;
    return false;
  }
  engine.write_event(*this, 27);
  if (engine.active() && acquires(success)) engine.acquire(*this);
  write(bits, success, true);
  return true;
}

// Thread

void Thread::start(void (*run)(void*), void (*drop)(void*), void* argument) {
  engine.point(Op::spawn, nullptr, Location::current());
  if (engine.fails()) {
    drop(argument);
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
  fiber_ = &engine.start_thread(run, argument, Location::current());
  engine.local_event(42);
}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (joinable()) std::terminate();
  fiber_ = std::exchange(other.fiber_, nullptr);
  return *this;
}

Thread::~Thread() {
  if (joinable() && engine.active()) engine.fail("a joinable thread is destroyed");
}

void Thread::join(Location location) noexcept {
  engine.current().target = fiber_;
  engine.point(Op::join, nullptr, location);
  engine.local_event(mix(fiber_->hash, 40));
  engine.acquire_thread(*fiber_);
  fiber_ = nullptr;
}

void Thread::detach(Location location) noexcept {
  engine.point(Op::detach, nullptr, location);
  engine.local_event(41);
  fiber_ = nullptr;
}

int Thread::number() const noexcept { return fiber_->id; }

Thread::id Thread::current_id() noexcept {
  return engine.active() ? id(engine.current().id) : id();
}

std::size_t Thread::current_number() noexcept {
  return engine.active() ? static_cast<std::size_t>(engine.current().id) : 0;
}

void Thread::yield(Location location) noexcept {
  engine.point(Op::yield, nullptr, location);
  if (engine.active()) engine.local_event(50);
}

// For scenarios

void user_code(Location location) noexcept {
  if (!engine.active() || engine.current().library_locks == 0) return;
  engine.current().location = location;
  engine.fail("code of the user's runs under a lock of the library's, at %s:%u",
              base_name(location.file_name()), unsigned(location.line()));
}

void role(const char* name) noexcept {
  if (engine.active()) engine.current().role = name;
}

void check_failed(const char* condition, Location location) noexcept {
  engine.current().location = location;
  engine.fail("CHECK at %s:%u: %s", base_name(location.file_name()), unsigned(location.line()),
              condition);
}

}  // namespace explore
