# SPDX-License-Identifier: MIT
"""The language-model server, for tests in Python: llm.bash in other words.

    with Server("--delay", "0.01") as server:
        subprocess.run(command, env=server.environment())
        server.stats()["requests"]
"""
import json
import os
import pathlib
import subprocess
import urllib.request

BUILD = pathlib.Path(os.environ["BUILD"]).resolve()


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen([BUILD / "services/llm_server", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.address = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def environment(self):
        """Ours, but for what names another server or a way to one."""
        own = {name: value for name, value in os.environ.items()
               if not name.lower().endswith("_proxy") and name != "OPENAI_API_KEY"}
        return own | {"OPENAI_BASE_URL": f"{self.address}/v1"}

    def ask(self, what, body=None):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.address}/{what}", body, timeout=60) as reply:
            return reply.read()

    def stats(self):
        return json.loads(self.ask("stats"))

    def clear(self):
        self.ask("clear", b"")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
