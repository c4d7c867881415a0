# SPDX-License-Identifier: MIT
"""An agent for each of many users: agents a second with one worker and with two, beside a process for each agent; the memory of a
worker beside the weights and moments that it has; and what an agent's file takes where all begin from one model."""
import os
import shutil

SMALL = "--hidden 32,16 --world-hidden 32,16 --batch 16 --episodes 2 --steps 20 --warmup 10".split()
WIDE = "--hidden 1024,512,256 --world-hidden 1024,512 --batch 64 --episodes 1 --warmup 64 --candidates 50".split()
MIB = 1 << 20


class Agents:
    def __init__(self, bench):
        self.bench, self.catalogue = bench, os.path.join(bench.dir, "agents.dq")
        with bench.making(self.catalogue) as new:
            if new:
                bench.run([bench.program("dq-sim"), "-q", "--users", "400", "--items", "200", "-o", new])

    def path(self, name):
        return os.path.join(self.bench.dir, f"agents-{name}")

    def listed(self, users):
        with open(self.path("users"), "w") as f:
            f.writelines(f"u{i:03d}\n" for i in range(users))
        return self.path("users")

    def folder(self):
        shutil.rmtree(self.path("models"), ignore_errors=True)
        return self.path("models")

    def together(self, users, workers, words):
        """One run for all of them."""
        return self.bench.run([self.bench.program("dq-train"), "-q", "-t", workers, "--each-user", "--users-file", self.listed(users),
                               "--models-dir", self.folder(), "--reward", "cosine", *words, self.catalogue])

    def apart(self, users, workers, words):
        """A process for each agent, so many side by side."""
        folder = self.folder()
        os.makedirs(folder)
        with open(self.listed(users)) as names:
            return self.bench.run(["xargs", "-P", str(workers), "-I", "USER", self.bench.program("dq-train"), "-q", "-t", "1", "--user", "USER",
                                   "--reward", "cosine", *words, "-o", f"{folder}/USER.dq", self.catalogue], stdin=names)

    def bytes(self):
        """Of an agent's file, the mean."""
        with os.scandir(self.path("models")) as entries:
            sizes = [e.stat().st_size for e in entries if e.name.startswith("u")]
        return sum(sizes) / len(sizes)


def rates(a, what, users, words):
    bench, sides = a.bench, {}
    for n in (1, 2):
        sides[f"together {n}"] = lambda n=n: a.together(users, n, words)
        sides[f"apart {n}"] = lambda n=n: a.apart(users, n, words)
    t = {name: [bench.rate(users, c.wall) for c in costs] for name, costs in bench.turns(sides).items()}
    for n in (1, 2):
        bench.row(f"agents {what}, {n} worker{'s' * (n > 1)}", "agents/s", t[f"together {n}"], peer="a process an agent",
                  theirs=t[f"apart {n}"], better="higher", ratio=1)
    if bench.threads > 1:
        both = [two / one for one, two in zip(t["together 1"], t["together 2"])]
        bench.row(f"agents {what}, 2 workers for 1", "times as many", both, better="higher", bound=1.9 if users < 100 else None)


def weights(width, hidden):
    """Of a network on pairs of vectors of this width, with one output."""
    widths = [2 * width, *hidden, 1]
    return sum((x + 1) * y for x, y in zip(widths, widths[1:]))


def memory(a):
    """A worker has Q and its target, the world, and two moments for each weight that learns."""
    bench = a.bench
    hidden, world = bench.pick(((2048, 1024, 512), (2048, 1024)), ((256, 128), (256, 128)))
    words = ["--hidden", ",".join(map(str, hidden)), "--world-hidden", ",".join(map(str, world)), *WIDE[4:], "--steps", "66"]
    q, w = weights(50, hidden), weights(50, world)
    for users in bench.pick((1, 4, 8), (2,)):
        bench.row(f"memory of a worker, {users} agents of {(q + w) / 1e6:.1f} M weights", "MiB", [a.together(users, 1, words).mib],
                  limit=4 * (3 * (q + w) + q) / MIB, limited_by="weights, target and moments")


def deltas(a, words):
    bench, start = a.bench, a.path("start.dq")
    with bench.making(start) as new:
        if new:
            bench.run([bench.program("dq-train"), "-q", "--user", "u399", "--reward", "cosine", *words, "-o", new, a.catalogue])
    more = [w for w in words if w not in WIDE[:4]] + ["--init", start]
    for what, last in (("all layers learn", []), ("the last 2 layers learn", ["--train-last", "2"]), ("the last layer learns", ["--train-last", "1"])):
        sizes, times = {"dq": [], "whole": []}, []
        for _ in range(bench.rounds):
            times.append(a.together(2, 1, more + last + ["--save", "delta"]))
            sizes["dq"].append(a.bytes() / 1e3)
            sizes["whole"].append(os.stat(start).st_size / 1e3)
        bench.row(f"an agent's file where {what}", "kB", sizes["dq"], peer="the whole model", theirs=sizes["whole"])
        bench.row(f"CPU time of 2 agents where {what}", "s", [c.cpu for c in times])


def measure(bench):
    a = Agents(bench)
    wide = WIDE + ["--steps", str(bench.pick(100, 66))]
    rates(a, "of 8 k weights", bench.pick(200, 12), SMALL)
    rates(a, "of 1.4 M weights", bench.pick(8, 2), wide)
    memory(a)
    deltas(a, wide)
