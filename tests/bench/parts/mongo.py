# SPDX-License-Identifier: MIT
"""20,000 jobs of 4 x 384 doubles out of MongoDB: dq-export against pymongo with NumPy. The server is the tests' canned one,
which holds the documents as raw BSON, ready made, and answers over loopback."""
import os
import subprocess

from harness import HERE, Skip


def spent(pid):
    """CPU seconds of a process that runs."""
    with open(f"/proc/{pid}/stat") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def measure(bench):
    folder, python = f"{bench.dir}/mongo", bench.python(None, "bson, pymongo, msgpack, zstandard, numpy", debian=True)
    if not python:
        raise Skip("the documents are made with bson")
    bench.run([python, f"{HERE}/data/mongo_data.py", folder, str(bench.pick(20000, 50))])
    server = subprocess.Popen([bench.debian, f"{HERE}/../services/mongodb/canned.py", folder], stdout=subprocess.PIPE, text=True)
    try:
        uri = server.stdout.readline().strip() + "/rl_jobsdb"
        peer = [python, bench.peer("pymongo_export.py"), uri]
        ours = [bench.program("dq-export"), "-q", "--schema", "jobs", uri]

        def side(command):
            before = spent(server.pid)
            cost = bench.run(command)
            return cost, spent(server.pid) - before

        side(ours)  # the server reads its files once
        t = bench.turns({"pymongo": lambda: side(peer), "dq": lambda: side(ours)})
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    for what, figure, ratio in (("the client's CPU", lambda c: c[0].cpu, 5), ("wall", lambda c: c[0].wall, None),
                                ("the server's CPU", lambda c: c[1], None)):
        bench.row(f"20,000 jobs from MongoDB, {what}", "s", [figure(c) for c in t["dq"]], "pymongo, NumPy",
                  [figure(c) for c in t["pymongo"]], ratio=ratio)
    bench.row("20,000 jobs from MongoDB, peak memory", "MiB", [c.mib for c, _ in t["dq"]], bound=64)
