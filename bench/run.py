#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmarks side by side and writes what they measured as JSON.

    bench/run.py                   the short set, under five minutes
    bench/run.py --set full        every benchmark there is
    bench/run.py --pinned          each thread on one core, all cores in use; without CPython

A process for each contender and argument, in rounds, in another random order each time: whatever
the machine does meanwhile it does to everybody, and no contender inherits memory or threads from
another. Compare medians over rounds. bench/draw.py draws them. Linux only.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

SOURCE = pathlib.Path(__file__).resolve().parent
BUILD = SOURCE.parent / "build" / "bench"
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
TIMEOUT_SECONDS = 300


@dataclass
class Selection:
    """Benchmarks of one workload whose names match; in every round, or in the first few."""

    workload: str
    pattern: str
    rounds: int = 1_000


ROUND_TRIP = r"(apply|async|enqueue|post|schedule|bs_task)"
SHORT = [
    Selection("w01_empty_tasks", r"/workers:[28]$|^limit"),
    Selection("w01_empty_tasks", r"_queued/", rounds=1),
    Selection("w02_results", r"/workers:[28]$|^limit"),
    Selection("w03_round_trip", ROUND_TRIP + r"/.*/workers:[28]$|^limit"),
    Selection("w03_round_trip", r"^std_async", rounds=3),
    Selection("w03_round_trip", r"^millpond_(idle|blocked)/.*/workers:[28]$", rounds=1),
    Selection("w04_map", r"/workers:2$|^serial"),
    Selection("w05_short_tasks", r"/workers:[28]$|^serial"),
    Selection("w06_uneven", r"/workers:2$|^serial|(millpond_map|tbb_parallel_for)_sorted.*:8$"),
    Selection("w07_producers", r"/workers:[28]$|^limit"),
    Selection("w08_fib", r"/workers:[28]$|^limit"),
    Selection("w09_sleepers", r"^(?!bs_)", rounds=5),  # whose 1,024 threads take 16 s to end
    Selection("w10_create_destroy", r""),
    Selection("w11_imap", r"(imap|pipeline|unordered)/.*/workers:2/|^limit", rounds=5),
    Selection("w11_imap", r"memory/.*chunksize:64$|memory/tasks:10{5,6}/.*chunksize:1$", rounds=1),
    Selection("w12_extras", r"/workers:2$", rounds=5),
    Selection("w13_growth", r"millpond|contended", rounds=3),
    Selection("w13_growth", r"^w0[17]/tbb_task_group", rounds=2),
    Selection("w13_growth", r"^w0[127]/asio.*/workers:(1|2|4|8|16)$", rounds=1),
]
# And if threads are pinned: one worker, which then has another core than the producer.
SHORT_PINNED = [
    Selection("w01_empty_tasks", r"^(?!.*_queued).*/workers:1$"),
    Selection("w02_results", r"/workers:1$"),
    Selection("w03_round_trip", ROUND_TRIP + r"/.*/workers:1$"),
    Selection("w07_producers", r"/workers:1$"),
]


class Program:
    """Something with Google Benchmark's flags: a C++ program, or a script of cpython/."""

    def __init__(self, workload, command, pinned=False):
        self.workload = workload
        self.command = command
        self.pinned = pinned

    def names(self):
        listing = subprocess.run(
            [*self.command, "--benchmark_list_tests"], capture_output=True, text=True, check=True
        )
        return listing.stdout.split()

    def run(self, name):
        """What the benchmark of this name measured, in seconds; None if it failed."""
        flags = [
            f"--benchmark_filter=^{re.escape(name)}$",
            "--benchmark_format=json",
            "--benchmark_min_time=0.05",
        ]
        if "/iterations:" not in name:
            flags.append("--benchmark_min_warmup_time=0.01")
        try:
            ran = subprocess.run(
                [*self.command, *flags],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                env=os.environ | {"MILLPOND_BENCH_PIN": str(int(self.pinned))},
            )
        except subprocess.TimeoutExpired:
            return self.failed(name, f"not done in {TIMEOUT_SECONDS} s")
        if ran.returncode != 0:
            return self.failed(name, ran.stderr.strip())
        output = json.loads(ran.stdout)
        if self.pinned and "pinned" not in output["context"]:
            return self.failed(name, "threads are not pinned: not built for it")
        (result,) = output["benchmarks"]
        if result.get("error_occurred"):
            return self.failed(name, result["error_message"])
        numbers = {k: v for k, v in result.items() if isinstance(v, float) and k not in TIMES}
        if "/process_time" in name:
            numbers["cores"] = result["cpu_time"] / result["real_time"]
        return {"seconds": result["real_time"] * UNITS[result["time_unit"]], **numbers}

    def failed(self, name, reason):
        print(f"\n{self.workload} {name}: {reason}", file=sys.stderr)


TIMES = {"real_time", "cpu_time"}


def find_programs(folder, pinned):
    programs = [
        Program(path.name.removeprefix("bench_"), [str(path)], pinned)
        for path in sorted(folder.glob("bench_w*"))
        if os.access(path, os.X_OK)
    ]
    if not programs:
        sys.exit(f"no benchmarks in {folder}; build them: cmake --workflow --preset bench")
    if not pinned:  # CPython's threads take turns: they have no use for a second core
        programs += [
            Program(path.stem, [sys.executable, "-B", str(path)])
            for path in sorted((SOURCE / "cpython").glob("w*.py"))
        ]
    return programs


def split_name(name):
    """ "limit/tasks:5/workers:2/process_time/real_time" -> "limit", {"tasks": 5, "workers": 2}."""
    contender, arguments = [], {}
    for part in name.split("/"):
        key, colon, value = part.partition(":")
        if colon:
            arguments[key] = int(value)
        elif part not in ("process_time", "real_time"):
            contender.append(part)
    arguments.pop("iterations", None)
    return "/".join(contender), arguments


@dataclass
class Entry:
    """A contender with arguments, and what each round measured."""

    program: Program
    name: str
    rounds: int
    measured: list
    failed: bool = False

    def as_json(self):
        contender, arguments = split_name(self.name)
        return {
            "workload": self.program.workload,
            "contender": contender,
            "arguments": arguments,
            "rounds": self.measured,
        }


def select(programs, selections):
    entries = []
    for program in programs:
        for name in program.names():
            bare = re.sub(r"(/iterations:1)?(/process_time)?(/real_time)?$", "", name)
            for selection in selections:
                if selection.workload == program.workload and re.search(selection.pattern, bare):
                    entries.append(Entry(program, name, selection.rounds, []))
                    break
    return entries


def run_rounds(entries, rounds, seconds):
    """Whole rounds, until there have been enough or there is no time for another."""
    started = time.monotonic()
    longest = 0.0
    for number in range(rounds):
        spent = time.monotonic() - started
        if number > 0 and spent + longest > seconds:
            break
        due = [e for e in entries if number < e.rounds and not e.failed]
        random.shuffle(due)
        for position, entry in enumerate(due):
            progress = f"round {number + 1}, {position + 1} of {len(due)}"
            print(f"\r\033[K{progress}: {entry.program.workload} {entry.name}", end="", flush=True)
            result = entry.program.run(entry.name)
            if result is None:
                entry.failed = True
            else:
                entry.measured.append(result)
        longest = max(longest, time.monotonic() - started - spent)
        print(f"\r\033[Kround {number + 1}: {time.monotonic() - started - spent:.0f} s")


def count_instructions(programs):
    """Instructions a task, by callgrind with one worker: the least of three runs of each."""
    if shutil.which("valgrind") is None:
        return []
    counts = []
    for program in programs:
        if program.workload not in ("w01_empty_tasks", "w02_results") or len(program.command) > 1:
            continue
        idle = collect(program, "^none$")
        for name in program.names():
            contender, arguments = split_name(name)
            if not re.match(r"millpond_apply|limit", contender) or arguments.get("workers", 1) != 1:
                continue
            least = min(collect(program, f"^{re.escape(name)}$") for _ in range(3))
            counts.append(
                {
                    "workload": program.workload,
                    "contender": contender,
                    "instructions": (least - idle) / arguments["tasks"],
                }
            )
    return counts


def collect(program, pattern):
    with tempfile.TemporaryDirectory() as folder:
        # Fair: else the producer may run ahead as far as it likes, now this far and now that far.
        valgrind = ["valgrind", "--tool=callgrind", "--fair-sched=yes"]
        valgrind.append(f"--callgrind-out-file={folder}/out")
        flags = [f"--benchmark_filter={pattern}", "--benchmark_min_time=0"]
        ran = subprocess.run([*valgrind, *program.command, *flags], capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", ran.stderr).group(1))


class LoadWatch:
    """How many cores' worth of time others took from this machine, and its host from it."""

    def __init__(self):
        self.before = self.now()

    @staticmethod
    def now():
        """Seconds: on the clock, of this process and its children, of everybody, stolen."""
        own = sum(
            sum(resource.getrusage(who)[:2])
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        user, nice, system, _, _, irq, softirq, steal = (
            int(field) / os.sysconf("SC_CLK_TCK") for field in fields
        )
        return time.monotonic(), own, user + nice + system + irq + softirq, steal

    def report(self):
        elapsed, own, busy, stolen = (
            after - before for after, before in zip(self.now(), self.before, strict=True)
        )
        return {
            "cores_used_by_others": max(0.0, busy - own) / elapsed,
            "cores_stolen_by_host": stolen / elapsed,
        }


def processor():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    return model.group(1) if model else platform.machine()


def describe(folder):
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30,
        "system": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "versions": json.loads((folder / "versions.json").read_text()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=["short", "full"], default="short")
    parser.add_argument("--only", default="", help="regular expression over workloads")
    parser.add_argument("--pinned", action="store_true", help="pin each thread to a core")
    parser.add_argument("--rounds", type=int, default=15, help="at most so many")
    parser.add_argument("--minutes", type=float, help="no new round after this (short: 4)")
    parser.add_argument("--programs", type=pathlib.Path, default=BUILD / "bench")
    parser.add_argument(
        "--out", type=pathlib.Path, help="default: build/bench/results/<set>[_pinned].json"
    )
    options = parser.parse_args()
    pinned = "_pinned" if options.pinned else ""
    out = options.out or BUILD / "results" / f"{options.set}{pinned}.json"
    minutes = options.minutes or (4 if options.set == "short" else 24 * 60)

    programs = [
        program
        for program in find_programs(options.programs, options.pinned)
        if re.search(options.only, program.workload)
    ]
    everything = [Selection(program.workload, "") for program in programs]
    short = SHORT + (SHORT_PINNED if options.pinned else [])
    entries = select(programs, short if options.set == "short" else everything)

    load = LoadWatch()
    started = time.monotonic()
    instructions = count_instructions(programs)
    run_rounds(entries, options.rounds, 60 * minutes - (time.monotonic() - started))
    report = {
        "context": {
            **describe(options.programs),
            "set": options.set,
            "pinned": options.pinned,
            "minutes": (time.monotonic() - started) / 60,
            "rounds": max(len(entry.measured) for entry in entries),
            **load.report(),
        },
        "instructions": instructions,
        "benchmarks": [entry.as_json() for entry in entries if entry.measured],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{len(entries)} benchmarks, {report['context']['minutes']:.1f} min: {out}")
    failed = [f"{entry.program.workload} {entry.name}" for entry in entries if entry.failed]
    if failed:
        sys.exit(f"{len(failed)} failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
