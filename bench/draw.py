#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what run.py measured, and writes the page around it: README.md, ratios.svg, growth.svg.

    bench/draw.py                                  build/bench/results/short.json -> docs/benchmarks
    bench/draw.py results.json --out elsewhere

Every number on the page and in the pictures comes from the results.
"""

import argparse
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # nothing but the sources in the source tree

from report.figures import FIGURES, Series, growth_lines, make_row  # noqa: E402
from report.page import page  # noqa: E402
from report.picture import growth_picture, ratio_picture  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "build" / "bench" / "results" / "short.json"
    parser.add_argument("results", type=pathlib.Path, nargs="?", default=default)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "benchmarks")
    options = parser.parse_args()

    results = json.loads(options.results.read_text())
    all_series = [Series(benchmark) for benchmark in results["benchmarks"]]
    cores = results["context"]["cores"]
    rows = [row for row in (make_row(f, all_series, cores) for f in FIGURES) if row]
    lines = growth_lines(all_series)

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "ratios.svg").write_text(ratio_picture(rows))
    if lines:
        (options.out / "growth.svg").write_text(growth_picture(lines))
    (options.out / "README.md").write_text(page(results, all_series, rows, lines))
    print(f"{len(rows)} ratios: {options.out}")


if __name__ == "__main__":
    main()
