#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the benchmark's data in a folder, once: unit vectors at random, users 768 wide and items 1536 wide.

    train.users.jsonl, train.items.jsonl   one user and 2,000 items; fields state, and head (768) and tail (768)
    user.npy, items.npy                    the same user, and 100,000 items, for ranking (614 MB); .ids beside them
"""
import json
import os
import sys

import numpy as np

USER, ITEM, TRAIN, RANK = 768, 1536, 2000, 100000


def unit(rng, rows, width):
    x = rng.standard_normal((rows, width), dtype=np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def lines(path, rows):
    with open(path, "w") as f:
        for i, vector in enumerate(rows):
            parts = {k: [float(f"{x:.7g}") for x in v.tolist()] for k, v in vector.items()}
            f.write(json.dumps({"id": str(i), "vector": parts}) + "\n")


def main():
    folder = sys.argv[1]
    if os.path.exists(f"{folder}/data.done"):
        return
    rng = np.random.default_rng(42)
    user, items = unit(rng, 1, USER), unit(rng, TRAIN, ITEM)
    lines(f"{folder}/train.users.jsonl", [{"state": user[0]}])
    lines(f"{folder}/train.items.jsonl", [{"head": x[:USER], "tail": x[USER:]} for x in items])
    for name, n in (("user", 1), ("items", RANK)):
        with open(f"{folder}/{name}.ids", "w") as f:
            f.writelines(f"{i}\n" for i in range(n))
    np.save(f"{folder}/user.npy", user)
    np.save(f"{folder}/items.npy", unit(rng, RANK, ITEM))
    open(f"{folder}/data.done", "w").close()


main()
