# SPDX-License-Identifier: MIT
"""What a part of `make bench` works with. A part is a file of parts/ with a function measure(bench):

    def measure(bench):
        ours = [bench.program("dq-cat"), "--check", catalogue]
        t = bench.turns({"zstd": lambda: bench.run(["zstd", "-qdc", catalogue]), "dq": lambda: bench.run(ours)})
        bench.row("reading a stream", "s", [c.wall for c in t["dq"]], "zstd", [c.wall for c in t["zstd"]], ratio=0.9)

It runs in full and, in `make check`, in a quick form, with tiny sizes and one round (bench.pick), which shows that it still
works: whatever figures come are right there. A peer that is not installed is skipped with a word, and dq alone is measured.
"""
import contextlib
import json
import os
import statistics
import subprocess
import sys
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Skip(Exception):
    """A part that cannot run here: raise Skip("no wrk")."""


class Cost(NamedTuple):
    """What a command took: seconds by the clock, CPU seconds in user mode and of both modes, MiB of its largest process."""
    wall: float
    user: float
    cpu: float
    mib: float


def say(words):
    print(words, file=sys.stderr, flush=True)


def spread(values):
    """Median, minimum and maximum."""
    return [statistics.median(values), min(values), max(values)]


def loads(python, modules, env=None):
    return subprocess.run([python, "-c", f"import {modules}"], capture_output=True, env=env).returncode == 0


class Bench:
    """build: the folder with the programs. quick: tiny sizes. dir: a folder for a part's data, another one for quick ones."""

    debian = "/usr/bin/python3"  # the Python that runs this, with NumPy

    def __init__(self, build, rounds, quick):
        self.build, self.quick = os.path.abspath(build), quick
        self.rounds = 1 if quick else rounds
        self.dir = f"{self.build}/bench/{'quick' if quick else 'data'}"
        self.shared = os.path.realpath(f"{ROOT}/../shared")
        self.threads = int(os.environ.get("DQ_THREADS") or len(os.sched_getaffinity(0)))
        self.rows, self.versions, self.ceilings, self.pictures, self.failed, self._said = [], {}, {}, [], [], set()
        os.makedirs(self.dir, exist_ok=True)

    # ---- what to run ----

    def program(self, name):
        """One of dq's programs."""
        return f"{self.build}/{name}"

    def helper(self, name):
        """programs/NAME.c, built: it times dq's library."""
        return f"{self.build}/bench/{name}"

    def peer(self, name):
        """A script of peers/."""
        return f"{HERE}/peers/{name}"

    def pick(self, full, quick):
        """A size: the first one in full, the second one in the quick form."""
        return quick if self.quick else full

    def python(self, variable, modules, debian=False):
        """The interpreter that the environment's VARIABLE names, or Debian's where it may be that one, if it has these
        modules ("torch, numpy"); else None, and a word."""
        for python in (os.environ.get(variable) if variable else None, self.debian if debian else None):
            if python and loads(python, modules):
                return python
        self.skip(f"no Python with {modules}" + (f" ({variable} names one)" if variable else "") + ": its rows are left out")
        return None

    def skip(self, words):
        """Says, once, what is left out."""
        if words not in self._said:
            say(f"  {words}")
        self._said.add(words)

    @contextlib.contextmanager
    def making(self, path):
        """A file that is made once: `with bench.making(path) as new: if new: write(new)`. It has its name when it is whole."""
        if os.path.exists(path):
            yield None
            return
        yield path + ".new"
        os.rename(path + ".new", path)

    def picture(self, name):
        """Where the part of this name draws: docs/cost-NAME.svg in the end, if the record is written."""
        self.pictures.append(name)
        return f"{self.dir}/{name}.svg"

    # ---- running ----

    def run(self, command, stdin=None, stdout=subprocess.DEVNULL, env=None):
        """The Cost of a command, a list of words or a line of bash (of all its processes); it must succeed. Its words on
        stderr are shown where it fails. stdout: where to; an open file. env: more variables."""
        if isinstance(command, str):
            command = ["bash", "-o", "pipefail", "-c", command]
        report, far = os.pipe()
        with open(report) as said:
            child = subprocess.Popen([self.helper("cost"), str(far), *map(str, command)], stdin=stdin or subprocess.DEVNULL,
                                     stdout=stdout, stderr=subprocess.PIPE, pass_fds=[far], env=dict(os.environ, **(env or {})))
            os.close(far)
            words = child.communicate()[1].decode(errors="replace")
            if child.returncode:
                raise RuntimeError(f"{' '.join(map(str, command))}: exit status {child.returncode}\n{words}")
            c = json.load(said)
        return Cost(c["wall"], c["user"], c["user"] + c["system"], c["kib"] / 1024)

    def drained(self, command, **more):
        """The same for a command that writes into a pipe, which `cat` empties."""
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as drain:
            return self.run(command, stdout=drain.stdin, **more)

    def answer(self, *command, env=None):
        """The JSON object in the last line that a command prints."""
        done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def turns(self, sides):
        """{name: function}: each in turn, A B A B, as many times as there are rounds. {name: what it returned, a list}."""
        sides = {name: side for name, side in sides.items() if side}
        results = {name: [] for name in sides}
        for _ in range(self.rounds):
            for name, side in sides.items():
                results[name].append(side())
        return results

    # ---- rows ----

    @staticmethod
    def rate(count, seconds):
        """A rate; CPU time counts in steps, so that what is quick may have taken none."""
        return count / max(seconds, 1e-6)

    def ceiling(self, name):
        """What this machine can do, measured in this run: one of ceilings.py's rates."""
        return self.ceilings[name]

    def row(self, what, unit, dq, peer=None, theirs=None, better="lower", limit=None, limited_by=None,
            ratio=None, share=None, bound=None, points=None, law=None):
        """A row of the table. dq, theirs: a number a round, in the unit; theirs may be None, where the peer is not there.
        better: "lower" (seconds) or "higher" (a rate). limit: the best that the machine could do, in the unit, computed from
        a ceiling, or a number a round, of ceilings measured in the same turns; limited_by says which. What is aimed at: ratio,
        how many times better than the peer; share, of the limit; bound, a number in the unit. points: pairs of numbers that are drawn (laws.py). law: what docs/scaling.md is computed
        from (scaling.py)."""
        row = {"what": what, "unit": unit, "better": better, "dq": spread(dq)}
        low = better == "lower"
        if peer and theirs:
            row.update(peer=peer, theirs=spread(theirs))
            pairs = zip(theirs, dq) if len(theirs) == len(dq) else [(spread(theirs)[0], spread(dq)[0])]
            row["ratio"] = statistics.median(t / max(o, 1e-9) if low else o / max(t, 1e-9) for t, o in pairs)
        if limit:
            limits = limit if isinstance(limit, list) else [limit] * len(dq)
            shares = (best / max(o, 1e-9) if low else o / best for best, o in zip(limits, dq))
            row.update(limit=statistics.median(limits), limited_by=limited_by, share=statistics.median(shares))
        wanted = {k: v for k, v in (("ratio", ratio if "ratio" in row else None), ("share", share), ("bound", bound)) if v is not None}
        if wanted:
            row["wanted"] = wanted
        if points:
            row["points"] = points
        if law:
            row["law"] = law
        self.rows.append(row)
        say(f"  {what}: {row['dq'][0]:.4g} {unit}" + (f", {row['ratio']:.2f} times {peer}" if "ratio" in row else ""))
