#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The peer of programs/env.c: EnvPool's CartPole-v1 (C++), COUNT side by side on a thread of its own, under a random policy
whose actions were drawn beforehand. Rewards are summed; an episode that ended begins anew. All of the process's CPU counts. Three
turns, of which the best counts.

    envpool_env.py COUNT STEPS      STEPS: of all together
"""
import json
import sys
import time
import warnings

warnings.simplefilter("ignore")
import envpool  # noqa: E402 (it warns as it is imported)
import numpy  # noqa: E402

DRAWN, TURNS = 1024, 3
count, steps = map(int, sys.argv[1:])
rounds = max(1, steps // count)
envs = envpool.make("CartPole-v1", env_type="gymnasium", num_envs=count, num_threads=1)
actions = numpy.random.default_rng(1).integers(2, size=(DRAWN, count), dtype=numpy.int32)
envs.reset()
total, seconds = 0.0, float("inf")
for _ in range(TURNS):
    begun = time.process_time()
    for i in range(rounds):
        total += float(envs.step(actions[i % DRAWN])[1].sum())
    seconds = min(seconds, time.process_time() - begun)
print(json.dumps({"steps_s": rounds * count / seconds, "rewards": total, "version": envpool.__version__}))
