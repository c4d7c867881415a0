# SPDX-License-Identifier: MIT
"""System A's catalogue and model, for ranking, streams and serving: 20 users 768 wide and 100,000 items 1536 wide, unit
vectors at random, 614 MB; and the published Q-network, trained on what the users made of the first hundred items."""
import json

import numpy as np

USERS, USER, ITEM, FEW, EACH = 20, 768, 1536, 100, 20


def unit(rng, rows, width):
    x = rng.standard_normal((rows, width), dtype=np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def save(path, rows):
    """An array of rows, and their ids beside it."""
    with open(f"{path}.ids", "w") as f:
        f.writelines(f"{i}\n" for i in range(len(rows)))
    np.save(f"{path}.npy", rows)


def arrays(bench):
    """Makes rank.users, rank.items and rank.few (.npy, .ids), the users as JSON lines, and who met what."""
    b = f"{bench.dir}/rank"
    with bench.making(f"{b}.seen.jsonl") as new:
        if not new:
            return
        rng = np.random.default_rng(42)
        users, items = unit(rng, USERS, USER), unit(rng, bench.pick(100_000, 1000), ITEM)
        for name, rows in (("users", users), ("items", items), ("few", items[:FEW])):
            save(f"{b}.{name}", rows)
        with open(f"{b}.users.jsonl", "w") as f:
            f.writelines(json.dumps({"id": str(i), "vector": {"state": x.tolist()}}) + "\n" for i, x in enumerate(users))
        with open(new, "w") as f:
            f.writelines(json.dumps({"user": str(u), "item": str(i), "label": "CLICK" if rng.random() < 0.3 else "IGNORE"}) + "\n"
                         for u in range(USERS) for i in rng.choice(FEW, EACH, replace=False))


def export(bench, items="items"):
    """The command that makes a stream of them, or of the few."""
    arrays(bench)
    b = f"{bench.dir}/rank"
    return (f"{bench.program('dq-export')} -q --users {b}.users.npy --user-ids {b}.users.ids --items {b}.{items}.npy "
            f"--item-ids {b}.{items}.ids")


def catalogue(bench):
    with bench.making(f"{bench.dir}/rank.dq") as new:
        if new:
            bench.run(f"{export(bench)} -o {new}")
    return f"{bench.dir}/rank.dq"


def model(bench):
    with bench.making(f"{bench.dir}/rank.model.dq") as new:
        if new:
            bench.run(f"{export(bench, 'few')} --interactions {bench.dir}/rank.seen.jsonl | {bench.program('dq-reward')} -q "
                      f"--strategy logged --map CLICK=1,IGNORE=0 | {bench.program('dq-train')} -q --offline --preset published "
                      f"--validation 0 --epochs 1 -o {new}")
    return f"{bench.dir}/rank.model.dq"
