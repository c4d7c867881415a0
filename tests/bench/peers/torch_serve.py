#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The peer of dq-serve: the same lists by FastAPI, uvicorn and PyTorch, on one thread.

    torch_serve.py --port P session USERS.jsonl ITEMS.jsonl     system B: 102-256-256-128 and a number for each item
    torch_serve.py --port P pair USERS.jsonl ITEMS.npy          system A: a network 2304-1024-512-256-1 over pairs

A request is dq-serve's, of which user_id, n_recommendations and history are looked at; so is an answer. A user's state is
his vector, the mean of the vectors of the items in his history, and how many they are. Lists of users without a history in
the request are kept. Weights are random: what is compared is speed. Written for speed, too: one batch of tensors without
gradients, an endpoint that needs no pool of threads, uvicorn's parser and loop in C, no access log.
"""
import argparse
import itertools
import json

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from torch import nn

SESSION, PAIR = (102, 256, 256, 128), (2304, 1024, 512, 256, 1)


class Event(BaseModel):
    item_id: str
    label: str | None = None


class Asked(BaseModel):
    user_id: str
    n_recommendations: int = 10
    history: list[Event] | None = None


def network(widths):
    layers = []
    for i, o in zip(widths, widths[1:]):
        layers += [nn.Linear(i, o), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def rows(path):
    with open(path) as f:
        read = [json.loads(line) for line in f]
    vectors = np.array([list(itertools.chain.from_iterable(r["vector"].values())) for r in read], dtype=np.float32)
    return [r["id"] for r in read], vectors, [r.get("text", {}).get("title") for r in read]


class Sessions:
    def __init__(self, users, items):
        ids, self.user_vectors, _ = rows(users)
        self.items, vectors, self.titles = rows(items)
        self.vectors = vectors
        self.user_row = {name: i for i, name in enumerate(ids)}
        self.item_row = {name: i for i, name in enumerate(self.items)}
        self.net = network((*SESSION, len(self.items)))

    def scores(self, asked):
        user = self.user_vectors[self.user_row[asked.user_id]]
        met = [self.item_row[e.item_id] for e in asked.history or () if e.item_id in self.item_row]
        mean = self.vectors[met].mean(axis=0) if met else np.zeros(self.vectors.shape[1], np.float32)
        state = np.concatenate([user, mean, np.array([len(met), len(met) > 0], np.float32)])
        return self.net(torch.from_numpy(state).unsqueeze(0))[0]


class Pairs:
    def __init__(self, users, items, rows_at_once=4096):
        ids, vectors, _ = rows(users)
        self.user_row = {name: i for i, name in enumerate(ids)}
        self.users, self.at = torch.from_numpy(vectors), torch.from_numpy(np.load(items))
        self.items = [str(i) for i in range(len(self.at))]
        self.titles = [None] * len(self.items)
        self.net, self.rows = network(PAIR), rows_at_once

    def scores(self, asked):
        user = self.users[self.user_row[asked.user_id]]
        return torch.cat([self.net(torch.cat([user.expand(len(x), -1), x], dim=1)).squeeze(1)
                          for x in self.at.split(self.rows)])


def application(model):
    app, kept, number = FastAPI(), {}, itertools.count()

    def best(asked):
        with torch.inference_mode():
            scores, places = model.scores(asked).topk(asked.n_recommendations)
        return [{"item_id": model.items[i], "rank": n + 1, "score": score, "title": model.titles[i], "propensity": 1.0}
                for n, (score, i) in enumerate(zip(scores.tolist(), places.tolist()))]

    @app.get("/api/health")
    async def health():
        return {"status": "ok"}

    @app.post("/api/recommend", response_model=None)
    async def recommend(asked: Asked):
        key = (asked.user_id, asked.n_recommendations)
        items = kept.get(key) if asked.history is None else None
        if items is None:
            items = best(asked)
            if asked.history is None:
                kept[key] = items
        return {"request_id": f"peer-{next(number):x}", "user_id": asked.user_id, "model": "model", "items": items,
                "fallback": None}

    return app


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, required=True)
    p.add_argument("kind", choices=["session", "pair"])
    p.add_argument("users")
    p.add_argument("items")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(42)
    model = {"session": Sessions, "pair": Pairs}[a.kind](a.users, a.items)
    uvicorn.run(application(model), host="127.0.0.1", port=a.port, log_level="warning", access_log=False)


main()
