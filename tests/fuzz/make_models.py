#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the named seeds of the corpora whose inputs are bundles: models, checkpoints, catalogue, stream.

    make_models.py BUILD CORPUS

The built programs train agents of all kinds, with few weights, and what they write is taken apart into the bodies of its
bundles: tests/fuzz/bundles.h.
"""
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import zstandard

build, corpus = (pathlib.Path(p).resolve() for p in sys.argv[1:])


def bodies(path):
    """The bodies of a stream's bundles, without heads and ends."""
    data = zstandard.ZstdDecompressor().stream_reader(open(path, "rb"), read_across_frames=True).read()
    at, out = 0, []
    while at < len(data):
        length = struct.unpack_from(">Q", data, at + 1)[0]
        body = data[at + 18:at + 18 + length]
        if body[1:].startswith(b"\xa2dq\xa6bundle"):
            out.append(body)
        at += 18 + length
    return out


def put(reader, name, options, *lists):
    (corpus / reader).mkdir(parents=True, exist_ok=True)
    data = bytes(options) + b"".join(struct.pack(">H", len(b)) + b for bs in lists for b in bs)
    (corpus / reader / name).write_bytes(data)


def lines(name, rows):
    with open(name, "w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def run(program, *arguments, stdin=None):
    subprocess.run([build / program, "--quiet", *arguments], check=True, stdin=open(stdin) if stdin else subprocess.DEVNULL)


def catalogue():
    rng = random.Random(5)
    vector = lambda: [round(rng.uniform(-1, 1), 2) for _ in range(3)]
    lines("users.jsonl", [{"id": f"u{i}", "vector": vector()} for i in range(3)])
    lines("items.jsonl", [{"id": f"i{i}", "vector": vector(), "title": f"t{i}"} for i in range(4)])
    lines("met.jsonl", [{"user": f"u{i % 3}", "item": f"i{i % 4}", "label": ("APPLY", "SAVE", "CLICK")[i % 3], "time": 1600000000 + i}
                        for i in range(9)])
    run("dq-export", "--users", "users.jsonl", "--items", "items.jsonl", "--interactions", "met.jsonl", "-o", "c.dq")
    run("dq-reward", "--strategy", "logged", "-o", "labelled.dq", stdin="c.dq")
    return bodies("c.dq"), bodies("labelled.dq")


small = ["--hidden", "4,3", "--batch", "4", "--seed", "3"]
online = [*small, "--replay", "8", "--warmup", "4", "--episodes", "2"]
# name: how it is used in `models`, of what it is made, options of dq-train
models = {
    "dqn": (1, "labelled.dq", ["--offline", "--agent", "dqn", *small, "--epochs", "1"]),
    "dyna-q": (2, "labelled.dq", ["--offline", "--world-hidden", "3", *small, "--epochs", "1"]),
    "dueling-norm": (1, "labelled.dq", ["--offline", "--agent", "dqn", "--dueling", "--batch-norm", *small, "--epochs", "1"]),
    "outputs": (4, "labelled.dq", ["--offline", "--agent", "dqn", "--head", "outputs", *small, "--epochs", "1"]),
    "sessions": (4, "c.dq", ["--offline", "--sessions", "--history", "2", *small, "--epochs", "1"]),
    "sessions-mean": (4, "c.dq", ["--offline", "--sessions", "--history", "2", "--encoder", "mean", *small, "--epochs", "1"]),
    "sessions-attention": (4, "c.dq", ["--offline", "--sessions", "--history", "2", "--encoder", "attention", "--head", "actions",
                                       *small, "--epochs", "1"]),
    "each-user": (5, "labelled.dq", ["--each-user", *online, "--steps", "3", "--world-hidden", "3", "--candidates", "4"]),
    "user": (1, "labelled.dq", ["--user", "u0", *online, "--steps", "3", "--world-hidden", "3", "--candidates", "4"]),
    "cartpole": (0, None, ["--env", "cartpole", *online]),
    "cartpole-ensemble": (0, None, ["--env", "cartpole", "--agent", "dyna-q", "--world", "--models", "2", *online]),
    "chain-tabular": (0, None, ["--env", "chain", "--agent", "tabular", "--alpha", "0.5", "--states", "16", "--episodes", "2"]),
    "sequence": (0, None, ["--env", "sequence", *online]),
    "bandit": (0, None, ["--env", "linear:features=2,actions=3,described=2,steps=4", "--agent", "linucb", "--episodes", "2"]),
    "bandit-outer": (0, None, ["--env", "linear:features=2,actions=3,described=2,steps=4", "--agent", "thompson", "--head", "actions",
                               "--outer", "--episodes", "2"]),
    "bandit-users": (4, "labelled.dq", ["--offline", "--agent", "linucb", "--head", "actions"]),
}
# name: the target's options (tests/fuzz/fuzz_checkpoints.c), and those of dq-train
checkpoints = {
    "cartpole-dqn": ((0, 0), None, ["--env", "cartpole", *online]),
    "cartpole-dyna-q": ((0, 0), None, ["--env", "cartpole", "--agent", "dyna-q", "--world", "--planning", "2", "--models", "2", *online]),
    "cartpole-priority": ((0, 0), None, ["--env", "cartpole", "--priority", "0.6", "--n-step", "2", "--double", *online]),
    "chain-tabular": ((0, 1), None, ["--env", "chain", "--agent", "tabular", "--alpha", "0.5", "--states", "16", "--planning", "2",
                                    "--episodes", "2"]),
    "chain-evaluated": ((0, 9), None, ["--env", "chain", "--evaluate", "1", "--keep", "both", *online]),
    "sequence": ((0, 2), None, ["--env", "sequence", *online]),
    "session": ((0, 3), None, ["--env", "session:users=2,items=3,steps=4", *online]),
    "films": ((0, 4), None, ["--env", "films:users=2,films=3,steps=4", *online]),
    "offline-dqn": ((1, 0), "labelled.dq", ["--offline", "--agent", "dqn", *small, "--epochs", "2"]),
    "offline-dyna-q": ((1, 1), "labelled.dq", ["--offline", "--world-hidden", "3", *small, "--epochs", "2", "--negatives", "1"]),
    "bandit": ((0, 1), None, ["--env", "chain", "--agent", "thompson", "--episodes", "2"]),
    "user": ((3, 0), "labelled.dq", ["--user", "u0", "--reward", "cosine", *online, "--steps", "3", "--world-hidden", "3",
                                    "--candidates", "4"]),
    "sessions": ((2, 0), "c.dq", ["--offline", "--sessions", "--history", "2", *small, "--epochs", "2"]),
}

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    plain, labelled = catalogue()
    put("stream", "signed-catalogue", [2], plain)
    put("stream", "signed-labelled", [2], labelled)
    put("models", "cosine", [3], plain)
    for how, name in enumerate(("dataset", "json", "tsv", "check")):
        put("catalogue", name, [how], labelled if how != 2 else plain[:1])
    run("dq-embed", "cf:2", "-o", "f.dq", "c.dq")
    put("catalogue", "factors", [5], bodies("f.dq"))
    run("dq-rank", "-k", "3", "-o", "r.dq", "c.dq")
    put("catalogue", "rankings-json", [1], plain, bodies("r.dq"))
    put("catalogue", "rankings-check", [3], bodies("r.dq"))
    run("dq-sim", "chain", "--play", "2", "--max-steps", "4", "-o", "s.dq")
    put("catalogue", "states", [4], bodies("s.dq"))
    put("catalogue", "states-json", [1], bodies("s.dq"))
    for name, (how, source, options) in models.items():
        run("dq-train", *options, "-o", "m.dq", *([source] if source else []))
        put("models", name, [how], bodies("m.dq"), plain)
        if "sessions" in name:
            put("models", name + "-acts", [0], bodies("m.dq"))
    put("stream", "signed-model", [2], bodies("m.dq"), plain)
    for name, (how, source, options) in checkpoints.items():
        for file in ("k.dq", "m.dq"):
            pathlib.Path(file).unlink(missing_ok=True)
        run("dq-train", *options, "--checkpoint", "k.dq", "--checkpoint-every", "1", "-o", "m.dq", *([source] if source else []))
        put("checkpoints", name, how, bodies("k.dq"), labelled if source else [])
