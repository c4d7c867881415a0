#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Some of the O*NET set: what a pipeline's short form is tried on.

    fewer.py DATA FOLDER OCCUPATIONS

FOLDER has the five files of DATA, of the first so many occupations: their applicants, the jobs of theirs, and the
interactions of the ones with the others.
"""
import json
import os
import subprocess
import sys


def lines(data, name):
    command = ["zstd", "-qdc", os.path.join(data, name + ".jsonl.zst")]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines(True)


def write(folder, name, chosen):
    command = ["zstd", "-q", "-f", "-o", os.path.join(folder, name + ".jsonl.zst")]
    subprocess.run(command, input=b"".join(chosen), check=True)


def main():
    data, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.makedirs(folder, exist_ok=True)
    people = {d["_id"]: d["occupation"] for d in map(json.loads, lines(data, "candidates_text"))}
    jobs = set(sorted(set(people.values()))[:count])
    people = {a for a, o in people.items() if o in jobs}
    for name, key, kept in (("candidates_text", "_id", people), ("candidates_embeddings", "original_candidate_id", people),
                            ("jobs_text", "_id", jobs), ("job_embeddings", "original_job_id", jobs)):
        write(folder, name, [line for line in lines(data, name) if json.loads(line)[key] in kept])
    write(folder, "interactions", [line for line in lines(data, "interactions")
                                   if (d := json.loads(line))["user"] in people and d["item"] in jobs])


if __name__ == "__main__":
    main()
