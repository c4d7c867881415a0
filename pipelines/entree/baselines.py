#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What simpler models rank: baselines.py OUT, with the files that split.py wrote there. Three TREC runs in OUT:

    popularity   how often an item followed another
    last-item    how often it followed the last one (a first-order Markov chain); ties by popularity
    item-knn     cosine of the sessions that items stood in, summed over the session's items (Sarwar et al., 2001)
"""
import json
import sys

import numpy as np

out = sys.argv[1]
K = 100


def sessions(part):
    walks = {}
    with open(f"{out}/{part}-visits.jsonl", encoding="utf-8") as f:
        for line in f:
            visit = json.loads(line)
            walks.setdefault(visit["user"], []).append(int(visit["item"]))
    return walks


with open(f"{out}/items.jsonl", encoding="utf-8") as f:
    items = [int(json.loads(line)["id"]) for line in f]
N = max(items) + 1
follows, together = np.zeros((N, N)), np.zeros((N, N))
for walk in sessions("train").values():
    np.add.at(follows, (walk[:-1], walk[1:]), 1)
    once = sorted(set(walk))
    together[np.ix_(once, once)] += 1
popular = follows.sum(axis=0)
ties = 1e-6 * popular / popular.sum()
norm = np.sqrt(np.diag(together)) + 1e-12
near = together / norm[:, None] / norm[None, :]
np.fill_diagonal(near, 0)
scores = {"popularity": lambda walk: popular,
          "last-item": lambda walk: follows[walk[-1]] + ties,
          "item-knn": lambda walk: near[walk].sum(axis=0) + ties}
test = sessions("test")
for name, score in scores.items():
    with open(f"{out}/{name}.run", "w", encoding="utf-8") as f:
        for session, walk in test.items():
            s = score(walk)
            for rank, item in enumerate(np.argsort(-s, kind="stable")[:K]):
                f.write(f"{session} Q0 {item} {rank + 1} {s[item]:.9g} {name}\n")
