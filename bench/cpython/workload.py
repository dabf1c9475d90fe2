# SPDX-License-Identifier: MIT
"""What the CPython contenders have in common: they answer run.py as Google Benchmark's programs do.

    w01_empty_tasks.py --benchmark_list_tests
    w01_empty_tasks.py --benchmark_filter='^cpython_apply_async/tasks:20000/workers:2$'

A contender is a function (tasks, workers, ...) that returns the seconds it took, and maybe a
dictionary of counters. They have fewer tasks than the C++ contenders: time a task is compared.
"""

import argparse
import json
import re
import sys
import time

clock = time.perf_counter


def check(answer, expected):
    if answer != expected:
        sys.exit(f"wrong answer: {answer} instead of {expected}")


class Benchmark:
    def __init__(self, contender, per_task, arguments):
        self.contender = contender
        self.per_task = per_task
        self.arguments = arguments
        self.name = "/".join(
            ["cpython_" + contender.__name__, *(f"{k}:{v}" for k, v in arguments.items())]
        )

    def run(self):
        start, cpu_start = clock(), time.process_time()
        answer = self.contender(**self.arguments)
        cores = (time.process_time() - cpu_start) / (clock() - start)  # of all it does, untimed too
        seconds, counters = answer if isinstance(answer, tuple) else (answer, {})
        counters["cores"] = cores
        if self.per_task:
            counters["task"] = seconds / self.arguments["tasks"]
        return {"name": self.name, "real_time": 1e3 * seconds, "time_unit": "ms", **counters}


def main(*benchmarks):
    """Runs Benchmark(contender, whether to report time a task, arguments) as asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--benchmark_list_tests", action="store_true")
    parser.add_argument("--benchmark_filter", default="")
    options, _ = parser.parse_known_args()
    if options.benchmark_list_tests:
        print("\n".join(benchmark.name for benchmark in benchmarks))
        return
    chosen = [b for b in benchmarks if re.search(options.benchmark_filter, b.name)]
    json.dump({"benchmarks": [benchmark.run() for benchmark in chosen]}, sys.stdout, indent=2)
