// expect-success
// SPDX-License-Identifier: MIT
#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

#include <chrono>
#include <tuple>
#include <vector>

// A user's namespace whose templates take anything, under names and operators that the library's
// code uses, too. Argument-dependent lookup looks here for every call with a user's type anywhere
// among the arguments' template arguments.
namespace user {

struct Result {
  int value = 0;
};
struct Function {
  Result operator()(int x) const { return {x}; }
};
struct Callback {
  void operator()(const Result&) const {}
};

template <class T>
void distinct(T&&);
template <class T>
void states_of(T&&);
template <class T>
void state_of(T&&);
template <class T>
void engine_of(T&&);
template <class T>
void is_empty_function(T&&);
template <class... T>
void has_callbacks(T&&...);
template <class... T>
void borrow_items(T&&...);
template <class... T>
void own_items(T&&...);
template <class... T>
void priority_of(T&&...);
template <class... T>
void wait_for(T&&...);
template <class... T>
void spin_until(T&&...);
template <class... T>
void lock_spinning(T&&...);
template <class A, class B>
void operator||(A&&, B&&);
template <class A, class B>
void operator&&(A&&, B&&);
template <class T>
void operator!(T&&);
template <class A, class B>
void operator,(A&&, B&&);

}  // namespace user

struct Coroutine {
  struct promise_type {
    Coroutine get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

Coroutine await(millpond::ThreadPool& pool, millpond::AsyncResult<user::Result> result) {
  (void)co_await result;
  (void)co_await millpond::resume_on(pool, result);
}

int main() {
  millpond::ThreadPool pool(1);
  auto result = pool.apply_async(user::Function(), 1);
  (void)pool.apply(user::Function(), 1);
  (void)pool.apply_async(user::Function(), std::tuple(1), {.callback = user::Callback()});
  result.add_done_callback([](const millpond::AsyncResult<user::Result>&) {});
  (void)(result == result);
  const std::vector results{result};
  (void)millpond::wait(results);
  (void)millpond::wait({result}, millpond::ReturnWhen::first_completed, std::chrono::seconds(1));
  for (auto& each : millpond::as_completed(results)) (void)each.get();
  await(pool, result);

  const std::vector<user::Result> items(3);
  const auto identity = [](const user::Result& x) { return x; };
  (void)pool.map(identity, items);
  (void)pool.map_async(identity, items, {.callback = [](const std::vector<user::Result>&) {}});
  for (const user::Result& each : pool.imap(identity, items)) (void)each;
  (void)pool.imap_unordered(identity, items).next(std::chrono::seconds(1));
  std::vector<user::Result> out(3);
  pool.map_into(out, identity, items);
  (void)pool.starmap(identity, {std::tuple(user::Result())});
}
