# SPDX-License-Identifier: MIT
"""A learning step of Dyna-Q as DESIGN has it: a Q update, a world-model update, five planning updates of batch 64, on all cores.

The peers do the same mathematics with the same savings: ../shared/bench/torch_expert.py, compiled, and jax_expert.py, jitted
whole (TORCH_PYTHON, JAX_PYTHON). The faster one is what the aim is held to. dq-train's figure is a run's, beside it the
step in memory is held to the floor: the time of its products and of Adam at this machine's ceilings, which take turns with
it, since a neighbour of a virtual machine slows both.
"""
import json
import os
import statistics

USER, ITEM = 768, 1536
FLOPS = 4.4e9  # a step's products on the distinct rows of its batches (6.3e9 on all rows): see docs/performance.md
ADAM = 7 * (24 * 2.2e6 + 8 * 0.79e6)  # bytes: weights and two moments read and written; of a single state's the weights alone


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
        a = bench.answer(python, path, "--steps", str(bench.pick(60, 2)), "--warm", str(bench.pick(1000, 100)), *options)
        bench.versions.update([a["peer"].replace("expert ", "").replace(" compiled", "").split()])
        return 1e3 / a["steps_per_s"]
    return step


def program(bench, *options):
    """Milliseconds a step of dq-train: a run of 100 learning steps less one of none, so that start-up, reading and filling
    the memory count for neither side."""
    warm = bench.pick(10, 1)
    run = [bench.program("dq-train"), "-q", "--user", "0", "--reward", "cosine", "--threads", str(bench.threads), "--steps", "100",
           "--warmup", str(warm * 100), *bench.pick([], ["--hidden", "16", "--world-hidden", "16"]), *options, catalogue(bench), "--episodes"]
    none, some = (bench.drained([*run, str(n)]).wall for n in (warm, warm + 1))
    return 1e3 * (some - none) / 100


def step(bench, threads, precision="f32"):
    """Milliseconds of a step in memory (programs/step.c), the median."""
    return 1e3 * bench.answer(bench.helper("step"), str(threads), *bench.pick(["40", "20"], ["1", "0"]), precision)["step_s"]


def measure(bench):
    experts = {
        "PyTorch, compiled": expert(bench, "TORCH_PYTHON", "torch, numpy", "torch_expert.py", "--compile", "--threads", str(bench.threads)),
        "JAX, jitted": expert(bench, "JAX_PYTHON", "jax, numpy", "jax_expert.py")}
    t = bench.turns({
        **experts, "dq-train": lambda: program(bench), "bf16": lambda: program(bench, "--precision", "bf16"),
        "all": lambda: step(bench, bench.threads), "one": lambda: step(bench, 1),
        "all, bf16": lambda: step(bench, bench.threads, "bf16"), "one, bf16": lambda: step(bench, 1, "bf16"),
        "ceilings": lambda: bench.answer(bench.helper("ceilings"), str(bench.threads), str(bench.pick(0.2, 0.001)))})
    peers = sorted((p for p in experts if p in t), key=lambda p: statistics.median(t[p]))
    for i, peer in enumerate(peers or [None]):
        bench.row("Dyna-Q step, `dq-train`", "ms", t["dq-train"], peer, t.get(peer), ratio=None if i else wanted_ratio())
    first = peers[0] if peers else None
    bench.row("the same, `--precision bf16`", "ms", t["bf16"], first, t.get(first), ratio=4.0 if cpu_has("amx_bf16") else None)
    for what, side, which in ((f"{bench.threads} threads", "all", ""), ("one thread", "one", "_1")):
        floor = [1e3 * (FLOPS / c[f"fma{which}"] + ADAM / c[f"adam{which}"]) for c in t["ceilings"]]
        bench.row(f"Dyna-Q step in memory, {what}", "ms", t[side], limit=floor, limited_by="products and Adam", share=0.85)
    for i, peer in enumerate(peers):
        bench.row(f"Dyna-Q step in memory, {bench.threads} threads, bf16", "ms", t["all, bf16"], peer, t[peer],
                  ratio=4.0 if i == 0 and cpu_has("amx_bf16") else None)
    bench.row("Dyna-Q step in memory, one thread, bf16", "ms", t["one, bf16"], "dq, f32", t["one"])


def cpu_has(flag):
    with open("/proc/cpuinfo") as f:
        return flag in f.read().split()


def wanted_ratio():
    """Of the faster expert: more is asked for where vectors are wider."""
    return 2.0 if cpu_has("avx512f") else 1.7
