# SPDX-License-Identifier: MIT
"""Streams of 614 MB of vectors that do not compress, against the zstd command: read with every record verified; written to a
file at level 3, and synced; read and written to a pipe at level -1, on one core and on all."""
import vectors


def measure(bench):
    b, cat = bench.dir, bench.program("dq-cat")
    catalogue, payload = vectors.catalogue(bench), f"{b}/rank.msgpack"
    with bench.making(payload) as new:
        if new:
            bench.run(f"zstd -qdc {catalogue} > {new}")
    single, copied = "zstd --single-thread -q -c", f"{cat} --to stream {catalogue} | cat > /dev/null"
    through = f"zstd -qdc {catalogue} | {single} --fast=1 | cat > /dev/null"
    one_core = "taskset -c 0 bash -c"
    for what, theirs, ours in (
            ("reading a stream, every record verified", f"zstd -qdc {catalogue} | cat > /dev/null", f"{cat} --check {catalogue}"),
            ("writing a stream to a file, level 3, synced", f"{single} -3 {payload} > {b}/peer.zst && sync {b}/peer.zst",
             f"{cat} --to stream {payload} -o {b}/ours.dq"),
            ("read, and written to a pipe, level -1, one core", f"{one_core} '{through}'", f"{one_core} '{copied}'"),
            ("read, and written to a pipe, level -1, all cores", through, copied)):
        t = bench.turns({"zstd": lambda: bench.run(theirs).wall, "dq": lambda: bench.run(ours).wall})
        bench.row(what, "s", t["dq"], "zstd", t["zstd"], ratio=0.9)
    # Not the same work: dq also understands what it reads, numbers the rows and looks for NaN.
    t = bench.turns({"zstd": lambda: bench.run(f"{single} --fast=1 {b}/rank.items.npy | cat > /dev/null").wall,
                     "dq": lambda: bench.run(f"{vectors.export(bench)} | cat > /dev/null").wall})
    bench.row("`.npy` to a stream in a pipe", "s", t["dq"], "zstd", t["zstd"])
    bench.run(f"rm -f {b}/peer.zst {b}/ours.dq")
