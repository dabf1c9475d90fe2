// SPDX-License-Identifier: MIT
#include "stop.hpp"

namespace explore {

// Every operation but counting is a point, and both acquires and releases. Between two points no
// other thread runs, so the counts and the list need no protection.

namespace {

void begin(Op op, StopState& state, Location location) noexcept {
  engine.check_alive(&state, location);
  engine.point(op, &state, location);
  engine.acquire(state);
  engine.release(state);
}

}  // namespace

StopState* StopState::make() { return new StopState; }

void StopState::add_ref() noexcept { ++refs_; }
void StopState::add_source() noexcept { ++sources_; }
void StopState::remove_source() noexcept { --sources_; }
bool StopState::possible() const noexcept { return requested_ || sources_ > 0; }

void StopState::release(StopState* state) noexcept {
  if (state == nullptr) return;
  engine.acquire(*state);
  engine.release(*state);
  if (--state->refs_ == 0) delete state;
}

bool StopState::requested(Location location) noexcept {
  begin(Op::load, *this, location);
  engine.read_event(*this, 80);
  return requested_;
}

bool StopState::request(Location location) noexcept {
  begin(Op::exchange, *this, location);
  engine.write_event(*this, 81);
  if (requested_) return false;
  requested_ = true;
  requester_ = engine.active() ? engine.current().id : 0;
  ++refs_;
  while (first_ != nullptr) {
    Callback* const callback = first_;
    unlink(*callback);
    running_ = callback;
    bool destroyed = false;
    callback->destroyed = &destroyed;
    engine.write_event(*this, 82);
    callback->run(callback);
    begin(Op::other, *this, location);
    engine.write_event(*this, 83);
    running_ = nullptr;
    if (!destroyed) callback->is_done = true;
  }
  release(this);
  return true;
}

bool StopState::add(Callback& callback, Location location) noexcept {
  begin(Op::exchange, *this, location);
  engine.write_event(*this, 84);
  if (requested_) {
    callback.run(&callback);
    return false;
  }
  if (sources_ == 0) return false;
  link(callback);
  return true;
}

/// Waits for the callback if another thread is in it.
void StopState::remove(Callback& callback, Location location) noexcept {
  begin(Op::exchange, *this, location);
  engine.write_event(*this, 85);
  if (callback.is_listed) return unlink(callback);
  if (running_ != &callback) return;
  if (engine.active() && requester_ == engine.current().id) {
    *callback.destroyed = true;
    return;
  }
  engine.block([](const void* object) { return static_cast<const Callback*>(object)->is_done; },
               &callback, location);
  engine.write_event(*this, 86);
  engine.acquire(*this);
}

void StopState::link(Callback& callback) noexcept {
  callback.is_listed = true;
  callback.next = first_;
  callback.previous = nullptr;
  if (first_ != nullptr) first_->previous = &callback;
  first_ = &callback;
}

void StopState::unlink(Callback& callback) noexcept {
  callback.is_listed = false;
  (callback.previous != nullptr ? callback.previous->next : first_) = callback.next;
  if (callback.next != nullptr) callback.next->previous = callback.previous;
}

}  // namespace explore
