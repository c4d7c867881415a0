# SPDX-License-Identifier: MIT
"""dq-eval against trec_eval (TREC_EVAL names the program, built from NIST's source with its own Makefile) and the Open
Bandit Pipeline (OBP_PYTHON).

Rankings: 4,000 queries with 1000 documents each, of a million, and 50 judgements a query; whole processes, whose output is
compared. A policy's log: a million rows of 34 items, dq-eval from a file, the pipeline from memory; and ten million through a
pipe, for the memory.
"""
import os
import random
import subprocess

DOCUMENTS, ALL = 1000, 1_000_000


def make_run(bench, queries):
    """qrels and a run (143 MB), once."""
    qrels, run = f"{bench.dir}/eval.qrels", f"{bench.dir}/eval.run"
    rng = random.Random(1)
    with bench.making(run) as new:
        if not new:
            return qrels, run
        with open(qrels, "w") as q, open(new, "w") as r:
            for query in range(1, queries + 1):
                documents = rng.sample(range(ALL), DOCUMENTS)
                judged = dict.fromkeys(documents[::DOCUMENTS // 30] + rng.sample(range(ALL), 20))
                q.writelines(f"{query} 0 doc{d} {max(0, rng.randrange(6) - 2)}\n" for d in judged)
                score, lines = 20.0, []
                for rank, d in enumerate(documents, 1):
                    score -= rng.random() * 0.02
                    lines.append(f"{query} Q0 doc{d} {rank} {score:.6f} run\n")
                r.writelines(lines)
    return qrels, run


def measure_rankings(bench):
    qrels, run = make_run(bench, bench.pick(4000, 20))
    ours = [bench.program("dq-eval"), "--quiet", "--qrels", qrels, "--run", run, "--format", "trec"]
    trec_eval = os.environ.get("TREC_EVAL")
    peer = [trec_eval, qrels, run]
    if trec_eval:
        theirs, mine = (subprocess.run(command, check=True, capture_output=True).stdout for command in (peer, ours))
        assert theirs == mine, "dq-eval prints something else than trec_eval"
    else:
        bench.skip("no trec_eval (TREC_EVAL names it): its rows are of dq alone")
    t = bench.turns({"trec_eval": (lambda: bench.run(peer)) if trec_eval else None, "dq": lambda: bench.run(ours)})
    for what, key, ratio in (("wall", "wall", 15), ("CPU", "cpu", None)):
        bench.row(f"4,000 rankings of 1000 documents, {what}", "s", [getattr(c, key) for c in t["dq"]], "trec_eval",
                  [getattr(c, key) for c in t.get("trec_eval", [])], ratio=ratio)
    bench.row("their peak memory", "MiB", [c.mib for c in t["dq"]], "trec_eval", [c.mib for c in t.get("trec_eval", [])], bound=64)


def through_a_pipe(bench, make, rows, items, judge):
    """The Cost of judging a log that is never stored."""
    with subprocess.Popen([make, str(rows), items], stdout=subprocess.PIPE) as source:
        cost = bench.run(judge, stdin=source.stdout)
    assert source.returncode == 0
    return cost


def measure_log(bench):
    make, log, items = bench.helper("ope_log"), f"{bench.dir}/ope.dq", f"{bench.dir}/ope.items.dq"
    rows, many = bench.pick(1_000_000, 10_000), bench.pick(10_000_000, 20_000)
    with open(log, "w") as f:
        bench.run([make, str(rows), items], stdout=f)
    ours = [bench.program("dq-eval"), "--quiet", "--ope", "ips,snips", "--target", "uniform", "--catalogue", items, "--resamples", "100"]
    python = bench.python("OBP_PYTHON", "obp, numpy")
    t = bench.turns({
        "obp": (lambda: bench.answer(python, bench.peer("obp_ope.py"), str(rows))["seconds"]) if python else None,
        "dq": lambda: bench.run([*ours, log])})
    bench.row("`--ope ips,snips` of a million rows, wall", "s", [c.wall for c in t["dq"]], "Open Bandit Pipeline", t.get("obp"))
    bench.row("rows of a log, of CPU", "million a second", [bench.rate(rows / 1e6, c.cpu) for c in t["dq"]], better="higher", bound=1)
    bench.row("ten million rows through a pipe, peak memory", "MiB", [through_a_pipe(bench, make, many, items, ours).mib], bound=64)


def measure(bench):
    measure_rankings(bench)
    measure_log(bench)
