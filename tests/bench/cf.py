# SPDX-License-Identifier: MIT
"""Implicit matrix factorisation: dq's conjugate gradients against `implicit` (IMPLICIT_PYTHON names a Python that has it)
and against dq's own exact solution.

4,000 items, 6,000 users, about 650,000 seeded interactions in memory, 64 numbers, 15 sweeps, alpha 40, lambda 1, two threads
each: the fit alone, its CPU seconds in user mode and its wall seconds. What each makes of the objective is a row of
its own: the peer's over dq's, above 1 where dq's is lower. A program's fits are the same each time.
"""
import os
import subprocess
import sys

SWEEPS, WIDTH = 15, 64


def missing(python):
    return not python or subprocess.run([python, "-c", "import implicit, numpy, scipy"], capture_output=True).returncode != 0


def measure(bench):
    als, data = f"{bench.dir}/als", f"{bench.dir}/als.bin"
    subprocess.run([als, "make", data], check=True, stdout=subprocess.DEVNULL)
    python, threads = os.environ.get("IMPLICIT_PYTHON"), os.environ.get("DQ_THREADS", "2")
    fit = (threads, str(SWEEPS), str(WIDTH), data)
    sides = [("exact solution", (als, "exact"), 1.0)]
    if missing(python):
        print("no implicit (IMPLICIT_PYTHON names a Python that has it): its rows are left out", file=sys.stderr)
    else:
        sides.insert(0, ("implicit", (python, f"{bench.peers}/implicit_als.py", "cg"), 1.0))
    for name, command, wanted in sides:
        objective = {}

        def fitted(who, command, objective=objective):
            a = bench.answer(*command, *fit)
            objective[who] = a["objective"]
            return a["cpu_s"], a["wall_s"]

        cpu, wall = bench.turns(lambda c=command: fitted("theirs", c), lambda: fitted("ours", (als, "cg")))
        bench.row("cf:64, 15 sweeps, CPU in user mode", name, cpu, wanted)
        bench.row("cf:64, 15 sweeps, wall", name, wall, None)
        theirs, ours = objective["theirs"], objective["ours"]
        bench.rows.append(("cf:64, 15 sweeps, objective in thousands", name, theirs / 1e3, ours / 1e3, "", theirs / ours, 0.99))
