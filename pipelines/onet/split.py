#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Splits the O*NET set by the applicants' occupations, so that no job that someone holds is on both sides.

    split.py DATA FOLDER SEED [FEWER]

FOLDER/train   every job, 70 % of the occupations' applicants, their labels (of one applicant in FEWER; default all)
FOLDER/test    every job, the other applicants; as interactions only what they have seen
FOLDER/test.qrels   the other applicants' labels: APPLY 3, SAVE 2, CLICK 1

What somebody has seen is the job that he holds, SEEN, on both sides: no label that is learnt from, but what he is known by
(dq-train --history seen), and what --exclude-seen leaves out.

The order of occupations is that of the SHA-256 of "SEED OCCUPATION", the same everywhere.
"""
import contextlib
import hashlib
import json
import os
import subprocess
import sys

GRADES = {"APPLY": 3, "SAVE": 2, "CLICK": 1}


def lines(data, name):
    command = ["zstd", "-qdc", os.path.join(data, name + ".jsonl.zst")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as zstd:
        yield from zstd.stdout
    if zstd.returncode:
        sys.exit(f"split.py: {' '.join(command)} failed")


def order(seed, name):
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def main():
    data, folder, seed = sys.argv[1:4]
    fewer = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    occupation = {d["_id"]: d["occupation"] for d in map(json.loads, lines(data, "candidates_text"))}
    shuffled = sorted(set(occupation.values()), key=lambda o: order(seed, o))
    training = set(shuffled[: round(0.7 * len(shuffled))])
    side = {a: "train" if o in training else "test" for a, o in occupation.items()}
    heard = set(sorted((a for a in side if side[a] == "train"), key=lambda a: order(seed, a))[::fewer])

    with contextlib.ExitStack() as stack:
        def create(*path):
            path = os.path.join(folder, *path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return stack.enter_context(open(path, "wb"))

        for name, key in ("candidates_text", "_id"), ("candidates_embeddings", "original_candidate_id"):
            files = {s: create(s, name + ".jsonl") for s in ("train", "test")}
            for line in lines(data, name):
                files[side[json.loads(line)[key]]].write(line)
        seen, qrels = {s: create(s, "interactions.jsonl") for s in ("train", "test")}, create("test.qrels")
        for line in lines(data, "interactions"):
            d = json.loads(line)
            if d["user"] in heard:
                seen["train"].write(line)
            elif side[d["user"]] == "test":
                qrels.write(f"{d['user']} 0 {d['item']} {GRADES[d['label']]}\n".encode())
        for applicant in sorted(side):
            held = {"user": applicant, "item": occupation[applicant], "label": "SEEN"}
            seen[side[applicant]].write(json.dumps(held).encode() + b"\n")
    for s in "train", "test":
        for name in "jobs_text.jsonl.zst", "job_embeddings.jsonl.zst":
            link = os.path.join(folder, s, name)
            if not os.path.lexists(link):
                os.symlink(os.path.abspath(os.path.join(data, name)), link)


if __name__ == "__main__":
    main()
