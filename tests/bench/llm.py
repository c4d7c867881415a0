# SPDX-License-Identifier: MIT
"""The model that parts ask: tests/services/llm_server, and dq-reward's runs against it."""
import contextlib
import json
import os
import subprocess
import urllib.request


class Server:
    """The tests' server on a port of its own; env: what tells dq-reward of it."""

    def __init__(self, bench, *options):
        self.bench = bench
        self.process = subprocess.Popen([f"{bench.build}/services/llm_server", *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"
        self.env = {"OPENAI_BASE_URL": f"{self.address}/v1", "OPENAI_API_KEY": ""}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def get(self, path):
        with urllib.request.urlopen(f"{self.address}/{path}") as answer:
            return json.load(answer)

    def clear(self):
        urllib.request.urlopen(f"{self.address}/clear", data=b"").close()

    def label(self, cache, catalogue, *options):
        """The Cost of a run of dq-reward."""
        return self.bench.run([self.bench.program("dq-reward"), "-q", "--strategy", "llm", "--model", "judge", "--stages", "1",
                               "--cache", cache, *options, catalogue], env=self.env)


def forget(cache):
    for name in (cache, f"{cache}-journal"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(name)
