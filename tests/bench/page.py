#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of docs/performance.md and docs/scaling.md from docs/performance.json; the prose around them is edited there by
hand.

    page.py RECORD.json PAGE.md...          what stands between <!-- bench: PART --> and <!-- end --> is written anew
    page.py --check RECORD.json PAGE.md...  says what would change, and ends with 1 if anything would
"""
import argparse
import difflib
import os
import re
import sys

import plan
import record

BEGIN = r"<!-- bench: (\S+) -->"
MARKED = re.compile(rf"({BEGIN}\n)(?:(?!<!-- bench: ).)*?(<!-- end -->)", re.S)


def figure(x):
    """Three digits: 0.0123, 1.23, 123, 12,300."""
    if x == 0:
        return "0"
    digits = 3 - len(f"{abs(x):.0f}") if abs(x) >= 1 else None
    if digits is None:
        text = f"{x:.3g}"
        return text if "e" not in text else f"{x:.7f}".rstrip("0").rstrip(".")
    text = f"{round(x, digits):,.{max(0, digits)}f}"
    return text


def spread(values):
    middle, low, high = map(figure, values)
    return middle if low == high else f"{middle} ({low} to {high})"


def wanted(row):
    """What was aimed at, in words, and whether it was not reached."""
    words = []
    for kind, aim in row.get("wanted", {}).items():
        has = {"ratio": row.get("ratio"), "share": row.get("share")}.get(kind, row["dq"][0])
        low = kind == "bound" and row["better"] == "lower"
        text = f"{100 * aim:.0f} %" if kind == "share" else f"{figure(aim)} ×" if kind == "ratio" else f"{'≤' if low else '≥'} {figure(aim)}"
        words.append(text if (has <= aim if low else has >= aim) else f"{text}: **not reached**")
    return "; ".join(words)


def fallen(row):
    return f" ▼ was {figure(row['fell'])}" if "fell" in row else ""


def limit(row):
    return f"{figure(row['limit'])} ({row['limited_by']})" if "limit" in row else ""


COLUMNS = [  # heading, the cell of a row
    ("", lambda r: r["what"] + (f", {r['unit']}" if r["unit"] else "")),
    ("peer", lambda r: r.get("peer", "")),
    ("theirs", lambda r: spread(r["theirs"]) if "theirs" in r else ""),
    ("dq", lambda r: spread(r["dq"]) + ("" if "ratio" in r else fallen(r))),
    ("ratio", lambda r: figure(r["ratio"]) + fallen(r) if "ratio" in r else ""),
    ("limit", limit),
    ("of it", lambda r: f"{100 * r['share']:.0f} %" if "share" in r else ""),
    ("wanted", wanted),
]


LAWS = [  # of a row that is a law, in its place
    ("", lambda r: f"{r['what']}, {r['law']['times'][0][0]:,} to {r['law']['times'][-1][0]:,} {plural(r['law']['of'])}"),
    ("fixed, s", lambda r: figure(r["law"]["seconds"]["fixed"])),
    ("each, µs", lambda r: spread(r["dq"]) + fallen(r)),
    ("off by", lambda r: f"{100 * r['law']['seconds']['off']:.0f} %"),
    ("slope", lambda r: f"{r['law']['seconds']['slope']:.2f}"),
    ("memory, MiB", lambda r: figure(r["law"]["memory"]["mib"])),
    ("bytes each", lambda r: figure(r["law"]["memory"]["bytes"]) if r["law"]["memory"]["bytes"] else "none"),
    ("slope", lambda r: f"{r['law']['memory']['slope']:.2f}"),
    ("bytes written each", lambda r: figure(r["law"]["disk"]) if "disk" in r["law"] else ""),
]


def plural(word):
    return word + "s"


def markdown(columns, rows):
    """Columns that no row fills are left out."""
    cells = [[cell(row).replace("|", "\\|") for _, cell in columns] for row in rows]
    used = [i for i in range(len(columns)) if any(row[i] for row in cells)]
    lines = [[columns[i][0] for i in used], ["---"] * len(used), *[[row[i] for i in used] for row in cells]]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def table(rows):
    """Laws, if there are any, and the other rows."""
    fitted = [row for row in rows if "times" in row.get("law", {})]
    others = [row for row in rows if row not in fitted]
    return "\n".join(markdown(columns, some) for columns, some in ((LAWS, fitted), (COLUMNS, others)) if some)


def about(cpu, part):
    """When and where, and what the reader has to know of the circumstances."""
    words = [part["date"], f"commit {part['commit']}", cpu, part["kernels"], f"{part['rounds']} round{'s' if part['rounds'] > 1 else ''}"]
    words += [f"{name} {version}" for name, version in part["versions"].items() if version]
    if not re.search(rf", {part['threads']} cores?$", cpu):
        words.append(f"{part['threads']} thread{'s' if part['threads'] > 1 else ''}")
    if "others" in part:
        words.append(f"**beside other work on {part['others']} cores**" if part["others"] > 0.1 else "nothing else ran")
    else:  # a record of before others were counted: the load average may be the part's before it
        words.append(f"load average {part['load']} before")
    return "; ".join(filter(None, words))


VIEWS = {"plan": ("scaling", plan.table)}  # tables that are computed from a part's rows, by the name of their place


def section(name, cpus):
    """The tables of a place, a CPU each, the newest first."""
    part, view = VIEWS.get(name, (name, table))
    have = sorted(((cpu["parts"][part], cpu_name) for cpu_name, cpu in cpus.items() if part in cpu["parts"]),
                  key=lambda x: x[0]["date"], reverse=True)
    return "".join(f"{view(measured['rows'])}\n<sub>{about(cpu, measured)}.</sub>\n\n" for measured, cpu in have) or "Not measured yet.\n\n"


def write(texts, facts):
    """Pages with their tables, from the record; each of its parts has a place on one of them."""
    cpus = facts.get("cpus", {})
    places = set()
    for text in texts:
        here = {m[2] for m in MARKED.finditer(text)}
        endless = set(re.findall(BEGIN, text)) - here
        if endless:  # to the next end there may be prose
            sys.exit(f"no <!-- end --> on the page behind <!-- bench: {endless.pop()} -->")
        places |= here
    missing = {part for cpu in cpus.values() for part in cpu["parts"]} - places
    if missing:
        sys.exit(f"no page has a place for {', '.join(sorted(missing))}: <!-- bench: PART --> and <!-- end -->")
    return [MARKED.sub(lambda m: f"{m[1]}\n{section(m[2], cpus)}{m[3]}", text) for text in texts]


def read(path):
    with open(path) as f:
        return f.read()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--check", action="store_true")
    p.add_argument("record")
    p.add_argument("pages", nargs="+", metavar="page")
    a = p.parse_args()
    for path in (a.record, *a.pages):
        if not os.path.exists(path):
            p.error(f"no file {path}")
    old = [read(path) for path in a.pages]
    new = write(old, record.read(a.record))
    for path, before, after in zip(a.pages, old, new):
        if a.check:
            sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), path, "what the record says"))
        else:
            with open(path, "w") as f:
                f.write(after)
    return a.check and new != old


if __name__ == "__main__":
    sys.exit(main())
