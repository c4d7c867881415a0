#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The peer of dq-export from MongoDB: pymongo, NumPy and the ordinary msgpack and zstandard packages read the jobs'
texts and vectors, join them by id and write blocks of ids, texts and float32 vectors to standard output.

    pymongo_export.py URI
"""
import sys

import msgpack
import numpy as np
import pymongo
import zstandard

TEXTS = {"title": "job_title", "description": "description", "technical_skills": "technical_skills",
         "soft_skills": "soft_skills", "experience_requirements": "experience_requirements"}
VECTORS = ["job_title_embeddings", "tech_skills_vectors", "soft_skills_embeddings", "experience_requirements_embeddings"]
ROWS = 340  # 2 MiB of vectors


def read(value):
    return ", ".join(value) if isinstance(value, list) else value


def write(out, ids, texts, attributes, rows):
    vectors = np.stack(rows)
    if not np.isfinite(vectors).all():
        raise ValueError("not finite")
    out.write(msgpack.packb({"id": ids, "text": texts, "attributes": attributes, "vector": vectors.tobytes()}))


def main():
    database = pymongo.MongoClient(sys.argv[1]).get_default_database()
    out = zstandard.ZstdCompressor(level=-1).stream_writer(sys.stdout.buffer)
    jobs = database.jobs_text.find().sort("_id").batch_size(1000)
    embeddings = database.job_embeddings.find({}, {"_id": 0, "original_job_id": 1, **{k: 1 for k in VECTORS}})
    ids, texts, attributes, rows = [], [], [], []
    for job, vectors in zip(jobs, embeddings.sort("original_job_id").batch_size(1000)):
        if job["_id"] != vectors["original_job_id"]:
            raise ValueError("the collections do not match")
        ids.append(str(job.pop("_id")))
        texts.append({name: read(job.pop(key)) for name, key in TEXTS.items()})
        attributes.append(job)
        rows.append(np.concatenate([np.array(vectors[k], dtype=np.float32) for k in VECTORS]))
        if len(rows) == ROWS:
            write(out, ids, texts, attributes, rows)
            ids, texts, attributes, rows = [], [], [], []
    if rows:
        write(out, ids, texts, attributes, rows)
    out.close()


main()
