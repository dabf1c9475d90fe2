// SPDX-License-Identifier: MIT
#ifndef MILLPOND_MILLPOND_HPP
#define MILLPOND_MILLPOND_HPP

/// The whole of millpond. Nothing else needs to be included.

#include <millpond/async_result.hpp>
#include <millpond/cpu_count.hpp>
#include <millpond/errors.hpp>
#include <millpond/imap_iterator.hpp>
#include <millpond/options.hpp>
#include <millpond/state.hpp>
#include <millpond/this_worker.hpp>
#include <millpond/thread_pool.hpp>
#include <millpond/version.hpp>
#include <millpond/wait.hpp>

#endif  // MILLPOND_MILLPOND_HPP
