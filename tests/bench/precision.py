#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What --precision bf16 changes in what is learnt: float32 and bfloat16 by turns, over seeds, as a table (docs/training.md).

    precision.py [BUILD] [SEEDS]        default build, 5; 2 to 10 seeds

System A, online for one user, on made-up vectors: the mean cosine reward of the ten items that dq-rank puts first, of 1,000;
the network and world model of the defaults are a quarter as wide, so that it takes minutes. And system D, 300
episodes in its environment: the mean return of 200. The interval is the 95 % one of the paired differences (Student's t).
"""
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile

T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
USER, ITEM, ITEMS = 64, 128, 1000


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def vector(rng, width):
    x = [rng.gauss(0, 1) for _ in range(width)]
    length = math.sqrt(sum(v * v for v in x))
    return [round(v / length, 6) for v in x]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


class Catalogue:
    """One user, whose vector an item's first half is compared with."""

    def __init__(self, build, folder):
        rng = random.Random(1)
        self.build, self.folder = build, folder
        self.user = vector(rng, USER)
        self.items = {f"i{i}": vector(rng, ITEM) for i in range(ITEMS)}
        with open(f"{folder}/users.jsonl", "w", encoding="utf-8") as f:
            f.write(json.dumps({"id": "u", "vector": {"state": self.user}}) + "\n")
        with open(f"{folder}/items.jsonl", "w", encoding="utf-8") as f:
            for name, x in self.items.items():
                f.write(json.dumps({"id": name, "vector": {"head": x[:USER], "tail": x[USER:]}}) + "\n")
        run(f"{build}/dq-export", "-q", "--users", f"{folder}/users.jsonl", "--items", f"{folder}/items.jsonl",
            "--compare", "state:head", "-o", f"{folder}/c.dq")

    def measure(self, precision, seed):
        model = f"{self.folder}/a.dq"
        run(f"{self.build}/dq-train", "-q", "--user", "u", "--reward", "cosine", "--precision", precision, "--seed", str(seed),
            "--hidden", "256,128,64", "--world-hidden", "256,128", "--episodes", "30", "-t", "1", "-o", model, f"{self.folder}/c.dq")
        ranked = run(f"{self.build}/dq-rank", "-q", "--model", model, "-k", "10", "--format", "tsv", "--no-header",
                     f"{self.folder}/c.dq").splitlines()
        rewards = [(1 + cosine(self.user, self.items[line.split("\t")[2]][:USER])) / 2 for line in ranked]
        return statistics.mean(rewards)


class Films:
    """System D's agent in its environment."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder

    def measure(self, precision, seed):
        model = f"{self.folder}/b.dq"
        run(f"{self.build}/dq-train", "-q", "--preset", "films", "--precision", precision, "--seed", str(seed), "--episodes", "300",
            "-t", "1", "-o", model)
        lines = run(f"{self.build}/dq-eval", "-q", "--rollout", "--env", "films", "--model", model, "--episodes", "200",
                    "--format", "tsv").splitlines()
        return next(float(line.split("\t")[3]) for line in lines if line.split("\t")[1:3] == ["mean", "all"])


def main():
    build = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "build")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    if count not in T95:
        sys.exit(f"SEEDS: {min(T95)} to {max(T95)}")
    seeds = range(1, 1 + count)
    print("| | f32 | bf16 | bf16 less f32 |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, what in (("system A online, mean reward of the first ten", Catalogue(build, folder)),
                           ("system D, mean return of 200 episodes", Films(build, folder))):
            f32, bf16 = ([what.measure(p, s) for s in seeds] for p in ("f32", "bf16"))
            apart = [b - f for f, b in zip(f32, bf16)]
            half = T95[len(apart)] * statistics.stdev(apart) / math.sqrt(len(apart))
            print(f"| {name} | {statistics.mean(f32):.4g} | {statistics.mean(bf16):.4g} | "
                  f"{statistics.mean(apart):+.3g} ± {half:.2g} |", flush=True)


if __name__ == "__main__":
    main()
