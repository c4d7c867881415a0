# SPDX-License-Identifier: MIT
"""All pairs of 2,000 users and 1,000 items by the cosines of two pairs of fields: pairs a second of user CPU time, one thread,
the whole process, into a pipe that nobody keeps. The peer is NumPy (numpy_pairs.py): two products, and the same columns,
neither compressed nor with digests."""
import json

WIDTH = 384
FIELDS = {"users": ("hard_skills", "soft_skills"), "items": ("title", "tech_skills", "soft_skills", "experience")}


def make_data(bench, counts):
    """A catalogue, and the same vectors as arrays for the peer."""
    import numpy as np
    rng = np.random.default_rng(18)
    for kind, fields in FIELDS.items():
        rows = rng.standard_normal((counts[kind], len(fields), WIDTH), dtype=np.float32)
        np.save(f"{bench.dir}/pairs.{kind}.npy", rows.reshape(counts[kind], -1))
        with open(f"{bench.dir}/pairs.{kind}.jsonl", "w") as f:
            for i, row in enumerate(rows):
                vector = {name: [float(f"{x:.9g}") for x in v.tolist()] for name, v in zip(fields, row)}
                f.write(json.dumps({"id": f"{kind[0]}{i}", "vector": vector}) + "\n")


def measure(bench):
    counts = {"users": bench.pick(2000, 20), "items": bench.pick(1000, 10)}
    catalogue, arrays = f"{bench.dir}/pairs.dq", [f"{bench.dir}/pairs.{kind}.npy" for kind in FIELDS]
    with bench.making(catalogue) as new:
        if new:
            make_data(bench, counts)
            bench.run([bench.program("dq-export"), "-q", "--users", f"{bench.dir}/pairs.users.jsonl", "--items",
                       f"{bench.dir}/pairs.items.jsonl", "--compare", "hard_skills:tech_skills", "--compare",
                       "soft_skills:soft_skills", "-o", new])
    peer = [bench.debian, bench.peer("numpy_pairs.py"), *arrays, str(WIDTH)]
    ours = [bench.program("dq-reward"), "-q", "--strategy", "cosine", "--pairs", "all", catalogue]
    t = bench.turns({"NumPy": lambda: bench.answer(*peer)["user_s"], "dq": lambda: bench.drained(ours).user})
    many = counts["users"] * counts["items"] / 1e6
    bench.row("all pairs by cosine, of user CPU", "million a second", [bench.rate(many, s) for s in t["dq"]], "NumPy",
              [bench.rate(many, s) for s in t["NumPy"]], better="higher", bound=10)
