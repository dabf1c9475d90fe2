# SPDX-License-Identifier: MIT
"""Numbers as people read them."""


def count(number):
    return f"{number:,}"


def plural(number, noun):
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def three_digits(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def time_text(seconds):
    for unit, scale in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{three_digits(seconds / scale)} {unit}"
    return f"{three_digits(seconds / 1e-9)} ns"


def size_text(number):
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"


def cores_text(cores):
    return "" if cores is None else f"{cores:.2f}"


def ratio_text(ratio):
    if ratio >= 10:
        return f"{ratio:.0f}"
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}"
