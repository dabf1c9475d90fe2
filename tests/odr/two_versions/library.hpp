// SPDX-License-Identifier: MIT
#include <functional>
#include <string>

/// A library that uses millpond and does not show it. Included once for each LIBRARY.
namespace LIBRARY {

std::string version();

/// Runs f on a worker of a pool of its own.
int run(const std::function<int()>& f);

}  // namespace LIBRARY
