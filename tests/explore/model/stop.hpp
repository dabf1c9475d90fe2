// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_EXPLORE_MODEL_STOP_HPP
#define MILLPOND_TESTS_EXPLORE_MODEL_STOP_HPP

#include <stop_token>
#include <type_traits>
#include <utility>

#include "engine.hpp"

/// std::stop_token and its companions, of the model.

namespace explore {

/// What a source and its tokens share. All that touches its members is in stop.cpp, which is
/// compiled without the instrumentation that watches plain memory.
class StopState : public ModelObject {
 public:
  struct Callback {
    explicit Callback(void (*function)(Callback*) noexcept) noexcept : run(function) {}
    void (*run)(Callback*) noexcept;
    Callback* next = nullptr;
    Callback* previous = nullptr;
    bool is_listed = false;
    bool is_done = false;
    bool* destroyed = nullptr;
  };

  static StopState* make();
  void add_ref() noexcept;
  static void release(StopState* state) noexcept;
  void add_source() noexcept;
  void remove_source() noexcept;

  bool possible() const noexcept;
  bool requested(Location location) noexcept;
  bool request(Location location) noexcept;
  /// False if it was called at once, or never will be.
  bool add(Callback& callback, Location location) noexcept;
  void remove(Callback& callback, Location location) noexcept;

 private:
  void link(Callback& callback) noexcept;
  void unlink(Callback& callback) noexcept;

  int refs_ = 1;
  int sources_ = 1;
  bool requested_ = false;
  int requester_ = -1;
  Callback* first_ = nullptr;
  Callback* running_ = nullptr;
};

class StopSource;
template <class F>
class StopCallback;

class StopToken {
 public:
  StopToken() noexcept = default;
  StopToken(const StopToken& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->add_ref();
  }
  StopToken(StopToken&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  StopToken& operator=(StopToken other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~StopToken() { StopState::release(state_); }

  bool stop_possible() const noexcept { return state_ != nullptr && state_->possible(); }
  bool stop_requested(Location location = Location::current()) const noexcept {
    return state_ != nullptr && state_->requested(location);
  }
  friend bool operator==(const StopToken&, const StopToken&) = default;

 private:
  friend class StopSource;
  template <class F>
  friend class StopCallback;
  explicit StopToken(StopState* state) noexcept : state_(state) {
    if (state_ != nullptr) state_->add_ref();
  }
  StopState* state_ = nullptr;
};

class StopSource {
 public:
  StopSource() : state_(StopState::make()) {}
  explicit StopSource(std::nostopstate_t) noexcept {}
  StopSource(const StopSource& other) noexcept : state_(other.state_) {
    if (state_ == nullptr) return;
    state_->add_ref();
    state_->add_source();
  }
  StopSource(StopSource&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  StopSource& operator=(StopSource other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~StopSource() {
    if (state_ != nullptr) state_->remove_source();
    StopState::release(state_);
  }

  bool stop_possible() const noexcept { return state_ != nullptr; }
  bool stop_requested(Location location = Location::current()) const noexcept {
    return state_ != nullptr && state_->requested(location);
  }
  bool request_stop(Location location = Location::current()) const noexcept {
    return state_ != nullptr && state_->request(location);
  }
  StopToken get_token() const noexcept { return StopToken(state_); }
  friend bool operator==(const StopSource&, const StopSource&) = default;

 private:
  StopState* state_ = nullptr;
};

template <class F>
class [[nodiscard]] StopCallback : StopState::Callback {
 public:
  using callback_type = F;
  template <class C>
  explicit StopCallback(const StopToken& token, C&& f, Location location = Location::current())
      : StopState::Callback(&call), f_(std::forward<C>(f)) {
    StopState* const state = token.state_;
    if (state == nullptr) return;
    state->add_ref();
    if (state->add(*this, location)) {
      state_ = state;
    } else {
      StopState::release(state);
    }
  }
  StopCallback(const StopCallback&) = delete;
  StopCallback& operator=(const StopCallback&) = delete;
  ~StopCallback() {
    if (state_ != nullptr) state_->remove(*this, Location::current());
    StopState::release(state_);
  }

 private:
  static void call(StopState::Callback* self) noexcept {
    std::forward<F>(static_cast<StopCallback*>(self)->f_)();
  }
  F f_;
  StopState* state_ = nullptr;
};
template <class F>
StopCallback(StopToken, F) -> StopCallback<F>;

}  // namespace explore

#endif  // MILLPOND_TESTS_EXPLORE_MODEL_STOP_HPP
