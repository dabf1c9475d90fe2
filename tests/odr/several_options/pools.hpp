// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

/// A translation unit with options of its own. Included once for each OPTIONS.
namespace OPTIONS {

/// Which options it has come to have, and what a pool is called to the linker.
std::pair<int, std::string> options_and_pool();

/// The sum of 1 to n, by tasks of a pool of its own; with stop tokens where there are any.
int sum_up_to(int n);

}  // namespace OPTIONS
