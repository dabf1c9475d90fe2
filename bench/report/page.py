# SPDX-License-Identifier: MIT
"""The page around the pictures. Every number on it comes from the results."""

from statistics import median

from report.text import cores_text, count, plural, ratio_text, size_text, time_text

METHOD = """\
`cmake --workflow --preset bench` builds the benchmarks, runs the short set and draws it into
`build/bench/results/`. `bench/draw.py` wrote this page, its numbers included, from such a run.

Peers that are not there are left out. BS::thread_pool, Taskflow and libfork, which are headers
alone, are looked for in folders that you name once, each as one would for `-I`, whole paths:
`cmake --preset bench "-DMILLPOND_BENCH_PEERS=$x/bs/include;$x/taskflow;$x/libfork/include"`.
libfork runs coroutines, not functions, and is in W8 only; BS::thread_pool would hang there.

*Cores* is the processor time of all threads divided by the time that passed: how many cores were
busy, spinning included. With several threads about 1 means that they shared one core: the system
put them there, or others had the rest. `bench/run.py --pinned` doesn't leave it to the system and
writes `short_pinned.json` for `bench/draw.py`: each thread stays on one core, the main thread on
the first, any other on the one that has the fewest threads when it starts. So with one worker a
task is issued on one core and run on another. CPython, whose threads take turns, is left out then.
`MILLPOND_BENCH_PIN=1` in the environment does the same for one program, whose column `CPU` is that
of all threads.

- A folder of `bench/` is a workload; what is compared does the same work on the same input, and the
  answer is checked: a wrong one is an error, not a time.
- Each contender runs in a process of its own. All of them run once in each round, in another random
  order every time, until the time is up. Times are wall-clock times, medians over the rounds; the
  range beside a ratio is that of the rounds.
- A ratio is millpond's time divided by the other's: below 1, millpond is faster. The *best peer* is
  the fastest of all that were there for this workload. The *limit* is what the work costs with no
  pool around it: lock, append, unlock; lock, pop, unlock; call (W1, W2, W3, W7, W8, W11); threads
  that do nothing else (W4f, W9, W10); the serial loop's time divided by the cores at work (W4c, W5,
  W6).
- Where a peer's calling thread works along (oneTBB, OpenMP), it is one of the workers if it would
  only wait for a pool, and one more if it issues tasks meanwhile. So is the worker of Taskflow that
  issues the tasks of a task group.
- oneTBB and OpenMP are made for loops and nested tasks, Taskflow for graphs of tasks, libfork for
  nested tasks, Boost.Asio for handlers without results, Eigen's pool for the tensors it comes with.
  Whatever suits each best is what is measured.
"""


def table(header, rows, align):
    marks = {"l": "---", "r": "---:"}
    lines = [header, [marks[a] for a in align], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def ranged(value):
    if value is None:
        return ""
    middle, least, greatest = value
    return f"**{ratio_text(middle)}** ({ratio_text(least)} to {ratio_text(greatest)})"


def machine_section(context):
    versions = context["versions"]
    names = {
        "TBB": "oneTBB",
        "ASIO": "Boost.Asio",
        "EIGEN": "Eigen",
        "OPENMP": "OpenMP",
        "BS": "BS::thread_pool",
        "TASKFLOW": "Taskflow",
        "LIBFORK": "libfork",
    }
    peers = [f"{names[k]} {v.removeprefix('Boost ')}" for k, v in versions["peers"].items()]
    pinned = context.get("pinned", False)
    if not pinned:
        peers.append(f"CPython {context['python']}")
    flags = versions["flags"]
    load = (
        f"{context['cores_used_by_others']:.2f} cores used by others, "
        f"{context['cores_stolen_by_host']:.2f} by the host"
    )
    rows = [
        (
            "machine",
            f"{context['processor']}, {context['cores']} cores, {context['memory_gib']:.0f} GiB",
        ),
        ("system", f"{context['system']}, {context['libc']}"),
        ("millpond", f"{versions['millpond']}, compiled by {versions['compiler']} with `{flags}`"),
        ("peers", ", ".join(peers)),
        (
            "measured",
            f"{context['date']}, up to {plural(context['rounds'], 'round')}, "
            f"{context['minutes']:.1f} minutes",
        ),
        ("threads", "each pinned to a core" if pinned else "where the system puts them"),
        ("foreign load", load),
    ]
    return table(["", ""], rows, "ll")


def slower_section(rows):
    """Bad news first."""
    slower = sorted((r for r in rows if r.to_peer[0] > 1), key=lambda r: -r.to_peer[0])
    if not slower:
        return "In none of the lines below is a peer faster.\n"
    lines = []
    for row in slower:
        noise = ", within the noise" if row.to_peer[1] <= 1 else ""
        lines.append(
            f"- {row.figure.label}, {row.title}: {ratio_text(row.to_peer[0])} of "
            f"`{row.peer}`{noise}.\n"
        )
    return f"In {len(slower)} of {len(rows)} lines a peer is faster:\n\n" + "".join(lines)


def ratio_section(rows):
    return table(
        [
            "",
            "workload",
            "millpond",
            "cores",
            "best peer",
            "cores",
            "ratio to it",
            "limit",
            "ratio to it",
        ],
        [
            (
                row.figure.label,
                row.title,
                time_text(row.ours),
                cores_text(row.cores),
                f"`{row.peer}` {time_text(row.peer_time)}",
                cores_text(row.peer_cores),
                ranged(row.to_peer),
                time_text(row.limit_time) if row.limit_time else "",
                ranged(row.to_limit),
            )
            for row in rows
        ],
        "llrrlrrrr",
    )


def growth_section(lines):
    titles = {"w01": "W1", "w02": "W2", "w07": "W7"}
    workers = sorted(
        {w for contenders in lines.values() for line in contenders.values() for w in line}
    )
    rows = [
        (
            titles[workload],
            f"`{contender}`",
            *(time_text(line[w]) if w in line else "" for w in workers),
        )
        for workload, contenders in lines.items()
        for contender, line in contenders.items()
    ]
    return table(["", "contender", *(f"{w}" for w in workers)], rows, "ll" + "r" * len(workers))


def extras_section(all_series):
    extras = {
        s.contender: median(s.values())
        for s in all_series
        if s.workload == "w12_extras" and s.arguments == {"tasks": 100_000, "workers": 2}
    }
    plain = extras.pop("millpond_plain", None)
    if plain is None:
        return ""
    titles = {
        "millpond_callback": "a callback",
        "millpond_timed_get": "`get(timeout)` in time",
        "millpond_cancel": "`cancel()` of a task that waits",
    }
    rows = [("a task with a result", time_text(plain), "")]
    rows += [
        (titles[name], time_text(time), ratio_text(time / plain)) for name, time in extras.items()
    ]
    return table(["W12, 2 workers", "a task", "ratio"], rows, "lrr")


def memory_section(all_series):
    rows = []
    for series in all_series:
        if "bytes" not in series.rounds[0]:
            continue
        what = {
            "w01_empty_tasks": "queued at once, bytes a task",
            "w11_imap": "imap, growth of the process",
        }[series.workload]
        chunksize = series.arguments.get("chunksize")
        what += f", chunks of {chunksize}" if chunksize else ""
        value = median(series.values("bytes"))
        rows.append(
            (
                f"`{series.contender}`",
                what,
                count(series.arguments["tasks"]),
                f"{value:.0f} B" if series.workload == "w01_empty_tasks" else size_text(value),
            )
        )
    return table(["contender", "", "tasks", ""], rows, "llrr")


def idle_section(all_series):
    rows = [
        (
            f"`{series.contender}`",
            count(series.arguments["workers"]),
            f"{1e3 * median(series.values('cpu_seconds')):.2f} ms",
        )
        for series in all_series
        if "cpu_seconds" in series.rounds[0]
    ]
    return table(["contender", "workers", "processor time in 2 s"], rows, "lrr")


def instructions_section(counts):
    rows = [(c["workload"], f"`{c['contender']}`", f"{c['instructions']:.0f}") for c in counts]
    return table(["workload", "contender", "instructions a task"], rows, "llr")


def everything_section(all_series):
    parts = []
    for workload in sorted({s.workload for s in all_series}):
        rows = []
        for series in all_series:
            if series.workload != workload or not {"bytes", "cpu_seconds"}.isdisjoint(
                series.rounds[0]
            ):
                continue
            values = series.values()
            arguments = ", ".join(
                "chunks of " + count(v) if k == "chunksize" else plural(v, k.removesuffix("s"))
                for k, v in series.arguments.items()
            )
            rows.append(
                (
                    f"`{series.contender}`",
                    arguments,
                    *(time_text(f(values)) for f in (median, min, max)),
                    cores_text(series.cores()),
                    str(len(values)),
                )
            )
        header = ["contender", "arguments", "median", "least", "greatest", "cores", "rounds"]
        parts.append(f"### {workload}\n\n" + table(header, rows, "llrrrrr"))
    return "\n".join(parts)


def page(results, all_series, rows, lines):
    sections = [
        "<!-- Written by bench/draw.py. -->\n# Benchmarks\n",
        METHOD,
        machine_section(results["context"]),
        "![Ratios to the best peer and to the limit](ratios.svg)\n",
        "## Where a peer is faster\n",
        slower_section(rows),
        "## Ratios\n",
        "Times are those of one task or item, in W9 and W10 of the whole, in W12 of one map.\n",
        ratio_section(rows),
    ]
    if lines:
        sections += [
            "## Growth\n",
            "Time a task with more and more workers (W13). `contended` is the limit's queue with as"
            " many threads at it.\n",
            "![Time a task with 1 to 64 workers](growth.svg)\n",
            growth_section(lines),
        ]
    sections += [
        "## What else it costs\n",
        extras_section(all_series),
        memory_section(all_series),
        "Doing nothing, and waiting for a task that is blocked:\n",
        idle_section(all_series),
    ]
    if results["instructions"]:
        sections += [
            "Counted by callgrind, with one worker:\n",
            instructions_section(results["instructions"]),
        ]
    sections += ["## Everything that was measured\n", everything_section(all_series)]
    return "\n".join(section for section in sections if section)
