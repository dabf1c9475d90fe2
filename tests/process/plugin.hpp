// SPDX-License-Identifier: MIT
#ifndef MILLPOND_TESTS_PROCESS_PLUGIN_HPP
#define MILLPOND_TESTS_PROCESS_PLUGIN_HPP

#include <millpond/millpond.hpp>

#include <cstddef>
#include <functional>
#include <optional>

/// What a module offers to the program; all it does with pools and results of the other is inside.
struct Plugin {
  // On a worker of the program's pool, all of whose workers may be busy.
  int (*nested_apply_async)(millpond::ThreadPool&);
  int (*nested_apply)(millpond::ThreadPool&);
  int (*nested_map)(millpond::ThreadPool&);
  int (*nested_imap)(millpond::ThreadPool&);
  int (*nested_group)(millpond::ThreadPool&);
  bool (*join_is_refused)(millpond::ThreadPool&);
  // A result that the plugin has not issued.
  int (*get)(const millpond::AsyncResult<int>&);
  int (*get_first)(const millpond::AsyncResult<int>&, const millpond::AsyncResult<int>&);

  // Its own function on the program's pool: what it finds there.
  millpond::AsyncResult<std::optional<std::size_t>> (*index_in_task)(millpond::ThreadPool&);
  millpond::AsyncResult<int> (*later)(millpond::ThreadPool&, int);
  int (*callback_that_waits)(millpond::ThreadPool&);
  void (*add_done_callback_that_throws)(const millpond::AsyncResult<int>&);

  // On any thread.
  std::optional<std::size_t> (*index)();
  void (*throw_timeout_error)();
  bool (*catches_timeout_error)(void (*thrower)());
  void (*terminate)(millpond::ThreadPool&);

  // A pool of its own.
  millpond::ThreadPool* (*make_pool)();
  void (*destroy_pool)(millpond::ThreadPool*);
  // Many tasks, memory to and fro between its threads and this one.
  int (*sum_up_to)(int);
};

extern "C" const Plugin* millpond_test_plugin();

#endif  // MILLPOND_TESTS_PROCESS_PLUGIN_HPP
