# SPDX-License-Identifier: MIT
"""W3: issues a task, gets its result, issues the next."""

from multiprocessing.pool import ThreadPool

from workload import Benchmark, check, clock, main


def successor(i):
    return i + 1


def apply_async(tasks, workers):
    with ThreadPool(workers) as pool:
        i = 0
        start = clock()
        for _ in range(tasks):
            i = pool.apply_async(successor, (i,)).get()
        seconds = clock() - start
    check(i, tasks)
    return seconds


main(*(Benchmark(apply_async, True, {"tasks": 3_000, "workers": w}) for w in (1, 2, 8)))
