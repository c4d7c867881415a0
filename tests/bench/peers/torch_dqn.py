#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The peer of dqn.c: the same learning step in PyTorch, tuned: Adam fused, the target by one foreach call, the memory in
tensors, denormals flushed. (torch.compile of the loss was tried and is no faster here.)

    torch_dqn.py --threads T --steps N STATE ACTIONS BATCH DROPOUT HIDDEN...
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn

MEMORY, WARM = 10000, 200


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("sizes", type=float, nargs="+")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    state, actions, batch, dropout, *hidden = a.sizes
    state, actions, batch, hidden = int(state), int(actions), int(batch), [int(h) for h in hidden]

    def network():
        layers, width = [], state
        for h in hidden:
            layers += [nn.Linear(width, h), nn.ReLU()] + ([nn.Dropout(dropout)] if dropout else [])
            width = h
        return nn.Sequential(*layers, nn.Linear(width, actions))

    q, target = network(), network().eval().requires_grad_(False)
    target.load_state_dict(q.state_dict())
    adam = torch.optim.Adam(q.parameters(), lr=1e-3, fused=True)
    params, follows = list(q.parameters()), list(target.parameters())
    s, t = torch.randn(MEMORY, state), torch.randn(MEMORY, state)
    action, reward = torch.randint(actions, (MEMORY, 1)), torch.rand(MEMORY, 1)
    going = (torch.arange(MEMORY) % 10 != 9).float().unsqueeze(1)

    def loss_of(s, a, r, t, going):
        with torch.no_grad():
            q.eval()
            best = q(t).argmax(dim=1, keepdim=True)
            q.train()
            wanted = r + 0.99 * going * target(t).gather(1, best)
        return nn.functional.smooth_l1_loss(q(s).gather(1, a), wanted)

    def step():
        i = torch.randint(MEMORY, (batch,))
        loss = loss_of(s[i], action[i], reward[i], t[i], going[i])
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 10.0)
        adam.step()
        torch._foreach_lerp_(follows, params, 0.005)

    times = []
    for i in range(WARM + a.steps):
        t0 = time.perf_counter()
        step()
        if i >= WARM:
            times.append(time.perf_counter() - t0)
    print(json.dumps({"step_s": statistics.median(times)}))


main()
