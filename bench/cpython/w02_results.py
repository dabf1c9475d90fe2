# SPDX-License-Identifier: MIT
"""W2: tasks with a result; all are issued, then all results are got in order."""

from multiprocessing.pool import ThreadPool

from workload import Benchmark, check, clock, main


def twice(i):
    return 2 * i


def apply_async(tasks, workers):
    with ThreadPool(workers) as pool:
        start = clock()
        results = [pool.apply_async(twice, (i,)) for i in range(tasks)]
        total = sum(result.get() for result in results)
        seconds = clock() - start
    check(total, tasks * (tasks - 1))
    return seconds


main(*(Benchmark(apply_async, True, {"tasks": 20_000, "workers": w}) for w in (1, 2, 8)))
