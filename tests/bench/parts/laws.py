# SPDX-License-Identifier: MIT
"""How cost grows: seconds against a size, at five sizes or more, each twice the one before, one thread. A row is the slope of a
straight line through their logarithms, fitted by least squares: 1 where twice the size costs twice as much. Costs are CPU
time: of whole programs, or of a step in memory (programs/dqn.c)."""
import shutil
import statistics

import fit
import train
import vectors

LEAST = 1e-6  # seconds; CPU time counts in steps, so that what is quick may have taken none


def doublings(first, count):
    return [first << i for i in range(count)]


def step(bench, batch, width):
    """CPU seconds of a step of a deep Q-network 102-WIDTH-WIDTH-500."""
    sizes = ["102", "500", str(batch), "0.2", str(width), str(width)]
    return bench.answer(bench.helper("dqn"), "1", str(bench.pick(60, 1)), *sizes)["cpu_s"]


def candidates(bench, count):
    """CPU seconds of a step of the published Q-network that acts on the best of so many candidates and learns from one batch."""
    run = [bench.program("dq-train"), "-q", "--user", "0", "--reward", "cosine", "--agent", "dqn", "--threads", "1",
           "--epsilon", "0", "--epsilon-min", "0", "--episodes", "1", "--candidates", str(count), "--batch", "16", "--warmup", "16",
           *bench.pick([], ["--hidden", "8"]), train.catalogue(bench)]
    none, some = (bench.drained([*run, "--steps", str(steps)]).cpu for steps in (16, 36))
    return (some - none) / 20


def ranking(bench, users, items, *options):
    """The Cost of dq-rank by the published network."""
    part = f"{bench.dir}/laws.{users}x{items}.dq"
    with bench.making(part) as new:
        if new:
            bench.run(f"{vectors.export(bench)} --limit users:{users} --limit items:{items} -o {new}")
    return bench.run([bench.program("dq-rank"), "-q", "-k", "10", "--format", "tsv", "--threads", "1", "--model", vectors.model(bench),
                      *options, part])


def agents(bench, users):
    """CPU seconds of dq-train --each-user, an agent of its own for each."""
    part = f"{bench.dir}/laws.agents.{users}.dq"
    with bench.making(part) as new:
        if new:
            bench.run(f"{vectors.export(bench, 'few')} --limit users:{users} --interactions {bench.dir}/rank.seen.jsonl -o - | "
                      f"{bench.program('dq-reward')} -q --strategy logged --map CLICK=1,IGNORE=0 -o {new}")
    return bench.drained([bench.program("dq-train"), "-q", "--each-user", "--reward", "logged", "--threads", "1", "--episodes", "1", "--steps",
                          "70", "--warmup", "64", "--hidden", bench.pick("256,128", "8"), part]).cpu


def draw(bench, rows, picture):
    """The costs as dq-eval draws them: how many times the smallest, both axes in logarithms, so that slopes are comparable."""
    table = f"{bench.dir}/laws.tsv"
    with open(table, "w") as f:
        f.write("size\tcost\tof\n")
        for row in rows:
            (first, least), name = row["points"][0], row["what"].split(",")[0]
            f.writelines(f"{n / first:.4g}\t{cost / least:.4g}\t{name}\n" for n, cost in row["points"])
    lines = "lines:x=size,y=cost,series=of,log=xy,xlabel=times the smallest size,ylabel=times its cost"
    bench.run([bench.program("dq-eval"), "--quiet", "--draw", lines, "--title", "How cost grows", "--plot", picture, table])


def measure(bench):
    b = bench
    laws = [  # name, what it costs, its sizes, the cost of one, the slope that theory has at most
        ("batch", "a step of a network 102-256-256-500", b.pick(doublings(16, 6), [8, 16]), lambda n: step(b, n, 256), 1),
        ("width", "the same with batch 64", b.pick(doublings(64, 5), [8, 16]), lambda n: step(b, 64, n), 2),
        ("candidates", "acting and learning, published network", b.pick(doublings(50, 5), [10, 20]), lambda n: candidates(b, n), 1),
        ("items", "`dq-rank` for a user", b.pick(doublings(1000, 5), [50, 100]), lambda n: ranking(b, 1, n).cpu, 1),
        ("users", "`dq-rank` of 2,000 items", b.pick(doublings(1, 5), [1, 2]), lambda n: ranking(b, n, b.pick(2000, 50)).cpu, 1),
        ("agents", "`dq-train --each-user`", b.pick(doublings(1, 5), [1, 2]), lambda n: agents(b, n), 1)]
    for name, what, sizes, cost, most in laws:
        rounds = [[(n, max(cost(n), LEAST)) for n in sizes] for _ in range(min(b.rounds, 2))]
        points = [(n, statistics.median(r[i][1] for r in rounds)) for i, n in enumerate(sizes)]
        bench.row(f"{name}, {sizes[0]:,} to {sizes[-1]:,}: {what}", "slope", [fit.slope(points) for points in rounds], bound=most + 0.1,
                  points=points)
    if shutil.which("gnuplot"):
        draw(bench, bench.rows, bench.picture("laws"))
    else:
        bench.skip("no gnuplot: nothing is drawn")
