// SPDX-License-Identifier: MIT
#include <iostream>
#include <set>
#include <string>

#define OPTIONS plain_options
#include "pools.hpp"
#undef OPTIONS
#define OPTIONS no_stop_options
#include "pools.hpp"
#undef OPTIONS
#define OPTIONS no_recycling_options
#include "pools.hpp"
#undef OPTIONS
#define OPTIONS neither_options
#include "pools.hpp"
#undef OPTIONS
#define OPTIONS compiled_options
#include "pools.hpp"

int main() {
  // Not all need differ: a library may have no stop tokens, a sanitizer wants no recycling.
  std::set<int> options;
  std::set<std::string> pools;
  for (const auto& [its_options, its_pool] :
       {plain_options::options_and_pool(), no_stop_options::options_and_pool(),
        no_recycling_options::options_and_pool(), neither_options::options_and_pool(),
        compiled_options::options_and_pool()}) {
    options.insert(its_options);
    pools.insert(its_pool);
  }
  if (options.size() != pools.size()) {
    std::cerr << "wrong: " << options.size() << " sets of options, but to the linker "
              << pools.size() << " pools\n";
    return 1;
  }
  const int sums = plain_options::sum_up_to(100) + no_stop_options::sum_up_to(100) +
                   no_recycling_options::sum_up_to(100) + neither_options::sum_up_to(100) +
                   compiled_options::sum_up_to(100);
  return sums == 5 * 5050 ? 0 : 1;
}
