# SPDX-License-Identifier: MIT
"""examples/port_scanner.cpp, its second form, with Python's ThreadPool.

    port_scanner.py [services [milliseconds]]      default: 1,024 services, 250 ms

Services of its own on 127.0.0.1 accept a connection and keep silent. A probe connects and waits for
a greeting, as long as its patience lasts. There is a thread for each. Not a workload of run.py: the
figures stand in docs/guide/getting-started.md.
"""

import resource
import socket
import sys
import time
from multiprocessing.pool import ThreadPool


def probe(port, patience):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(("127.0.0.1", port))
        except OSError:
            return False
        try:
            connection.recv(80)
        except TimeoutError:
            pass
        return True


def main(services=1024, milliseconds=250):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * services + 64), hard))
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(services)]
    jobs = [(listener.getsockname()[1], milliseconds / 1000) for listener in listeners]

    start = time.perf_counter()
    with ThreadPool(services) as pool:
        answers = pool.starmap(probe, jobs, 1)
    pool.join()
    seconds = time.perf_counter() - start

    print(f"{sum(answers)} of {services} ports are open")
    print(f"{services} threads {seconds:7.3f} s")
    if not all(answers):
        sys.exit("error: a service was not found")


main(*map(int, sys.argv[1:]))
