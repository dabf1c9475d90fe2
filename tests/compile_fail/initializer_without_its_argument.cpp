// expect: millpond: the initializer cannot be called with its initargs
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

void set_up(int) {}

int main() { const millpond::ThreadPool pool(2, set_up); }
