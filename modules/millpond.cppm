// SPDX-License-Identifier: MIT
//
// `import millpond;`: all public names of the headers, coroutines included. Macros do not travel
// through modules: MILLPOND_VERSION is in <millpond/version.hpp>.
module;

#include <millpond/coroutine.hpp>
#include <millpond/millpond.hpp>

export module millpond;

export namespace millpond {

using millpond::BasicThreadPool;
using millpond::Fifo;
using millpond::Priority;
using millpond::PriorityThreadPool;
using millpond::ThreadPool;

using millpond::ApplyOptions;
using millpond::BasicImapOptions;
using millpond::BlockingMapOptions;
using millpond::ImapOptions;
using millpond::MapOptions;
using millpond::PoolOptions;

using millpond::AsyncResult;
using millpond::ImapIterator;
using millpond::State;

using millpond::CancelledError;
using millpond::Error;
using millpond::TerminatedError;
using millpond::TimeoutError;
using millpond::ValueError;

using millpond::as_completed;
using millpond::AsCompleted;
using millpond::ReturnWhen;
using millpond::wait;
using millpond::WaitResult;

using millpond::operator co_await;
using millpond::resume_on;

using millpond::cpu_count;

namespace this_worker {
using millpond::this_worker::index;
}

}  // namespace millpond
