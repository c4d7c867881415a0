# SPDX-License-Identifier: MIT
"""All pairs of 2,000 users and 1,000 items by the cosines of two pairs of fields: pairs a second of user CPU time, since
other programs may have the machine; one thread; the whole process, into a pipe that nobody keeps.

The limit is 10 million. The peer is NumPy (numpy_pairs.py): two products, and the same columns, neither compressed nor
with digests.
"""
import json
import os
import statistics
import subprocess

import numpy as np

USERS, ITEMS, WIDTH, WANTED = 2000, 1000, 384, 10e6
USER_FIELDS, ITEM_FIELDS = ("hard_skills", "soft_skills"), ("title", "tech_skills", "soft_skills", "experience")


def make_data(bench):
    """A catalogue, and the same vectors as arrays for the peer."""
    rng = np.random.default_rng(18)
    for kind, count, fields in (("users", USERS, USER_FIELDS), ("items", ITEMS, ITEM_FIELDS)):
        rows = rng.standard_normal((count, len(fields), WIDTH), dtype=np.float32)
        np.save(f"{bench.dir}/pairs.{kind}.npy", rows.reshape(count, -1))
        with open(f"{bench.dir}/pairs.{kind}.jsonl", "w") as f:
            for i, row in enumerate(rows):
                vector = {name: [float(f"{x:.9g}") for x in v.tolist()] for name, v in zip(fields, row)}
                f.write(json.dumps({"id": f"{kind[0]}{i}", "vector": vector}) + "\n")
    subprocess.run([bench.program("dq-export"), "-q", "--users", f"{bench.dir}/pairs.users.jsonl", "--items",
                    f"{bench.dir}/pairs.items.jsonl", "--compare", "hard_skills:tech_skills", "--compare",
                    "soft_skills:soft_skills", "-o", f"{bench.dir}/pairs.dq"], check=True)


def user_seconds(command):
    """User CPU seconds of a command that writes into a pipe."""
    drain = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(command, stdout=drain.stdin)
    drain.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0 and drain.wait() == 0, command
    return usage.ru_utime


def measure(bench):
    make_data(bench)
    ours = [bench.program("dq-reward"), "-q", "--strategy", "cosine", "--pairs", "all", f"{bench.dir}/pairs.dq"]

    def peer():
        return (bench.answer("/usr/bin/python3", f"{bench.peers}/numpy_pairs.py", f"{bench.dir}/pairs.users.npy",
                             f"{bench.dir}/pairs.items.npy", str(WIDTH))["user_s"],)

    pairs = bench.turns(peer, lambda: (user_seconds(ours),))[0]
    bench.row("all pairs by cosine, of user CPU", "NumPy", pairs, None, "per s", USERS * ITEMS)
    rate = USERS * ITEMS / statistics.median(o for _, o in pairs)
    bench.rows.append(("all pairs by cosine, of user CPU", "limit", WANTED, rate, "per s", rate / WANTED, 1.0))
