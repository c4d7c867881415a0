# SPDX-License-Identifier: MIT
"""Implicit matrix factorisation: dq's conjugate gradients against `implicit` (IMPLICIT_PYTHON) and against dq's exact solution.

4,000 items, 6,000 users, about 650,000 seeded interactions in memory, 64 numbers, 15 sweeps, alpha 40, lambda 1, as many threads
each: the fit alone. What each makes of the objective is a row of its own, lower is better. A program's fits are the same each
time, so the exact solution, which takes long, has one round.
"""

def measure(bench):
    als, data = bench.helper("als"), f"{bench.dir}/als.bin"
    with bench.making(data) as new:
        if new:
            bench.run([als, "make", new])
    fit = [str(bench.threads), str(bench.pick(15, 1)), str(bench.pick(64, 4)), data]
    python = bench.python("IMPLICIT_PYTHON", "implicit, numpy, scipy")
    t = bench.turns({
        "`implicit`": (lambda: bench.answer(python, bench.peer("implicit_als.py"), "cg", *fit)) if python else None,
        "dq": lambda: bench.answer(als, "cg", *fit)})
    t["exact solution"] = [bench.answer(als, "exact", *fit)]
    for peer in [p for p in t if p != "dq"]:
        theirs, ours = t[peer], t["dq"]
        for what, key in (("CPU in user mode", "cpu_s"), ("wall", "wall_s")):
            bench.row(f"fit of 64 numbers, 15 sweeps, {what}", "s", [a[key] for a in ours], peer, [a[key] for a in theirs], ratio=1)
        bench.row("its objective in thousands", "", [a["objective"] / 1e3 for a in ours], peer, [a["objective"] / 1e3 for a in theirs],
                  ratio=0.99)
