# SPDX-License-Identifier: MIT
"""Serving: requests a second of dq-serve beside FastAPI, uvicorn and PyTorch (SERVE_PYTHON), 64 connections of wrk on loopback.

Each server has one core, wrk another. System B's network, a list of 10 of 1000 items: once with another history in each
request, so that nothing was kept, and once for users of whom nothing is new. System A's published network ranks 10,000
items, one request after the other. Then dq-serve alone: a user again, and what it takes of memory over many requests.
"""
import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import time

import vectors
from harness import Skip

CONNECTIONS, USERS, ITEMS, KEPT = 64, 5000, 1000, 500
REWARDS = "PURCHASE=1,RATING=1,CLICK=0.2,VIEW=0,IGNORE=-0.1"


def cores():
    """One for a server, one for who asks; the same one where there is no second."""
    have = sorted(os.sched_getaffinity(0))
    return str(have[0]), str(have[-1])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(command):
    """A server on a core of its own, as soon as it answers: its process id and port. PORT in a word is that port."""
    port = free_port()
    command = [word.replace("PORT", str(port)) for word in command]
    server = subprocess.Popen(["taskset", "-c", cores()[0], *command], stdin=subprocess.DEVNULL,
                              env=dict(os.environ, OMP_WAIT_POLICY="PASSIVE"))
    try:
        for _ in range(1200):
            assert server.poll() is None, f"failed: {' '.join(command)}"
            with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as c:
                c.request("GET", "/api/health")
                if c.getresponse().status == 200:
                    break
            time.sleep(0.05)
        yield server.pid, port
    finally:
        server.terminate()
        server.wait()


def wrk(bench, port, what, users, seconds):
    done = subprocess.run(["taskset", "-c", cores()[1], "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s",
                           bench.peer("serving.lua"), f"http://127.0.0.1:{port}", "--", what, str(users)],
                          check=True, capture_output=True, text=True)
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    assert answer["requests"] and not answer["errors"], f"wrk against port {port}, {what}: {answer}"
    return answer


def one(client, user):
    """Milliseconds of a request for this user's list."""
    t0 = time.perf_counter()
    client.request("POST", "/api/recommend", json.dumps({"user_id": user}), {"Content-Type": "application/json"})
    answer = client.getresponse()
    text = answer.read()
    t1 = time.perf_counter()
    assert answer.status == 200 and len(json.loads(text)["items"]) == 10, f"no list for user {user}: {answer.status} {text.decode()}"
    return 1e3 * (t1 - t0)


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def server(bench, catalogue, model, *options):
    return [bench.program("dq-serve"), "-q", "--threads", "1", "--listen", "127.0.0.1:PORT", "--catalogue", catalogue, "--model",
            model, *options]


def peer(bench, python, *words):
    return [python, bench.peer("torch_serve.py"), "--port", "PORT", *words]


def system_b(bench):
    """Catalogue, model, and the peer's users and items."""
    cat, (catalogue, model, users, items) = bench.program("dq-cat"), (f"{bench.dir}/serve.{x}" for x in ("dq", "model.dq", "users.jsonl", "items.jsonl"))
    with bench.making(model) as new:
        if new:
            bench.run(f"{bench.program('dq-sim')} -q --users {bench.pick(USERS, KEPT)} --items {bench.pick(ITEMS, 100)} -o {catalogue} && "
                      f"{cat} --kind users {catalogue} > {users} && {cat} --kind items {catalogue} > {items} && "
                      f"{bench.program('dq-train')} -q --offline --sessions --agent dqn --map {REWARDS} "
                      f"--hidden {bench.pick('256,256,128', '8')} --epochs 1 -o {new} {catalogue}")
    return catalogue, model, users, items


def rates(bench, python, seconds):
    catalogue, model, users, items = system_b(bench)
    for what, words, count in (("changing", "every state new", bench.pick(USERS, KEPT)), ("kept", "states as before", KEPT)):
        def side(command):
            with running(command) as (_, port):
                if not bench.quick:
                    wrk(bench, port, what, count, 1)
                return wrk(bench, port, what, count, seconds)

        t = bench.turns({"FastAPI": (lambda: side(peer(bench, python, "session", users, items))) if python else None,
                         "dq": lambda: side(server(bench, catalogue, model))})
        bench.row(f"lists of 1000 items, 64 connections, {words}", "a second", [a["requests"] / a["seconds"] for a in t["dq"]],
                  "FastAPI, PyTorch", [a["requests"] / a["seconds"] for a in t.get("FastAPI", [])], better="higher", ratio=10)
        for key, name, bound in (("p50_s", "median", None), ("p99_s", "99 %", 5)):
            bench.row(f"their latency, {name}", "ms", [1e3 * a[key] for a in t["dq"]], "FastAPI, PyTorch",
                      [1e3 * a[key] for a in t.get("FastAPI", [])], bound=bound)


def jobs(bench, python):
    """Users in turn, for whom nothing is kept yet; then one of them again and again."""
    few, model = f"{bench.dir}/rank.jobs", vectors.model(bench)
    with bench.making(f"{few}.dq") as new:
        if new:
            import numpy as np
            items = np.load(f"{bench.dir}/rank.items.npy", mmap_mode="r")[:bench.pick(10_000, 100)]
            vectors.save(few, items)
            bench.run(f"{vectors.export(bench, 'jobs')} -o {new}")

    def side(command):
        with running(command) as (_, port), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as client:
            one(client, "0")
            new = [one(client, str(user)) for user in range(1, 6)]
            return statistics.median(new), statistics.median(one(client, "1") for _ in range(50))

    ours, theirs = server(bench, f"{few}.dq", model), peer(bench, python or "", "pair", f"{bench.dir}/rank.users.jsonl", f"{few}.npy")
    t = bench.turns({"FastAPI": (lambda: side(theirs)) if python else None, "dq": lambda: side(ours)})
    bench.row("a list of 10,000 jobs, system A's network", "ms", [new for new, _ in t["dq"]], "FastAPI, PyTorch",
              [new for new, _ in t.get("FastAPI", [])])
    bench.row("the same for a user whose state is as before", "ms", [again for _, again in t["dq"]], bound=5)


def memory(bench):
    """As many lists are remembered, and scores kept, as come in the first requests: what grows after that is a leak."""
    few, many = bench.pick((10_000, 200_000), (500, 1500))
    catalogue, model, _, _ = system_b(bench)
    sent, kinds = 0, ("changing", "kept")
    with running(server(bench, catalogue, model, "--remember", str(few * 2), "--cache", "8")) as (pid, port):
        for what in kinds:
            until = sent + few
            while sent < until:
                sent += wrk(bench, port, what, KEPT, 1)["requests"]
        first = resident(pid)
        while sent < many:
            sent += wrk(bench, port, kinds[sent >= many / 2], KEPT, bench.pick(3, 1))["requests"]
        bench.row(f"memory after {many:,} requests, over that after {few * 2:,}", "MiB", [resident(pid) - first], bound=2)


def measure(bench):
    if not shutil.which("wrk"):
        raise Skip("no wrk")
    python = bench.python("SERVE_PYTHON", "fastapi, uvicorn, torch, numpy")
    rates(bench, python, bench.pick(2, 1))
    jobs(bench, python)
    memory(bench)
