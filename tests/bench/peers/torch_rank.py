#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ranks items for one user with system A's Q-network in PyTorch: the peer of dq-rank.

    torch_rank.py USER.npy ITEMS.npy [--threads 2] [--rows 4096] [--plain]

What an expert writes: the user's part of the first layer is computed once, and added as its bias; items pass in blocks,
as views of what was loaded, without gradients; bias and ReLU work in place. --plain: the network as it was trained, on
user and item side by side.

Prints one JSON object: seconds of the forward pass over all items with the ten best (the better of two passes),
and of loading the items and the first of these. The import of PyTorch counts for nothing.
"""
import argparse
import json
import time

import numpy as np
import torch
from torch import nn

USER, ITEM = 768, 1536


def plain(net, user, items, rows):
    scores = [net(torch.cat([user.expand(len(x), -1), x], dim=1)).squeeze(1) for x in items.split(rows)]
    return torch.cat(scores).topk(10)


def shared(net, user, items, rows):
    first, second, third, last = [layer for layer in net if isinstance(layer, nn.Linear)]
    bias = first.bias + first.weight[:, :USER] @ user
    weight = first.weight[:, USER:].t()
    scores = torch.empty(len(items))
    for i in range(0, len(items), rows):
        x = torch.addmm(bias, items[i:i + rows], weight).relu_()
        x = torch.addmm(second.bias, x, second.weight.t()).relu_()
        x = torch.addmm(third.bias, x, third.weight.t()).relu_()
        scores[i:i + rows] = torch.addmv(last.bias, x, last.weight[0])
    return scores.topk(10)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("user")
    p.add_argument("items")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rows", type=int, default=4096, help="items of a forward pass")
    p.add_argument("--plain", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(42)
    layers = []
    for i, o in ((USER + ITEM, 1024), (1024, 512), (512, 256)):
        layers += [nn.Linear(i, o), nn.ReLU(), nn.Dropout(0.2)]
    net = nn.Sequential(*layers, nn.Linear(256, 1)).eval()
    user = torch.from_numpy(np.load(a.user)[0])

    def rank(items):
        with torch.inference_mode():
            return (plain if a.plain else shared)(net, user, items, a.rows)

    warm = torch.randn(2 * a.rows, ITEM)
    with torch.inference_mode():
        one, other = plain(net, user, warm, a.rows), shared(net, user, warm, a.rows)
    assert torch.allclose(one.values, other.values, atol=1e-5), "the two forms differ"
    rank(warm)
    t0 = time.perf_counter()
    items = torch.from_numpy(np.load(a.items))
    forward = []
    for _ in range(2):
        t1 = time.perf_counter()
        rank(items)
        forward.append(time.perf_counter() - t1)
    whole = time.perf_counter() - t0 - forward[1]
    print(json.dumps({"peer": "torch " + torch.__version__, "forward_s": min(forward), "whole_s": whole}))


main()
