# SPDX-License-Identifier: MIT
"""Serving: requests a second of dq-serve beside FastAPI, uvicorn and PyTorch, 64 connections of wrk on loopback.

Each server has one core, wrk another. System B's network, a list of 10 of 1000 items: once with another history in each
request, so that nothing was kept, and once for users of whom nothing is new. System A's published network ranks 10,000
items, one request after the other. Then dq-serve alone: a user again, and what it takes of memory over a million requests.
"""
import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

CONNECTIONS, USERS, ITEMS, KEPT, JOBS = 64, 5000, 1000, 500, 10000
REWARDS = "PURCHASE=1,RATING=1,CLICK=0.2,VIEW=0,IGNORE=-0.1"
FEW, MANY = 10_000, 1_000_000


def cores():
    """One for a server, one for who asks; the same one where there is no second."""
    have = sorted(os.sched_getaffinity(0))
    return str(have[0]), str(have[-1])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(command, port):
    """A server on a core of its own, as soon as it answers."""
    server = subprocess.Popen(["taskset", "-c", cores()[0], *command], stdin=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            if server.poll() is not None:
                sys.exit(f"failed: {' '.join(command)}")
            with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as c:
                c.request("GET", "/api/health")
                if c.getresponse().status == 200:
                    break
            time.sleep(0.1)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def wrk(bench, port, what, users, seconds):
    done = subprocess.run(["taskset", "-c", cores()[1], "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s",
                           f"{bench.peers}/serving.lua", f"http://127.0.0.1:{port}", "--", what, str(users)],
                          check=True, capture_output=True, text=True)
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    if answer["errors"] or not answer["requests"]:
        sys.exit(f"wrk against port {port}, {what}: {answer}")
    return answer


def one(client, user):
    """Seconds of a request for this user's list."""
    t0 = time.perf_counter()
    client.request("POST", "/api/recommend", json.dumps({"user_id": user}), {"Content-Type": "application/json"})
    answer = client.getresponse()
    text = answer.read()
    t1 = time.perf_counter()
    if answer.status != 200 or len(json.loads(text)["items"]) != 10:
        sys.exit(f"no list for user {user}: {answer.status} {text.decode()}")
    return t1 - t0


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def find_python():
    python = os.environ.get("SERVE_PYTHON")
    if python and subprocess.run([python, "-c", "import fastapi, uvicorn, torch, numpy"], capture_output=True).returncode == 0:
        return python
    print("no FastAPI with PyTorch (SERVE_PYTHON names a Python with fastapi, uvicorn, httptools, uvloop, torch and numpy): its "
          "rows are left out", file=sys.stderr)
    return None


def system_b(bench):
    """Catalogue, model, and the peer's users and items."""
    b, cat = bench.dir, bench.program("dq-cat")
    catalogue, model, users, items = (f"{b}/serve.{x}" for x in ("catalogue.dq", "model.dq", "users.jsonl", "items.jsonl"))
    if not os.path.exists(items):
        subprocess.run(f"{bench.program('dq-sim')} -q --users {USERS} --items {ITEMS} -o {catalogue} && "
                       f"{bench.program('dq-train')} -q --offline --sessions --agent dqn --map {REWARDS} "
                       f"--hidden 256,256,128 --epochs 1 -o {model} {catalogue} && "
                       f"{cat} --kind users {catalogue} > {users} && {cat} --kind items {catalogue} > {items}.new && "
                       f"mv {items}.new {items}", shell=True, check=True)
    return catalogue, model, users, items


def system_a(bench):
    b = bench.dir
    catalogue, model, users, items = f"{b}/jobs.dq", f"{b}/jobs.model.dq", f"{b}/jobs.users.jsonl", f"{b}/jobs.items.npy"
    if not os.path.exists(model):
        subprocess.run(["/usr/bin/python3", f"{bench.peers}/serving_jobs.py", b, str(JOBS)], check=True)
        export, train = bench.program("dq-export"), bench.program("dq-train")
        who = f"{export} -q --users {b}/jobs.users.npy --user-ids {b}/jobs.users.ids"
        subprocess.run(f"{who} --items {b}/jobs.few.npy --item-ids {b}/jobs.few.ids --interactions {b}/jobs.seen.jsonl | "
                       f"{bench.program('dq-reward')} -q --strategy logged --map CLICK=1,IGNORE=0 | "
                       f"{train} -q --offline --preset published --validation 0 --epochs 1 -o {model}.new && "
                       f"{who} --items {items} --item-ids {b}/jobs.items.ids -o {catalogue} && mv {model}.new {model}",
                       shell=True, check=True, executable="/bin/bash")
    return catalogue, model, users, items


def serve(bench, catalogue, model, port, *options):
    return [bench.program("dq-serve"), "-q", "--threads", "1", "--listen", f"127.0.0.1:{port}", "--catalogue", catalogue, "--model",
            model, *options]


def rates(bench, python, seconds):
    catalogue, model, users, items = system_b(bench)
    for what, words in (("changing", "every state new"), ("kept", "states as before")):
        count = USERS if what == "changing" else KEPT
        pairs, ours, theirs = [], [], []
        for _ in range(bench.rounds):
            if python:
                port = free_port()
                with running([python, f"{bench.peers}/torch_serve.py", "--port", str(port), "session", users, items], port):
                    wrk(bench, port, what, count, 1)
                    theirs.append(wrk(bench, port, what, count, seconds))
            port = free_port()
            with running(serve(bench, catalogue, model, port), port):
                wrk(bench, port, what, count, 1)
                ours.append(wrk(bench, port, what, count, seconds))
        if python:
            pairs = [(p["seconds"] / p["requests"], o["seconds"] / o["requests"]) for p, o in zip(theirs, ours)]
            bench.row(f"lists of 1000 items, 64 connections, {words}", "FastAPI and PyTorch", pairs, 10, "per s")
            for key, name in (("p50_s", "median"), ("p99_s", "99 %")):
                bench.row(f"the same, latency, {name}", "FastAPI and PyTorch",
                          [(p[key], o[key]) for p, o in zip(theirs, ours)], None, "ms", 1e3)
        else:
            print(f"  {words}: {statistics.median(o['requests'] / o['seconds'] for o in ours):.0f} requests/s", file=sys.stderr)
        bench.limit(f"99 % of latencies, {words}", statistics.median(o["p99_s"] for o in ours), 0.005)


def jobs(bench, python):
    """Users in turn, for whom nothing is kept yet; then one of them again and again."""
    catalogue, model, users, items = system_a(bench)

    def first(command, port):
        with running(command, port), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as client:
            one(client, "0")
            new = [one(client, str(user)) for user in range(1, 6)]
            return statistics.median(new), statistics.median(one(client, "1") for _ in range(50))

    def ours():
        port = free_port()
        return first(serve(bench, catalogue, model, port), port)

    def peer():
        port = free_port()
        return first([python, f"{bench.peers}/torch_serve.py", "--port", str(port), "pair", users, items], port)

    if python:
        new, again = bench.turns(peer, ours)
        bench.row("a list of 10,000 jobs, system A's network", "FastAPI and PyTorch", new, None, "ms", 1e3)
        again = [o for _, o in again]
    else:
        again = [ours()[1] for _ in range(bench.rounds)]
    bench.limit("a list of 10,000 jobs, the user's state as before", statistics.median(again), 0.005)


def memory(bench):
    """As many lists are remembered, and scores kept, as come in the first requests: what grows after that is a leak."""
    catalogue, model, _, _ = system_b(bench)
    port, sent, kinds = free_port(), 0, ("changing", "kept")
    with running(serve(bench, catalogue, model, port, "--remember", str(FEW * 5), "--cache", "8"), port) as pid:
        for what in kinds:
            until = sent + FEW
            while sent < until:
                sent += wrk(bench, port, what, USERS, 1)["requests"]
        seen = (sent, resident(pid))
        while sent < MANY:
            sent += wrk(bench, port, kinds[sent >= MANY / 2], USERS, 10)["requests"]
        now = resident(pid)
    print(f"  memory: {seen[1]:.1f} MiB after {seen[0]:,} requests, {now:.1f} MiB after {sent:,}", file=sys.stderr)
    bench.rows.append(("MiB of dq-serve after a million requests", f"after {seen[0]:,}", seen[1], now, "MiB", seen[1] / now, 0.9))


def measure(bench):
    if not shutil.which("wrk"):
        print("no wrk: serving is left out", file=sys.stderr)
        return
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    python, seconds = find_python(), int(os.environ.get("SERVE_SECONDS", "10"))
    rates(bench, python, seconds)
    jobs(bench, python)
    memory(bench)
