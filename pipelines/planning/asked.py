#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who is asked online: some applicants of a split (onet/split.py) whom nobody has learnt from, with all their labels.

    asked.py FOLDER COUNT

FOLDER/asked   every job, the first COUNT of FOLDER/test's applicants, one of an occupation, as interactions what they
               answer when they are asked; FOLDER/asked/users names them
"""
import json
import os
import sys

WORDS = {"3": "APPLY", "2": "SAVE", "1": "CLICK"}


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    test, asked = os.path.join(folder, "test"), os.path.join(folder, "asked")
    os.makedirs(asked, exist_ok=True)
    with open(os.path.join(folder, "test.qrels"), encoding="utf-8") as file:
        answers = [line.split() for line in file]
    first = {}
    for user in sorted({a[0] for a in answers}):
        first.setdefault(user.split("/")[0], user)
    step = max(1, len(first) // count)
    users = [first[o] for o in sorted(first)][::step][:count]
    for name, key in ("candidates_text", "_id"), ("candidates_embeddings", "original_candidate_id"):
        with open(os.path.join(test, name + ".jsonl"), encoding="utf-8") as rows, \
                open(os.path.join(asked, name + ".jsonl"), "w", encoding="utf-8") as out:
            out.writelines(line for line in rows if json.loads(line)[key] in users)
    with open(os.path.join(asked, "interactions.jsonl"), "w", encoding="utf-8") as out:
        for user, _, item, grade in answers:
            if user in users:
                out.write(json.dumps({"user": user, "item": item, "label": WORDS[grade]}) + "\n")
    with open(os.path.join(asked, "users"), "w", encoding="utf-8") as out:
        out.writelines(user + "\n" for user in users)
    for name in "jobs_text.jsonl.zst", "job_embeddings.jsonl.zst":
        link = os.path.join(asked, name)
        if not os.path.lexists(link):
            os.symlink(os.path.realpath(os.path.join(test, name)), link)


if __name__ == "__main__":
    main()
