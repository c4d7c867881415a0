# SPDX-License-Identifier: MIT
"""Cost laws of docs/scaling.md: CPU seconds, peak memory and bytes written of whole programs at four sizes each, one thread, and
straight lines through them (fit.py). From these lines plan.py computes what 10⁹ pairs take on 1, 10 and 100 machines.

A law is a function that is given a size, and returns the Cost of a run of that size and the bytes that it left, if it left some.
"""
import concurrent.futures
import os
import shutil
import statistics
import time
from typing import Callable, NamedTuple

import fit
import laws
import pairs
import replay
import train
import vectors
from harness import Cost
from llm import Server, forget

MIB = 1 << 20
GROWS = 0.05  # memory that grows by less than this over all sizes is said to stay
NOTHING = 1e-6  # seconds; CPU time counts in steps, so that what is quick may have taken none
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
LABELS = "VIEW=0,CLICK=0.2,PURCHASE=1,RATING=1"


class Law(NamedTuple):
    key: str    # what plan.py asks for
    what: str   # in words
    unit: str   # what is counted
    sizes: list
    run: Callable  # size -> (Cost, bytes or None)


def together(costs):
    """Of processes that belong to one run: their time in all, the memory of the largest."""
    return Cost(sum(c.wall for c in costs), sum(c.user for c in costs), sum(c.cpu for c in costs), max(c.mib for c in costs))


def made(bench, name, line):
    """A file that a line of bash makes once; NEW in it is the file's name."""
    path = f"{bench.dir}/scaling.{name}"
    with bench.making(path) as new:
        if new:
            bench.run(line.replace("NEW", new))
    return path


# ---- data in ----

def export(bench, items):
    """Items 1536 wide out of an array."""
    out = f"{bench.dir}/scaling.export.dq"
    cost = bench.run(f"exec {vectors.export(bench)} --limit items:{items} -o {out}")
    return cost, os.stat(out).st_size


def interactions(bench, rows):
    """A stream of made-up users, items and so many of their interactions."""
    return made(bench, f"met.{rows}.dq", f"{bench.program('dq-sim')} -q --users {bench.pick(4000, 40)} --items {bench.pick(1000, 20)} "
                                         f"--interactions {rows} -o NEW")


def logged(bench, rows):
    """Interactions with rewards by their labels."""
    out = f"{bench.dir}/scaling.logged.{rows}.dq"
    cost = bench.run([bench.program("dq-reward"), "-q", "--strategy", "logged", "--map", LABELS, interactions(bench, rows), "-o", out])
    return cost, os.stat(out).st_size - os.stat(interactions(bench, rows)).st_size


# ---- labels ----

def cosines(bench, users, items):
    """All pairs of users and items."""
    if not os.path.exists(f"{bench.dir}/pairs.items.npy"):
        pairs.make_data(bench, {"users": bench.pick(2000, 20), "items": bench.pick(1000, 10)})
    part = made(bench, f"pairs.{users}x{items}.dq", f"{bench.program('dq-export')} -q --users {bench.dir}/pairs.users.jsonl --items "
                f"{bench.dir}/pairs.items.jsonl --limit users:{users} --limit items:{items} --compare hard_skills:tech_skills "
                "--compare soft_skills:soft_skills -o NEW")
    out = f"{bench.dir}/scaling.cosines.dq"
    cost = bench.run([bench.program("dq-reward"), "-q", "--strategy", "cosine", "--pairs", "all", part, "-o", out])
    return cost, os.stat(out).st_size - os.stat(part).st_size


def asked(bench, server, count, cached):
    """Questions to a model that answers at once, each made durable; or their answers out of the cache."""
    for name, row in replay.ROWS.items():
        path = f"{bench.dir}/scaling.{name}.jsonl"
        with open(path, "w") as f:
            f.writelines(row.replace("&", str(i)) + "\n" for i in range(count // 10 if name == "users" else 10))
    b, cache = f"{bench.dir}/scaling", f"{bench.dir}/scaling.{count}.db"
    bench.run([bench.program("dq-export"), "-q", "--users", f"{b}.users.jsonl", "--items", f"{b}.items.jsonl", "-o", f"{b}.ask.dq"])
    if not cached:
        server.clear()
        forget(cache)
    how = ["--cache-only", "--threads", "1"] if cached else ["--parallel", "64"]
    cost = server.label(cache, f"{b}.ask.dq", "--pairs", "all", *how)
    return cost, None if cached else os.stat(cache).st_size


# ---- training ----

def rows(bench, count):
    """A pass over transitions with next to no network: what reading them, keeping them and drawing them costs."""
    logged(bench, count)
    return bench.run([bench.program("dq-train"), "-q", "--threads", "1", "--offline", "--loss", "mse", "--epochs", "1", "--no-world",
                      "--factored", "0", "--features", "none", "--hidden", "4", "--batch", "64", "--map", LABELS, "-o",
                      f"{bench.dir}/scaling.rows.dq", f"{bench.dir}/scaling.logged.{count}.dq"]), None


def published(bench, count):
    """A pass over transitions by the published networks."""
    met = f"{bench.dir}/scaling.met.jsonl"
    with open(met, "w") as f:
        f.writelines(f'{{"user":"{i % vectors.USERS}","item":"{i // vectors.USERS}","label":"{"CLICK" if i * 7 % 10 < 3 else "IGNORE"}"}}\n'
                     for i in range(count))
    part = made(bench, f"published.{count}.dq", f"{vectors.export(bench)} --limit items:{count // vectors.USERS} --interactions {met} | "
                f"{bench.program('dq-reward')} -q --strategy logged --map CLICK=1,IGNORE=0 -o NEW")
    out = f"{bench.dir}/scaling.model.dq"
    cost = bench.run([bench.program("dq-train"), "-q", "--threads", "1", "--offline", "--preset", "published", "--validation", "0",
                      "--epochs", "1", "--batch", bench.pick("64", "8"), *bench.pick([], ["--hidden", "8"]), "-o", out, part])
    return cost, None


def ranks(bench, count):
    """A pass by so many processes, more of them than cores: the time of all together, which wait for each other without sleeping,
    and the memory of the largest, which keeps its share of the rows."""
    rows = bench.pick(100_000, 400)
    logged(bench, rows)
    return bench.run(["mpirun", "-q", "--oversubscribe", "--bind-to", "none", "-n", str(count), bench.program("dq-train"), "-q",
                      "--threads", "1", "--offline", "--mpi", "--tiles", "8", "--agent", "dqn", "--loss", "mse", "--features", "none",
                      "--epochs", "1", "--hidden", bench.pick("256,128", "8"), "--batch", bench.pick("2048", "16"), "--map", LABELS,
                      "-o", f"{bench.dir}/scaling.ranks.dq", f"{bench.dir}/scaling.logged.{rows}.dq"], env=MPI), None


def lists(bench, users, items):
    """The defaults of --offline, a pass: the order of each user's list of all items."""
    part = made(bench, f"lists.{users}x{items}.dq", f"{bench.program('dq-sim')} -q --users {users} --items {items} --interactions "
                f"{20 * users} | {bench.program('dq-reward')} -q --strategy logged --map {LABELS} -o NEW")
    return bench.run([bench.program("dq-train"), "-q", "--threads", "1", "--offline", "--epochs", "1", "--map", LABELS, "-o",
                      f"{bench.dir}/scaling.lists.dq", part]), None


def steps(bench, count):
    """Learning steps of one user's agent with the published networks, planning among them, after 64 in which it only acts."""
    return bench.drained([bench.program("dq-train"), "-q", "--user", "0", "--reward", "cosine", "--threads", "1", "--episodes", "1",
                          "--warmup", "64", "--batch", "64", "--steps", str(64 + count),
                          *bench.pick([], ["--hidden", "8", "--world-hidden", "8"]), train.catalogue(bench)]), None


def each_user(bench, users, shards=0):
    """An agent for each user, and the bytes of the agents; by so many shards, one after the other."""
    catalogue = made(bench, "agents.dq", f"{bench.program('dq-sim')} -q --users {bench.pick(400, 20)} --items {bench.pick(2000, 20)} -o NEW")
    listed, models = f"{bench.dir}/scaling.users", f"{bench.dir}/scaling.models"
    with open(listed, "w") as f:
        f.writelines(f"u{i:0{bench.pick(3, 2)}d}\n" for i in range(users))
    shutil.rmtree(models, ignore_errors=True)
    costs = []
    for i in range(1, max(shards, 1) + 1):
        which = ["--shard", f"{i}/{shards}"] if shards else []
        costs.append(bench.run([bench.program("dq-train"), "-q", "--each-user", "--users-file", listed, *which, "--models-dir", models,
                                "--reward", "cosine", "--threads", "1", "--episodes", "1", "--warmup", "64", "--steps", bench.pick("100", "66"),
                                "--hidden", bench.pick("128,64", "8"), "--world-hidden", bench.pick("128,64", "8"), catalogue]))
    with os.scandir(models) as entries:
        left = sum(e.stat().st_size for e in entries if e.name.startswith("u"))
    return together(costs), None if shards else left


# ---- ranking, measuring ----

def ranked(bench, users, items, *options):
    return laws.ranking(bench, users, items, *options), None


def merged(bench, shards):
    """Rankings of shards of the items, merged: 1,000 users, 10 places each and shard."""
    users = made(bench, "merge.users.jsonl", "for i in {1..%d}; do echo \"{\\\"id\\\":\\\"u$i\\\",\\\"vector\\\":[$i,1]}\"; done > NEW"
                 % bench.pick(1000, 5))
    parts = [made(bench, f"merge.{s}.dq", "for i in {1..20}; do echo \"{\\\"id\\\":\\\"i%d.$i\\\",\\\"vector\\\":[$i,%d]}\"; done > NEW.jsonl; "
                  "%s -q --users %s --items NEW.jsonl | %s -q --by cosine -k 10 -o NEW"
                  % (s, s, bench.program("dq-export"), users, bench.program("dq-rank"))) for s in range(1, shards + 1)]
    out = f"{bench.dir}/scaling.merged.dq"
    return bench.run([bench.program("dq-rank"), "-q", "--merge", "-k", "10", "-o", out, *parts]), None


def evaluated(bench, lines):
    """Lines of a TREC run, 1,000 a query, with 50 judgements each."""
    each = bench.pick(1000, 60)
    run, qrels = (f"{bench.dir}/scaling.{lines}.{kind}" for kind in ("run", "qrels"))
    with bench.making(run) as new:
        if new:
            with open(qrels, "w") as q, open(new, "w") as r:
                for query in range(lines // each):
                    places = [(query * 7919 + rank * 104729) % 1_000_003 for rank in range(each)]
                    q.writelines(f"{query} 0 d{d} {d % 3}\n" for d in places[::each // 50])
                    r.writelines(f"{query} Q0 d{d} {rank} {each - rank} run\n" for rank, d in enumerate(places, 1))
    return bench.run([bench.program("dq-eval"), "--quiet", "--qrels", qrels, "--run", run]), None


# ---- fitting ----

def doubled(first):
    return laws.doublings(first, 4)


def table(b, server):
    """The laws; sizes of the quick form are so small that all that is learnt is whether it runs."""
    some = b.pick(2000, 50)
    return [
        Law("export", "`dq-export` of items 1536 wide", "item", b.pick(doubled(5000), doubled(20)), lambda n: export(b, n)),
        Law("logged", "`dq-reward --strategy logged`", "interaction", b.pick(doubled(200_000), doubled(100)), lambda n: logged(b, n)),
        Law("cosines", f"`dq-reward --strategy cosine --pairs all`, {b.pick(1000, 10):,} items", "pair",
            [b.pick(1000, 10) * n for n in doubled(b.pick(250, 2))], lambda n: cosines(b, n // b.pick(1000, 10), b.pick(1000, 10))),
        Law("cosines.items", f"the same, {b.pick(1000, 10):,} users", "pair", [b.pick(1000, 10) * n for n in doubled(b.pick(125, 1))],
            lambda n: cosines(b, b.pick(1000, 10), n // b.pick(1000, 10))),
        Law("asked", "`dq-reward --strategy llm`, each answer new", "answer", b.pick(doubled(4000), doubled(10)),
            lambda n: asked(b, server, n, False)),
        Law("cached", "the same out of the cache", "answer", b.pick(doubled(4000), doubled(10)), lambda n: asked(b, server, n, True)),
        Law("rows", "`dq-train --offline`, a pass with next to no network", "transition", b.pick(doubled(200_000), doubled(100)),
            lambda n: rows(b, n)),
        Law("published", "the same by the published networks, batch 64", "transition", b.pick(doubled(400), doubled(40)),
            lambda n: published(b, n)),
        Law("ranks", f"{b.pick(100_000, 400):,} transitions by `--mpi`, 256-128 units, all ranks in all", "rank", doubled(1),
            lambda n: ranks(b, n)),
        Law("lists", f"`dq-train --offline`, a pass of the defaults, {b.pick(100, 5)} users", "pair", [b.pick(100, 5) * n for n in doubled(b.pick(500, 20))],
            lambda n: lists(b, b.pick(100, 5), n // b.pick(100, 5))),
        Law("lists.users", f"the same, {b.pick(500, 20)} items", "pair", [b.pick(500, 20) * n for n in doubled(b.pick(100, 5))],
            lambda n: lists(b, n // b.pick(500, 20), b.pick(500, 20))),
        Law("steps", "`dq-train --user`, published networks, planning", "learning step", b.pick(doubled(8), doubled(1)),
            lambda n: steps(b, n)),
        Law("agents", "`dq-train --each-user`, 128-64 units, 36 learning steps", "agent", b.pick(doubled(8), doubled(1)),
            lambda n: each_user(b, n)),
        Law("shards", f"{b.pick(32, 4)} such agents by `--shard I/N`, all shards in all", "shard", doubled(1),
            lambda n: each_user(b, b.pick(32, 4), n)),
        Law("items", "`dq-rank` by the published network, one user", "pair", b.pick(doubled(2000), doubled(50)), lambda n: ranked(b, 1, n)),
        Law("users", f"the same, {some:,} items", "pair", [some * n for n in doubled(2)], lambda n: ranked(b, n // some, some)),
        Law("int8", f"`dq-rank --first-pass int8`, {some:,} items", "pair", [some * n for n in doubled(2)],
            lambda n: ranked(b, n // some, some, "--first-pass", "int8")),
        Law("merged", "`dq-rank --merge`, 10 places for 1,000 users", "shard", doubled(2), lambda n: merged(b, n)),
        Law("evaluated", "`dq-eval` of a run, 1,000 lines a query", "line", b.pick(doubled(100_000), doubled(60)), lambda n: evaluated(b, n)),
    ]


def median(rounds, value):
    """[[size, value]] of rounds of [(size, cost, left)]."""
    return [[some[0][0], statistics.median(value(*x) for x in some)] for some in zip(*rounds)]


def memory(points):
    """MiB fixed, bytes each, slope. Of memory the two largest sizes say what is needed each, since buffers are filled first;
    without growth the largest is fixed, and none is needed each."""
    (size, mib), (twice, more) = points[-2:]
    if more < points[0][1] * (1 + GROWS) or more <= mib:
        return {"mib": max(m for _, m in points), "bytes": 0, "slope": 0}
    each = (more - mib) / (twice - size)
    return {"mib": max(more - each * twice, 0), "bytes": each * MIB, "slope": fit.slope(points)}


def fitted(bench, law, rounds):
    """The row of a law that was measured so many times."""
    times = [[(n, max(cost.cpu, NOTHING)) for n, cost, _ in one] for one in rounds]
    points = [[n, max(s, NOTHING)] for n, s in median(rounds, lambda n, cost, left: cost.cpu)]
    fixed, each, off = fit.line(points)
    row = {"key": law.key, "of": law.unit, "seconds": {"fixed": fixed, "each": each, "off": off, "slope": fit.slope(points)},
           "memory": memory(median(rounds, lambda n, cost, left: cost.mib)), "times": points,
           "mib": median(rounds, lambda n, cost, left: cost.mib)}
    if rounds[0][0][2] is not None:
        row["disk"] = fit.line(median(rounds, lambda n, cost, left: max(left, 1)))[1]
    bench.row(law.what, "µs each", [1e6 * fit.line(one)[1] for one in times], law=row)


def side_by_side(bench):
    """Seconds that a run takes beside others, one for each core, for what it takes alone: what is lost to shared caches and memory."""
    def run():
        laws.ranking(bench, 1, bench.pick(8000, 50))
    alone, beside = [], []
    run()
    for _ in range(bench.rounds):
        alone.append(wall([run]))
        beside.append(wall([run] * bench.threads))
    bench.row(f"a ranking beside {bench.threads - 1} other{'s' * (bench.threads != 2)}, for one alone", "times as long",
              [b / max(a, NOTHING) for a, b in zip(alone, beside)], law={"key": "crowd"})


def wall(runs):
    """Seconds by the clock until all are done."""
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(runs)) as threads:
        list(threads.map(lambda run: run(), runs))  # of which a failure is one here
    return time.monotonic() - begun


def machine(bench):
    """What plan.py has to know of this machine."""
    mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MIB
    bench.row("memory of this machine", "GiB", [mib / 1024], better="higher", law={"key": "machine", "cores": bench.threads, "mib": mib})


def measure(bench):
    with Server(bench) as server:
        for law in table(bench, server):
            if law.key == "ranks" and not (shutil.which("mpirun") and os.path.exists(bench.program("libexec/dq-train-mpi"))):
                bench.skip("no mpirun, or dq was built without Open MPI: its row is left out")
                continue
            rounds = [[(n, *law.run(n)) for n in law.sizes] for _ in range(min(bench.rounds, 2))]
            fitted(bench, law, rounds)
    side_by_side(bench)
    machine(bench)
