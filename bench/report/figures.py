# SPDX-License-Identifier: MIT
"""What is compared with what: the lines of the picture, and their numbers."""

import re
from dataclasses import dataclass
from statistics import median

from report.text import plural


class Series:
    """One contender with one set of arguments: what it measured, round by round, in seconds."""

    def __init__(self, benchmark):
        self.workload = benchmark["workload"]
        self.contender = benchmark["contender"]
        self.arguments = benchmark["arguments"]
        self.rounds = benchmark["rounds"]

    @property
    def is_ours(self):
        return "millpond" in self.contender

    def values(self, counter=None):
        """Of a counter; without one, time a task if there is such a thing, else the time."""
        if counter:
            return [round_[counter] for round_ in self.rounds]
        return [round_.get("task", round_["seconds"]) for round_ in self.rounds]

    def cores(self):
        """Processor time divided by time: how many cores were busy; None if not measured."""
        measured = [round_["cores"] for round_ in self.rounds if "cores" in round_]
        return median(measured) if measured else None

    def fits(self, arguments):
        """CPython has fewer tasks, and some have no workers: only what both have must agree."""
        return all(
            self.arguments.get(key, value) == value
            for key, value in arguments.items()
            if key != "tasks" or not self.contender.startswith("cpython")
        )


@dataclass
class Figure:
    """A line of the picture: our contender, its peers, and what the limit is."""

    label: str
    title: str
    workload: str
    ours: str
    peers: str  # contenders that match and are not ours
    arguments: dict
    limit: str = "^limit$"
    counter: str = None
    ideal: bool = False  # the limit is to be divided by the number of cores at work


def with_workers(worker_counts, *fields, **named):
    return [Figure(*fields, arguments={"workers": workers}, **named) for workers in worker_counts]


POOLS = r"^(tbb|asio|eigen|openmp|bs|taskflow|libfork|std|cpython)_"
IDEAL = {"limit": "^serial_loop$", "ideal": True}

FIGURES = [
    *with_workers(
        (1, 2, 8), "W1", "a million empty tasks", "w01_empty_tasks", "apply_async$", POOLS
    ),
    *with_workers((1, 2, 8), "W2", "200,000 results", "w02_results", "apply_async$", POOLS),
    *with_workers(
        (1, 2, 8), "W3", "round trips, apply_async", "w03_round_trip", "apply_async$", POOLS
    ),
    *with_workers((1, 2, 8), "W3", "round trips, apply", "w03_round_trip", "apply$", POOLS),
    Figure(
        "W4",
        "map of 10M ints, into touched memory",
        "w04_map",
        "map_into_touched$",
        "_touched$",
        {"workers": 2, "tasks": 10_000_000},
        limit="^$",
    ),
    Figure(
        "W4f",
        "map of 10M ints, new vector",
        "w04_map",
        "_map$",
        r"^(?!.*touched).*_",
        {"workers": 2, "tasks": 10_000_000},
    ),
    Figure(
        "W4f",
        "map_into of 10M ints, fresh memory",
        "w04_map",
        "map_into$",
        r"^(?!.*touched).*_",
        {"workers": 2, "tasks": 10_000_000},
    ),
    Figure(
        "W4c",
        "map of 200,000 ints",
        "w04_map",
        "_map$",
        r"^(?!.*touched).*_",
        {"workers": 2, "tasks": 200_000},
        limit="^serial_loop_touched$",
        ideal=True,
    ),
    *with_workers(
        (2, 8), "W5", "tasks of 2 us, map", "w05_short_tasks", "chunksize_1$", POOLS, **IDEAL
    ),
    *with_workers(
        (2, 8), "W5", "tasks of 2 us, apply_async", "w05_short_tasks", "async$", POOLS, **IDEAL
    ),
    *with_workers(
        (2,), "W6", "uneven items", "w06_uneven", "map$", POOLS + r"(?!.*sorted)", **IDEAL
    ),
    *with_workers(
        (2, 8),
        "W6s",
        "uneven items, sorted",
        "w06_uneven",
        "map_sorted$",
        POOLS + r".*_sorted$",
        limit="^serial_loop_sorted$",
        ideal=True,
    ),
    *with_workers((1, 2, 8), "W7", "four producers", "w07_producers", "apply_async$", POOLS),
    *with_workers((2, 8), "W8", "fib(25), nested", "w08_fib", "apply_async$", POOLS),
    Figure(
        "W9",
        "1,024 sleepers, until done",
        "w09_sleepers",
        "map$",
        POOLS,
        {"workers": 1_024},
        limit="^raw_threads$",
        counter="done",
    ),
    Figure(
        "W9",
        "1,024 sleepers, until destroyed",
        "w09_sleepers",
        "map$",
        "^(asio|eigen|bs|taskflow|std|cpython)_",  # the others destroy nothing
        {"workers": 1_024},
        limit="^raw_threads$",
    ),
    *with_workers(
        (2, 64),
        "W10",
        "create and destroy",
        "w10_create_destroy",
        "pool$",
        POOLS,
        limit="^raw_threads$",
    ),
    *(
        Figure(
            "W11",
            f"{title}, chunks of {chunksize}",
            "w11_imap",
            ours,
            peers,
            {"workers": 2, "chunksize": chunksize},
            limit="^limit$" if chunksize == 1 else "^$",
        )
        for title, ours, peers in (
            ("imap", "imap$", "(pipeline|cpython_imap)$"),
            ("imap_unordered", "imap_unordered$", "(pipeline|cpython_imap)_unordered$"),
        )
        for chunksize in (1, 64)
    ),
    Figure(
        "W12",
        "map of 1,000 ints, from outside",
        "w12_extras",
        "_map$(?<!nested_map)",
        "^tbb_",
        {"workers": 2, "tasks": 1_000},
        limit="^$",
    ),
    Figure(
        "W12",
        "map of 1,000 ints, in a task",
        "w12_extras",
        "nested_map$",
        "^tbb_",
        {"workers": 2, "tasks": 1_000},
        limit="^$",
    ),
]


@dataclass
class Row:
    """A figure with its numbers; ratios as (of the medians, least, greatest of a round)."""

    figure: Figure
    ours: float
    peer: str
    peer_time: float
    to_peer: tuple
    cores: float = None  # at work for ours and for the peer's
    peer_cores: float = None
    limit_time: float = None
    to_limit: tuple = None

    @property
    def title(self):
        workers = self.figure.arguments["workers"]
        return f"{self.figure.title}, {plural(workers, 'worker')}"


def ratio(ours, others):
    rounds = [a / b for a, b in zip(ours, others, strict=False)]
    return median(ours) / median(others), min(rounds), max(rounds)


def make_row(figure, all_series, cores):
    """None if there is nothing of ours, or nothing to compare it with."""
    fitting = [s for s in all_series if s.workload == figure.workload and s.fits(figure.arguments)]
    ours = [s for s in fitting if s.is_ours and re.search(figure.ours, s.contender)]
    peers = [s for s in fitting if not s.is_ours and re.search(figure.peers, s.contender)]
    limits = [s for s in fitting if re.search(figure.limit, s.contender)]
    if not ours or not peers:
        return None
    our_times = ours[0].values(figure.counter)

    # A peer without the counter says its whole time.
    def times(series):
        has_counter = figure.counter in series.rounds[0]
        return series.values(figure.counter if has_counter else None)

    best = min(peers, key=lambda series: median(times(series)))
    row = Row(
        figure,
        median(our_times),
        best.contender,
        median(times(best)),
        ratio(our_times, times(best)),
        ours[0].cores(),
        best.cores(),
    )
    if limits:
        divisor = min(cores, figure.arguments["workers"]) if figure.ideal else 1
        limit_times = [time / divisor for time in times(limits[0])]
        row.limit_time = median(limit_times)
        row.to_limit = ratio(our_times, limit_times)
    return row


def growth_lines(all_series):
    """{workload: {contender: {workers: median seconds a task}}}; the contended queue is in each."""
    lines = {"w01": {}, "w02": {}, "w07": {}}
    for series in all_series:
        if series.workload != "w13_growth":
            continue
        prefix, _, contender = series.contender.rpartition("/")
        for workload in [prefix] if prefix else lines:
            line = lines[workload].setdefault(contender, {})
            line[series.arguments["workers"]] = median(series.values())
    return {workload: contenders for workload, contenders in lines.items() if contenders}
