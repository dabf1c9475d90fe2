// SPDX-License-Identifier: MIT
#include <millpond/millpond.hpp>

int plus_one(const millpond::AsyncResult<int>& result);

int plus_one(const millpond::AsyncResult<int>& result) { return result.get() + 1; }
