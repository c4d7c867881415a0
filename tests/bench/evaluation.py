# SPDX-License-Identifier: MIT
"""dq-eval against trec_eval (TREC_EVAL names the program, built from NIST's source with its own Makefile) and the Open
Bandit Pipeline (OBP_PYTHON names a Python that has it); without one its rows are left out.

Rankings: 10,000 queries with 1000 documents each, of a million, and 50 judgements a query; whole processes, whose
output is compared. A policy's log: a million rows of 34 items, dq-eval from a file, the pipeline from memory; and ten
million through a pipe, for the memory.
"""
import os
import random
import subprocess
import sys

QUERIES, DOCUMENTS, ALL = 10_000, 1000, 1_000_000
ROWS, MANY = 1_000_000, 10_000_000


def make_run(folder):
    """qrels and a run (357 MB), once."""
    qrels, run = f"{folder}/eval.qrels", f"{folder}/eval.run"
    if os.path.exists(run):
        return qrels, run
    rng = random.Random(1)
    with open(qrels, "w") as q, open(run + ".part", "w") as r:
        for query in range(1, QUERIES + 1):
            documents = rng.sample(range(ALL), DOCUMENTS)
            judged = dict.fromkeys(documents[::DOCUMENTS // 30] + rng.sample(range(ALL), 20))
            q.writelines(f"{query} 0 doc{d} {max(0, rng.randrange(6) - 2)}\n" for d in judged)
            score, lines = 20.0, []
            for rank, d in enumerate(documents, 1):
                score -= rng.random() * 0.02
                lines.append(f"{query} Q0 doc{d} {rank} {score:.6f} run\n")
            r.writelines(lines)
    os.rename(run + ".part", run)
    return qrels, run


def missing(variable, what):
    print(f"no {what} ({variable} names it): its row is left out", file=sys.stderr)


def measure_rankings(bench):
    qrels, run = make_run(bench.dir)
    ours = [bench.program("dq-eval"), "--quiet", "--qrels", qrels, "--run", run, "--format", "trec"]
    trec_eval = os.environ.get("TREC_EVAL")
    if trec_eval:
        peer = [trec_eval, qrels, run]
        assert subprocess.run(peer, check=True, capture_output=True).stdout == \
            subprocess.run(ours, check=True, capture_output=True).stdout, "dq-eval prints something else"
        pairs = [(bench.client(peer, os.getpid()), bench.client(ours, os.getpid())) for _ in range(bench.rounds)]
        what = "10,000 rankings of 1000 documents"
        bench.row(what, "trec_eval", [(p[1], o[1]) for p, o in pairs], 15.0)
        bench.row(what + ", CPU", "trec_eval", [(p[0], o[0]) for p, o in pairs], None)
    else:
        missing("TREC_EVAL", "trec_eval")
    used = bench.client(ours, os.getpid())[3]
    bench.rows.append(("10,000 rankings, peak memory", "limit", 64, used, "MiB", 64 / used, 1.0))


def measure_log(bench):
    make, log, items = f"{bench.dir}/ope_log", f"{bench.dir}/ope.dq", f"{bench.dir}/ope.items.dq"
    with open(log, "w") as f:
        subprocess.run([make, str(ROWS), items], check=True, stdout=f)
    ours = [bench.program("dq-eval"), "--quiet", "--ope", "ips,snips", "--target", "uniform", "--catalogue", items,
            "--resamples", "100"]
    seconds = [bench.client([*ours, log], os.getpid()) for _ in range(bench.rounds)]
    python = os.environ.get("OBP_PYTHON")
    if python:
        peer = [bench.answer(python, f"{bench.peers}/obp_ope.py", str(ROWS))["seconds"] for _ in range(bench.rounds)]
        bench.row("IPS and SNIPS of a million rows", "Open Bandit Pipeline", [(p, o[1]) for p, o in zip(peer, seconds)], None)
    else:
        missing("OBP_PYTHON", "Open Bandit Pipeline")
    rate = ROWS / sorted(s[0] for s in seconds)[len(seconds) // 2]
    bench.rows.append(("rows of a log a second of CPU", "limit", 1e6, rate, "per s", rate / 1e6, 1.0))
    with subprocess.Popen([make, str(MANY), items], stdout=subprocess.PIPE) as source:
        with subprocess.Popen(ours, stdin=source.stdout, stdout=subprocess.DEVNULL) as judge:
            source.stdout.close()
            _, status, usage = os.wait4(judge.pid, 0)
            judge.returncode = status
    assert status == 0 and source.returncode == 0
    used = usage.ru_maxrss / 1024
    bench.rows.append(("ten million rows through a pipe, peak memory", "limit", 64, used, "MiB", 64 / used, 1.0))


def measure(bench):
    measure_rankings(bench)
    measure_log(bench)
