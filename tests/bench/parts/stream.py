# SPDX-License-Identifier: MIT
"""Streams of 614 MB of vectors that do not compress, against the zstd command: read with every record verified; written to a
file at level 3, and synced; read and written to a pipe at level -1, on one core and on all. On all cores zstd has the threads
that it has by itself. Vectors that do compress, and five filters in a row against one of them."""
import os

import numpy as np
import vectors


def smooth(bench):
    """Vectors of small steps, 123 MB: as a stream, and its payload with the vectors as they are under zstd -3."""
    b = f"{bench.dir}/smooth"
    with bench.making(f"{b}.zst") as new:
        if new:
            steps = np.random.default_rng(42).standard_normal((bench.pick(20_000, 200), vectors.ITEM), dtype=np.float32)
            vectors.save(b, 1 + np.cumsum(0.01 * steps, axis=1, dtype=np.float32))
            bench.run(f"{bench.program('dq-export')} -q --items {b}.npy --item-ids {b}.ids -o {b}.dq && zstd -q -3 -c {b}.npy > {new}")
    return f"{b}.dq", f"{b}.zst"


def filters(bench, catalogue):
    """Seconds of five filters in a row, and of the slowest of them alone: each reads and writes the whole."""
    copy = f"{bench.program('dq-cat')} --to stream"
    alone, row = f"{copy} {catalogue} | cat > /dev/null", f"{copy} {catalogue} | {' | '.join([copy] * 4)} | cat > /dev/null"
    t = bench.turns({"one": lambda: bench.run(alone).wall, "dq": lambda: bench.run(row).wall})
    cores = len(os.sched_getaffinity(0))
    bench.row(f"five filters in a row, {cores} cores", "s", t["dq"], "one of them alone", t["one"], ratio=1 / 1.1 if cores >= 10 else None)


def measure(bench):
    b, cat = bench.dir, bench.program("dq-cat")
    catalogue, payload = vectors.catalogue(bench), f"{b}/rank.msgpack"
    with bench.making(payload) as new:
        if new:
            bench.run(f"zstd -qdc {catalogue} > {new}")
    alone, copied = "zstd --single-thread -q -c --fast=1", f"{cat} --to stream {catalogue} | cat > /dev/null"
    through = f"zstd -qdc {catalogue} | %s | cat > /dev/null"
    one_core = f"taskset -c {min(os.sched_getaffinity(0))} bash -c"
    size, unzstd, zstd, pipe = os.path.getsize(payload), *map(bench.ceiling, ("unzstd", "zstd_1", "pipe"))
    for what, limit, limited_by, theirs, ours in (
            ("reading a stream, every record verified", size / unzstd, "`zstd -d`",
             f"zstd -qdc {catalogue} | cat > /dev/null", f"{cat} --check {catalogue}"),
            ("writing a stream to a file, level 3, synced", None, None, f"zstd -q -c -3 {payload} > {b}/peer.zst && sync {b}/peer.zst",
             f"{cat} --to stream {payload} -o {b}/ours.dq"),
            ("read, and written to a pipe, level -1, one core", size / unzstd + size / zstd, "`zstd -d`, then `zstd`",
             f"{one_core} '{through % alone}'", f"{one_core} '{copied}'"),
            ("read, and written to a pipe, level -1, all cores", size / pipe, "the pipe", through % "zstd -q -c --fast=1", copied)):
        t = bench.turns({"zstd": lambda: bench.run(theirs).wall, "dq": lambda: bench.run(ours).wall})
        bench.row(what, "s", t["dq"], "zstd", t["zstd"], limit=limit, limited_by=limited_by, ratio=0.9)
    # Not the same work: dq also understands what it reads, numbers the rows and looks for NaN.
    t = bench.turns({"zstd": lambda: bench.run(f"zstd -q -c --fast=1 {b}/rank.items.npy | cat > /dev/null").wall,
                     "dq": lambda: bench.run(f"{vectors.export(bench)} | cat > /dev/null").wall})
    bench.row("`.npy` to a stream in a pipe", "s", t["dq"], "zstd", t["zstd"])
    bench.run(f"rm -f {b}/peer.zst {b}/ours.dq")
    filters(bench, catalogue)
    stream, zst = smooth(bench)
    t = bench.turns({"zstd": lambda: bench.run(f"zstd -qdc {zst} | cat > /dev/null").wall,
                     "dq": lambda: bench.run(f"{cat} --check {stream}").wall})
    bench.row("reading smooth vectors, every record verified", "s", t["dq"], "zstd", t["zstd"], ratio=0.9)
    bench.row("a file of smooth vectors", "MB", [os.path.getsize(stream) / 1e6], "zstd -3", [os.path.getsize(zst) / 1e6], ratio=1)
