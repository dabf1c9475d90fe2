#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py <millpond's runner> <docs/python_parity.md> [--seed S] [--programs N]

Runs the same random programs on CPython's ThreadPool and on millpond's, and compares each call's
outcome. A difference must be one that python_parity.md lists: RULES names its row."""

import argparse
import pathlib
import subprocess
import sys

import generate

HERE = pathlib.Path(__file__).resolve().parent


class Case:
    """One call and its two outcomes, and the program before it."""

    def __init__(self, lines, index, python, ours):
        self.words = lines[index].split()
        self.kind, *self.args = self.words
        self.before = [line.split() for line in lines[: index + 1]]
        self.python = python
        self.ours = ours

    def maker(self):
        """The call that made the result or iterator that is used here."""
        for words in self.before:
            if words[0] in ASYNC and words[1] == self.args[0]:
                return words
        return None

    def chunksize(self, words):
        """Of a call, as a number; 1 for what has none."""
        place = {"map": 3, "starmap": 3, "map_bad": 3}.get(words[0], 4)
        if words[0] in MAPS + IMAPS and words[place] != "-":
            return int(words[place])
        return 1

    def any_before(self, test):
        return any(test(words) for words in self.before)


MAPS = ["map", "starmap", "map_bad", "map_async", "starmap_async"]
IMAPS = ["imap", "imap_unordered", "imap_bad"]
ASYNC = ["apply_async", "map_async", "starmap_async", *IMAPS]


def chunksize_below_one(case):
    if case.kind in MAPS:
        return case.chunksize(case.words) < 1 and case.ours.startswith("ValueError Chunksize must")
    if case.kind == "callbacks" or case.kind == "calls":
        return False
    return case.ours == "nothing" and case.maker() and case.chunksize(case.maker()) < 1


def empty_map(case):
    told = lambda text: [t for t in text.replace("] [", "]|[").split("|") if t not in ("", "[list]")]
    return case.kind == "callbacks" and told(case.python) == told(case.ours)


def may_fail(words):
    return words[0] in MAPS + IMAPS and not any(word == "square" for word in words)


def iterates_on(case):
    """An imap with chunks of several items, one of which fails."""

    def concerns(words):
        return words[0] in IMAPS and case.chunksize(words) > 1 and may_fail(words)

    if case.kind == "calls":
        return case.any_before(concerns)
    return case.kind in ("next", "drain") and concerns(case.maker())


def input_that_fails(case):
    def concerns(words):
        return words[0] == "imap_bad" and case.chunksize(words) > 1

    if case.kind == "calls":
        return case.any_before(concerns)
    return case.kind in ("next", "drain") and concerns(case.maker())


def default_chunksize(case):
    """What is skipped after a failing item is another part of the items."""

    def concerns(words):
        return words[0] in MAPS and "-" in words and may_fail(words)

    return case.kind == "calls" and case.any_before(concerns)


def abandoned(case):
    return case.kind == "abandoned" and case.ours != "TimeoutError"


def abandoned_imap(case):
    return case.kind == "abandoned_next" and case.ours != "TimeoutError"


# A divergence and how its row of python_parity.md begins.
RULES = [
    ("a chunksize below 1", chunksize_below_one),
    ("an empty map", empty_map),
    ("a task's exception is thrown at its position, and iteration goes on", iterates_on),
    ("an exception of the input is thrown after the items before it", input_that_fails),
    ("the default chunksize of maps", default_chunksize),
    ("`terminate()` gives up what has not started", abandoned),
    ("`terminate()` and an imap", abandoned_imap),
]


def run(command, text):
    result = subprocess.run(command, input=text, capture_output=True, text=True, timeout=100)
    if result.returncode != 0:
        sys.exit(f"{command}: exit status {result.returncode}\n{result.stderr}")
    return result.stdout.splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runner")
    parser.add_argument("parity", type=pathlib.Path)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--programs", type=int, default=400)
    options = parser.parse_args()

    rows = options.parity.read_text().splitlines()
    for row, _ in RULES:
        if not any(line.startswith(f"| {row}") for line in rows):
            sys.exit(f"{options.parity} has no row that begins with: {row}")

    programs = generate.programs(options.seed, options.programs)
    text = "".join(
        f"program {number}\n" + "".join(f"{line}\n" for line in lines)
        for number, lines in enumerate(programs)
    )
    python = run([sys.executable, str(HERE / "on_cpython.py")], text)
    ours = run([options.runner], text)
    commands = text.splitlines()
    if not len(commands) == len(python) == len(ours):
        sys.exit(f"{len(commands)} calls, {len(python)} and {len(ours)} outcomes")

    used = {row: 0 for row, _ in RULES}
    failures = 0
    at = 0
    for number, lines in enumerate(programs):
        at += 1
        for index in range(len(lines)):
            case = Case(lines, index, python[at + index], ours[at + index])
            if case.python == case.ours:
                continue
            row = next((row for row, holds in RULES if holds(case)), None)
            if row is not None:
                used[row] += 1
                continue
            failures += 1
            print(f"program {number} of seed {options.seed}:")
            for i, line in enumerate(lines[: index + 1]):
                print(f"    {line:32} {python[at + i]}")
            print(f"    here: {case.ours}\n")
        at += len(lines)
    print(f"seed {options.seed}: {len(programs)} programs, {len(commands)} calls")
    for row, times in used.items():
        print(f"  {times:4} differences: {row}")
    if failures:
        sys.exit(f"{failures} differences that {options.parity.name} does not list")


if __name__ == "__main__":
    main()
