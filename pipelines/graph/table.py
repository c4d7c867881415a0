#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shortest ways through a graph, as agents go them that learnt from random walks.

    table.py WALKS.jsonl SYSTEM=PLAYED.jsonl ...        transitions of dq-sim's graph, as dq-cat prints them

Of every start: the shortest way by the edges that the walks took, the shortest walk from there, and an agent's. Prints a row
a system, over all of its files: the share of starts from which the way is a shortest one, the share from which it is
shorter than any walk of the log from there, steps, and the share of episodes that were lost.
"""
import json
import sys
from collections import defaultdict

GOAL = 0


def episodes(path):
    """Of each episode: the nodes in order, the last one it came to among them."""
    walks = defaultdict(list)
    with open(path) as f:
        for line in f:
            row = json.loads(line)
            if row["kind"] == "transitions":
                nodes = walks[row["episode"]]
                nodes += [row[side].index(1) for side in ("state", "next_state")][bool(nodes):]
    return list(walks.values())


def distances(walks):
    into = defaultdict(set)
    for nodes in walks:
        for a, b in zip(nodes, nodes[1:]):
            into[b].add(a)
    far, edge = {GOAL: 0}, [GOAL]
    while edge:
        edge = [a for b in edge for a in sorted(into[b]) if a not in far and far.setdefault(a, far[b] + 1)]
    return far


def shortest(walks):
    """By start, of those that arrived."""
    best = {}
    for nodes in walks:
        if nodes[-1] == GOAL:
            best[nodes[0]] = min(best.get(nodes[0], len(nodes)), len(nodes) - 1)
    return best


def main():
    walks = episodes(sys.argv[1])
    far, logged = distances(walks), shortest(walks)
    systems = defaultdict(list)
    for word in sys.argv[2:]:
        name, path = word.split("=", 1)
        systems[name].append(episodes(path))
    print("system\toptimal\tshorter\tsteps\tlost")
    starts = [n for n in far if n != GOAL]

    def show(name, runs):
        optimal = shorter = 0
        for best in map(shortest, runs):
            optimal += sum(best.get(n) == far[n] for n in starts)
            shorter += sum(n in best and best[n] < logged.get(n, len(far) + 1) for n in starts)
        played = [nodes for run in runs for nodes in run]
        arrived = [nodes for nodes in played if nodes[-1] == GOAL]
        steps = sum(len(n) - 1 for n in arrived) / max(1, len(arrived))
        share = len(runs) * len(starts)
        print(f"{name}\t{optimal / share:.3f}\t{shorter / share:.3f}\t{steps:.2f}\t{1 - len(arrived) / len(played):.3f}")

    show("best-walk", [walks])
    for name, runs in systems.items():
        show(name, runs)
    print(f"shortest\t1.000\t\t{sum(far[n] for n in starts) / len(starts):.2f}\t0.000")


main()
