#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the data of system A's lists in a folder, vectors at random: serving_jobs.py FOLDER JOBS

    jobs.users.npy, jobs.users.ids       20 users, 768 numbers; jobs.users.jsonl: the same
    jobs.items.npy, jobs.items.ids       the jobs, 1536 numbers
    jobs.few.npy, .ids, jobs.seen.jsonl  100 of them, and what users made of these, for a model to be trained on
"""
import json
import sys

import numpy as np

USERS, FEW, USER, ITEM = 20, 100, 768, 1536


def main():
    folder, jobs = sys.argv[1], int(sys.argv[2])
    rng = np.random.default_rng(7)
    users = rng.standard_normal((USERS, USER), dtype=np.float32) / USER ** 0.5
    items = rng.standard_normal((jobs, ITEM), dtype=np.float32) / ITEM ** 0.5
    for name, rows in (("users", users), ("items", items), ("few", items[:FEW])):
        np.save(f"{folder}/jobs.{name}.npy", rows)
        with open(f"{folder}/jobs.{name}.ids", "w") as f:
            f.writelines(f"{i}\n" for i in range(len(rows)))
    with open(f"{folder}/jobs.users.jsonl", "w") as f:
        f.writelines(json.dumps({"id": str(i), "vector": {"state": x.tolist()}}) + "\n" for i, x in enumerate(users))
    with open(f"{folder}/jobs.seen.jsonl", "w") as f:
        f.writelines(json.dumps({"user": str(u), "item": str(i), "label": "CLICK" if rng.random() < 0.3 else "IGNORE"}) + "\n"
                     for u in range(USERS) for i in rng.choice(FEW, 20, replace=False))


main()
