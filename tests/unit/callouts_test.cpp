// SPDX-License-Identifier: MIT
//
// User code uses the pool wherever the library calls it.
//
// The table kPlaces says where the library calls user code, kActions (callout_stage.hpp) what that
// code does there. The test plays each place with each action, with 1 and 2 workers; places that
// any thread can set off, from outside, from a task and from a callback. docs/design/callouts.md
// is the list of the places, with the threads they run on.

#include <millpond/millpond.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include "../support/callout_code.hpp"
#include "../support/callout_stage.hpp"
#include "../support/gate.hpp"
#include "../support/thread_watch.hpp"
#include "../support/told.hpp"
#include "../support/workers.hpp"

namespace millpond::test {
namespace {

const std::vector<int> kItems{1, 2, 3};
int one() { return 1; }
int same(int n) { return n; }
auto keeping(Token token) {
  return [token = std::move(token)](auto&&...) { return 1; };
}
void nothing() {}

// --- The places --------------------------------------------------------------------------------

enum class Where {
  own_thread,  // of the pool's: a worker or the callback thread
  waiter,      // the same, which runs what it waits for
  anywhere,    // whoever sets it off
  giving_up,   // the same, while it gives up work: it cannot join the pool then
};

struct Place {
  std::string_view name;
  Where where;
  bool terminated;  // by the time of the call-out
  void (*play)(Stage&);
  int workers_used = 0;  // besides the thread that sets it off
  bool may_destroy = true;
};

template <Step kStep>
void imap_input(Stage& s) {
  s.play([&] { s.watch(s.pool().imap([](const Token&) { return 1; }, Input(s, kStep))); });
}

// Issues with a callback.
template <class Task, class Options = ApplyOptions<int>>
AsyncResult<int> issue(Stage& s, Task task, Options options) {
  return s.pool().apply_async(std::move(task), std::tuple{}, std::move(options));
}

// clang-format off
const std::vector<Place> kPlaces{
  // On a worker.
  {"Task", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().apply_async([&] { s.act(); return 1; })); });
   }},
  {"MapItem", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().map_async([&](int n) { s.act(); return n; }, kItems, 1)); });
   }},
  {"ImapItem", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().imap([&](int n) { s.act(); return n; }, kItems)); });
   }},
  {"ImapInputBegin", Where::own_thread, false, imap_input<Step::begin>},
  {"ImapInputDereference", Where::own_thread, false, imap_input<Step::deref>},
  {"ImapInputIncrement", Where::own_thread, false, imap_input<Step::increment>},
  {"ImapInputCompare", Where::own_thread, false, imap_input<Step::compare>},
  {"ImapItemEnd", Where::own_thread, false, imap_input<Step::item_end>},
  {"TaskEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().apply_async(keeping(s.end()))); });
   }},
  {"ArgumentEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().apply_async([](const Token&) { return 1; }, s.end())); });
   }},
  {"MapFunctionEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().map_async(keeping(s.end()), kItems, 1)); });
   }},
  {"MapItemsEnd", Where::own_thread, false, [](Stage& s) {
     std::vector<Token> items;
     items.push_back(s.end());
     s.play([&] {
       s.watch(s.pool().map_async([](const Token&) { return 1; }, std::move(items), 1));
     });
   }},
  {"ImapFunctionEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().imap(keeping(s.end()), kItems, {.buffersize = 9})); });
   }},
  {"MapResultMove", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().map_async([&](int) { return Moved(s, 1); }, kItems, 1)); });
   }},
  {"MapResultsTaken", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(s.pool().map_async([&](int) { return Moved(s, 2); }, kItems, 1)); });
   }},
  {"MapResultsEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       s.watch(s.pool().map_async([&](int n) { return n == 3 ? (boom(), nullptr) : s.end(); },
                                  kItems, 1));
     });
   }},
  {"MapOutput", Where::own_thread, false, [](Stage& s) {
     std::vector<Assigned> out(kItems.size());
     std::thread caller;
     s.play([&] {
       caller = std::thread([&] {
         told([&] { return s.pool().map_into(out, [&](int) { return &s; }, kItems, 1), ""; });
       });
     });
     caller.join();
   }},
  {"DoneCallback", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       const auto result = s.pool().apply_async(one);
       result.add_done_callback([&](const auto&) { s.act(); });
       s.watch(result);
     });
   }},
  {"DoneCallbackEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       const auto result = s.pool().apply_async(one);
       result.add_done_callback(keeping(s.end()));
       s.watch(result);
     });
   }},
  {"ResultEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.pool().apply_async([&] { return s.end(); }); });
   }},
  {"ErrorEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.pool().apply_async([&]() -> int { throw TokenError(s.end()); }); });
   }},
  {"FurtherErrorEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       s.watch(s.pool().map_async([&](int) -> int { throw TokenError(s.end()); }, kItems, 1));
     });
   }},
  {"ErrorHandler", Where::own_thread, false, [](Stage& s) {
     s.act_in_handler();
     s.play([&] { s.pool().apply_async(boom); });
   }},
  {"ErrorHandlerOfADoneCallback", Where::own_thread, false, [](Stage& s) {
     s.act_in_handler();
     s.play([&] {
       const auto result = s.pool().apply_async(one);
       result.add_done_callback([](const auto&) { boom(); });
       s.watch(result);
     });
   }},
  {"CoroutineOnAWorker", Where::own_thread, false, [](Stage& s) {
     const auto result = s.pool().apply_async(one);
     result.wait();
     s.play([&] { act_on_a_worker_after(s, result); });
   }},

  {"ImapResultsEndOnAWorker", Where::own_thread, false, [](Stage& s) {
     Gate running, dropped;
     std::optional<ImapIterator<Token>> items;
     s.set_off(1, [&] {
       items = s.pool().imap([&](int) {
         running.open();
         dropped.wait();
         return s.end();
       }, kItems, {.buffersize = 1});
       running.wait();
     }, [&] { items.reset(); dropped.open(); });
   }, 1},
  {"ImapErrorHandlerOnAWorker", Where::own_thread, false, [](Stage& s) {
     s.act_in_handler();
     Gate running, dropped;
     std::optional<ImapIterator<int>> items;
     s.set_off(1, [&] {
       items = s.pool().imap([&](int) {
         running.open();
         dropped.wait();
         return boom();
       }, kItems, {.buffersize = 1});
       running.wait();
     }, [&] { items.reset(); dropped.open(); });
   }, 1},

  // On a thread of the pool that waits.
  {"HelpedTask", Where::waiter, false, [](Stage& s) {
     AsyncResult<int> result;
     s.set_off([&] { s.watch(result = s.pool().apply_async([&] { s.act(); return 1; })); },
               [&] { result.wait(); });
   }},
  {"HelpedTaskEnd", Where::waiter, false, [](Stage& s) {
     AsyncResult<int> result;
     s.set_off([&] { s.watch(result = s.pool().apply_async(keeping(s.end()))); },
               [&] { wait({result}); });
   }},
  {"HelpedMapItem", Where::waiter, false, [](Stage& s) {
     AsyncResult<std::vector<int>> result;
     s.set_off([&] {
       s.watch(result = s.pool().map_async([&](int n) { s.act(); return n; }, kItems, 1));
     }, [&] { result.wait(); });
   }},
  {"HelpedImapItem", Where::waiter, false, [](Stage& s) {
     std::optional<ImapIterator<int>> items;
     s.set_off([&] { items = s.pool().imap([&](int n) { s.act(); return n; }, kItems); },
               [&] { told([&] { return items->next(), ""; }); });
   }},
  {"HelpedImapInput", Where::waiter, false, [](Stage& s) {
     std::optional<ImapIterator<int>> items;
     s.set_off([&] {
       items = s.pool().imap([](const Token&) { return 1; }, Input(s, Step::deref));
     }, [&] { told([&] { return items->next(), ""; }); });
   }},
  {"HelpedImapFunctionEnd", Where::waiter, false, [](Stage& s) {
     std::optional<ImapIterator<int>> items;
     s.set_off([&] { items = s.pool().imap(keeping(s.end()), kItems, 3); },
               [&] { while (items->next()) {} });
   }},

  // On the callback thread.
  {"Callback", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(issue(s, one, {.callback = [&](int) { s.act(); }})); });
   }},
  {"CallbackOfAMap", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       s.watch(s.pool().map_async(same, kItems, {.callback = [&](const auto&) { s.act(); }}));
     });
   }},
  {"ErrorCallback", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(issue(s, boom, {.error_callback = [&](const auto&) { s.act(); }})); });
   }},
  {"CallbackEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(issue(s, one, {.callback = keeping(s.end())})); });
   }},
  {"ErrorCallbackEnd", Where::own_thread, false, [](Stage& s) {
     s.play([&] { s.watch(issue(s, one, {.error_callback = keeping(s.end())})); });
   }},
  {"DoneCallbackAfterACallback", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       const auto result = issue(s, one, {.callback = [](int) {}});
       result.add_done_callback([&](const auto&) { s.act(); });
       s.watch(result);
     });
   }},
  {"ResultEndAfterACallback", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       s.pool().apply_async([&] { return s.end(); }, std::tuple{}, {.callback = [](const Token&) {}});
     });
   }},
  {"ResultEndWithACallbackThatThrows", Where::own_thread, false, [](Stage& s) {
     s.play([&] {
       s.watch(s.pool().apply_async([&] { return s.end(); }, std::tuple{},
                                    {.callback = [](const Token&) { boom(); }}));
     });
   }},
  {"ErrorHandlerOfAnErrorCallback", Where::own_thread, false, [](Stage& s) {
     s.act_in_handler();
     s.play([&] { s.watch(issue(s, boom, {.error_callback = [](const auto&) { boom(); }})); });
   }},
  {"Coroutine", Where::own_thread, false, [](Stage& s) {
     s.play([&] { act_after(s, s.pool().apply_async(one)); });
   }},
  {"ErrorCallbackOfTerminated", Where::own_thread, true, [](Stage& s) {
     s.set_off([&] { s.watch(issue(s, one, {.error_callback = [&](const auto&) { s.act(); }})); },
               [&] { s.pool().terminate(); });
   }},

  // On the thread that issues, drops or reads.
  {"EmptyMapFunctionEnd", Where::giving_up, false, [](Stage& s) {
     s.set_off(nothing, [&] { s.pool().map_async(keeping(s.end()), std::vector<int>()); });
   }},
  {"MapInput", Where::anywhere, false, [](Stage& s) {
     s.set_off(nothing, [&] {
       told([&] {
         return s.pool().map_async([](const Token&) { return 1; }, Input(s, Step::deref)), "";
       });
     });
   }, 0, false},
  {"FunctionCopy", Where::anywhere, false, [](Stage& s) {
     const Copied function(s);
     s.set_off(nothing, [&] { told([&] { return s.pool().apply_async(function, 1), ""; }); });
   }, 0, false},
  {"DroppedResultEnd", Where::anywhere, false, [](Stage& s) {
     auto result = s.pool().apply_async([&] { return s.end(); });
     result.wait();
     s.set_off(nothing, [&] { result = {}; });
   }},
  {"DroppedErrorHandler", Where::anywhere, false, [](Stage& s) {
     s.act_in_handler();
     auto result = s.pool().apply_async(boom);
     result.wait();
     s.set_off(nothing, [&] { result = {}; });
   }},
  {"DoneCallbackAtOnce", Where::anywhere, false, [](Stage& s) {
     const auto result = s.pool().apply_async(one);
     result.wait();
     s.watch(result);
     s.set_off(nothing, [&] { result.add_done_callback([&](const auto&) { s.act(); }); });
   }},
  {"ImapResultMove", Where::anywhere, false, [](Stage& s) {
     auto items = s.pool().imap([&](int) { return Moved(s, 1); }, kItems, 3);
     visit_every_worker(s.pool());
     s.set_off(nothing, [&] { items.next(); });
   }},
  {"ImapResultsEnd", Where::anywhere, false, [](Stage& s) {
     std::optional items(s.pool().imap([&](int) { return s.end(); }, kItems, 3));
     visit_every_worker(s.pool());
     s.set_off(nothing, [&] { items.reset(); });
   }},
  {"ImapErrorHandler", Where::anywhere, false, [](Stage& s) {
     s.act_in_handler();
     std::optional items(s.pool().imap([](int) { return boom(); }, kItems, 3));
     visit_every_worker(s.pool());
     s.set_off(nothing, [&] { items.reset(); });
   }},
  {"ImapErrorHandlerOfAStep", Where::anywhere, false, [](Stage& s) {
     s.act_in_handler();
     auto items = s.pool().imap([](int) { return boom(); }, kItems, 3);
     visit_every_worker(s.pool());
     s.set_off(nothing, [&] { ++items.begin(); });
   }},
  {"DroppedImapFunctionEnd", Where::giving_up, false, [](Stage& s) {
     std::optional<ImapIterator<int>> items;
     s.set_off([&] { items = s.pool().imap(keeping(s.end()), kItems); }, [&] { items.reset(); });
   }},

  // In cancel().
  {"CancelledTaskEnd", Where::giving_up, false, [](Stage& s) {
     AsyncResult<int> result;
     s.set_off([&] { s.watch(result = s.pool().apply_async(keeping(s.end()))); },
               [&] { result.cancel(); });
   }},
  {"CancelledDoneCallback", Where::giving_up, false, [](Stage& s) {
     AsyncResult<int> result;
     s.set_off([&] {
       s.watch(result = s.pool().apply_async(one));
       result.add_done_callback([&](const auto&) { s.act(); });
     }, [&] { result.cancel(); });
   }},
  {"CancelledMapFunctionEnd", Where::giving_up, false, [](Stage& s) {
     AsyncResult<std::vector<int>> result;
     s.set_off([&] { s.watch(result = s.pool().map_async(keeping(s.end()), kItems)); },
               [&] { result.cancel(); });
   }},

  // In terminate().
  {"TerminatedTaskEnd", Where::giving_up, true, [](Stage& s) {
     s.set_off([&] { s.watch(s.pool().apply_async(keeping(s.end()))); },
               [&] { s.pool().terminate(); });
   }},
  {"TerminatedDoneCallback", Where::giving_up, true, [](Stage& s) {
     s.set_off([&] {
       const auto result = s.pool().apply_async(one);
       result.add_done_callback([&](const auto&) { s.act(); });
       s.watch(result);
     }, [&] { s.pool().terminate(); });
   }},
  {"TerminatedMapFunctionEnd", Where::giving_up, true, [](Stage& s) {
     s.set_off([&] { s.watch(s.pool().map_async(keeping(s.end()), kItems)); },
               [&] { s.pool().terminate(); });
   }},
  {"TerminatedImapFunctionEnd", Where::giving_up, true, [](Stage& s) {
     s.set_off([&] { s.watch(s.pool().imap(keeping(s.end()), kItems)); },
               [&] { s.pool().terminate(); });
   }},
  {"TerminatedCoroutine", Where::giving_up, true, [](Stage& s) {
     const auto result = s.pool().apply_async(one);
     result.wait();
     s.set_off([&] { act_on_a_worker_after(s, result); }, [&] { s.pool().terminate(); });
   }},

#ifdef __cpp_lib_jthread
  // Stop callbacks. Those registered in the very task would keep it waiting for them.
  {"CancelStopCallback", Where::anywhere, false, [](Stage& s) {
     AsyncResult<int> result;
     std::stop_token token;
     s.set_off(1, [&] {
       s.watch(result = s.pool().apply_async([&](std::stop_token its) {
         token = std::move(its);
         s.be_held();
         return 1;
       }));
       s.wait_until_held(static_cast<std::size_t>(s.workers() - (s.who() == Who::task ? 1 : 0)));
     }, [&] {
       const std::stop_callback callback(token, [&] { s.act(); });
       result.cancel();
     });
   }, 1},
  {"CancelMapStopCallback", Where::anywhere, false, [](Stage& s) {
     AsyncResult<std::vector<int>> result;
     std::stop_token token;
     s.set_off(1, [&] {
       s.watch(result = s.pool().map_async([&](std::stop_token its, int n) {
         if (n == 0) token = std::move(its);
         s.be_held();
         return n;
       }, std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1));
       s.wait_until_held(static_cast<std::size_t>(s.workers() - (s.who() == Who::task ? 1 : 0)));
     }, [&] {
       const std::stop_callback callback(token, [&] { s.act(); });
       result.cancel();
     });
   }, 1},
  {"TerminateStopCallback", Where::giving_up, true, [](Stage& s) {
     std::stop_token token;
     s.set_off(1, [&] {
       s.watch(s.pool().apply_async([&](std::stop_token its) {
         token = std::move(its);
         s.be_held();
         return 1;
       }));
       s.wait_until_held(static_cast<std::size_t>(s.workers() - (s.who() == Who::task ? 1 : 0)));
     }, [&] {
       const std::stop_callback callback(token, [&] { s.act(); });
       s.pool().terminate();
     });
   }, 1},
#endif
};
// clang-format on

// --- The test ----------------------------------------------------------------------------------

const char* name_of(Who who) {
  return who == Who::outside ? "outside" : who == Who::task ? "a task" : "a callback";
}

std::string_view expected(const Place& place, const Action& action, Who who) {
  const std::string_view text = place.terminated ? action.terminated : action.running;
  if (text != kJoined) return text;
  return place.where == Where::anywhere && who == Who::outside ? "joined" : kRefused;
}

bool can_be_played(const Place& place, const Action& action, Who who, int workers) {
  if (who != Who::outside && place.where == Where::own_thread) return false;
  if (who == Who::outside && place.where == Where::waiter) return false;
  if (!place.may_destroy && action.name == "Destroy") return false;
  return place.workers_used + (who == Who::task ? 1 : 0) <= workers;
}

class CallOut : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(CallOut, MayUseThePool) {
  const Place& place = kPlaces.at(std::get<0>(GetParam()));
  const Action& action = kActions.at(std::get<1>(GetParam()));
  for (const int workers : {1, 2}) {
    for (const Who who : {Who::outside, Who::task, Who::callback}) {
      if (!can_be_played(place, action, who, workers)) continue;
      SCOPED_TRACE(std::to_string(workers) + " workers, set off by " + name_of(who));
      const std::size_t threads = settled_thread_count();
      Stage stage(action, workers, who);
      place.play(stage);
      EXPECT_EQ(stage.what_was_told(), expected(place, action, who));
      EXPECT_EQ(stage.clean_up(), "");
      wait_for_thread_count(threads);  // a pool destroyed in its own task leaves that thread
      poll_until([&] { return stage.is_empty(); });
    }
  }
}

std::string name_of_cell(const ::testing::TestParamInfo<CallOut::ParamType>& info) {
  return std::string(kPlaces.at(std::get<0>(info.param)).name) + "_" +
         std::string(kActions.at(std::get<1>(info.param)).name);
}

INSTANTIATE_TEST_SUITE_P(EveryCell, CallOut,
                         ::testing::Combine(::testing::Range<std::size_t>(0, kPlaces.size()),
                                            ::testing::Range<std::size_t>(0, kActions.size())),
                         name_of_cell);

// What a task leaves behind in its thread is destroyed after the thread has left its pool.
class AtThreadEnd {
 public:
  void set(std::function<void()> function) { function_ = std::move(function); }
  ~AtThreadEnd() {
    if (function_) function_();
  }

 private:
  std::function<void()> function_;
};
thread_local AtThreadEnd at_thread_end;

TEST(CallOutAtAThreadsEnd, FindsAPoolThatTakesNoMoreWork) {
  std::string issued;
  ThreadPool pool(2);
  pool.apply(
      [&] { at_thread_end.set([&] { issued = told([&] { return shown(pool.apply(one)); }); }); });
  pool.close();
  pool.join();
  EXPECT_EQ(issued, kNotRunning);
}

TEST(CallOutAtAThreadsEnd, MayNotJoinThePool) {
  std::string joined[2];
  ThreadPool pool(2);
  Gate both_set[2];
  for (int i = 0; i != 2; ++i) {
    pool.apply_async([&, i] {
      at_thread_end.set([&, i] {
        joined[i] = told([&] {
          pool.join();
          return std::string("joined");
        });
      });
      both_set[i].open();
      both_set[1 - i].wait();
    });
  }
  pool.close();
  pool.join();
  for (const std::string& each : joined) {
    EXPECT_EQ(each, "A pool cannot be joined from one of its own threads");
  }
}

TEST(CallOutAtAThreadsEnd, OfTheCallbackThreadMayDestroyThePool) {
  const std::size_t threads = settled_thread_count();
  Gate destroyed;
  auto pool = std::make_unique<ThreadPool>(1);
  pool->apply_async([] {}, std::tuple{}, {.callback = [&] {
                      at_thread_end.set([&] {
                        pool.reset();
                        destroyed.open();
                      });
                      pool->close();
                    }});
  destroyed.wait();
  wait_for_thread_count(threads);
}

TEST(CallOutAtAThreadsEnd, MayDestroyThePool) {
  const std::size_t threads = settled_thread_count();
  Gate destroyed;
  auto pool = std::make_unique<ThreadPool>(2);
  pool->apply_async([&] {
    at_thread_end.set([&] {
      pool.reset();
      destroyed.open();
    });
    pool->close();
  });
  destroyed.wait();
  wait_for_thread_count(threads);
}

}  // namespace
}  // namespace millpond::test
