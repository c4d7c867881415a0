#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Entree's sessions as dq-export reads them, split by time: split.py DATA OUT SINCE

Writes OUT/items.jsonl (a restaurant each, with a vector of its own: one-hot), and for train (sessions before SINCE) and
test (the others) users, one a session, and interactions: the restaurants of the session in their order, without
immediate repetitions, each with the question that was asked at it and led away from it (`asked`: L browse, M cheaper,
N nicer, P more traditional, Q more creative, R livelier, S quieter; the last one of several). Known is when a session began, to the second, and in which order it went; so its visits are dated a
second apart. A session of one restaurant tells nothing of what follows, and is left out. Of a test session the
last restaurant is held out, OUT/test.qrels.
"""
import csv
import datetime
import json
import os
import subprocess
import sys

data, out, since = sys.argv[1:]
os.makedirs(out, exist_ok=True)


def table(text):
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def walk(row):
    """The restaurants that a session went through, and what was asked at each; the last one it saw closes it, and at that
    nothing was asked."""
    seen = [(int(step[:-1]), step[-1]) for step in row["steps"].split()] + [(int(row["end"]), None)]
    ways = []
    for i, (item, asked) in enumerate(seen):
        if item >= 0 and (i == 0 or item != seen[i - 1][0]):
            ways.append((item, asked))
        elif item >= 0 and asked:
            ways[-1] = (item, asked)
    return ways


def visit(session, item, asked, time):
    told = {"user": session, "item": str(item), "label": "VISIT", "time": time}
    return told | {"asked": asked} if asked else told


def second(time, n):
    """n seconds after the session's beginning: as ISO 8601, which sorts by its bytes."""
    return (datetime.datetime.fromisoformat(time) + datetime.timedelta(seconds=n)).isoformat()


def write(name, lines):
    with open(f"{out}/{name}.jsonl", "w", encoding="utf-8") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)


with open(f"{data}/restaurants_chicago.tsv", encoding="utf-8") as f:
    restaurants = table(f.read())
width = len(restaurants)
write("items", ({"id": str(int(r["restaurant_id"])), "name": r["name"], "vector": [int(i == n) for i in range(width)]}
                for n, r in enumerate(restaurants)))
sessions = table(subprocess.run(["zstd", "-dcq", f"{data}/sessions.tsv.zst"], check=True, stdout=subprocess.PIPE).stdout.decode())
with open(f"{out}/test.qrels", "w", encoding="utf-8") as qrels:
    for part in ("train", "test"):
        walks = [(r["session_id"], r["time"], walk(r)) for r in sessions if (r["time"] >= since) == (part == "test")]
        walks = [w for w in walks if len(w[2]) > 1]
        write(f"{part}-users", ({"id": session} for session, _, _ in walks))
        held = part == "test"
        write(f"{part}-visits", (visit(session, item, asked, second(time, n)) for session, time, items in walks
                                 for n, (item, asked) in enumerate(items[:-1] if held else items)))
        if held:
            qrels.writelines(f"{session} 0 {items[-1][0]} 1\n" for session, _, items in walks)
