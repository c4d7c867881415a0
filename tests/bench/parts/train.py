# SPDX-License-Identifier: MIT
"""A learning step of Dyna-Q as DESIGN has it: a Q update, a world-model update, five planning updates of batch 64, two threads.

The peers do the same mathematics with the same savings: ../shared/bench/torch_expert.py, compiled, and jax_expert.py, jitted
whole (TORCH_PYTHON, JAX_PYTHON). The faster one is what the aim is held to. dq's figure is a run of some learning steps
less one of none, so that start-up, reading and filling the memory count for neither side.
"""
import json
import os
import statistics

USER, ITEM = 768, 1536
FLOPS = 6.3e9         # of a step's products: see docs/performance.md
ADAM = 7 * 28 * 3.0e6  # bytes of seven passes of Adam over three million weights: four read and three written of each


def catalogue(bench):
    """One user and 2,000 items, vectors of length 1 at random; rewards are the cosine with the item's first half."""
    import numpy as np
    rng = np.random.default_rng(42)

    def unit(rows, width):
        x = rng.standard_normal((rows, width), dtype=np.float32)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def lines(path, rows):
        with open(path, "w") as f:
            for i, vector in enumerate(rows):
                f.write(json.dumps({"id": str(i), "vector": {k: [float(f"{x:.7g}") for x in v.tolist()] for k, v in vector.items()}}) + "\n")

    with bench.making(f"{bench.dir}/train.dq") as new:
        if new:
            b = bench.dir
            lines(f"{b}/train.users.jsonl", [{"state": unit(1, USER)[0]}])
            lines(f"{b}/train.items.jsonl", [{"head": x[:USER], "tail": x[USER:]} for x in unit(bench.pick(2000, 120), ITEM)])
            bench.run([bench.program("dq-export"), "-q", "--users", f"{b}/train.users.jsonl", "--items", f"{b}/train.items.jsonl",
                       "--compare", "state:head", "-o", new])
    return f"{bench.dir}/train.dq"


def expert(bench, variable, modules, script, *options):
    """A function that returns the peer's milliseconds a step, or None."""
    path = f"{bench.shared}/bench/{script}"
    if not os.path.exists(path):
        return bench.skip(f"no {script} beside the tree: its rows are left out")
    python = bench.python(variable, modules)
    if not python:
        return None

    def step():
        a = bench.answer(python, path, "--steps", str(bench.pick(100, 2)), "--warm", str(bench.pick(1000, 100)), *options)
        bench.versions.update([a["peer"].replace("expert ", "").replace(" compiled", "").split()])
        return 1e3 / a["steps_per_s"]
    return step


def measure(bench):
    data, warm = catalogue(bench), bench.pick(10, 1)

    def ours(threads):
        run = [bench.program("dq-train"), "-q", "--user", "0", "--reward", "cosine", "--threads", str(threads), "--steps", "100",
               "--warmup", str(warm * 100), *bench.pick([], ["--hidden", "16", "--world-hidden", "16"]), data, "--episodes"]
        none, some = (bench.drained([*run, str(n)]).wall for n in (warm, warm + 1))
        return (some - none) * 1e3 / 100

    t = bench.turns({
        "PyTorch, compiled": expert(bench, "TORCH_PYTHON", "torch, numpy", "torch_expert.py", "--compile", "--threads", str(bench.threads)),
        "JAX, jitted": expert(bench, "JAX_PYTHON", "jax, numpy", "jax_expert.py"),
        "dq": lambda: ours(bench.threads),
        "one thread": lambda: ours(1)})
    peers = sorted((p for p in t if p not in ("dq", "one thread")), key=lambda p: statistics.median(t[p]))
    for i, peer in enumerate(peers):
        bench.row("Dyna-Q step", "ms", t["dq"], peer, t[peer], ratio=None if i else 2.0)
    floor = 1e3 * (FLOPS / bench.ceiling("fma") + ADAM / bench.ceiling("adam"))
    bench.row("Dyna-Q step, against the floor", "ms", t["dq"], limit=floor, limited_by="products and Adam", share=0.85)
    floor = 1e3 * (FLOPS / bench.ceiling("fma_1") + ADAM / bench.ceiling("adam_1"))
    bench.row("Dyna-Q step, one thread", "ms", t["one thread"], limit=floor, limited_by="products and Adam", share=0.85)
