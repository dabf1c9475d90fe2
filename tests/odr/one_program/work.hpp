// SPDX-License-Identifier: MIT
#ifndef WORK_HPP
#define WORK_HPP

#include <millpond/millpond.hpp>

/// What the other translation unit does with the pool and the results of main().
millpond::AsyncResult<int> square_later(millpond::ThreadPool& pool, int x);
int value_of(const millpond::AsyncResult<int>& result);
int nested_square(millpond::ThreadPool& pool, int x);
bool is_in_worker();
void terminate(millpond::ThreadPool& pool);

#endif  // WORK_HPP
