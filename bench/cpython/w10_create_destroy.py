# SPDX-License-Identifier: MIT
"""W10: makes a pool and destroys it."""

from multiprocessing.pool import ThreadPool

from workload import Benchmark, clock, main

REPETITIONS = 10


def pool(tasks, workers):
    start = clock()
    for _ in range(REPETITIONS):
        created = ThreadPool(workers)
        created.terminate()
        created.join()
    return (clock() - start) / REPETITIONS


main(*(Benchmark(pool, False, {"tasks": 0, "workers": w}) for w in (2, 64)))
