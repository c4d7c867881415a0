#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ranks items for one user by cosine in NumPy: the user against the first 768 columns of the items.

    numpy_cosine.py USER.npy ITEMS.npy

Prints one JSON object: seconds of scoring all items (the best of three), and of loading them, scoring, and the ten
best. The import of NumPy counts for nothing.
"""
import json
import sys
import time

import numpy as np


def cosine(user, items):
    part = items[:, : len(user)]
    norms = np.sqrt(np.einsum("ij,ij->i", part, part))
    return part @ user / (norms * np.linalg.norm(user))


def main():
    user = np.load(sys.argv[1])[0]
    t0 = time.perf_counter()
    items = np.load(sys.argv[2])
    scores = cosine(user, items)
    best = np.argpartition(scores, -10)[-10:]
    best[np.argsort(scores[best])]
    whole = time.perf_counter() - t0
    times = []
    for _ in range(3):
        t0 = time.perf_counter()
        cosine(user, items)
        times.append(time.perf_counter() - t0)
    print(json.dumps({"peer": "numpy " + np.__version__, "score_s": min(times), "whole_s": whole}))


main()
