// expect-success
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <memory>
#include <ranges>
#include <tuple>
#include <utility>
#include <vector>

// Not noexcept to move, and std::is_copy_constructible is true of it, as of the vector in it.
struct Batch {
  Batch() = default;
  Batch(Batch&& other) noexcept(false) : parts(std::move(other.parts)) {}
  Batch(const Batch&) = default;
  std::vector<std::unique_ptr<int>> parts;
};
static_assert(std::is_copy_constructible_v<std::vector<std::unique_ptr<int>>>);

int main() {
  millpond::ThreadPool pool(1);
  std::vector<std::unique_ptr<int>> captured(1);
  (void)pool.apply_async([] { return 1; }, std::tuple(),
                         {.callback = [captured = std::move(captured)](int) {}});
  std::vector<std::unique_ptr<int>> others(1);
  (void)pool.map_async([](int) {}, {1}, {.error_callback = [others = std::move(others)](auto) {}});
  // Elements are kept one after another, in a vector that grows.
  const auto batches = std::views::iota(0, 3) | std::views::transform([](int) { return Batch(); });
  for (const int x : pool.imap([](Batch&&) { return 1; }, batches)) (void)x;
}
