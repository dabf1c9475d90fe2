// expect: millpond: the initializer cannot be called with its initargs
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int set_up(int n) { return n; }

int main() { const millpond::ThreadPool pool(2, set_up(1)); }
