# SPDX-License-Identifier: MIT
"""Cached replay: labels a second when every answer is in the cache, one stage, prompts of 1 KB, two threads. dq-reward makes
each prompt, digests it, finds its answer and writes the label; start and exit are in the time."""
import contextlib
import sqlite3

from llm import Server, forget

ROWS = {"users": '{"id": "u&", "text": {"bio": "engineer number &", "skills": "welding & parts"}}',
        "items": '{"id": "i&", "text": {"title": "post &", "description": "work of kind & in a shop, by day, with two others, near the old harbour"}}'}


def measure(bench):
    catalogue, cache = f"{bench.dir}/replay.dq", f"{bench.dir}/replay.db"
    counts = {"users": bench.pick(200, 4), "items": 250}
    for name, row in ROWS.items():
        with open(f"{bench.dir}/replay.{name}.jsonl", "w") as f:
            f.writelines(row.replace("&", str(i)) + "\n" for i in range(counts[name]))
    bench.run([bench.program("dq-export"), "-q", "--users", f"{bench.dir}/replay.users.jsonl", "--items",
               f"{bench.dir}/replay.items.jsonl", "-o", catalogue])
    forget(cache)
    with Server(bench) as server:
        server.label(cache, catalogue, "--pairs", "all", "--parallel", "64")
        t = bench.turns({"dq": lambda: server.label(cache, catalogue, "--pairs", "all", "--cache-only", "--threads", "2").wall})
    with contextlib.closing(sqlite3.connect(cache)) as answers:
        prompt = answers.execute("SELECT avg(length(request)) FROM answers").fetchone()[0]
    assert prompt > 1000, f"prompts of {prompt} bytes"
    forget(cache)
    bench.row("labels out of the cache, prompts of 1 KB, two threads", "a second", [counts["users"] * counts["items"] / s for s in t["dq"]],
              better="higher", bound=100_000)
