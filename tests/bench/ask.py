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
import statistics
import subprocess
import sys
import urllib.request

IN_FLIGHT, DELAY, USERS, ITEMS = 64, 0.05, 40, 300
REQUESTS = USERS * ITEMS


class Server:
    def __init__(self, program, *options):
        self.process = subprocess.Popen([program, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def get(self, path):
        with urllib.request.urlopen(f"{self.address}/{path}") as answer:
            return json.load(answer)

    def clear(self):
        urllib.request.urlopen(f"{self.address}/clear", data=b"").close()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def label(bench, server, cache, catalogue, *options):
    """dq-reward's seconds, and its CPU seconds."""
    cpu, wall, _, _ = bench.client([bench.program("dq-reward"), "-q", "--strategy", "llm", "--model", "judge", "--stages",
                                    "1", "--cache", cache, *options, catalogue], server.process.pid)
    return wall, cpu


def forget(cache):
    for name in (cache, f"{cache}-journal"):
        if os.path.exists(name):
            os.remove(name)


def measure(bench):
    if not shutil.which("ab"):
        print("no ab (apache2-utils): asking a model is left out", file=sys.stderr)
        return
    b, demo = bench.dir, f"{bench.peers}/../../data/demo"
    catalogue, cache, body_file = f"{b}/ask.dq", f"{b}/ask.db", f"{b}/ask.json"
    subprocess.run(f"cat {demo}/veterans.jsonl {demo}/newcomers.jsonl > {b}/ask.users.jsonl && {bench.program('dq-export')} -q "
                   f"--users {b}/ask.users.jsonl --items {demo}/jobs.jsonl -o {catalogue}", shell=True, check=True)
    server = Server(f"{bench.build}/services/llm_server", "--delay", str(DELAY))
    os.environ["OPENAI_BASE_URL"] = f"{server.address}/v1"
    os.environ.pop("OPENAI_API_KEY", None)
    pairs = ["--pairs", "all", "--parallel", str(IN_FLIGHT)]

    def peer():
        done = subprocess.run(["ab", "-q", "-k", "-c", str(IN_FLIGHT), "-n", str(REQUESTS), "-p", body_file, "-T",
                               "application/json", f"{server.address}/v1/chat/completions"], check=True,
                              capture_output=True, text=True).stdout
        if "Non-2xx" in done or not re.search(r"Failed requests: +0\n", done):
            sys.exit(f"ab: {done}")
        return (float(re.search(r"Time taken for tests: +([0-9.]+)", done)[1]) / REQUESTS,) * 2

    def ours():
        server.clear()
        answered, alone, alone_cpu = map(float, subprocess.run(
            [f"{bench.build}/services/http_post", "--parallel", str(IN_FLIGHT), "--repeat", str(REQUESTS), "--quiet",
             "chat/completions", body], check=True, capture_output=True, text=True).stdout.split())
        assert answered == REQUESTS, f"http_post: {answered} answers"
        server.clear()
        forget(cache)
        wall, cpu = label(bench, server, cache, catalogue, *pairs)
        seen = server.get("stats")
        assert seen["requests"] == seen["keys"] == REQUESTS, seen
        shares.append((alone_cpu / alone, cpu / wall))
        return alone / REQUESTS, wall / REQUESTS

    shares = []
    try:
        forget(cache)
        label(bench, server, cache, catalogue, "--pairs", "random:1", "--user", "a01")
        asked = server.get("last")["body"]
        with open(body_file, "w") as f:
            json.dump(asked, f)
        body = json.dumps(dict(asked, user="%u"))
        alone, whole = bench.turns(peer, ours)
    finally:
        server.stop()
        forget(cache)
    bench.row("requests to a model, the client alone", "ab -k", alone, 0.95, "per s")
    bench.row("requests to a model, dq-reward with a cache", "ab -k", whole, 0.95, "per s")
    for i, what in enumerate(("the client alone", "dq-reward with a cache")):
        share = 100 * statistics.median(s[i] for s in shares)
        bench.rows.append((f"its CPU, {what}", "limit", 25, share, "% core", 25 / share, 1.0))
