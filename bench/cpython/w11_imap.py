# SPDX-License-Identifier: MIT
"""W11: imap and imap_unordered over cheap items. CPython reads all input ahead."""

from multiprocessing.pool import ThreadPool

from workload import Benchmark, check, clock, main


def twice(i):
    return 2 * i


def timed_sum(results, tasks):
    start = clock()
    total = sum(results())
    seconds = clock() - start
    check(total, tasks * (tasks - 1))
    return seconds


def imap(tasks, workers, chunksize):
    with ThreadPool(workers) as pool:
        return timed_sum(lambda: pool.imap(twice, range(tasks), chunksize), tasks)


def imap_unordered(tasks, workers, chunksize):
    with ThreadPool(workers) as pool:
        return timed_sum(lambda: pool.imap_unordered(twice, range(tasks), chunksize), tasks)


main(
    *(
        Benchmark(contender, True, {"tasks": 20_000, "workers": 2, "chunksize": chunksize})
        for contender in (imap, imap_unordered)
        for chunksize in (1, 64)
    )
)
