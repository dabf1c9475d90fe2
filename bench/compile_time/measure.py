#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What it costs to compile a file that uses millpond, beside files that do the same otherwise.

    measure.py [--rounds N] [--write]

compiles each file of files/ with each compiler that is there, in another random order every
round, and prints tables: medians of the compiler's CPU time, lines after preprocessing, size of the
object file. --write puts them into docs/benchmarks/compile_time.md as well.
"""

import argparse
import datetime
import os
import pathlib
import random
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "benchmarks" / "compile_time.md"

CONTENDERS = {
    "millpond": "`<millpond/millpond.hpp>` and a map",
    "single_header": "the same with the single header",
    "compiled": "the same with `millpond::compiled`",
    "module": "the same with `import millpond`, once the module is built",
    "onetbb": "oneTBB: `<oneapi/tbb/parallel_for.h>`",
    "future": "`<future>` and `<thread>`: `std::async`",
    "thread": "`<thread>`: one `std::thread`",
    "serial": "`<vector>` alone: a loop",
}
COMPILERS = [["g++"], ["clang++-19"], ["clang++-19", "-stdlib=libc++"]]
LEVELS = ["-O0", "-O2"]
FLAGS = ["-std=c++20", "-pthread", f"-I{ROOT / 'include'}", f"-I{ROOT / 'single_include'}"]

PAGE_TEXT = """\
<!-- Written by bench/compile_time/measure.py. -->
# Compile time

What it costs to compile one file that squares a vector of numbers, with millpond and otherwise:
the compiler's CPU time, median of {rounds}; lines after preprocessing, without blank ones; size of
the object file. The files are in [bench/compile_time/](../../bench/compile_time/files).

A header-only library is compiled again in each file that uses it. Who minds has
[`millpond::compiled`](../../README.md#install), which is compiled once: what is left is mostly the
standard headers, as of `<future>` and `<thread>`; or the module.

Measured on {date}, on {machine}.
"""


def run(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def cpu_seconds(command):
    """The CPU time of a command that has to succeed. Others add less to it than to elapsed time."""
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime


def compiles(command):
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def measure(compiler, rounds, folder):
    """A Markdown table, or None if the compiler is not there."""
    object_file = folder / "squares.o"
    module_file = folder / "millpond.pcm"

    def command(name, *flags):
        if name == "compiled":
            flags = ["-DMILLPOND_COMPILED", *flags]
            name = "millpond"
        if name == "module":
            flags = [f"-fmodule-file=millpond={module_file}", *flags]
        return [*compiler, *FLAGS, *flags, str(ROOT / f"bench/compile_time/files/{name}.cpp")]

    if not compiles(command("serial", "-fsyntax-only")):
        return None
    module = str(ROOT / "modules/millpond.cppm")
    module_file.unlink(missing_ok=True)
    compiles([*compiler, *FLAGS, "--precompile", module, "-o", str(module_file)])
    names = [name for name in CONTENDERS if compiles(command(name, "-fsyntax-only"))]
    times = {(name, level): [] for name in names for level in LEVELS}
    sizes = {}
    for _ in range(rounds):
        for name, level in random.sample(list(times), len(times)):
            build = command(name, level, "-c", "-o", str(object_file))
            times[name, level].append(cpu_seconds(build))
            sizes[name, level] = object_file.stat().st_size

    rows = ["| | lines | " + " | ".join(f"`{level}`" for level in LEVELS) + " | object, `-O2` |"]
    rows.append("|---|" + "--:|" * (len(LEVELS) + 2))
    for name in names:
        lines = run(command(name, "-E", "-P")).count("\n")
        cells = [CONTENDERS[name], f"{lines:,}"]
        cells += [f"{statistics.median(times[name, level]):.2f} s" for level in LEVELS]
        cells.append(f"{sizes[name, '-O2'] / 1024:.0f} KiB")
        rows.append("| " + " | ".join(cells) + " |")
    title = run([compiler[0], "--version"]).splitlines()[0]
    if compiler[1:]:
        title += ", `" + " ".join(compiler[1:]) + "`"
    return f"## {title}\n\n" + "\n".join(rows) + "\n"


def machine():
    try:
        cpuinfo = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return next(l.split(": ")[1] for l in cpuinfo.splitlines() if l.startswith("model name"))
    except (OSError, StopIteration):
        return "a machine of unknown make"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        tables = [measure(each, arguments.rounds, pathlib.Path(folder)) for each in COMPILERS]
    intro = PAGE_TEXT.format(
        rounds=arguments.rounds, date=datetime.date.today().isoformat(), machine=machine()
    )
    page = intro + "".join(f"\n{table}" for table in tables if table)
    print(page, end="")
    if arguments.write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
