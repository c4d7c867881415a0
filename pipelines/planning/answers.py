#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many answers each system took, from the logs of dq-train: one file a system and seed, FOLDER/SEED/SYSTEM.log.

    answers.py values FOLDER     system, seed, measure, value: means over a seed's applicants
    answers.py means FOLDER      system, and each measure's mean over seeds with its 95 % interval (Student's t)
    answers.py curves FOLDER     panel, system, answers, reward, sd, seeds: the mean over seeds of those means, and their spread

What can be had of an applicant is the most that any system came to in an evaluation, on the same jobs. Measures:

    answers_95    answers until an evaluation first earns 95 % of that; who never does counts as LIMIT, the run's steps
    answers_90    the same of 90 %
    reached_95    the share of applicants of whom 95 % was reached
    first         reward at the first evaluation, as a share of what can be had: after ten steps, the last three of which taught
    reward        reward over the first BUDGET answers, as a share of what can be had: the area under the curve

Between two evaluations a reward is what it was at the former.
"""
import collections
import glob
import json
import os
import statistics
import sys

BUDGET, LIMIT = 40, 100
MEASURES = ("first", "reward", "answers_90", "answers_95", "reached_95")
QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
PANELS = {"planning, with features": ["features", "features-planning-5", "features-updates-6"],
          "planning, without": ["none", "none-planning-5", "none-updates-6"],
          "pre-training": ["features", "reptile", "cold"]}


def read(path):
    """Of each applicant the evaluations: (answers, reward)."""
    runs = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for line in map(json.loads, file):
            if "evaluation_return" in line:
                runs[line["user"]].append((line["answers"], line["evaluation_return"]))
    return runs


def at(run, answers):
    """The reward after so many answers."""
    return [r for a, r in run if a <= answers or a == run[0][0]][-1]


def answers_to(run, wanted):
    return next((a for a, r in run if r >= wanted), LIMIT)


def interval(values):
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.3f}"
    quantile = QUANTILES[len(values) - 2] if len(values) - 2 < len(QUANTILES) else 1.96
    return f"{mean:.3f} ± {quantile * statistics.stdev(values) / len(values) ** 0.5:.3f}"


def main():
    what, folder = sys.argv[1:]
    logs = {(os.path.basename(os.path.dirname(p)), os.path.basename(p)[:-4]): read(p)
            for p in sorted(glob.glob(os.path.join(folder, "*", "*.log")))}
    best = collections.defaultdict(float)
    for (seed, _), runs in logs.items():
        for user, run in runs.items():
            best[seed, user] = max([best[seed, user]] + [r for _, r in run])
    curves = collections.defaultdict(lambda: collections.defaultdict(list))
    table = collections.defaultdict(lambda: collections.defaultdict(dict))
    for (seed, system), runs in logs.items():
        values = collections.defaultdict(list)
        for user, run in runs.items():
            top = best[seed, user]
            if not top > 0:
                continue
            values["answers_95"].append(answers_to(run, 0.95 * top))
            values["answers_90"].append(answers_to(run, 0.9 * top))
            values["reached_95"].append(any(r >= 0.95 * top for _, r in run))
            values["first"].append(run[0][1] / top)
            values["reward"].append(sum(at(run, a) for a in range(1, BUDGET + 1)) / BUDGET / top)
            for a in range(0, BUDGET + 1, 2):
                curves[system, a][seed].append(at(run, a) / top)
        for measure, of in values.items():
            table[system][measure][seed] = sum(of) / len(of)
    if what == "values":
        print("system\tseed\tmeasure\tvalue")
        for system, measures in table.items():
            for measure, by_seed in measures.items():
                for seed, value in by_seed.items():
                    print(system, seed, measure, f"{value:.6f}", sep="\t")
    if what == "means":
        print("system", *MEASURES, sep="\t")
        for system, measures in table.items():
            print(system, *(interval(list(measures[m].values())) for m in MEASURES), sep="\t")
    if what == "curves":
        print("panel\tsystem\tanswers\treward\tsd\tseeds")
        for panel, systems in PANELS.items():
            for system, a in ((s, a) for s in systems for a in range(0, BUDGET + 1, 2)):
                means = [sum(x) / len(x) for x in curves[system, a].values()]
                sd = statistics.stdev(means) if len(means) > 1 else 0
                if means:
                    print(panel, system, a, f"{sum(means) / len(means):.6f}", f"{sd:.6f}", len(means), sep="\t")


if __name__ == "__main__":
    main()
