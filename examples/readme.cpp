// SPDX-License-Identifier: MIT
//
// The program on the README's first screen, and what it prints.

// snippet: program
#include <millpond/millpond.hpp>

#include <iostream>

int main() {
  millpond::ThreadPool pool(4);  // four workers, until the end of the scope
  const auto square = [](int x) { return x * x; };
  auto later = pool.apply_async(square, 12);
  for (int y : pool.map(square, {1, 2, 3})) std::cout << y << ' ';
  for (int y : pool.imap(square, {4, 5, 6})) std::cout << y << ' ';
  std::cout << later.get() << '\n' << pool << '\n';
}
// snippet end

#include <cstdlib>
#include <sstream>
#include <string_view>

namespace {

// snippet: output
constexpr std::string_view kOutput = R"(
1 4 9 16 25 36 144
<millpond::ThreadPool state=RUN pool_size=4>
)";
// snippet end

/// Sees what main() prints, prints it in the end, and makes the program fail if it is wrong.
class OutputCheck {
 public:
  OutputCheck() : standard_(std::cout.rdbuf(seen_.rdbuf())) {}
  OutputCheck(const OutputCheck&) = delete;
  ~OutputCheck() {
    std::cout.rdbuf(standard_);
    std::cout << seen_.view() << std::flush;
    if (seen_.view() != kOutput.substr(1)) std::_Exit(1);
  }

 private:
  std::ostringstream seen_;
  std::streambuf* standard_;
} const output_check;

}  // namespace
