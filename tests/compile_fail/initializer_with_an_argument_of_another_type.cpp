// expect: millpond: the initializer cannot be called with its initargs
// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

#include <string>

void set_up(int) {}

int main() { const millpond::ThreadPool pool(2, set_up, std::string("1")); }
