// expect-success
// SPDX-License-Identifier: MIT
//
// Functions, arguments, items and results whose destructors are not noexcept.
#include <millpond/millpond.hpp>

#include <vector>

struct MayThrow {
  MayThrow() = default;
  MayThrow(const MayThrow&) = default;
  ~MayThrow() noexcept(false) {}
};

int main() {
  millpond::ThreadPool pool(2);
  const MayThrow kept;
  const auto pass_on = [kept](const MayThrow&) { return MayThrow(); };
  auto result = pool.apply_async(pass_on, kept);
  result.add_done_callback([kept](auto) {});
  result.get();
  auto results = pool.map_async(pass_on, std::vector<MayThrow>(3),
                                {.callback = [kept](const std::vector<MayThrow>&) {}});
  for (auto&& each : pool.imap(pass_on, std::vector<MayThrow>(3))) (void)each;
  return results.get().size() + pool.map(pass_on, std::vector<MayThrow>(3)).size() == 6 ? 0 : 1;
}
