// SPDX-License-Identifier: MIT
//
// The single header between some of the headers that it is made of.
#include <millpond/wait.hpp>

#include "millpond.hpp"
// After it:
#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

int mixed(millpond::ThreadPool& pool) {
  return pool.apply([] { return 1; });
}
