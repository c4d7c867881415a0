#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ranks items for one user with system A's Q-network in PyTorch: the peer of dq-rank.

    torch_rank.py USER.npy ITEMS.npy [--threads 2] [--rows 4096]

Prints one JSON object: seconds of the plain forward pass over all items with the ten best (the best of three passes),
and of loading the items and one pass. The import of PyTorch counts for nothing.
"""
import argparse
import json
import time

import numpy as np
import torch
from torch import nn


def main():
    p = argparse.ArgumentParser()
    p.add_argument("user")
    p.add_argument("items")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rows", type=int, default=4096, help="items of a forward pass")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(42)
    layers = []
    for i, o in ((2304, 1024), (1024, 512), (512, 256)):
        layers += [nn.Linear(i, o), nn.ReLU(), nn.Dropout(0.2)]
    net = nn.Sequential(*layers, nn.Linear(256, 1)).eval()
    user = torch.from_numpy(np.load(a.user)[0])

    def rank(items):
        with torch.inference_mode():
            scores = [net(torch.cat([user.expand(len(x), -1), x], dim=1)).squeeze(1) for x in items.split(a.rows)]
            return torch.cat(scores).topk(10)

    rank(torch.zeros(2 * a.rows, 1536))
    t0 = time.perf_counter()
    items = torch.from_numpy(np.load(a.items))
    rank(items)
    whole = time.perf_counter() - t0
    forward = []
    for _ in range(3):
        t0 = time.perf_counter()
        rank(items)
        forward.append(time.perf_counter() - t0)
    print(json.dumps({"peer": "torch " + torch.__version__, "forward_s": min(forward), "whole_s": whole}))


main()
