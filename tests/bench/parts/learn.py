# SPDX-License-Identifier: MIT
"""One step of a deep Q-network: programs/dqn.c against peers/torch_dqn.py, each with as many threads, 1 or all, as serve it
best: Double, Huber, gradients clipped by norm, Adam, a target that follows softly, batches from a full memory."""

NETWORKS = (("session network 102-256-256-128-500, batch 64", "102 500 64 0.2 256 256 128"),
            ("CartPole network 4-64-64-2, batch 128", "4 2 128 0 64 64"))


def measure(bench):
    steps = str(bench.pick(500, 3))
    python = bench.python("TORCH_PYTHON", "torch, numpy")
    for what, sizes in NETWORKS:
        def step(*command, env=None):
            return 1e3 * bench.answer(*map(str, command), *sizes.split(), env=env)["step_s"]

        def ours():
            return min(step(bench.helper("dqn"), t, steps) for t in {1, bench.threads})

        def theirs():
            return min(step(python, bench.peer("torch_dqn.py"), "--threads", t, "--steps", steps, env={"OMP_WAIT_POLICY": "PASSIVE"})
                       for t in {1, bench.threads})

        t = bench.turns({"PyTorch": theirs if python else None, "dq": ours})
        bench.row(f"step of a {what}", "ms", t["dq"], "PyTorch", t.get("PyTorch"), ratio=1.5)
