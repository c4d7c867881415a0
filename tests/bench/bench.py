#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The measurements of `make bench`; tests/bench/run says how to call it.

A row compares seconds: the peer's over dq's, above 1 where dq is faster. Peer and dq take turns in each round, and a
row's ratio is the median of the rounds' ratios, so that a neighbour on the machine does to one what it does to the
other.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import ask
import cf
import evaluation
import pairs
import replay
import serving

PROGRAMS = "dq-export dq-embed dq-reward dq-train dq-plan dq-rank dq-eval dq-cat dq-serve dq-sim dq-tune".split()
THREADS = 2


class Bench:
    def __init__(self, a):
        self.build, self.peers, self.shared, self.rounds = a.build, a.peers, os.path.realpath(a.shared), a.rounds
        self.dir = f"{a.build}/bench"
        self.rows = []
        self.torch = self.find_torch()

    def find_torch(self):
        """An interpreter with PyTorch, or None."""
        for python in (os.environ.get("TORCH_PYTHON"), "/usr/bin/python3"):
            if python and subprocess.run([python, "-c", "import torch, numpy"], capture_output=True).returncode == 0:
                return python
        print("no PyTorch (TORCH_PYTHON names a Python that has it): its rows are left out", file=sys.stderr)
        return None

    def program(self, name):
        return f"{self.build}/{name}"

    def export_npy(self):
        b = self.dir
        return (f"{self.program('dq-export')} --users {b}/user.npy --user-ids {b}/user.ids --items {b}/items.npy "
                f"--item-ids {b}/items.ids")

    def seconds(self, command):
        """Wall seconds of a shell command that must succeed."""
        t0 = time.perf_counter()
        subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       executable="/bin/bash")
        return time.perf_counter() - t0

    def answer(self, *command):
        """The JSON object that a command prints."""
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.strip().splitlines()[-1])

    def turns(self, peer, ours):
        """peer() and ours() in turn; both return a tuple of seconds. Yields the pairs, measure by measure."""
        pairs = [(peer(), ours()) for _ in range(self.rounds)]
        return [[(p[i], o[i]) for p, o in pairs] for i in range(len(pairs[0][1]))]

    def row(self, what, peer_name, pairs, wanted, unit="s", scale=1.0):
        """wanted: the ratio that is aimed at; None: none."""
        peer, ours = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        ratio = statistics.median(p / o for p, o in pairs)
        if unit in ("steps/s", "per s"):
            peer, ours = 1 / peer, 1 / ours
        self.rows.append((what, peer_name, peer * scale, ours * scale, unit, ratio, wanted))
        print(f"  {what}: {ratio:.2f}", file=sys.stderr)

    def limit(self, what, seconds, most):
        self.rows.append((what, "limit", most * 1e3, seconds * 1e3, "ms", most / seconds, 1.0))

    # ---- the parts ----

    def small_catalogue(self):
        b, catalogue = self.dir, f"{self.dir}/train.dq"
        if not os.path.exists(catalogue):
            subprocess.run([self.program("dq-export"), "--users", f"{b}/train.users.jsonl", "--items",
                            f"{b}/train.items.jsonl", "--compare", "state:head", "-o", catalogue], check=True)
        return catalogue

    def train(self):
        if not self.torch:
            return
        warm, steps = 10, 100
        catalogue = self.small_catalogue()

        def ours():
            """Seconds a learning step: a run of 1,000 warming and 100 learning steps, less one without the latter."""
            run = f"{self.program('dq-train')} -q --user 0 --reward cosine --threads {THREADS} --steps 100 {catalogue}"
            none = self.seconds(f"{run} --warmup 1001 --episodes {warm} | cat > /dev/null")
            some = self.seconds(f"{run} --warmup 1001 --episodes {warm + steps // 100} | cat > /dev/null")
            return ((some - none) / steps,)

        def peer():
            os.environ["TORCH_PYTHON"] = self.torch
            a = self.answer("sh", f"{self.shared}/torch-tuned.sh", "--steps", "60")
            self.peer = a["peer"]
            return (1 / a["steps_per_s"],)

        if not os.path.exists(f"{self.shared}/torch-tuned.sh"):
            print("no shared/bench/torch-tuned.sh beside the checkout: no training peer", file=sys.stderr)
            return
        self.row("Dyna-Q training", "tuned PyTorch", self.turns(peer, ours)[0], 2.3, "steps/s")

    def learn(self):
        """One step of a deep Q-network: each side with as many threads, 1 or 2, as serve it best."""
        if not self.torch:
            return
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        for what, wanted, sizes in (
                ("DQN step, session network 102-256-256-128-500, batch 64", 1.5, "102 500 64 0.2 256 256 128"),
                ("DQN step, CartPole network 4-64-64-2, batch 128", 1.5, "4 2 128 0 64 64")):
            def peer(sizes=sizes):
                return (min(self.answer(self.torch, f"{self.peers}/torch_dqn.py", "--threads", str(t), *sizes.split())["step_s"]
                            for t in (1, THREADS)),)

            def ours(sizes=sizes):
                return (min(self.answer(f"{self.dir}/dqn", str(t), "500", *sizes.split())["step_s"] for t in (1, THREADS)),)

            self.row(what, "PyTorch", self.turns(peer, ours)[0], wanted, "ms", 1e3)

    def rank(self):
        b = self.dir
        catalogue, model = f"{b}/rank.dq", f"{b}/model.dq"
        if not os.path.exists(catalogue):
            subprocess.run(f"{self.export_npy()} -o {catalogue}", shell=True, check=True)
        if not os.path.exists(model):
            subprocess.run(f"{self.program('dq-cat')} --kind users --kind items --to stream {self.small_catalogue()} | "
                           f"{self.program('dq-train')} -q --user 0 --reward cosine --episodes 1 -o {model}",
                           shell=True, check=True)
        rank = f"{self.program('dq-rank')} -q --user 0 -k 10 --format tsv --threads {THREADS}"

        def memory():
            a = self.answer(f"{b}/score", str(THREADS), "100000")
            return a["forward_s"], a["score_s"]

        def forward():
            return (*memory()[:1], self.seconds(f"{rank} --model {model} {catalogue}"))

        def forward_peer():
            a = self.answer(self.torch, f"{self.peers}/torch_rank.py", f"{b}/user.npy", f"{b}/items.npy",
                            "--threads", str(THREADS))
            return a["forward_s"], a["whole_s"]

        def cosine():
            return (memory()[1],)

        def cosine_peer():
            a = self.answer("/usr/bin/python3", f"{self.peers}/numpy_cosine.py", f"{b}/user.npy", f"{b}/items.npy")
            return (a["score_s"],)

        if self.torch:
            scores, whole = self.turns(forward_peer, forward)
            self.row("Q-values of 100,000 items in memory", "PyTorch, plain forward", scores, 1.3)
            self.row("dq-rank of 100,000 items, from a file", "PyTorch, load and forward", whole, 1.3)
        self.row("cosine with 100,000 items in memory", "NumPy", self.turns(cosine_peer, cosine)[0], None)
        self.rank_by_cosine(catalogue)

    def rank_by_cosine(self, catalogue):
        """From a file: decompression alone is the peer, which a ranking by cosine can hardly be faster than. The user
        is the first item, since a cosine needs equal widths."""
        user, items, cat = f"{self.dir}/wide.dq", f"{self.dir}/items.dq", self.program("dq-cat")
        if not os.path.exists(user):
            subprocess.run(f"{cat} --kind items --to stream -o {items} {catalogue} && "
                           f"{cat} --kind items --head 1 {catalogue} > {self.dir}/wide.jsonl && "
                           f"{self.program('dq-export')} --users {self.dir}/wide.jsonl -o {user}", shell=True, check=True)
        ours = f"{self.program('dq-rank')} -q --by cosine -k 10 --format tsv --threads {THREADS} {user} {items}"
        pairs = self.turns(lambda: (self.seconds(f"zstd -qdc {items}"),), lambda: (self.seconds(ours),))[0]
        self.row("dq-rank by cosine, from a file", "zstd -dc of it", pairs, None)

    def stream(self):
        b = self.dir
        catalogue, payload, npy = f"{b}/rank.dq", f"{b}/rank.msgpack", f"{b}/items.npy"
        if not os.path.exists(payload):
            subprocess.run(f"zstd -qdc {catalogue} > {payload}", shell=True, check=True)
        cat = self.program("dq-cat")
        peer, one_core = "zstd --single-thread -q -c", "taskset -c 0 bash -c"
        rows = [
            ("reading a stream, every record verified", 0.7, f"zstd -qdc {catalogue} | cat > /dev/null",
             f"{cat} --check {catalogue}"),
            ("writing a stream to a file, level 3, synced", 0.7, f"{peer} -3 {payload} > {b}/peer.zst && sync {b}/peer.zst",
             f"{cat} --to stream {payload} -o {b}/ours.dq"),
            ("read, and written to a pipe, level -1, one core", 0.7,
             f"{one_core} 'zstd -qdc {catalogue} | {peer} --fast=1 | cat > /dev/null'",
             f"{one_core} '{cat} --to stream {catalogue} | cat > /dev/null'"),
            # Not the same work: dq also understands what it reads, numbers the rows and looks for NaN.
            (".npy to a stream in a pipe", None, f"{peer} --fast=1 {npy} | cat > /dev/null",
             f"{self.export_npy()} | cat > /dev/null"),
        ]
        for what, wanted, theirs, ours in rows:
            pairs = self.turns(lambda c=theirs: (self.seconds(c),), lambda c=ours: (self.seconds(c),))[0]
            self.row(what, "zstd", pairs, wanted)
        for name in ("peer.zst", "ours.dq"):
            if os.path.exists(f"{b}/{name}"):
                os.remove(f"{b}/{name}")

    def start(self):
        for name in PROGRAMS:
            for option in ("--version", "--help"):
                if os.path.exists(self.program(name)):
                    times = []
                    for _ in range(20):
                        t0 = time.perf_counter()
                        subprocess.run([self.program(name), option], stdout=subprocess.DEVNULL, check=True)
                        times.append(time.perf_counter() - t0)
                    self.limit(f"{name} {option}", statistics.median(times), 0.060 if name == "dq-tune" else 0.010)

    def mongo(self):
        """20,000 jobs of 4 x 384 doubles from the canned server, which holds them as raw BSON."""
        folder, services = f"{self.dir}/mongo", f"{self.peers}/../services/mongodb"
        subprocess.run(["/usr/bin/python3", f"{self.peers}/mongo_data.py", folder], check=True)
        server = subprocess.Popen(["/usr/bin/python3", f"{services}/canned.py", folder], stdout=subprocess.PIPE, text=True)
        uri = server.stdout.readline().strip() + "/rl_jobsdb"
        try:
            peer = ["/usr/bin/python3", f"{self.peers}/pymongo_export.py", uri]
            ours = [self.program("dq-export"), "-q", "--schema", "jobs", uri]
            self.client(ours, server.pid)  # the server reads its files once
            cpu, wall, theirs, memory = self.turns(lambda: self.client(peer, server.pid), lambda: self.client(ours, server.pid))
        finally:
            server.kill()
            server.wait()
        self.row("20,000 jobs from MongoDB, the client's CPU", "pymongo and NumPy", cpu, 5.0)
        self.row("20,000 jobs from MongoDB, wall", "pymongo and NumPy", wall, None)
        self.row("20,000 jobs from MongoDB, the server's CPU", "pymongo and NumPy", theirs, None)
        used = statistics.median(o for _, o in memory)
        self.rows.append(("20,000 jobs from MongoDB, peak memory", "limit", 64, used, "MiB", 64 / used, 1.0))

    def ask(self):
        ask.measure(self)

    def replay(self):
        replay.measure(self)

    def pairs(self):
        pairs.measure(self)

    def eval(self):
        evaluation.measure(self)

    def cf(self):
        cf.measure(self)

    def serve(self):
        serving.measure(self)

    @staticmethod
    def client(command, server):
        """CPU seconds and wall seconds of a command, the server's CPU seconds meanwhile, the command's peak MiB."""
        def spent():
            with open(f"/proc/{server}/stat") as f:
                return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
        before, t0 = spent(), time.perf_counter()
        pid = os.posix_spawn(command[0], command, os.environ,
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
        _, status, usage = os.wait4(pid, 0)
        if status:
            sys.exit(f"failed: {' '.join(command)}")
        return usage.ru_utime + usage.ru_stime, time.perf_counter() - t0, spent() - before, usage.ru_maxrss / 1024

    # ---- the table ----

    def report(self):
        with open(f"{self.dir}/results.tsv", "w") as f:
            f.write("what\tpeer\tpeer_figure\tdq\tunit\tratio\twanted\n")
            for r in self.rows:
                f.write("\t".join([r[0], r[1], f"{r[2]:.9g}", f"{r[3]:.9g}", r[4], f"{r[5]:.4g}", str(r[6] or "")]) + "\n")
        print(f"{'':48}{'peer':>28}{'theirs':>10}{'dq':>10} {'':8}{'ratio':>7}{'wanted':>8}")
        for what, peer, theirs, ours, unit, ratio, wanted in self.rows:
            verdict = "" if wanted is None else f"{wanted:8.2f}" + ("" if ratio >= wanted else "  not reached")
            print(f"{what:48}{peer:>28}{theirs:10.3f}{ours:10.3f} {unit:8}{ratio:7.2f}{verdict}")
        print(f"\n{self.dir}/results.tsv")


def main():
    p = argparse.ArgumentParser()
    for name in ("--build", "--peers", "--shared"):
        p.add_argument(name, required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("parts", nargs="+", choices=["train", "learn", "rank", "stream", "mongo", "ask", "replay", "pairs", "eval", "cf", "serve", "start"])
    a = p.parse_args()
    if shutil.disk_usage(a.build).free < 4 << 30:
        sys.exit("the benchmark's data needs 4 GB under build/")
    bench = Bench(a)
    if set(a.parts) - {"start", "learn", "mongo", "ask", "replay", "pairs", "eval", "cf", "serve"}:
        subprocess.run(["/usr/bin/python3", f"{a.peers}/data.py", bench.dir], check=True)
    for part in a.parts:
        getattr(bench, part)()
    bench.report()


main()
