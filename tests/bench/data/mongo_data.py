#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes system A's four collections as raw BSON in a folder, once: 20,000 jobs of 4 x 384 doubles, one applicant.

    mongo_data.py FOLDER [JOBS]

A document of embeddings is a template of which the ids and the doubles are replaced, all documents of a chunk at once.
"""
import os
import sys

import bson
import numpy as np

WIDTH = 384
JOB = ["job_title_embeddings", "tech_skills_vectors", "soft_skills_embeddings", "experience_requirements_embeddings"]
USER = ["hard_skill_embeddings", "soft_skills_embeddings"]


def object_ids(first, count):
    """(count, 12) bytes: ObjectIds that ascend."""
    ids = np.zeros((count, 12), np.uint8)
    ids[:, :4] = (0x65, 0xF1, 0, 0)
    ids[:, 8:] = np.arange(first, first + count, dtype=">u4").view(np.uint8).reshape(count, 4)
    return ids


def places(template, keys):
    """Where the doubles of these keys' arrays lie, in order."""
    found = []
    for key in keys:
        at = template.index(b"\4" + key.encode() + b"\0") + len(key) + 6
        for i in range(WIDTH):
            at += 2 + len(str(i))
            found.append(at)
            at += 8
    return np.array(found)


def embeddings(path, id_key, keys, count, rng):
    zero = bson.ObjectId(bytes(12))
    template = bson.encode({"_id": zero, id_key: zero, **{k: [0.0] * WIDTH for k in keys}})
    doubles = places(template, keys)[:, None] + np.arange(8)
    own = template.index(b"_id\0") + 4
    other = template.index(id_key.encode() + b"\0") + len(id_key) + 1
    with open(path, "wb") as f:
        for first in range(0, count, 1000):
            n = min(1000, count - first)
            block = np.tile(np.frombuffer(template, np.uint8), (n, 1))
            block[:, own:own + 12] = object_ids(1 << 24 | first, n)
            block[:, other:other + 12] = object_ids(first, n)
            x = rng.standard_normal((n, len(keys), WIDTH))
            x /= np.linalg.norm(x, axis=2, keepdims=True)
            block[:, doubles] = x.reshape(n, -1, 1).view(np.uint8)
            f.write(block.tobytes())


def texts(path, count, document):
    with open(path, "wb") as f:
        for i, raw in enumerate(object_ids(0, count)):
            f.write(bson.encode({"_id": bson.ObjectId(raw.tobytes()), **document(i)}))


def job(i):
    return {"job_title": f"Job {i}", "description": f"What job {i} is about. " * 12, "technical_skills": ["C", "make", f"s{i % 97}"],
            "soft_skills": ["patience"], "experience_requirements": f"{i % 9} years", "city": f"town {i % 31}"}


def main():
    folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    if os.path.exists(f"{folder}/done"):
        return
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(42)
    embeddings(f"{folder}/job_embeddings.bson", "original_job_id", JOB, count, rng)
    embeddings(f"{folder}/candidates_embeddings.bson", "original_candidate_id", USER, 1, rng)
    texts(f"{folder}/jobs_text.bson", count, job)
    texts(f"{folder}/candidates_text.bson", 1, lambda i: {"bio": "b", "skills": ["C"], "experience": []})
    open(f"{folder}/done", "w").close()


main()
