# SPDX-License-Identifier: MIT
"""Cached replay: labels a second when every answer is in the cache, one stage, prompts of 1 KB, two threads.

The limit is the issue's: 100,000 a second. dq-reward makes each prompt, digests it, finds its answer and writes the
label; start and exit are in the time.
"""
import os
import sqlite3
import statistics
import subprocess

from ask import Server, forget, label

USERS, ITEMS, WANTED = 200, 250, 100_000


def make_catalogue(bench, path):
    for name, count, row in (("users", USERS, '{"id": "u&", "text": {"bio": "engineer number &", "skills": "welding & parts"}}'),
                             ("items", ITEMS, '{"id": "i&", "text": {"title": "post &", "description": "work of kind & in a shop, by day, with two others, near the old harbour"}}')):
        with open(f"{bench.dir}/replay.{name}.jsonl", "w") as f:
            f.writelines(row.replace("&", str(i)) + "\n" for i in range(count))
    subprocess.run([bench.program("dq-export"), "-q", "--users", f"{bench.dir}/replay.users.jsonl", "--items",
                    f"{bench.dir}/replay.items.jsonl", "-o", path], check=True)


def measure(bench):
    catalogue, cache = f"{bench.dir}/replay.dq", f"{bench.dir}/replay.db"
    make_catalogue(bench, catalogue)
    server = Server(f"{bench.build}/services/llm_server")
    os.environ["OPENAI_BASE_URL"] = f"{server.address}/v1"
    os.environ.pop("OPENAI_API_KEY", None)
    try:
        forget(cache)
        label(bench, server, cache, catalogue, "--pairs", "all", "--parallel", "64")
        seconds = [label(bench, server, cache, catalogue, "--pairs", "all", "--cache-only", "--threads", "2")[0]
                   for _ in range(bench.rounds)]
    finally:
        server.stop()
    prompt = sqlite3.connect(cache).execute("SELECT avg(length(request)) FROM answers").fetchone()[0]
    assert prompt > 1000, f"prompts of {prompt} bytes"
    rate = USERS * ITEMS / statistics.median(seconds)
    bench.rows.append(("cached labels, prompts of 1 KB, two threads", "limit", WANTED, rate, "per s", rate / WANTED, 1.0))
    forget(cache)
