# SPDX-License-Identifier: MIT
"""Asking a model: requests a second against a server that answers after 50 ms, 64 in flight, where 1280 are the ideal.

The peer is ApacheBench with keep-alive, which sends one body again and again; dq posts as many bodies of the same size,
first by the client alone (tests/services/http_post), then as dq-reward does: prompts made, answers read, stored in a
cache and durable before they are written. All three speak to the same server in the same run, in turn.
"""
import json
import os
import re
import shutil
import subprocess

from harness import ROOT
from llm import Server, forget

IN_FLIGHT, DELAY, ITEMS = 64, 0.05, 300


def catalogue_of(bench, users):
    """The demo's newcomers and veterans, so many of them, and its jobs."""
    demo, path = f"{ROOT}/data/demo", f"{bench.dir}/ask.dq"
    bench.run(f"sed -n 1,{users}p {demo}/veterans.jsonl {demo}/newcomers.jsonl > {bench.dir}/ask.users.jsonl && "
              f"{bench.program('dq-export')} -q --users {bench.dir}/ask.users.jsonl --items {demo}/jobs.jsonl -o {path}")
    return path


def apache(bench, server, requests, body_file):
    def side():
        done = subprocess.run(["ab", "-q", "-k", "-c", str(IN_FLIGHT), "-n", str(requests), "-p", body_file, "-T", "application/json",
                               f"{server.address}/v1/chat/completions"], check=True, capture_output=True, text=True).stdout
        assert "Non-2xx" not in done and re.search(r"Failed requests: +0\n", done), done
        return requests / float(re.search(r"Time taken for tests: +([0-9.]+)", done)[1])
    return side


def measure(bench):
    users = bench.pick(10, 1)
    requests = users * ITEMS
    catalogue, cache, body_file = catalogue_of(bench, users), f"{bench.dir}/ask.db", f"{bench.dir}/ask.json"
    with Server(bench, "--delay", str(DELAY)) as server:
        forget(cache)
        server.label(cache, catalogue, "--pairs", "random:1", "--user", "a01")
        asked = server.get("last")["body"]
        with open(body_file, "w") as f:
            json.dump(asked, f)
        body = json.dumps(dict(asked, user="%u"))

        def client():
            server.clear()
            done = subprocess.run([f"{bench.build}/services/http_post", "--parallel", str(IN_FLIGHT), "--repeat", str(requests),
                                   "--quiet", "chat/completions", body], check=True, capture_output=True, text=True,
                                  env=dict(os.environ, **server.env)).stdout
            answered, wall, cpu = map(float, done.split())
            assert answered == requests, f"http_post: {answered} answers"
            return requests / wall, 100 * cpu / wall

        def whole():
            server.clear()
            forget(cache)
            cost = server.label(cache, catalogue, "--pairs", "all", "--parallel", str(IN_FLIGHT))
            seen = server.get("stats")
            assert seen["requests"] == seen["keys"] == requests, seen
            return requests / cost.wall, 100 * cost.cpu / cost.wall

        if not shutil.which("ab"):
            bench.skip("no ab (apache2-utils): rows of dq alone")
        t = bench.turns({"ab": apache(bench, server, requests, body_file) if shutil.which("ab") else None,
                         "client": client, "whole": whole})
    forget(cache)
    for side, what in (("client", "the client alone"), ("whole", "`dq-reward` with a cache")):
        bench.row(f"requests to a model, {what}", "a second", [r for r, _ in t[side]], "`ab -k`", t.get("ab"), better="higher",
                  ratio=0.95, limit=IN_FLIGHT / DELAY, limited_by="64 in flight, 50 ms each")
        bench.row(f"its CPU, {what}", "% of a core", [share for _, share in t[side]], bound=25)
