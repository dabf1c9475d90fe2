#include <millpond/millpond.hpp>

#include <cstdlib>
#include <iostream>

int main() {
  millpond::ThreadPool pool(2);
  for (const int square : pool.map([](int x) { return x * x; }, {1, 2, 3})) {
    std::cout << square << '\n';
  }
  return EXIT_SUCCESS;
}
