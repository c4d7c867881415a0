#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seconds that the Open Bandit Pipeline (obp of PyPI) takes for IPS and SNIPS of ROWS rows in memory, with intervals
of 100 resamples, as one JSON object: the work of tests/bench/ope_log.c's log, without reading and import.

    obp_ope.py ROWS
"""
import json
import sys
import time

import numpy as np
from obp.ope import InverseProbabilityWeighting, OffPolicyEvaluation, SelfNormalizedInverseProbabilityWeighting

ITEMS, RESAMPLES = 34, 100


def main():
    rows = int(sys.argv[1])
    rng = np.random.default_rng(1)
    share = 1 / np.arange(1, ITEMS + 1)
    share /= share.sum()
    action = rng.choice(ITEMS, rows, p=share)
    feedback = {"n_rounds": rows, "n_actions": ITEMS, "action": action, "position": None, "context": np.zeros((rows, 1)),
                "reward": (rng.random(rows) < 0.005).astype(float), "pscore": share[action]}
    uniform = np.full((rows, ITEMS, 1), 1 / ITEMS)
    estimators = [InverseProbabilityWeighting(), SelfNormalizedInverseProbabilityWeighting()]
    t0 = time.perf_counter()
    ope = OffPolicyEvaluation(bandit_feedback=feedback, ope_estimators=estimators)
    values = ope.estimate_policy_values(action_dist=uniform)
    ope.estimate_intervals(action_dist=uniform, n_bootstrap_samples=RESAMPLES, random_state=1)
    print(json.dumps({"seconds": time.perf_counter() - t0, **values}))


main()
