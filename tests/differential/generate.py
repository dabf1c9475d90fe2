# SPDX-License-Identifier: MIT
"""Random programs of Pool calls, a line a call; the same seed gives the same programs.

    pool N                           a pool of N workers
    apply F X                        and the other calls, by their Python names; results and
    apply_async R F X CB             iterators have names; CB: whether there are callbacks
    map F K C                        over 0 .. K-1, with chunksize C ("-": none)
    map_bad F K C, imap_bad I F K C  over input that raises after K items
    hold R                           a task that waits until `open`; returns when it has started
    get R, wait R, ready R, successful R, poll R (a get that is not given time)
    next I, drain I (to the end)
    close, terminate, join, open, state
    callbacks                        what they were told
    calls                            how often functions were called

What would hang in CPython whatever happens, or depends on time, is not generated, with one
exception: what a terminated pool has not delivered (abandoned R, abandoned_next I)."""

import random

FUNCTIONS = ["square", "odd_fails", "fails", "value_error"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.workers = 0
        self.names = 0
        self.held = []  # results of tasks that wait
        self.results = {}  # name: whether it has been waited for
        self.iterators = {}  # name: [calls are in order, may be asked for the next one]
        self.state = "run"

    def emit(self, *words):
        self.lines.append(" ".join(str(word) for word in words))

    def name(self, letter):
        self.names += 1
        return f"{letter}{self.names}"

    def function(self):
        return self.random.choice(FUNCTIONS)

    def chunksize(self):
        return self.random.choice(["-", "-", 1, 1, 2, 3, 5, 100, 0, -1])

    def blocked(self):
        """Whether no worker is free, so that nobody may wait for work."""
        return len(self.held) >= self.workers

    def program(self):
        self.workers = self.random.choice([1, 1, 2, 3, 4])
        if self.random.random() < 0.02:
            self.emit("pool", self.random.choice([0, -1]))
            return self.lines
        self.emit("pool", self.workers)
        for _ in range(self.random.randint(1, 14)):
            self.issue() if self.random.random() < 0.6 else self.look()
        if self.random.random() < 0.5:
            self.end()
            for _ in range(self.random.randint(0, 4)):
                self.random.choice([self.issue, self.look_at_the_end])()
            if self.random.random() < 0.3:
                self.end()
        return self.lines

    def issue(self):
        r = self.random
        kinds = ["apply_async", "map_async", "starmap_async", "imap", "imap_unordered", "imap_bad"]
        if not self.blocked() or self.state != "run":
            kinds += ["apply", "map", "starmap", "map_bad"]
        if self.state == "run" and not self.blocked() and not self.unsettled():
            kinds += ["hold"]
            if self.workers - len(self.held) >= 2:
                kinds += ["nested"]
        kind = r.choice(kinds)
        count = r.choice([0, 1, 2, 3, 4, 7, 10])
        callbacks = r.choice(["none", "both"])
        if kind == "apply":
            self.emit(kind, self.function(), r.randint(0, 9))
        elif kind == "nested":
            self.emit("apply", "nested", r.randint(0, 9))
        elif kind in ("map", "starmap", "map_bad"):
            self.emit(kind, self.function(), count, self.chunksize())
        elif kind == "hold":
            name = self.name("h")
            self.emit(kind, name)
            self.held.append(name)
        elif kind == "apply_async":
            name = self.name("r")
            self.emit(kind, name, self.function(), r.randint(0, 9), callbacks)
            self.accepted(self.results, name, False)
        elif kind in ("map_async", "starmap_async"):
            name = self.name("r")
            self.emit(kind, name, self.function(), count, self.chunksize(), callbacks)
            self.accepted(self.results, name, False)
        else:
            name = self.name("i")
            chunksize = r.choice([1, 1, 1, 2, 3, 0])
            self.emit(kind, name, self.function(), count, chunksize)
            if chunksize > 0:
                self.accepted(self.iterators, name, [kind != "imap_unordered", chunksize == 1])

    def accepted(self, kind, name, value):
        if self.state == "run":
            kind[name] = value

    def unsettled(self):
        return [name for name, waited in self.results.items() if not waited]

    def look(self):
        r = self.random
        if self.held and r.random() < 0.4:
            self.emit(r.choice(["poll", "ready", "successful"]), r.choice(self.held))
            return
        if self.blocked() or (self.held and r.random() < 0.2):
            self.open()
            return
        if self.results and r.random() < 0.6:
            name = r.choice(list(self.results))
            self.emit(r.choice(["get", "get", "wait"]), name)
            self.results[name] = True
            if r.random() < 0.5:
                self.emit(r.choice(["ready", "successful", "get", "poll"]), name)
        elif self.iterators:
            name = r.choice(list(self.iterators))
            in_order = self.iterators[name][0]
            if (in_order or self.workers == 1) and r.random() < 0.6:
                self.emit("next", name)
            else:
                self.emit("drain", name)
        else:
            self.emit("join" if r.random() < 0.3 and self.state == "run" else "state")
        if not self.unsettled() and r.random() < 0.2:
            self.emit("callbacks")

    def open(self):
        self.emit("open")
        for name in self.held:
            self.emit("get", name)
        self.held = []

    def end(self):
        """Ends the pool one way or the other."""
        r = self.random
        if self.state == "run" and r.random() < 0.6:
            if self.held:
                self.open()
            self.state = "closed"
            self.emit("close")
            if r.random() < 0.5:
                self.emit("state")
            self.emit("join")
            for name in self.results:
                self.results[name] = True
            self.emit("callbacks")
            self.emit("calls")
        else:
            # What waits behind held tasks never starts, what was waited for stays.
            self.emit("terminate")
            self.emit("state")
            if self.state == "run":
                for name in self.unsettled():
                    self.emit("abandoned", name)
                    del self.results[name]
                for name, (_, may_ask) in self.iterators.items():
                    if may_ask:
                        self.emit("abandoned_next", name)
                self.iterators = {}
                self.state = "terminated"
            if self.held:
                self.emit("open")
                self.held = []
            self.emit("join")

    def look_at_the_end(self):
        r = self.random
        settled = [name for name, waited in self.results.items() if waited]
        if settled and r.random() < 0.5:
            self.emit(r.choice(["get", "ready", "successful"]), r.choice(settled))
        elif self.iterators and self.state == "closed":
            self.emit("drain", r.choice(list(self.iterators)))
        else:
            self.emit(r.choice(["state", "close", "join"]))


def programs(seed, count):
    return [Generator(f"{seed}.{number}").program() for number in range(count)]
