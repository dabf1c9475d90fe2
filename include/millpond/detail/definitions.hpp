// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_DEFINITIONS_HPP
#define MILLPOND_DETAIL_DEFINITIONS_HPP

/// Everything that is not a template. The public headers include it at their end; or, where the
/// library is compiled once, src/millpond.cpp does, and they do not.

#include <millpond/detail/engine/findable_registry.hpp>
#include <millpond/detail/engine/job_memory_depot.hpp>
#include <millpond/detail/engine/pool_engine.hpp>
#include <millpond/detail/engine/pool_engine_callbacks.hpp>
#include <millpond/detail/engine/pool_engine_jobs.hpp>
#include <millpond/detail/engine/pool_engine_life.hpp>
#include <millpond/detail/engine/pool_engine_work.hpp>
#include <millpond/detail/imap/imap_readers_sleep.hpp>
#include <millpond/detail/jobs/touch_job.hpp>
#include <millpond/detail/platform/cpu_limits.hpp>
#include <millpond/detail/platform/fork.hpp>
#include <millpond/detail/results/result_group_body.hpp>
#include <millpond/detail/results/result_wait.hpp>

#endif  // MILLPOND_DETAIL_DEFINITIONS_HPP
