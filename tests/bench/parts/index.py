# SPDX-License-Identifier: MIT
"""Ten million items, 64 wide, for a hundred users, by a network 64-32: an index of them (`dq-rank --make-index`, of half as many users
and components as it takes by itself, to take less time), lists by it (`--index`, of a thousand candidates), and what it found of
those that score everything. Items are 200 clusters in halves, users at random; the network learnt the cosine. The peer is scoring
everything, by the same network, of which a tenth of the items are taken, times ten."""
import os

import numpy as np

WIDTH, CLUSTERS, STEP = 64, 200, 100_000


def arrays(bench, items):
    """Makes index.items and index.users (.npy, .ids), and index.hundred.ids, the first of these users."""
    b = f"{bench.dir}/index"
    with bench.making(f"{b}.items.npy") as new:
        if not new:
            return b
        rng = np.random.default_rng(42)
        users, centres = (rng.standard_normal((n, WIDTH), dtype=np.float32) for n in (1000, CLUSTERS))
        np.save(f"{b}.users.npy", users)
        for name, count in (("users", 1000), ("hundred", 100), ("items", items)):
            with open(f"{b}.{name}.ids", "w") as f:
                f.writelines(f"{i}\n" for i in range(count))
        with open(new, "wb") as f:
            np.lib.format.write_array_header_1_0(f, {"descr": "<f2", "fortran_order": False, "shape": (items, WIDTH)})
            for first in range(0, items, STEP):
                n = min(STEP, items - first)
                rows = centres[rng.integers(0, CLUSTERS, n)] + rng.standard_normal((n, WIDTH), dtype=np.float32)
                f.write((0.7 * rows).astype("f2").tobytes())
    return b


def streams(bench, items):
    """The model, the catalogue of all items, and that of a tenth of them."""
    b = arrays(bench, items)
    export = f"{bench.program('dq-export')} -q --items {b}.items.npy --item-ids {b}.items.ids --users {b}.users.npy --user-ids {b}.users.ids"
    for name, limit in (("all", items), ("tenth", items // 10)):
        with bench.making(f"{b}.{name}.dq") as new:
            if new:
                bench.run(f"{export} --limit items:{limit} -o {new}")
    with bench.making(f"{b}.model.dq") as new:
        if new:
            bench.run(f"{export} --limit items:2000 | {bench.program('dq-reward')} -q --strategy cosine --pairs random:100 | "
                      f"{bench.program('dq-train')} -q --offline --agent dqn --features none --loss mse --hidden 64,32 --dropout 0 --epochs 5 "
                      f"--validation 0 -o {new}")
    return b


def recall(path):
    """What a stream of rankings says of its recall."""
    import msgpack
    import zstandard
    with open(path, "rb") as f:
        for record in msgpack.Unpacker(zstandard.ZstdDecompressor().stream_reader(f, read_across_frames=True)):
            if isinstance(record, dict) and record.get("kind") == "rankings":
                return record["meta"]["recall"]
    raise RuntimeError(f"{path} says no recall")


def measure(bench):
    items = bench.pick(10_000_000, 3000)
    if not os.path.exists(bench.program("faiss.so")):
        bench.skip("built without libfaiss-dev")
        return
    b, rank = streams(bench, items), [bench.program("dq-rank"), "-q", "--threads", str(bench.threads), "--model"]
    rank.append(f"{b}.model.dq")
    made = bench.run([*rank, "--make-index", "--sample-users", "64", "--components", "32", "-o", f"{b}.index", f"{b}.all.dq"])
    rank += ["--users-file", f"{b}.hundred.ids", "-k", "10"]
    lists = [*rank, "--index", f"{b}.index", "--shortlist", "1000", f"{b}.all.dq"]
    t = bench.turns({"index": lambda: bench.run([*lists, "--recall-sample", "0"]),
                     "tenth": lambda: bench.run([*rank, f"{b}.tenth.dq"])})
    found = f"{b}.lists.dq"
    bench.run([*lists, "--recall-sample", str(bench.pick(20, 100)), "-o", found])
    bench.row(f"`dq-rank --make-index` of {items:,} items, CPU", "s", [made.cpu])
    bench.row("memory of making it", "MiB", [made.mib])
    bench.row("lists of 100 users by it, CPU", "s", [c.cpu for c in t["index"]], "scoring everything, ten times a tenth",
              [10 * c.cpu for c in t["tenth"]], ratio=2)
    bench.row("memory of these lists", "MiB", [c.mib for c in t["index"]], "scoring a tenth", [c.mib for c in t["tenth"]])
    if bench.python(None, "msgpack, zstandard", debian=True):  # what reads it
        bench.row("recall of the exact 10 best", "", [recall(found)], better="higher", bound=0.95)
