#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the tests reach, by room: prints a table of gcovr's JSON summary, and the files that are reached least.

    tests/coverage.py SUMMARY.json [N]    N: how many files (15)
"""
import collections
import json
import sys

KINDS = "line", "branch", "function"


def room(name):
    """lib/port/http/send.c is of lib/port/http, include/dq/arena.h of include/dq."""
    return name.rsplit("/", 1)[0]


def cells(counts):
    """Percentages of (covered, total) for each kind; a kind that is not there is a dash."""
    return "".join(f"{100 * c / t:10.1f}" if t else f"{'-':>10}" for c, t in counts)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)["files"]
    worst = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    sums = collections.defaultdict(lambda: [[0, 0] for _ in KINDS])
    for f in files:
        for where in room(f["filename"]), "all":
            for i, kind in enumerate(KINDS):
                sums[where][i][0] += f[kind + "_covered"]
                sums[where][i][1] += f[kind + "_total"]
    print(f"{'%':<24}{'lines':>10}{'branches':>10}{'functions':>10}{'of lines':>10}")
    for where in sorted(sums, key=lambda name: (name == "all", name)):
        print(f"{where:<24}{cells(sums[where])}{sums[where][0][1]:>10}")
    print(f"\nlines that no test reaches, most first ({worst} files)")
    files.sort(key=lambda f: f["line_covered"] - f["line_total"])
    for f in files[:worst]:
        print(f"{f['line_total'] - f['line_covered']:>6} of {f['line_total']:<5} {f['filename']}")


main()
