#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of docs/performance.md from docs/performance.json; the prose around them is edited there by hand.

    page.py RECORD.json PAGE.md           what stands between <!-- bench: PART --> and <!-- end --> is written anew
    page.py --check RECORD.json PAGE.md   says what would change, and ends with 1 if anything would
"""
import argparse
import difflib
import os
import re
import sys

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
        return text if "e" not in text else f"{x:.7f}".rstrip("0")
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


def table(rows):
    """Markdown; columns that no row fills are left out."""
    cells = [[cell(row).replace("|", "\\|") for _, cell in COLUMNS] for row in rows]
    used = [i for i in range(len(COLUMNS)) if any(row[i] for row in cells)]
    lines = [[COLUMNS[i][0] for i in used], ["---"] * len(used), *[[row[i] for i in used] for row in cells]]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def about(cpu, part):
    """When and where, and what the reader has to know of the circumstances."""
    words = [part["date"], f"commit {part['commit']}", cpu, part["kernels"], f"{part['rounds']} round{'s' if part['rounds'] > 1 else ''}"]
    words += [f"{name} {version}" for name, version in part["versions"].items() if version]
    if not re.search(rf", {part['threads']} cores?$", cpu):
        words.append(f"{part['threads']} thread{'s' if part['threads'] > 1 else ''}")
    busy = part["load"] > 0.5
    words.append(f"**beside other work: load average {part['load']}**" if busy else f"load average {part['load']} before")
    return "; ".join(filter(None, words))


def section(parts, cpus):
    """The tables of a part, a CPU each, the newest first."""
    have = sorted(((cpu["parts"][parts], name) for name, cpu in cpus.items() if parts in cpu["parts"]),
                  key=lambda x: x[0]["date"], reverse=True)
    return "".join(f"{table(part['rows'])}\n<sub>{about(cpu, part)}.</sub>\n\n" for part, cpu in have) or "Not measured yet.\n\n"


def write(text, facts):
    """The page with its tables, from the record."""
    cpus = facts.get("cpus", {})
    places = {m[2] for m in MARKED.finditer(text)}
    endless = set(re.findall(BEGIN, text)) - places
    if endless:  # to the next end there may be prose
        sys.exit(f"no <!-- end --> on the page behind <!-- bench: {endless.pop()} -->")
    text = MARKED.sub(lambda m: f"{m[1]}\n{section(m[2], cpus)}{m[3]}", text)
    missing = {part for cpu in cpus.values() for part in cpu["parts"]} - places
    if missing:
        sys.exit(f"the page has no place for {', '.join(sorted(missing))}: <!-- bench: PART --> and <!-- end -->")
    return text


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--check", action="store_true")
    p.add_argument("record")
    p.add_argument("page")
    a = p.parse_args()
    for path in (a.record, a.page):
        if not os.path.exists(path):
            p.error(f"no file {path}")
    with open(a.page) as f:
        old = f.read()
    new = write(old, record.read(a.record))
    if a.check:
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), a.page, "what the record says"))
        return new != old
    with open(a.page, "w") as f:
        f.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
