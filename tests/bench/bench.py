#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make bench`: runs parts, one after the other, and shows their rows; tests/bench/run says how to call it."""
import argparse
import importlib
import os
import shutil
import sys
import time
import traceback

import ceilings
import page
import record
from harness import HERE, ROOT, Bench, Skip, say

sys.path.insert(1, f"{HERE}/parts")
PARTS = sorted(name[:-3] for name in os.listdir(f"{HERE}/parts") if name.endswith(".py"))


def measured(bench, name, measure, common):
    """A part's record: its rows, and when and how they came; None where it cannot run here."""
    bench.rows, bench.versions = [], {}
    load, begun, before = round(os.getloadavg()[0], 2), time.monotonic(), os.times()
    say(f"{name}:")
    try:
        measure(bench)
    except Skip as why:
        say(f"  left out: {why}")
        return None
    except Exception:  # whatever it is: the other parts are measured all the same
        say(f"{traceback.format_exc()}  FAILED: {name}")
        bench.failed.append(name)
        return None
    took, after = time.monotonic() - begun, os.times()
    say(f"  {took:.0f} s, {after.children_user + after.children_system - before.children_user - before.children_system:.0f} of CPU")
    return {**common, "load": load, "seconds": round(took, 1), "versions": {**common["versions"], **bench.versions},
            "rows": bench.rows}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--quick", action="store_true", help="tiny sizes, one round, nothing written: does it still run?")
    p.add_argument("--write", action="store_true", help="put what was measured into the record, and its tables into the page")
    p.add_argument("--record", default=f"{ROOT}/docs/performance.json")
    p.add_argument("--page", action="append", help="where the tables are; may be repeated (docs/performance.md and docs/scaling.md)")
    p.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {' '.join(PARTS)}")
    a = p.parse_args()
    unknown = set(a.parts) - set(PARTS)
    if unknown:
        p.error(f"no part {', '.join(sorted(unknown))}; there are: {' '.join(PARTS)}")
    if a.quick and a.write and a.record == p.get_default("record"):
        p.error("quick figures are worth nothing: not written into docs/")
    bench = Bench(a.build, a.rounds, a.quick)
    facts = record.read(a.record)
    cpu = record.cpu_name(len(os.sched_getaffinity(0)))
    kept = facts.setdefault("cpus", {}).setdefault(cpu, {"parts": {}})["parts"]
    common = record.stamp(bench, ROOT)
    print(f"{cpu}; {common['kernels']}; commit {common['commit']}", flush=True)
    new = {}
    for name, module in [("ceilings", ceilings), *((name, importlib.import_module(name)) for name in a.parts or PARTS)]:
        part = measured(bench, name, module.measure, common)
        if part:
            before = kept.get(name, {})
            if not a.quick and before.get("threads") == part["threads"]:
                record.compare(part["rows"], before["rows"])
            new[name] = part
    for name, part in new.items():
        print(f"\n## {name}\n\n{page.table(part['rows'])}\n{page.about(cpu, part)}")
    kept.update(new)
    record.write(f"{bench.dir}/record.json", {"cpus": {cpu: {"parts": new}}})
    if a.write:
        record.write(a.record, facts)
        pages = a.page or [f"{ROOT}/docs/performance.md", f"{ROOT}/docs/scaling.md"]
        for path, text in zip(pages, page.write([page.read(path) for path in pages], record.read(a.record))):
            with open(path, "w") as f:
                f.write(text)
        for name in new.keys() & bench.pictures:
            shutil.copy(f"{bench.dir}/{name}.svg", f"{os.path.dirname(pages[0])}/cost-{name}.svg")
    if bench.failed:
        sys.exit(f"failed: {' '.join(bench.failed)}")


main()
