// SPDX-License-Identifier: MIT
//
// The explorer's command line. See docs/design/explorer.md, or call it without arguments.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "model/engine.hpp"
#include "scenario_list.hpp"

namespace explore {

namespace {

constexpr const char* kUsage = R"(explore list
explore run [scenario]... [options]       each at the limits it states; ends at the first failure
explore replay <scenario> <choices>       one schedule, told step by step

which
  --file F        only the scenarios of this source file
  --share I/N     only the I-th of N shares of the scenarios, counted from 1
  --planted       only those with a planted fault, which must be found
how
  --bound N       exhaustively, to at most N deviations (with the scenario's own limit as the most)
  --from N        begin with this bound instead of 0
  --pct D         N random schedules with D changes of priority; --random: any thread at any point
  --executions N  --seconds S  --points N  --seed S  --bits B (2 to the B states are remembered)
  --no-prune
what else may happen
  --spin --spurious --weak --stale --unlock-points --faults --no-timeouts
telling
  --trace --full-trace --brief --here (replay in this process, for a debugger: break at
  explore_failed)
)";

struct Command {
  std::string name;
  std::vector<std::string> scenarios;
  std::vector<Choice> choices;
  std::string file;
  unsigned share = 1;
  unsigned shares = 1;
  bool planted = false;
  int from = 0;
  bool given_bound = false;
  bool brief = false;
  bool here = false;
  Options options;
};

std::string to_text(const std::vector<Choice>& choices) {
  std::string text;
  for (const Choice& choice : choices) {
    text += (text.empty() ? "" : ",") + std::to_string(choice.thread) + "." +
            std::to_string(choice.point) + "." + std::to_string(choice.nth) + ":" +
            std::to_string(choice.option);
  }
  return text.empty() ? "-" : text;
}

std::vector<Choice> choices_from(const char* text) {
  std::vector<Choice> choices;
  while (*text != 0 && *text != '-') {
    unsigned thread, point, nth;
    int option, used;
    if (std::sscanf(text, "%u.%u.%u:%d%n", &thread, &point, &nth, &option, &used) != 4) break;
    choices.push_back(
        {static_cast<std::uint16_t>(thread), static_cast<std::uint16_t>(nth), point, option});
    text += used;
    if (*text == ',') ++text;
  }
  return choices;
}

/// False if the words are off.
bool parse(int argc, char** argv, Command& command) {
  if (argc < 2) return false;
  command.name = argv[1];
  command.options.max_executions = 100'000;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto next = [&] { return ++i < argc ? argv[i] : ""; };
    Options& options = command.options;
    if (word == "--file")
      command.file = next();
    else if (word == "--share")
      std::sscanf(next(), "%u/%u", &command.share, &command.shares);
    else if (word == "--planted")
      command.planted = true;
    else if (word == "--bound")
      options.bound = std::atoi(next()), command.given_bound = true;
    else if (word == "--from")
      command.from = std::atoi(next());
    else if (word == "--pct")
      options.method = Method::pct, options.pct_depth = std::atoi(next());
    else if (word == "--random")
      options.method = Method::random;
    else if (word == "--executions")
      options.max_executions = std::strtoull(next(), nullptr, 10);
    else if (word == "--seconds")
      options.max_seconds = std::atof(next());
    else if (word == "--points")
      options.max_points = static_cast<std::uint32_t>(std::atoi(next()));
    else if (word == "--seed")
      options.seed = std::strtoull(next(), nullptr, 10);
    else if (word == "--bits")
      options.table_bits = static_cast<unsigned>(std::atoi(next()));
    else if (word == "--no-prune")
      options.prune = false;
    else if (word == "--spin")
      options.spin = true;
    else if (word == "--spurious")
      options.spurious = true;
    else if (word == "--weak")
      options.weak = true;
    else if (word == "--stale")
      options.stale = true;
    else if (word == "--unlock-points")
      options.unlock_points = true;
    else if (word == "--faults")
      options.faults = true;
    else if (word == "--no-timeouts")
      options.timeouts = false;
    else if (word == "--trace")
      options.trace = true;
    else if (word == "--full-trace")
      options.trace = options.full_trace = true;
    else if (word == "--brief")
      command.brief = true;
    else if (word == "--here")
      command.here = true;
    else if (word.starts_with("--"))
      return false;
    else if (command.name == "replay" && command.scenarios.size() == 1)
      command.choices = choices_from(argv[i]);
    else
      command.scenarios.emplace_back(word);
  }
  return command.name == "list" || command.name == "run" ||
         (command.name == "replay" && command.scenarios.size() == 1);
}

std::vector<Scenario> selected(const Command& command) {
  std::vector<Scenario> all = scenarios();
  std::sort(all.begin(), all.end(), [](const Scenario& a, const Scenario& b) {
    return std::string_view(a.name) < std::string_view(b.name);
  });
  std::vector<Scenario> chosen;
  unsigned number = 0;
  for (const Scenario& scenario : all) {
    const auto is_named = std::find(command.scenarios.begin(), command.scenarios.end(),
                                    scenario.name) != command.scenarios.end();
    if (!command.scenarios.empty() ? !is_named
                                   : (scenario.limits.planted != nullptr) != command.planted)
      continue;
    if (!command.file.empty() && base_name(scenario.file) != command.file) continue;
    if (number++ % command.shares + 1 == command.share) chosen.push_back(scenario);
  }
  return chosen;
}

std::string first_line(const char* text) {
  const std::string whole = text;
  return whole.substr(0, whole.find('\n'));
}

void explore_here(const Scenario& scenario, const Options& options, std::vector<Choice> choices) {
  std::set_terminate([] {
    const char* what = "";
    try {
      if (std::current_exception() != nullptr) throw;
    } catch (const std::exception& error) {
      what = error.what();
    } catch (...) {
    }
    engine.fail("std::terminate %s", what);
  });
  engine.explore(scenario.body, options, std::move(choices));
}

/// Explores in a process of its own, as a failure may leave anything behind. True if nothing
/// failed.
bool explore_in_child(const Scenario& scenario, const Options& options,
                      const std::vector<Choice>& choices = {}) {
  Report& report = engine.report();
  std::memset(&report, 0, offsetof(Report, choices));
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (!options.trace) stderr = std::freopen("/dev/null", "w", stderr);
    explore_here(scenario, options, choices);
    _exit(0);
  }
  std::uint64_t seen = 0;
  int status = 0;
  for (int quiet = 0; waitpid(child, &status, WNOHANG) != child;) {
    usleep(report.executions < 50 ? 200 : 20'000);
    if (report.progress != seen) {
      seen = report.progress;
      quiet = 0;
    } else if (++quiet > (report.executions < 50 ? 100'000 : 1'000)) {  // 20 s
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      std::snprintf(report.message, sizeof report.message, "it stands still outside the model");
      report.failed = true;
      return false;
    }
  }
  if (WIFSIGNALED(status)) {
    std::snprintf(report.message, sizeof report.message, "killed by signal %d (%s)",
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
    report.failed = true;
  }
  return !report.failed && status == 0;
}

std::string flags_of(const Options& options) {
  std::string text;
  const auto add = [&](bool is_set, const char* flag) {
    if (is_set) text += std::string(" ") + flag;
  };
  add(options.spin, "--spin");
  add(options.spurious, "--spurious");
  add(options.weak, "--weak");
  add(options.stale, "--stale");
  add(options.unlock_points, "--unlock-points");
  add(options.faults, "--faults");
  return text;
}

std::string method_of(const Options& options) {
  std::string text;
  switch (options.method) {
    case Method::exhaustive:
      text = options.bound >= kUnbounded ? "all" : "bound " + std::to_string(options.bound);
      break;
    case Method::pct:
      text = "pct " + std::to_string(options.pct_depth);
      break;
    case Method::random:
      text = "random";
      break;
    case Method::replay:
      text = "replay";
      break;
  }
  return text + flags_of(options);
}

void print_row(const Scenario& scenario, const Options& options) {
  const Report& report = engine.report();
  const auto executions = std::max<std::uint64_t>(report.executions, 1);
  std::printf("%-52s %-28s %9llu %s %7.1f s %4llu points, %d threads%s%s\n", scenario.name,
              method_of(options).c_str(), static_cast<unsigned long long>(report.executions),
              report.failed     ? "FAILED"
              : report.complete ? "all   "
                                : "some  ",
              report.seconds, static_cast<unsigned long long>(report.points / executions),
              report.threads, report.busy_loops != 0 ? ", busy loops" : "",
              report.table_full ? ", table full" : "");
  std::fflush(stdout);
}

/// Names of the code at the addresses in a message, by addr2line if it is there.
void print_code(const std::string& message) {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  if (size <= 0) return;
  path[size] = 0;
  for (std::size_t at = message.find("code 0x"); at != message.npos;
       at = message.find("code 0x", at + 1)) {
    const std::string address =
        message.substr(at + 5, message.find_first_of(" ,\n", at + 5) - at - 5);
    const std::string line =
        std::string("addr2line -Cfpsi -e '") + path + "' " + address + " 2>/dev/null | head -4";
    std::printf("  %s:\n", address.c_str());
    std::fflush(stdout);
    if (std::system(line.c_str()) != 0) return;
  }
}

/// Takes out choices one by one as long as what is left still fails, and tells the rest.
void tell_failure(const Scenario& scenario, const Options& options, bool brief) {
  const Report& report = engine.report();
  std::vector<Choice> choices(report.choices, report.choices + report.choice_count);
  const std::string whole = report.message;
  const std::string message = first_line(report.message);
  std::printf("  FAILED after %llu executions: %s\n",
              static_cast<unsigned long long>(report.executions),
              brief ? message.c_str() : whole.c_str());
  print_code(message);
  Options again = options;
  again.method = Method::replay;
  const auto still_fails = [&](const std::vector<Choice>& some) {
    return !explore_in_child(scenario, again, some) &&
           first_line(report.message).substr(0, 9) == message.substr(0, 9);
  };
  if (still_fails(choices)) {
    for (std::size_t part = std::max<std::size_t>(choices.size() / 2, 1);; part /= 2) {
      for (std::size_t i = 0; i < choices.size();) {
        std::vector<Choice> fewer = choices;
        const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(i);
        const auto end =
            fewer.begin() + static_cast<std::ptrdiff_t>(std::min(i + part, choices.size()));
        fewer.erase(begin, end);
        if (still_fails(fewer)) {
          choices = fewer;
        } else {
          i += part;
        }
      }
      if (part <= 1) break;
    }
  } else {
    std::printf("  (it does not fail again with the same choices)\n");
  }
  again.trace = true;
  explore_in_child(scenario, again, choices);
  std::printf("  smallest: %s\n  replay: explore replay %s %s%s\n",
              first_line(report.message).c_str(), scenario.name, to_text(choices).c_str(),
              flags_of(options).c_str());
  if (!brief) std::printf("%.*s", static_cast<int>(report.trace_size), report.trace);
  std::fflush(stdout);
}

bool run_one(const Scenario& scenario, const Command& command) {
  Options options = command.options;
  options.faults = options.faults || scenario.limits.faults;
  const bool exhaustive = options.method == Method::exhaustive;
  if (exhaustive) {
    options.max_executions = ~std::uint64_t{0};
    if (!command.given_bound || scenario.limits.bound < options.bound) {
      options.bound = scenario.limits.bound;
    }
  }
  const int last = exhaustive ? options.bound : 0;
  const int first = !exhaustive || last >= kUnbounded ? last : std::min(command.from, last);
  for (int bound = first; bound <= last; ++bound) {
    options.bound = bound;
    const bool passed = explore_in_child(scenario, options);
    if (bound == last || !passed) print_row(scenario, options);
    if (!passed) {
      const char* const planted = scenario.limits.planted;
      if (planted != nullptr && first_line(engine.report().message).starts_with(planted))
        return true;
      tell_failure(scenario, options, command.brief);
      return false;
    }
    if (exhaustive && !engine.report().complete) return true;  // out of time; the row says so
  }
  if (scenario.limits.planted != nullptr) {
    std::printf("  FAILED: the planted fault was not found\n");
    return false;
  }
  if (exhaustive && options.bound == scenario.limits.bound && scenario.limits.classes != 0 &&
      engine.report().distinct != scenario.limits.classes) {
    std::printf("  FAILED: %llu classes instead of %u\n",
                static_cast<unsigned long long>(engine.report().distinct), scenario.limits.classes);
    return false;
  }
  return true;
}

int run(const Command& command) {
  const std::vector<Scenario> chosen = selected(command);
  unsigned long long executions = 0;
  int passed = 0;
  int failed = 0;
  for (const Scenario& scenario : chosen) {
    ++(run_one(scenario, command) ? passed : failed);
    executions += engine.report().executions;
  }
  if (chosen.empty()) std::printf("no such scenario\n");
  std::printf("%d scenarios passed, %d failed, %llu executions\n", passed, failed, executions);
  return failed == 0 && passed != 0 ? 0 : 1;
}

int replay(Command& command) {
  const std::vector<Scenario> chosen = selected(command);
  if (chosen.empty()) return 2;
  Options& options = command.options;
  options.method = Method::replay;
  options.faults = options.faults || chosen[0].limits.faults;
  options.trace = true;
  if (command.here) {
    explore_here(chosen[0], options, command.choices);
    return 0;
  }
  const bool passed = explore_in_child(chosen[0], options, command.choices);
  const Report& report = engine.report();
  std::printf("%s: %s\n%.*s", chosen[0].name, passed ? "passed" : report.message,
              static_cast<int>(report.trace_size), report.trace);
  return passed ? 0 : 1;
}

}  // namespace

std::vector<Scenario>& scenarios() {
  static std::vector<Scenario> all;
  return all;
}

}  // namespace explore

int main(int argc, char** argv) {
  explore::Command command;
  if (!explore::parse(argc, argv, command)) {
    std::fputs(explore::kUsage, stdout);
    return 2;
  }
  explore::engine.set_up();
  if (command.name == "list") {
    for (const explore::Scenario& scenario : explore::selected(command)) {
      std::printf("%s\n", scenario.name);
    }
    return 0;
  }
  return command.name == "run" ? explore::run(command) : explore::replay(command);
}
