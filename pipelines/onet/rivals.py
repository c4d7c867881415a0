#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ranks the jobs for the other part's applicants as strong methods without a network do, from the same labels.

    rivals.py kernel-ridge|boosted-trees FOLDER SEED [history] > RUN

FOLDER is what split.py made. Both know the applicants' and jobs' vectors and the training applicants' labels (gains CLICK
.4, SAVE .7, APPLY 1, else 0); with history also the job that an applicant holds, which is in no list. Writes a TREC run of the
best 100 jobs an applicant.

kernel-ridge (scikit-learn): from the likeness of applicants to their gains for every job, smoothed over like jobs, beside
the cosine of hard skills and title. boosted-trees (lightgbm): LambdaMART on features of a pair within its list: cosines, their
z-scores and ranks, the labels of like applicants (in training without those of one's own occupation), the job that the
applicant likely holds, and how near a job is to all others.
"""
import json
import os
import subprocess
import sys

import numpy

GAINS = {"CLICK": 0.4, "SAVE": 0.7, "APPLY": 1.0}
USER_FIELDS = {"hard": "hard_skill_embeddings", "soft": "soft_skills_embeddings"}
ITEM_FIELDS = {
    "title": "job_title_embeddings",
    "tech": "tech_skills_vectors",
    "soft": "soft_skills_embeddings",
    "experience": "experience_requirements_embeddings",
}
DRAWN = 150  # unlabelled jobs beside an applicant's labelled ones, for the trees


def documents(folder, name):
    path = os.path.join(folder, name)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    text = subprocess.run(["zstd", "-qdcf", path + ".zst"], check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in text.splitlines()]


def unit(rows):
    rows = numpy.asarray(rows, dtype=numpy.float64)
    return rows / numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def fields(rows, names):
    """A matrix a field; a vector that a row lacks is zero, alike to nothing."""
    width = len(next(iter(rows[0][key] for key in names.values() if key in rows[0])))
    return {field: unit([row.get(key) or [0.0] * width for row in rows]) for field, key in names.items()}


def z(scores, listed=None):
    """z-scores over each row's list; what is not listed has no part in them."""
    listed = numpy.ones(scores.shape, dtype=bool) if listed is None else listed
    count = listed.sum(1, keepdims=True)
    mean = numpy.where(listed, scores, 0).sum(1, keepdims=True) / count
    spread = numpy.sqrt(numpy.where(listed, (scores - mean) ** 2, 0).sum(1, keepdims=True) / count)
    return (scores - mean) / numpy.maximum(spread, 1e-9)


class Side:
    """One part's applicants: vectors, the number of the job that each holds, and the gains of his labels."""

    def __init__(self, folder, jobs):
        vectors = documents(folder, "candidates_embeddings.jsonl")
        self.ids = [v["original_candidate_id"] for v in vectors]
        row = {applicant: r for r, applicant in enumerate(self.ids)}
        self.vectors = fields(vectors, USER_FIELDS)
        self.held = numpy.zeros(len(self.ids), dtype=int)
        self.gains = numpy.zeros((len(self.ids), len(jobs)))
        for seen in documents(folder, "interactions.jsonl"):
            if seen["label"] == "SEEN":
                self.held[row[seen["user"]]] = jobs[seen["item"]]
            else:
                self.gains[row[seen["user"]], jobs[seen["item"]]] = GAINS[seen["label"]]
        self.listed = numpy.arange(len(jobs)) != self.held[:, None]
        self.labelled = self.gains.any(1)


def reciprocity(train):
    """[j, i]: the mean gain that the labelled training applicants who hold j gave to i; 0 where there is none."""
    held, gains = train.held[train.labelled], train.gains[train.labelled]
    total, count = numpy.zeros((gains.shape[1],) * 2), numpy.zeros(gains.shape[1])
    numpy.add.at(total, held, gains)
    numpy.add.at(count, held, 1)
    return total / numpy.maximum(count, 1)[:, None]


def kernel_ridge(train, test, items, history, _seed):
    from sklearn.kernel_ridge import KernelRidge

    def likeness(a, b):
        hard = a.vectors["hard"] @ b.vectors["hard"].T
        if not history:
            return numpy.exp(4 * (hard - 1))
        held = sum(w * items[f][a.held] @ items[f][b.held].T for f, w in (("title", 0.7), ("tech", 0.15), ("soft", 0.15)))
        return numpy.exp(4 * (0.3 * hard + 0.7 * held - 1))

    chosen = train.labelled
    ridge = KernelRidge(alpha=0.1, kernel="precomputed")
    ridge.fit(likeness(train, train)[numpy.ix_(chosen, chosen)], train.gains[chosen])
    predicted = ridge.predict(likeness(test, train)[:, chosen])
    jobs = numpy.exp(4 * (items["title"] @ items["title"].T - 1))
    predicted = numpy.linalg.solve(jobs + numpy.eye(len(jobs)), jobs @ predicted.T).T
    scores = z(predicted, test.listed) + z(test.vectors["hard"] @ items["title"].T, test.listed)
    if history:
        scores += z((items["title"] @ items["title"].T)[test.held], test.listed) + 2 * reciprocity(train).T[test.held]
    return scores


def neighbours(side, train, beta, leave_out):
    """The gains of like labelled training applicants; leave_out: without those who hold the same job."""
    alike = side.vectors["hard"] @ train.vectors["hard"].T
    usable = numpy.broadcast_to(train.labelled, alike.shape)
    if leave_out:
        usable = usable & (side.held[:, None] != train.held)
    alike = numpy.where(usable, alike, -numpy.inf)
    weight = numpy.exp(beta * (alike - alike.max(1, keepdims=True)))
    return weight @ train.gains / weight.sum(1, keepdims=True)


def transfer(train, given, items):
    """[h, j]: the gain for j of those who hold jobs like h, h itself left out."""
    weight = numpy.exp(14 * (items["title"] @ items["title"].T - 1))
    numpy.fill_diagonal(weight, 0)
    weight *= numpy.bincount(train.held[train.labelled], minlength=len(weight)) > 0
    return weight @ given / weight.sum(1, keepdims=True)


def features(side, train, items, history):
    training, given = side is train, reciprocity(train)
    cosines = {(u, i): side.vectors[u] @ items[i].T for u in USER_FIELDS for i in ITEM_FIELDS}
    columns = list(cosines.values())
    for pair in ("hard", "title"), ("hard", "tech"), ("hard", "soft"), ("soft", "title"), ("soft", "soft"):
        columns.append(z(cosines[pair], side.listed))
    for pair in ("hard", "title"), ("hard", "tech"):
        order = (-numpy.where(side.listed, cosines[pair], -2)).argsort(1, kind="stable").argsort(1)
        columns.append(z(-numpy.log1p(order), side.listed))
    columns += [z(neighbours(side, train, beta, training), side.listed) for beta in (8, 20)]
    likely = numpy.exp(25 * (cosines["hard", "title"] - cosines["hard", "title"].max(1, keepdims=True)))
    likely /= likely.sum(1, keepdims=True)
    among = {f: items[f] @ items[f].T for f in ITEM_FIELDS}
    columns += [z(likely @ among[f], side.listed) for f in ("title", "tech", "soft")]
    columns.append(z(likely @ given.T, side.listed))
    columns.append(numpy.broadcast_to(among["title"].mean(1), side.gains.shape))
    if history:
        columns += [z(among[f][side.held], side.listed) for f in ITEM_FIELDS]
        columns += [2 * given.T[side.held], z(transfer(train, given, items)[side.held], side.listed)]
    return numpy.stack([c.astype(numpy.float32) for c in columns], axis=2)


def boosted_trees(train, test, items, history, seed):
    import lightgbm

    draw, inputs = numpy.random.default_rng(seed), features(train, train, items, history)
    rows, grades = [], []
    for user in numpy.flatnonzero(train.labelled):
        labelled = numpy.flatnonzero(train.gains[user] * train.listed[user])
        others = numpy.flatnonzero((train.gains[user] == 0) & train.listed[user])
        chosen = numpy.concatenate([labelled, draw.choice(others, min(DRAWN, len(others)), replace=False)])
        rows.append(inputs[user, chosen])
        grades.append(numpy.searchsorted([0.1, 0.5, 0.9], train.gains[user, chosen]))
    ranker = lightgbm.LGBMRanker(n_estimators=200, num_leaves=15, random_state=seed, n_jobs=1, deterministic=True, verbose=-1)
    ranker.fit(numpy.concatenate(rows), numpy.concatenate(grades), group=[len(r) for r in rows])
    inputs = features(test, train, items, history)
    return ranker.predict(inputs.reshape(-1, inputs.shape[2])).reshape(inputs.shape[:2])


def main():
    method, folder, seed = sys.argv[1:4]
    history = sys.argv[4:] == ["history"]
    jobs = documents(os.path.join(folder, "train"), "job_embeddings.jsonl")
    ids = [j["original_job_id"] for j in jobs]
    items, number = fields(jobs, ITEM_FIELDS), {job: n for n, job in enumerate(ids)}
    train, test = (Side(os.path.join(folder, s), number) for s in ("train", "test"))
    rank = {"kernel-ridge": kernel_ridge, "boosted-trees": boosted_trees}[method]
    scores = numpy.where(test.listed, rank(train, test, items, history, int(seed)), -numpy.inf)
    for applicant, row in zip(test.ids, scores):
        for place, job in enumerate(numpy.argsort(-row, kind="stable")[:100], 1):
            print(applicant, "Q0", ids[job], place, f"{row[job]:.6f}", method)


if __name__ == "__main__":
    main()
