#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The peer of programs/env.c: Gymnasium's CartPole-v1, COUNT side by side, under a random policy whose actions were drawn
beforehand: Gymnasium's own vectorised form, in NumPy; alone, the plain environment without its checks, which is faster then.
Rewards are summed; an episode that ended begins anew. Three turns, of which the best counts.

    gym_env.py COUNT STEPS      STEPS: of all together
"""
import json
import sys
import time
import warnings

import gymnasium
import numpy

DRAWN, TURNS = 1024, 3


def alone(rounds):
    env = gymnasium.make("CartPole-v1", disable_env_checker=True)
    actions = numpy.random.default_rng(1).integers(2, size=DRAWN).tolist()
    env.reset(seed=1)
    total, begun = 0.0, time.process_time()
    for i in range(rounds):
        _, reward, terminal, truncated, _ = env.step(actions[i % DRAWN])
        total += reward
        if terminal or truncated:
            env.reset()
    return time.process_time() - begun, total


def together(count, rounds):
    envs = gymnasium.make_vec("CartPole-v1", num_envs=count, vectorization_mode="vector_entry_point")
    actions = numpy.random.default_rng(1).integers(2, size=(DRAWN, count))
    envs.reset(seed=1)
    total, begun = 0.0, time.process_time()
    for i in range(rounds):
        total += float(envs.step(actions[i % DRAWN])[1].sum())
    return time.process_time() - begun, total


warnings.simplefilter("ignore")
count, steps = map(int, sys.argv[1:])
rounds = max(1, steps // count)
seconds, total = min(alone(rounds) if count == 1 else together(count, rounds) for _ in range(TURNS))
print(json.dumps({"steps_s": rounds * count / seconds, "rewards": total, "version": gymnasium.__version__}))
