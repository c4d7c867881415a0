#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The peer of `dq-train --env cartpole --double`: a deep Q-network that learns online in Gymnasium's CartPole-v1, with the
same settings: 4-64-64-2, Double, Huber, gradients clipped by norm 10, Adam, batches of 64 of 50,000 transitions, an update a step from 1,000
steps on, a copy of the target every 500 updates, epsilon 1 to 0.05 by 0.999 an update. Written for speed: one thread, the memory in
arrays that tensors share, Adam fused, denormals flushed, the environment without its checks, no tensor made to act at random.

    gym_dqn.py STEPS      steps a second of CPU, of STEPS that each learn, and the mean return of the last twenty episodes
"""
import json
import sys
import time
import warnings

import gymnasium
import numpy
import torch
from torch import nn

STATE, ACTIONS, MEMORY, WARM, BATCH, COPY = 4, 2, 50000, 1000, 64, 500


def network():
    return nn.Sequential(nn.Linear(STATE, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, ACTIONS))


class Learner:
    def __init__(self):
        self.q, self.target = network(), network().requires_grad_(False)
        self.target.load_state_dict(self.q.state_dict())
        self.parameters = list(self.q.parameters())
        self.adam = torch.optim.Adam(self.parameters, lr=1e-3, fused=True)
        self.rng = numpy.random.default_rng(1)
        self.held = self.updates = 0
        self.s, self.t = numpy.zeros((MEMORY, STATE), numpy.float32), numpy.zeros((MEMORY, STATE), numpy.float32)
        self.a = numpy.zeros((MEMORY, 1), numpy.int64)
        self.r, self.going = numpy.zeros((MEMORY, 1), numpy.float32), numpy.zeros((MEMORY, 1), numpy.float32)
        self.tensors = [torch.from_numpy(x) for x in (self.s, self.a, self.r, self.t, self.going)]

    def act(self, state, epsilon):
        if self.rng.random() < epsilon:
            return int(self.rng.integers(ACTIONS))
        with torch.inference_mode():
            return int(self.q(torch.from_numpy(state)).argmax())

    def remember(self, state, action, reward, following, terminal):
        i = self.held % MEMORY
        self.s[i], self.a[i], self.r[i], self.t[i], self.going[i] = state, action, reward, following, not terminal
        self.held += 1

    def update(self):
        i = torch.from_numpy(self.rng.integers(min(self.held, MEMORY), size=BATCH))
        s, a, r, t, going = (x[i] for x in self.tensors)
        with torch.no_grad():
            wanted = r + 0.99 * going * self.target(t).gather(1, self.q(t).argmax(dim=1, keepdim=True))
        loss = nn.functional.smooth_l1_loss(self.q(s).gather(1, a), wanted)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 10.0)
        self.adam.step()
        self.updates += 1
        if self.updates % COPY == 0:
            self.target.load_state_dict(self.q.state_dict())


def main():
    steps = int(sys.argv[1])
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    learner, env = Learner(), gymnasium.make("CartPole-v1", disable_env_checker=True)
    state, _ = env.reset(seed=1)
    returns, total, epsilon, begun = [], 0.0, 1.0, 0.0
    for step in range(WARM + steps):
        if step == WARM:
            begun = time.process_time()
        action = learner.act(state, epsilon)
        following, reward, terminal, truncated, _ = env.step(action)
        learner.remember(state, action, reward, following, terminal)
        state, total = following, total + reward
        if terminal or truncated:
            returns.append(total)
            (state, _), total = env.reset(), 0.0
        if learner.held >= WARM:
            learner.update()
            epsilon = max(0.05, epsilon * 0.999)
    seconds = time.process_time() - begun
    last = returns[-20:] or [total]
    print(json.dumps({"steps_s": steps / seconds, "return": sum(last) / len(last), "version": torch.__version__}))


main()
