# SPDX-License-Identifier: MIT
"""Steps a second of CPU of environments: under a random policy (programs/env.c, and peers/gym_env.py and envpool_env.py), as
transitions that are written, and with a deep Q-network that learns online (peers/gym_dqn.py). One core each."""
import subprocess

SIDE_BY_SIDE = (1, 64, 1024)
OTHERS = ("session", "session:generated=1", "films", "sequence", "maze", "chain", "graph", "linear")
PEERS = {"Gymnasium": ("gym_env.py", "gymnasium, numpy"), "EnvPool": ("envpool_env.py", "envpool, numpy")}


def stepping(bench):
    """CartPole beside both peers, at each number of environments; the others alone."""
    pythons = {name: bench.python("ENVS_PYTHON", modules) for name, (_, modules) in PEERS.items()}

    def ours(env, count, steps):
        return bench.answer(bench.helper("env"), env, str(count), str(steps))["steps_s"]

    def theirs(name, count, steps):
        answer = bench.answer(pythons[name], bench.peer(PEERS[name][0]), str(count), str(steps))
        bench.versions[name] = answer["version"]
        return answer["steps_s"]

    for count in bench.pick(SIDE_BY_SIDE, (1, 9)):
        steps, few = bench.pick(3000000, 900), bench.pick(min(2000000, 20000 * count), 90)
        sides = {name: lambda n=name: theirs(n, count, few) for name in PEERS if pythons[name]}
        t = bench.turns({**sides, "dq": lambda: ours("cartpole", count, steps)})
        for name in sides or [None]:
            bench.row(f"CartPole, {count} side by side, any action", "steps/s", t["dq"], name, t.get(name), better="higher", ratio=1)
    for env in OTHERS:
        t = bench.turns({"dq": lambda e=env: ours(e, 64, bench.pick(1000000, 640))})
        bench.row(f"`{env}`, 64 side by side, any action", "steps/s", t["dq"], better="higher")


def writing(bench):
    """Whole processes: episodes of CartPole as transitions into a pipe, and played for their rewards alone."""
    episodes = bench.pick(20000, 3)
    sim = [bench.program("dq-sim"), "-q", "cartpole", "--play", str(episodes)]
    with subprocess.Popen(sim, stdout=subprocess.PIPE) as played:
        counted = subprocess.run([bench.program("dq-cat"), "--count"], stdin=played.stdout, capture_output=True, text=True, check=True)
    rows = int(counted.stdout.split()[-1])  # "transitions N"
    t = bench.turns({"dq": lambda: bench.drained(sim)})
    bench.row("`dq-sim cartpole --play N`, transitions into a pipe", "rows/s of CPU", [bench.rate(rows, c.cpu) for c in t["dq"]],
              better="higher")


def learning(bench):
    """Steps that each learn; dq-train's start, and the steps before learning begins, count against it."""
    steps, few, warm = bench.pick(20000, 6), bench.pick(1000, 10), bench.pick(1000, 64)
    python = bench.python("ENVS_PYTHON", "gymnasium, torch")
    train = [bench.program("dq-train"), "-q", "--env", "cartpole", "--double", "--threads", "1", "--warmup", str(warm),
             "--total-steps", str(warm + steps)]

    def ours():
        return bench.rate(steps, bench.drained(train).cpu)

    def theirs():
        return bench.answer(python, bench.peer("gym_dqn.py"), str(few))["steps_s"]

    t = bench.turns({"PyTorch": theirs if python else None, "dq": ours})
    bench.row("CartPole, a deep Q-network learning online, a step and an update", "steps/s", t["dq"], "Gymnasium and PyTorch",
              t.get("PyTorch"), better="higher", ratio=1)


def measure(bench):
    stepping(bench)
    writing(bench)
    learning(bench)
