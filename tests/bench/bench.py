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


def cpu_of_bench():
    """Seconds of this process and of those it waited for."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def cpu_of_machine():
    """Seconds in which the machine's cores were at work, for whomever."""
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq = map(int, f.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def measured(bench, name, measure, common):
    """A part's record: its rows, and when and how they came; None where it cannot run here."""
    bench.rows, bench.versions = [], {}
    begun, own, all_of_them = time.monotonic(), cpu_of_bench(), cpu_of_machine()
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
    took, own = time.monotonic() - begun, cpu_of_bench() - own
    others = max(0.0, cpu_of_machine() - all_of_them - own) / took
    say(f"  {took:.0f} s, {own:.0f} of CPU; others took {others:.2f} cores")
    return {**common, "others": round(others, 2), "seconds": round(took, 1), "versions": {**common["versions"], **bench.versions},
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
