// SPDX-License-Identifier: MIT
//
// User code of several kinds for unit/callouts_test.cpp: it acts (Stage::act()) where the library
// calls it.
#ifndef MILLPOND_TESTS_SUPPORT_CALLOUT_CODE_HPP
#define MILLPOND_TESTS_SUPPORT_CALLOUT_CODE_HPP

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

#include "callout_stage.hpp"

namespace millpond::test {

using Token = std::shared_ptr<void>;

// Input whose steps act, or whose items do when they are destroyed.
enum class Step { begin, deref, increment, compare, item_end, none };
class Input {
 public:
  Input(Stage& stage, Step step) : stage_(&stage), step_(step) {}
  Input(Input&&) noexcept = default;
  Input& operator=(Input&&) noexcept = default;
  Input(const Input&) = delete;

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = Token;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(const Input& input) : input_(&input) {}
    Token operator*() const {
      input_->at(Step::deref);
      return input_->step_ == Step::item_end ? input_->stage_->end() : nullptr;
    }
    Iterator& operator++() {
      input_->at(Step::increment);
      ++position_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      input_->at(Step::compare);
      return position_ == 3;
    }

   private:
    const Input* input_ = nullptr;
    int position_ = 0;
  };
  Iterator begin() const {
    at(Step::begin);
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  void at(Step step) const {
    if (step == step_) stage_->act();
  }
  Stage* stage_;
  Step step_;
};

// Acts when it is moved for the n-th time, or when it is assigned to.
class Moved {
 public:
  Moved(Stage& stage, int moves) : stage_(&stage), moves_(moves) {}
  Moved(Moved&& other) noexcept : stage_(other.stage_), moves_(other.moves_ - 1) {
    if (moves_ == 0) stage_->act();
  }

 private:
  Stage* stage_;
  int moves_;
};
struct Assigned {
  Assigned& operator=(Stage* stage) {
    stage->act();
    return *this;
  }
};
struct Copied {
  explicit Copied(Stage& s) : stage(&s) {}
  Copied(const Copied& other) : stage(other.stage) { stage->act(); }
  Copied(Copied&&) noexcept = default;
  int operator()(int n) const { return n; }
  Stage* stage;
};

struct TokenError : std::runtime_error {
  explicit TokenError(Token its_token) : std::runtime_error("boom"), token(std::move(its_token)) {}
  Token token;
};
[[noreturn]] inline int boom() { throw std::runtime_error("boom"); }

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};
inline Detached act_after(Stage& stage, AsyncResult<int> result) {
  co_await result;
  stage.act();
}
inline Detached act_on_a_worker_after(Stage& stage, AsyncResult<int> result) {
  co_await resume_on(stage.pool(), result);
  stage.act();
}

}  // namespace millpond::test

#endif  // MILLPOND_TESTS_SUPPORT_CALLOUT_CODE_HPP
