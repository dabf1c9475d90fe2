#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the library in one place at a time and has the explorer find it.

    mutants.py [--only NAME]... [--file F] [--share I/N] [--jobs N] [--hinted] [--table FILE]
    mutants.py --check

The mutants are in mutant_list.py. Each is applied to a copy of include/ and explored with the
scenarios that are named there, and then, unless --hinted is given, with all others, until one
fails: exhaustively with one deviation, then in 5,000 random schedules of PCT, each without and with
spinning; what weakens a memory order also in 5,000 with stale loads, and ten seconds long
exhaustively with two of them; and as the list says if that is "deep".

Prints a row for each. Fails if a mutant survives that is not said to be equivalent, if one is found
that is, if a text to be replaced does not occur exactly once, or if the result does not compile.
--check only does the replacing. Needs the compiler that the explorer needs ($CXX, else g++).
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import mutant_list  # beside this file

EXPLORE = pathlib.Path(__file__).resolve().parent.parent
ROOT = EXPLORE.parent.parent
INCLUDE = ROOT / "include"
SCENARIOS = EXPLORE / "scenarios"
TABLE = ROOT / "docs" / "design" / "mutants.md"

CXX = os.environ.get("CXX", "g++")
INCLUDES = ["-I", str(EXPLORE), "-I", str(EXPLORE.parent)]
MODEL_FLAGS = ["-std=c++20", "-O2"]
# Those of millpond_add_exploration() in ../CMakeLists.txt.
FLAGS = [
    "-std=c++20", "-O1", "-g1", "-w", "-fsanitize=thread",
    "--param=tsan-instrument-func-entry-exit=0", '-DMILLPOND_SYNC_HEADER="explore/sync.hpp"',
    "-DMILLPOND_RECYCLES_MEMORY=0",
]
LINK_FLAGS = ["-no-pie"]

RUNS = [
    ("bound 1", ["--bound", "1"]),
    ("bound 1, spinning", ["--bound", "1", "--spin"]),
    ("PCT", ["--pct", "3", "--executions", "5000", "--spurious", "--weak"]),
    ("PCT, spinning", ["--pct", "3", "--executions", "5000", "--spurious", "--weak", "--spin"]),
]
STALE_RUNS = [
    ("PCT, stale loads", ["--pct", "3", "--executions", "5000", "--stale"]),
    ("bound 2, stale loads", ["--bound", "2", "--stale", "--seconds", "10"]),
]
DEEP_SECONDS = 120
SECONDS = 120  # for each scenario and run


@dataclasses.dataclass
class Result:
    mutant: mutant_list.Mutant
    scenario: str = ""  # the one that failed; empty: it survived
    run: str = ""
    message: str = ""
    error: str = ""  # of the compiler, say


def main():
    options = parse()
    scenarios = find_scenarios()
    mutants = choose(options)
    problems = [problem for mutant in mutants for problem in check(mutant, scenarios)]
    if problems or options.check:
        print("\n".join(problems) or f"{len(mutants)} mutants apply")
        return 1 if problems else 0
    with tempfile.TemporaryDirectory(prefix="mutants.") as directory:
        work = pathlib.Path(directory)
        build_common(work, options.jobs)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(
                lambda mutant: report(try_mutant(mutant, work, scenarios, options.hinted)), mutants))
    print_summary(results)
    if options.table:
        pathlib.Path(options.table).write_text(table_of(results))
    return 1 if any(is_wrong(result) for result in results) else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--file", help="only the mutants of this header, such as waiters.hpp")
    parser.add_argument("--share", default="1/1", metavar="I/N", help="counted from 1")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--hinted", action="store_true",
                        help="only the scenarios that the list names for each mutant")
    parser.add_argument("--table", metavar="FILE", help=f"such as {TABLE.relative_to(ROOT)}")
    parser.add_argument("--check", action="store_true", help="only whether the mutants apply")
    return parser.parse_args()


def choose(options):
    number, of = (int(part) for part in options.share.split("/"))
    chosen = [mutant for mutant in mutant_list.MUTANTS
              if (not options.only or mutant.name in options.only)
              and (not options.file or fnmatch.fnmatch(options.file, pathlib.Path(mutant.file).name))]
    unknown = set(options.only) - {mutant.name for mutant in mutant_list.MUTANTS}
    if unknown or not chosen:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    return chosen[number - 1::of]


def find_scenarios():
    """From the name of each scenario to its file."""
    pattern = re.compile(r"^SCENARIO\((\w+)", re.MULTILINE)
    return {name: file for file in sorted(SCENARIOS.glob("*.cpp"))
            for name in pattern.findall(file.read_text())}


def places(mutant, include):
    """Where its old text stands, however it is broken into lines: pairs of a header and a match."""
    words = r"\s+".join(re.escape(word) for word in mutant.old.split())
    pattern = re.compile(r"(?<!\w)" * mutant.old.lstrip()[0].isalnum() + words)
    return [(path, match) for path in sorted((include / "millpond").glob(mutant.file))
            for match in pattern.finditer(path.read_text())]


def apply(mutant, include):
    (path, match), = places(mutant, include)
    text = path.read_text()
    path.write_text(text[:match.start()] + mutant.new.strip() + text[match.end():])


def check(mutant, scenarios):
    """What is wrong with it."""
    found = places(mutant, INCLUDE)
    if len(found) != 1:
        yield f"{mutant.name}: occurs {len(found)} times: {mutant.old}"
    for name in mutant.scenarios.split():
        if name not in scenarios:
            yield f"{mutant.name}: there is no scenario {name}"
    if [other.name for other in mutant_list.MUTANTS].count(mutant.name) != 1:
        yield f"{mutant.name}: two of this name"


def compiler(arguments):
    done = subprocess.run([CXX, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("\n".join(done.stderr.splitlines()[:20]))


def build_common(work, jobs):
    """What all mutants share: the model, which uses none of the library, and the headers of the
    standard library, precompiled."""
    (work / "model").mkdir()
    sources = [*sorted((EXPLORE / "model").glob("*.cpp")), EXPLORE / "main.cpp"]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda source: compiler(
            [*MODEL_FLAGS, *INCLUDES, "-I", str(INCLUDE), "-c", str(source),
             "-o", str(work / "model" / (source.stem + ".o"))]), sources))
    headers = sorted({name for directory in (INCLUDE, EXPLORE) for file in directory.rglob("*.hpp")
                      for name in re.findall(r"^ *# *include <(\w+)>", file.read_text(), re.M)})
    (work / "standard.hpp").write_text("".join(
        f"#if __has_include(<{name}>)\n#include <{name}>\n#endif\n" for name in headers))
    compiler([*FLAGS, "-x", "c++-header", str(work / "standard.hpp"),
              "-o", str(work / "standard.hpp.gch")])


def try_mutant(mutant, work, scenarios, hinted):
    try:
        mutated = work / mutant.name
        shutil.copytree(INCLUDE, mutated / "include")
        apply(mutant, mutated / "include")
        runs = RUNS + (STALE_RUNS if mutant.kind == "order" else [])
        runs = runs + ([deep_run(mutant)] if mutant.deep else [])
        likely = mutant.scenarios.split()
        result = explore(mutant, likely, runs, work, scenarios)
        if not result.scenario and not hinted:
            for file in sorted(set(scenarios.values())):
                names = [name for name in scenarios
                         if scenarios[name] == file and name not in likely]
                result = explore(mutant, names, runs, work, scenarios)
                if result.scenario:
                    break
        shutil.rmtree(mutated)
        return result
    except (RuntimeError, subprocess.SubprocessError) as error:
        return Result(mutant, error=str(error))


def deep_run(mutant):
    """From "--bound 2 --stale", say."""
    arguments = mutant.deep.split()
    name = re.sub(r" --from \d|--", "", mutant.deep).replace(" stale", ", stale loads")
    return name.replace(" spurious", ", spurious wake-ups"), [
        *arguments, "--seconds", str(DEEP_SECONDS)]


def explore(mutant, names, runs, work, scenarios):
    """Compiles these scenarios with the mutant, and runs them until one fails."""
    mutated = work / mutant.name
    objects = []
    for file in sorted({scenarios[name] for name in names}):
        source = mutated / "scenarios" / file.name
        source.parent.mkdir(exist_ok=True)
        source.write_text(only_scenarios(file.read_text(), names))
        objects.append(str(source.with_suffix(".o")))
        compiler([*FLAGS, "-include", str(work / "standard.hpp"), "-I", str(mutated / "include"),
                  "-I", str(SCENARIOS), *INCLUDES, "-c", str(source), "-o", objects[-1]])
    program = mutated / "explore"
    model = sorted(str(path) for path in (work / "model").glob("*.o"))
    compiler([*LINK_FLAGS, *objects, *model, "-o", str(program)])
    for run, arguments in runs:
        scenario, message = first_failure([str(program), "run", "--brief", *names, "--seconds",
                                           str(SECONDS), *arguments])
        if scenario:
            return Result(mutant, scenario, run, message)
    return Result(mutant)


def only_scenarios(source, names):
    """The source without the other scenarios: most of the time goes into compiling them."""
    block = re.compile(r"^SCENARIO\((\w+)(?:.*\}\n|(?:.*\n)+?\}\n)", re.MULTILINE)
    return block.sub(lambda found: found[0] if found[1] in names else "", source)


def first_failure(command):
    """The scenario that fails first and what the explorer says; the rest is not waited for."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    scenario = message = ""
    for line in process.stdout:
        if scenario:
            message = line.strip()
            break
        row = re.match(r"(\w+) .* FAILED ", line)
        if row:
            scenario = row[1]
    if scenario:
        os.killpg(process.pid, signal.SIGKILL)  # it would look for the smallest schedule
    code = process.wait()
    if not scenario and code != 0:
        raise RuntimeError(f"the explorer ended with {code}: {' '.join(command)}")
    message = re.sub(r"^FAILED after \d+ executions: ", "", message)
    return scenario, message


def is_wrong(result):
    return bool(result.error) or bool(result.scenario) == bool(result.mutant.equivalent)


def verdict(result):
    if result.error:
        return "ERROR"
    if result.scenario:
        return f"{result.scenario}, {result.run}"
    return "equivalent" if result.mutant.equivalent else "SURVIVED"


def report(result):
    mutant = result.mutant
    row = f"{mutant.name:<44} {mutant.kind:<10} {verdict(result)}"
    if result.scenario:
        row += f": {result.message}"
        if mutant.equivalent:
            row += "  (but it is said to be EQUIVALENT)"
    print(row + (f"\n{result.error}" if result.error else ""), flush=True)
    return result


def print_summary(results):
    runs = collections.Counter(result.run for result in results if result.scenario)
    found = ", ".join(f"{count} at {run}" for run, count in runs.most_common())
    races = sum(result.message.startswith("data race") for result in results)
    print(f"{len(results)} mutants: {sum(runs.values())} found ({found}; {races} as data races), "
          f"{sum(not r.scenario and not r.error and bool(r.mutant.equivalent) for r in results)} "
          f"equivalent, {sum(is_wrong(result) for result in results)} wrong")


def table_of(results):
    found = [result for result in results if not result.mutant.equivalent]
    equivalent = [result for result in results if result.mutant.equivalent]
    lines = [
        "# Mutants",
        "",
        "Each row is the library broken in one place, and the scenario of the "
        "[explorer](explorer.md) that",
        "fails first with it. `tests/explore/mutants/mutants.py --jobs 2 --table "
        "docs/design/mutants.md` breaks",
        "it anew, explores and writes this table; `--check` only tells whether the breakages in",
        "`tests/explore/mutants/mutant_list.py` still fit the headers.",
        "",
        "| mutant | header | class | killed by | at | with |",
        "|---|---|---|---|---|---|",
    ]
    for result in found:
        mutant = result.mutant
        cells = [f"`{mutant.name}`", f"`{mutant.file}`", mutant.kind,
                 f"`{result.scenario}`" if result.scenario else verdict(result), result.run,
                 summary_of(result.message)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "## Equivalent", "",
              "These change nothing that a program could see; the explorer finds nothing either.", "",
              "| mutant | header | class | why |", "|---|---|---|---|"]
    for result in equivalent:
        mutant = result.mutant
        lines.append(f"| `{mutant.name}` | `{mutant.file}` | {mutant.kind} | {mutant.equivalent} |")
    return "\n".join(lines) + "\n"


def summary_of(message):
    """Without addresses and line numbers, which change from build to build."""
    for begin, summary in (("data race", "data race"), ("more than", "livelock"), ("leak", "leak"),
                           ("use after free", "use after free"), ("CHECK", "a failed check"),
                           ("killed by signal", "a crash"),
                           ("code of the user's", "user code under a lock")):
        if message.startswith(begin):
            return summary
    return re.split(r": [\w.]+\.[hc]pp:", re.sub(r"thread T\d+", "a thread", message))[0]


if __name__ == "__main__":
    sys.exit(main())
