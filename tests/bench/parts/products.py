# SPDX-License-Identifier: MIT
"""Products of a learning step, GFLOP/s of one core's CPU time, packing included (programs/product.c): the widest kernel that
this CPU has beside OpenBLAS's, each shape against the multiply-adds that a core does in registers in the same run; then the
geometric mean of the shapes by each kernel."""
import statistics


def measure(bench):
    rounds = bench.turns({"dq": lambda: bench.answer(bench.helper("product"), "1")})["dq"]
    peak = statistics.median(a.pop("peak") for a in rounds)
    kernels = list(rounds[0])
    best, limit = kernels[0], {"limit": peak, "limited_by": "multiply-adds in registers"}
    blas = next((k for k in kernels[1:] if k.startswith("OpenBLAS")), None)
    name = best if best.startswith("OpenBLAS") else f"dq {best}"
    for shape in rounds[0][best]:
        bench.row(f"{shape}, {name}", "GFLOP/s", [a[best][shape] for a in rounds], blas, [a[blas][shape] for a in rounds] if blas else None,
                  better="higher", **limit)
    for kernel in kernels:
        bench.row(f"all of them, {kernel}", "GFLOP/s", [statistics.geometric_mean(a[kernel].values()) for a in rounds], better="higher",
                  share=0.85 if kernel == best else None, **limit)
