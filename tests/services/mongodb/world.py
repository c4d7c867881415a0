#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes system A's collections, small: JSON lines with ids of every kind, in no order, vectors 4 wide, a third of the
jobs without experience vectors, attributes of many types, interactions of some users with some items.

    world.py FOLDER USERS ITEMS [integers|strings|objects|uuids|binaries|numbers]      the last: ids of one kind alone
"""
import base64
import json
import os
import random
import sys
import uuid

FORMS = {"integers": [lambda i: 3 * i, lambda i: -i, lambda i: 2**53 + i],
         "strings": [lambda i: f"s{i}é", lambda i: f"S{i:03d}"],
         "objects": [lambda i: {"$oid": f"65f1{i:020x}"}, lambda i: {"$oid": f"01{i:022x}"}]}
MIXED = [form for forms in FORMS.values() for form in forms]
FORMS["uuids"] = [lambda i: {"$uuid": str(uuid.UUID(int=i * 0x9e3779b97f4a7c15f39cc0605cedc835 % 2**128))}]
FORMS["binaries"] = [lambda i: binary(bytes([i % 256] * (1 + i % 7)) + b"%d" % i, 0), lambda i: binary(b"%06d" % i, 128), lambda i: binary(b"%06d" % i, 5)]
FORMS["numbers"] = [lambda i: i, lambda i: {"$numberDouble": "%d.0" % -i}, lambda i: {"$numberDecimal": "%d" % (10**9 + i)}]


def binary(data, subtype):
    return {"$binary": {"base64": base64.b64encode(data).decode(), "subType": "%02x" % subtype}}


def main():
    folder, users, items = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    forms = FORMS[sys.argv[4]] if len(sys.argv) > 4 else MIXED
    rng = random.Random(7)
    os.makedirs(folder, exist_ok=True)

    def vector():
        return [rng.randrange(-512, 512) / 256 for _ in range(4)]

    def write(name, rows):
        rng.shuffle(rows)
        with open(f"{folder}/{name}.jsonl", "w") as f:
            f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def ids(count, first):
        return [forms[i % len(forms)](first + i) for i in range(count)]

    who, what = ids(users, 1), ids(items, 500)
    write("candidates_text", [
        {"_id": u, "bio": f"bio {k}", "skills": ["s", f"t{k}"], "experience": [{"title": "T", "years": k}], "age": k, "half": k / 2,
         "since": {"$date": "2026-01-02T03:04:05Z"}, "open": k % 2 == 0, "note": None, "ref": {"$oid": f"aa{k:022x}"},
         "places": [{"town": "x", "n": k}, {}]} for k, u in enumerate(who)])
    write("candidates_embeddings", [
        {"_id": f"v{k}", "original_candidate_id": u, "hard_skill_embeddings": vector(), "soft_skills_embeddings": vector(), "x": k}
        for k, u in enumerate(who)])
    write("jobs_text", [
        {"_id": j, "job_title": f"Job {k}", "description": "d" * (k % 5), "technical_skills": ["x", "y"], "soft_skills": [],
         "experience_requirements": "", "city": f"c{k % 3}"} for k, j in enumerate(what)])
    jobs = [{"_id": {"$oid": f"77{k:022x}"}, "original_job_id": j, "job_title_embeddings": vector(), "tech_skills_vectors": vector(),
             "soft_skills_embeddings": vector(), **({"experience_requirements_embeddings": vector()} if k % 3 else {})}
            for k, j in enumerate(what)]
    write("job_embeddings", jobs)
    met = [(u, j) for a, u in enumerate(who) for b, j in enumerate(what) if (a + b) % 3 == 0 and b < 60]
    write("interactions", [{"user": u, "item": j, "label": ["APPLY", "SAVE", "CLICK", "IGNORE"][k % 4], "at": k}
                           for k, (u, j) in enumerate(met)])


main()
