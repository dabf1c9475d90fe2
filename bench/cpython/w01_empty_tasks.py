# SPDX-License-Identifier: MIT
"""W1: empty tasks (but for counting themselves), their results dropped, until all have run."""

import itertools
from multiprocessing.pool import ThreadPool

from workload import Benchmark, check, clock, main


def apply_async(tasks, workers):
    counter = itertools.count()
    start = clock()
    pool = ThreadPool(workers)
    for _ in range(tasks):
        pool.apply_async(counter.__next__)
    pool.close()
    pool.join()
    seconds = clock() - start
    check(next(counter), tasks)
    return seconds


main(*(Benchmark(apply_async, True, {"tasks": 20_000, "workers": w}) for w in (1, 2, 8)))
