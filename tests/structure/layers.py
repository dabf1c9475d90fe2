#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tells whether the headers' includes point one way: layers.py <include folder>.

A header includes headers of its own layer, or of those below it; and no two include each other.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r"^#include <(millpond/[\w/]+\.hpp)>", re.MULTILINE)

# From the bottom up. What stands together in a line does not include each other.
LAYERS = [
    ["millpond/version.hpp"],
    ["millpond/detail/platform/", "millpond/errors.hpp", "millpond/state.hpp",
     "millpond/cpu_count.hpp"],
    ["millpond/detail/engine/", "millpond/detail/calls/", "millpond/options.hpp"],
    ["millpond/detail/results/"],
    ["millpond/detail/jobs/", "millpond/detail/imap/"],
    ["millpond/detail/definitions.hpp"],
    ["millpond/async_result.hpp", "millpond/imap_iterator.hpp", "millpond/this_worker.hpp",
     "millpond/wait.hpp"],
    ["millpond/thread_pool.hpp"],
    ["millpond/coroutine.hpp", "millpond/millpond.hpp"],
]


def layer_of(header):
    for number, names in enumerate(LAYERS):
        if any(header == name or (name.endswith("/") and header.startswith(name))
               for name in names):
            return number
    sys.exit(f"{header} belongs to no layer")


def find_circle(includes):
    """Headers that include each other, in that order; none if there are none."""
    done = set()

    def visit(header, path):
        if header in path:
            return [*path[path.index(header):], header]
        if header in done:
            return []
        done.add(header)
        for included in includes[header]:
            circle = visit(included, [*path, header])
            if circle:
                return circle
        return []

    for header in includes:
        circle = visit(header, [])
        if circle:
            return circle
    return []


def main():
    root = pathlib.Path(sys.argv[1])
    headers = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.hpp"))]
    includes = {header: INCLUDE.findall((root / header).read_text()) for header in headers}
    wrong = [f"{header} includes {included}, which is above it"
             for header, all_included in includes.items() for included in all_included
             if layer_of(included) > layer_of(header)]
    circle = find_circle(includes)
    if circle:
        wrong.append("a circle: " + " -> ".join(circle))
    print("\n".join(wrong) or f"{len(headers)} headers in {len(LAYERS)} layers")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
