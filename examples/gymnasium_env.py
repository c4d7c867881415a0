#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Any Gymnasium environment with discrete actions, for dq-train and dq-eval:

    dq-train --env-cmd 'python3 gymnasium_env.py CartPole-v1' --agent dqn -o cartpole.dq
"""
import sys

from dq_env import serve  # first: it keeps stdout for the protocol

import gymnasium
import numpy


class Environment:
    def __init__(self):
        self.env = gymnasium.wrappers.FlattenObservation(gymnasium.make(sys.argv[1]))
        if not isinstance(self.env.action_space, gymnasium.spaces.Discrete):
            sys.exit(f"{sys.argv[1]}: discrete actions only, not {self.env.action_space}")
        self.actions = int(self.env.action_space.n)
        self.width = self.env.observation_space.shape[0]

    def reset(self, seed):
        return numpy.float32(self.env.reset(seed=seed)[0])

    def step(self, action):
        state, reward, terminal, truncated, _ = self.env.step(self.env.action_space.start + action)
        return numpy.float32(state), reward, terminal, truncated


serve(Environment)
