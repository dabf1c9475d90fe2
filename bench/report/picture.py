# SPDX-License-Identifier: MIT
"""The pictures, as SVG text: nothing has to be installed to draw them."""

import math
from html import escape

from report.text import ratio_text, time_text

FASTER, SLOWER, LIMIT, INK, FAINT = "#0b7285", "#d9480f", "#868e96", "#212529", "#dee2e6"
FONT = "font-family='Helvetica, Arial, sans-serif'"


class Canvas:
    """An SVG picture under construction."""

    def __init__(self, width, height):
        self.parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'"
            f" width='{width}' height='{height}' {FONT}>",
            f"<rect width='{width}' height='{height}' fill='white'/>",
        ]

    def line(self, x1, y1, x2, y2, color, width=1.0, dash=""):
        style = f" stroke-dasharray='{dash}'" if dash else ""
        self.parts.append(
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
            f" stroke='{color}' stroke-width='{width}'{style}/>"
        )

    def polyline(self, points, color, width=1.5, dash=""):
        style = f" stroke-dasharray='{dash}'" if dash else ""
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(
            f"<polyline points='{text}' fill='none'"
            f" stroke='{color}' stroke-width='{width}'{style}/>"
        )

    def dot(self, x, y, color, radius=5.0):
        self.parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{color}'/>")

    def diamond(self, x, y, color, r=5.0):
        self.parts.append(
            f"<path d='M{x - r:.1f} {y:.1f}L{x:.1f} {y - r:.1f}L{x + r:.1f} {y:.1f}"
            f"L{x:.1f} {y + r:.1f}Z' fill='white' stroke='{color}' stroke-width='1.5'/>"
        )

    def text(self, x, y, text, color=INK, size=12, anchor="start", bold=False):
        weight = " font-weight='bold'" if bold else ""
        self.parts.append(
            f"<text x='{x:.1f}' y='{y:.1f}' fill='{color}' font-size='{size}'"
            f" text-anchor='{anchor}'{weight}>{escape(text)}</text>"
        )

    def done(self):
        return "\n".join([*self.parts, "</svg>"]) + "\n"


class LogScale:
    """From [low, high], widened to ticks of 1 and 3 times powers of ten, to pixels."""

    def __init__(self, low, high, start, end):
        self.start, self.end = start, end
        ticks = [m * 10.0**e for e in range(-12, 7) for m in (1, 3)]
        first = max(i for i, tick in enumerate(ticks) if tick <= low)
        last = min(i for i, tick in enumerate(ticks) if tick >= high)
        self.ticks = ticks[first : last + 1]

    def __call__(self, value):
        low, high = math.log(self.ticks[0]), math.log(self.ticks[-1])
        return self.start + (math.log(value) - low) / (high - low) * (self.end - self.start)


def ratio_picture(rows):
    """A line a figure: the ratio to the best peer with its range, and the ratio to the limit."""
    left, plot, right, top, pitch = 330, 480, 290, 86, 24
    width, height = left + plot + right, top + pitch * len(rows) + 44
    ratios = [r for row in rows for pair in (row.to_peer, row.to_limit) if pair for r in pair]
    scale = LogScale(min(ratios), max(ratios), left, left + plot)
    canvas = Canvas(width, height)
    bottom = top + pitch * len(rows)

    canvas.text(16, 28, "Time, compared with the best peer and with the limit", size=17, bold=True)
    canvas.dot(22, 50, FASTER)
    canvas.text(32, 54, "faster than the best peer")
    canvas.dot(202, 50, SLOWER)
    canvas.text(212, 54, "slower; the bar is the range of the rounds")
    canvas.diamond(484, 50, LIMIT)
    canvas.text(494, 54, "compared with the limit: what the work costs with no pool around it")

    for tick in scale.ticks:
        x = scale(tick)
        canvas.line(x, top - 8, x, bottom, INK if tick == 1 else FAINT, 1.2 if tick == 1 else 1)
        for y in (top - 12, bottom + 16):
            canvas.text(x, y, f"{tick:g}", LIMIT, 11, "middle")
    canvas.text(left + plot / 2, bottom + 34, "ratio of times, less is faster", LIMIT, 11, "middle")

    for index, row in enumerate(rows):
        y = top + pitch * index + pitch / 2
        middle, least, greatest = row.to_peer
        color = FASTER if middle <= 1 else SLOWER
        if index > 0 and rows[index - 1].figure.label != row.figure.label:
            canvas.line(16, y - pitch / 2, width - 16, y - pitch / 2, FAINT)
        canvas.text(16, y + 4, row.figure.label, bold=True)
        canvas.text(56, y + 4, row.title)
        if row.to_limit:
            canvas.diamond(scale(row.to_limit[0]), y, LIMIT)
        canvas.line(scale(least), y, scale(greatest), y, color, 2.5)
        canvas.dot(scale(middle), y, color)
        canvas.text(left + plot + 56, y + 4, ratio_text(middle), color, 12, "end", bold=True)
        canvas.text(left + plot + 64, y + 4, f"of {row.peer}", LIMIT, 11)
    return canvas.done()


def growth_picture(lines):
    """A panel a workload: time a task over the number of workers."""
    titles = {
        "w01": "W1: a million empty tasks",
        "w02": "W2: 200,000 results",
        "w07": "W7: four producers",
    }
    left, panel, gap, top, plot = 64, 290, 34, 60, 250
    width = left + len(lines) * (panel + gap) + 8
    canvas = Canvas(width, top + plot + 58)
    times = [
        t for contenders in lines.values() for line in contenders.values() for t in line.values()
    ]
    workers = sorted(
        {w for contenders in lines.values() for line in contenders.values() for w in line}
    )
    scale = LogScale(min(times), max(times), top + plot, top)
    canvas.text(16, 28, "Time a task with more and more workers", size=17, bold=True)

    for index, (workload, contenders) in enumerate(lines.items()):
        start = left + index * (panel + gap)

        def x(count, start=start):
            span = math.log(workers[-1] / workers[0]) or 1.0
            return start + math.log(count / workers[0]) / span * (panel - 70)

        canvas.text(start, top - 12, titles[workload], size=13, bold=True)
        for tick in scale.ticks:
            canvas.line(start, scale(tick), start + panel - 70, scale(tick), FAINT)
            if index == 0:
                canvas.text(start - 8, scale(tick) + 4, time_text(tick), LIMIT, 11, "end")
        for count in workers:
            canvas.text(x(count), top + plot + 18, str(count), LIMIT, 11, "middle")
        canvas.text(x(workers[-1]) / 2 + start / 2, top + plot + 36, "workers", LIMIT, 11, "middle")
        taken = []
        for contender, line in sorted(contenders.items(), key=lambda c: -c[1][max(c[1])]):
            ours = contender.startswith("millpond")
            color = FASTER if ours else LIMIT
            points = [(x(w), scale(t)) for w, t in sorted(line.items())]
            canvas.polyline(
                points, color, 2.5 if ours else 1.5, "5 4" if contender == "contended" else ""
            )
            for point in points:
                canvas.dot(*point, color, 3.5 if ours else 2.5)
            label_y = points[-1][1]
            if taken:
                label_y = max(label_y, taken[-1] + 13)
            taken.append(label_y)
            name = contender.split("_")[0] if contender != "contended" else "lock alone"
            canvas.text(points[-1][0] + 7, label_y + 4, name, color, 11, bold=ours)
    return canvas.done()
