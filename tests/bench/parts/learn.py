# SPDX-License-Identifier: MIT
"""One step of a deep Q-network: programs/dqn.c against peers/torch_dqn.py, each with as many threads, 1 or all, as serve it
best in a run of its own: Double, Huber, gradients clipped by norm, Adam, a target that follows softly, batches from a full
memory."""

NETWORKS = (("session network 102-256-256-128-500, batch 64", "102 500 64 0.2 256 256 128"),
            ("CartPole network 4-64-64-2, batch 128", "4 2 128 0 64 64"))


def measure(bench):
    steps = str(bench.pick(500, 3))
    python = bench.python("TORCH_PYTHON", "torch, numpy")

    def ours(threads, sizes):
        return 1e3 * bench.answer(bench.helper("dqn"), str(threads), steps, *sizes)["step_s"]

    def theirs(threads, sizes):
        return 1e3 * bench.answer(python, bench.peer("torch_dqn.py"), "--threads", str(threads), "--steps", steps, *sizes,
                                  env={"OMP_WAIT_POLICY": "PASSIVE"})["step_s"]

    def best(side, sizes):
        threads = min({1, bench.threads}, key=lambda n: side(n, sizes))
        return lambda: side(threads, sizes)

    for what, sizes in ((what, sizes.split()) for what, sizes in NETWORKS):
        t = bench.turns({"PyTorch": best(theirs, sizes) if python else None, "dq": best(ours, sizes)})
        bench.row(f"step of a {what}", "ms", t["dq"], "PyTorch", t.get("PyTorch"), ratio=1.5)
