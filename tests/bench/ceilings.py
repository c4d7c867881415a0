# SPDX-License-Identifier: MIT
"""What this machine can do, measured at the start of each run: what a row's limit is computed from.

bench.ceiling(NAME) is a rate a second: fma_1, fma (float32 operations, a multiply-add is two), read_1, read (bytes from memory),
adam_1, adam (bytes of an update in place in the third cache), pipe (bytes), zstd_1 (bytes of vectors that `zstd --fast=1`
takes), unzstd (bytes of them that `zstd -d` gives). _1 is one core; without it all of the run's threads.
"""
NAMES = {
    "fma_1": ("multiply-adds in registers, one core", 1e9, "GFLOP/s"),
    "fma": ("multiply-adds in registers, all cores", 1e9, "GFLOP/s"),
    "read_1": ("memory read in order, one core", 1e9, "GB/s"),
    "read": ("memory read in order, all cores", 1e9, "GB/s"),
    "adam_1": ("Adam's reads and writes for 3 M weights, one core", 1e9, "GB/s"),
    "adam": ("Adam's reads and writes for 3 M weights, all cores", 1e9, "GB/s"),
    "pipe": ("a pipe with a buffer of 1 MiB", 1e9, "GB/s"),
    "zstd_1": ("`zstd --fast=1` of vectors, into a pipe", 1e9, "GB/s"),
    "unzstd": ("`zstd -d` of them, into a pipe", 1e9, "GB/s"),
}


def vectors(bench, size):
    """A file of random float32 between -1 and 1, which compress hardly."""
    import numpy as np
    path = f"{bench.dir}/ceiling.f32"
    with bench.making(path) as new:
        if new:
            np.random.default_rng(1).uniform(-1, 1, size // 4).astype(np.float32).tofile(new)
    return path


def measure(bench):
    size = bench.pick(256 << 20, 1 << 20)
    raw = vectors(bench, size)
    packed = f"{raw}.zst"
    with bench.making(packed) as new:
        if new:
            bench.run(f"zstd -q --fast=1 -c {raw} > {new}")
    passes = [bench.answer(bench.helper("ceilings"), str(bench.threads), str(bench.pick(0.2, 0.001))) for _ in range(bench.rounds)]
    for one in passes:
        one["zstd_1"] = size / bench.run(f"zstd -q --single-thread --fast=1 -c {raw} | cat > /dev/null").wall
        one["unzstd"] = size / bench.run(f"zstd -qdc {packed} | cat > /dev/null").wall
    for name, (what, scale, unit) in NAMES.items():
        bench.ceilings[name] = max(one[name] for one in passes)
        bench.row(what, unit, [one[name] / scale for one in passes], better="higher")
