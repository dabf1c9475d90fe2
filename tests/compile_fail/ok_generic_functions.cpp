// expect-success
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

// Functions whose return type is found by compiling their bodies, which are right for the arguments
// that they are called with and for no others: neither with a stop token in front, nor with a tuple
// unpacked.
int main() {
  millpond::ThreadPool pool(1);
  millpond::PriorityThreadPool priorities(1);

  const auto sum = [](auto... x) { return (x + ...); };
  const auto size_of_first = [](const auto& tuple, auto...) { return std::get<0>(tuple).size(); };
  const auto is_less = [](auto x, auto y) { return x < y; };
  const auto increment = std::bind([](auto x) { return ++x; }, std::placeholders::_1);

  (void)pool.apply(sum, 1, 2);
  (void)pool.apply(is_less, 1, 2);
  (void)pool.apply([](auto&& text) { return text.size(); }, std::string());
  (void)pool.apply_async(sum, 1, 2).get();
  (void)pool.apply_async(is_less, 1, 2);
  (void)pool.apply_async(increment, 1);
  (void)pool.apply_async(sum, std::tuple(1, 2), {.callback = [](int) {}});
  (void)pool.apply_async(sum, std::tuple(1, 2), {});
  (void)priorities.apply_async(sum, std::tuple(1, 2), {.priority = 1});
  const millpond::ApplyOptions<int> options;
  (void)pool.apply_async(sum, std::tuple(1, 2), options);

  // A tuple that is an argument, with others behind it.
  const std::tuple text(std::string("text"));
  (void)pool.apply_async(size_of_first, text);
  (void)pool.apply_async(size_of_first, text, 1);
  (void)pool.apply_async(size_of_first, text, 1, 2);

  const std::vector numbers{1, 2, 3};
  (void)pool.map(sum, numbers);
  (void)pool.map_async(sum, numbers);
  (void)pool.imap(sum, numbers).next();
  (void)pool.starmap(is_less, {std::pair(1, 2)});
  (void)pool.istarmap(is_less, {std::pair(1, 2)}).next();

#if MILLPOND_HAS_STOP_TOKEN
  const auto after_token = [](std::stop_token, auto... x) { return (x + ...); };
  (void)pool.apply(after_token, 1, 2);
  (void)pool.apply_async(after_token, 1, 2);
  (void)pool.map(after_token, numbers);
#endif
}
