# SPDX-License-Identifier: MIT
"""The record of `make bench`, docs/performance.json: for each CPU, for each part, its last rows, and when, of which commit, with
what and beside how much other work they were measured. docs/performance.md is written from it (page.py).
"""
import datetime
import json
import os
import re
import subprocess

FALLS = 0.05  # a row that is worse by more than this has fallen; a time or rate only if its best is worse than the median before


def said(*command):
    """What a command says, or nothing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def cpu_name(cores):
    """The model with what tells its kind, for hypervisors shorten names: "AMD EPYC (family 25, model 17), 2 cores"."""
    with open("/proc/cpuinfo") as f:
        facts = dict(re.findall(r"^([^\t:]+)\t*: (.*)$", f.read(), re.M))
    name = re.sub(r"\((R|TM)\)| CPU| Processor|@.*", "", facts.get("model name", os.uname().machine)).strip()
    if "cpu family" in facts:
        name += f" (family {facts['cpu family']}, model {facts['model']})"
    return f"{name}, {cores} core{'s' if cores > 1 else ''}"


def commit(root):
    """The commit, with a + where the tree has changes (the record, its pages and pictures are none)."""
    changed = said("git", "-C", root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance.*",
                   ":!docs/scaling.md", ":!docs/cost-*.svg")
    return (said("git", "-C", root, "rev-parse", "--short=8", "HEAD") or "unknown") + ("+" if changed else "")


def stamp(bench, root):
    """What every part of a run says of it. versions: of what all parts use; a part adds its peers'."""
    version = said(bench.program("dq-train"), "--version").splitlines()
    return {"date": datetime.date.today().isoformat(), "commit": commit(root), "rounds": bench.rounds, "threads": bench.threads,
            "kernels": version[1] if len(version) > 1 else "", "versions": {"zstd": said("zstd", "-qV") or said("zstd", "-V"),
            "gcc": said("gcc", "-dumpfullversion")}}


def read(path):
    if not os.path.exists(path):
        return {}
    with open(path) as f:
        return json.load(f)


def key(row):
    return row["what"], row.get("peer", "")


def fell(row, before):
    """Whether a row is worse than it was: by its ratio to the peer where both have one, since times depend on the day."""
    if "ratio" in row and "ratio" in before:
        return row["ratio"] < before["ratio"] * (1 - FALLS)
    new, old, low = row["dq"], before["dq"][0], row["better"] == "lower"
    return new[0] > old * (1 + FALLS) and new[1] > old if low else new[0] < old * (1 - FALLS) and new[2] < old


def compare(rows, before):
    """Gives each row that has fallen what the same row was in the record before."""
    old = {key(row): row for row in before}
    for row in rows:
        was = old.get(key(row))
        if was and was["unit"] == row["unit"] and fell(row, was):
            row["fell"] = was["ratio"] if "ratio" in row and "ratio" in was else was["dq"][0]


def rounded(x):
    """Five digits are enough."""
    if isinstance(x, float):
        return float(f"{x:.5g}")
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return [rounded(v) for v in x] if isinstance(x, list) else x


def write(path, record):
    """As JSON, a row a line, so that a change shows what changed."""
    def lines(value, depth):
        pad = " " * depth
        if isinstance(value, dict) and depth < 4:
            inner = ",\n".join(f"{pad} {json.dumps(k)}: {lines(v, depth + 1)}" for k, v in value.items())
            return f"{{\n{inner}\n{pad}}}"
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n" + ",\n".join(f"{pad} {json.dumps(v, ensure_ascii=False)}" for v in value) + f"\n{pad}]"
        return json.dumps(value, ensure_ascii=False)
    with open(path + ".new", "w") as f:
        f.write(lines(rounded(record), 0) + "\n")
    os.rename(path + ".new", path)
