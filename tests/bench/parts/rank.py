# SPDX-License-Identifier: MIT
"""Ranking 100,000 items for one user: by system A's Q-network, whose peer is PyTorch with the user's part of the first layer
shared by hand, and by cosine, whose peers are NumPy and zstd -dc. In memory (programs/score.c): products with products,
nothing else. Whole process: dq-rank from its start, reading and verifying a stream of 614 MB, against np.load and a forward
pass, without PyTorch's import."""
import vectors

FLOPS_A_ITEM = 2 * (1536 * 1024 + 1024 * 512 + 512 * 256 + 256)


def measure(bench):
    b, items = f"{bench.dir}/rank", bench.pick(100_000, 1000)
    catalogue, model, threads = vectors.catalogue(bench), vectors.model(bench), str(bench.threads)
    rank = [bench.program("dq-rank"), "-q", "-k", "10", "--format", "tsv", "--threads", threads]
    python = bench.python("TORCH_PYTHON", "torch, numpy")
    arrays = (f"{b}.users.npy", f"{b}.items.npy")
    t = bench.turns({
        "PyTorch": (lambda: bench.answer(python, bench.peer("torch_rank.py"), *arrays, "--threads", threads)) if python else None,
        "NumPy": lambda: bench.answer(bench.debian, bench.peer("numpy_cosine.py"), *arrays),
        "memory": lambda: bench.answer(bench.helper("score"), threads, str(items)),
        "dq": lambda: bench.run([*rank, "--user", "0", "--model", model, catalogue]).wall,
        "int8": lambda: bench.run([*rank, "--user", "0", "--model", model, "--first-pass", "int8", catalogue]).wall})
    torch = t.get("PyTorch", [])
    bench.versions.update(a["peer"].split() for a in torch + t["NumPy"])
    floor = items * FLOPS_A_ITEM / bench.ceiling("fma")
    bench.row("Q-values of 100,000 items in memory", "s", [a["forward_s"] for a in t["memory"]], "PyTorch, user's part shared",
              [a["forward_s"] for a in torch], limit=floor, limited_by="products")
    bench.row("`dq-rank` of 100,000 items, whole process", "s", t["dq"], "PyTorch, load, user's part shared",
              [a["whole_s"] for a in torch], ratio=1.4)
    bench.row("the same in 8 bits, in memory (`--first-pass int8`)", "s", [a["int8_s"] for a in t["memory"]], "float32",
              [a["forward_s"] for a in t["memory"]], ratio=3)
    bench.row("`dq-rank --first-pass int8`, whole process", "s", t["int8"], "PyTorch, load, user's part shared",
              [a["whole_s"] for a in torch], ratio=3)
    bench.row("`dq-rank --first-pass int8`, whole process", "s", t["int8"], "float32, whole process", t["dq"])
    for key, type, size in (("cosine_s", "float32", 4), ("bf16_s", "bf16", 2), ("f2_s", "f2", 2)):
        bench.row(f"cosine with 100,000 × 1536 in memory, {type}", "s", [a[key] for a in t["memory"]],
                  limit=items * size * vectors.ITEM / bench.ceiling("read"), limited_by="memory", share=0.9 if size == 4 else None)
    bench.row("cosine with 100,000 items in memory", "s", [a["score_s"] for a in t["memory"]], "NumPy", [a["score_s"] for a in t["NumPy"]],
              limit=items * 4 * vectors.USER / bench.ceiling("read"), limited_by="memory", share=0.9)
    by_cosine(bench, rank, catalogue)


def by_cosine(bench, rank, catalogue):
    """From a file: decompression alone is the peer. The user is the first item, since a cosine needs equal widths."""
    user, items, cat = f"{bench.dir}/rank.wide.dq", f"{bench.dir}/rank.items.dq", bench.program("dq-cat")
    with bench.making(user) as new:
        if new:
            bench.run(f"{cat} --kind items --to stream -o {items} {catalogue} && {cat} --kind items --head 1 {catalogue} > "
                      f"{bench.dir}/rank.wide.jsonl && {bench.program('dq-export')} -q --users {bench.dir}/rank.wide.jsonl -o {new}")
    halves = f"{bench.dir}/rank.halves.dq"
    with bench.making(halves) as new:
        if new:
            bench.run(f"{cat} --to stream --vectors bf16 -o {new} {items}")
    t = bench.turns({
        "zstd": lambda: bench.run(f"zstd -qdc {items}").wall,
        "read": lambda: bench.run([cat, "--check", items]).wall,
        "halves": lambda: bench.run([*rank, "--by", "cosine", user, halves]).wall,
        "dq": lambda: bench.run([*rank, "--by", "cosine", user, items]).wall})
    bench.row("`dq-rank --by cosine` of 100,000 items, whole process", "s", t["dq"], "`zstd -dc` of the file", t["zstd"])
    bench.row("the same beside reading and verifying the stream", "s", t["dq"], "`dq-cat --check`", t["read"], ratio=0.9)
    bench.row("`dq-rank --by cosine` of bf16, whole process", "s", t["halves"], "float32, whole process", t["dq"])
