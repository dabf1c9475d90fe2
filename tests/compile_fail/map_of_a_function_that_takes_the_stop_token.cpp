// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <vector>

#if MILLPOND_HAS_STOP_TOKEN
using Token = std::stop_token;
#else
struct Token {};
#endif

// Many calls share the token.
// expect: millpond: the function cannot be called with an item of this range; it must take exactly
// one argument of the item's type (for several, see starmap)
int main() {
  millpond::ThreadPool pool(1);
  pool.map([](Token&&, int) {}, std::vector{1});
}
