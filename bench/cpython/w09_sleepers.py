# SPDX-License-Identifier: MIT
"""W9: 1,024 workers for 1,024 tasks that sleep for 230 ms."""

import time
from multiprocessing.pool import ThreadPool

from workload import Benchmark, check, clock, main


def sleep(i):
    time.sleep(0.23)
    return i


def map_sleep(tasks, workers):
    start = clock()
    pool = ThreadPool(workers)
    slept = pool.map(sleep, range(tasks), 1)
    done = clock() - start
    pool.terminate()
    pool.join()
    seconds = clock() - start
    check(slept, list(range(tasks)))
    return seconds, {"done": done}


main(Benchmark(map_sleep, False, {"tasks": 1_024, "workers": 1_024}))
