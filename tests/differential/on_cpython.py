# SPDX-License-Identifier: MIT
"""Runs programs (generate.py), read from stdin, on multiprocessing.pool.ThreadPool: a line for each
call's outcome."""

import sys
import threading
from multiprocessing import TimeoutError
from multiprocessing.pool import ThreadPool

# What a terminated pool still delivers comes within this time, or never. Both are accepted.
ABANDONED_AFTER = 0.03


class Mine(Exception):
    pass


class Machine:
    def __init__(self):
        self.pool = None
        self.workers = 0
        self.objects = {}
        self.unordered = set()
        self.gate = threading.Event()
        self.calls = []
        self.told = []

    # ---- The functions ----

    def function(self, name):
        def f(x, minus=None):
            self.calls.append(x)
            if minus is not None and minus != -x:
                raise Mine("not unpacked")
            if name == "odd_fails" and x % 2 == 1:
                raise Mine(f"odd {x}")
            if name == "fails":
                raise Mine(f"fails {x}")
            if name == "value_error":
                raise ValueError(f"mine {x}")
            if name == "nested":
                return self.pool.apply(self.function("square"), (x,)) + 1
            return x * x

        return f

    @staticmethod
    def held(started, gate):
        started.set()
        gate.wait()
        return 42

    @staticmethod
    def failing(count):
        yield from range(count)
        raise Mine("input")

    # ---- Outcomes ----

    def of_error(self, error, of_map=False):
        text = str(error)
        if text.endswith("not ready"):
            text = "not ready"
        elif of_map and self.workers > 1 and ("mine" in text or isinstance(error, Mine)):
            text = "..."  # which one is first depends on time
        return f"{type(error).__name__} {text}".strip()

    @staticmethod
    def of_value(value):
        if isinstance(value, list):
            return " ".join(["list", *map(str, value)])
        return f"value {value}"

    def outcome(self, call, of_map=False):
        try:
            return self.of_value(call())
        except StopIteration:
            return "end"
        except Exception as error:
            return self.of_error(error, of_map)

    def callbacks(self, wanted, of_map):
        if wanted == "none":
            return {}
        return {
            "callback": lambda value: self.told.append("[" + self.of_value(value) + "]"),
            "error_callback": lambda error: self.told.append(
                "[" + self.of_error(error, of_map) + "]"
            ),
        }

    # ---- Calls ----

    def keep(self, name, call):
        try:
            self.objects[name] = call()
            return "ok"
        except Exception as error:
            return self.of_error(error)

    def do(self, words):
        kind, *args = words
        of_map = kind in ("map", "starmap")
        number = [int(word) if word.lstrip("-").isdigit() else word for word in args]
        if kind == "pool":
            try:
                self.pool = ThreadPool(number[0])
                self.workers = number[0]
                return "ok"
            except ValueError as error:
                return self.of_error(error)
        if kind == "apply":
            return self.outcome(lambda: self.pool.apply(self.function(args[0]), (number[1],)))
        if kind in ("map", "starmap", "map_bad"):
            chunksize = None if args[2] == "-" else number[2]
            items = {
                "map": lambda: range(number[1]),
                "starmap": lambda: [(x, -x) for x in range(number[1])],
                "map_bad": lambda: self.failing(number[1]),
            }[kind]()
            call = self.pool.starmap if kind == "starmap" else self.pool.map
            f = self.function(args[0])
            return self.outcome(lambda: call(f, items, chunksize), of_map)
        if kind == "apply_async":
            f = self.function(args[1])
            options = self.callbacks(args[3], False)
            return self.keep(args[0], lambda: self.pool.apply_async(f, (number[2],), **options))
        if kind in ("map_async", "starmap_async"):
            chunksize = None if args[3] == "-" else number[3]
            f = self.function(args[1])
            options = self.callbacks(args[4], True)
            items = range(number[2])
            if kind == "starmap_async":
                items = [(x, -x) for x in items]
            call = getattr(self.pool, kind)
            return self.keep(args[0], lambda: call(f, items, chunksize, **options))
        if kind in ("imap", "imap_unordered", "imap_bad"):
            f = self.function(args[1])
            items = self.failing(number[2]) if kind == "imap_bad" else range(number[2])
            call = self.pool.imap_unordered if kind == "imap_unordered" else self.pool.imap
            if kind == "imap_unordered":
                self.unordered.add(args[0])
            return self.keep(args[0], lambda: call(f, items, number[3]))
        if kind == "hold":
            started = threading.Event()
            text = self.keep(args[0], lambda: self.pool.apply_async(self.held, (started, self.gate)))
            if text == "ok":
                started.wait()
            return text
        if kind == "open":
            self.gate.set()
            self.gate = threading.Event()
            return "ok"
        if kind in ("close", "terminate", "join"):
            return self.outcome(lambda: getattr(self.pool, kind)() or "ok").replace("value ", "")
        if kind == "state":
            return repr(self.pool).split(" ", 1)[1]
        if kind == "callbacks":
            return " ".join(self.told if self.workers == 1 else sorted(self.told))
        if kind == "calls":
            return str(len(self.calls))
        return self.use(kind, args[0])

    def use(self, kind, name):
        if name not in self.objects:
            return "nothing"
        it = self.objects[name]
        of_map = hasattr(it, "_number_left")
        if kind == "get":
            return self.outcome(it.get, of_map)
        if kind == "poll":
            return self.outcome(lambda: it.get(0), of_map)
        if kind == "wait":
            it.wait()
            return "ok"
        if kind in ("ready", "successful"):
            return self.outcome(lambda: getattr(it, kind)()).replace("value ", "")
        if kind == "next":
            return self.outcome(lambda: next(it))
        if kind == "abandoned":
            return self.outcome(lambda: it.get(ABANDONED_AFTER), of_map)
        if kind == "abandoned_next":
            return self.outcome(lambda: it.next(ABANDONED_AFTER))
        assert kind == "drain", kind
        items = []
        while (item := self.outcome(lambda: next(it))) != "end":
            items.append(f"[{item}]")
        if name in self.unordered and self.workers > 1:
            items.sort()
        return " ".join(["items", *items])


def main():
    machine = Machine()
    for line in sys.stdin:
        words = line.split()
        if words[0] == "program":
            if machine.pool is not None:
                machine.gate.set()
                machine.pool.terminate()
            machine = Machine()
            print(line.strip(), flush=True)
        elif machine.pool is None and words[0] != "pool":
            print("no pool")
        else:
            print(machine.do(words), flush=True)


if __name__ == "__main__":
    main()
