#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`implicit` on the interactions of als.c: implicit_als.py exact|cg THREADS SWEEPS WIDTH FILE, a line of JSON as als.c's.

Its confidence is the matrix's value itself, so 1 + alpha w is handed over. Its own defaults else: float32, 3 steps of
conjugate gradients. The objective is computed here, from its factors, in float64.
"""
import json
import os
import resource
import sys
import time

method, threads, sweeps, width, path = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as it asks for: its own threads are above BLAS

import implicit.cpu.als as als  # noqa: E402
import numpy as np  # noqa: E402
import scipy.sparse as sparse  # noqa: E402

ALPHA, LAMBDA = 40, 1
entry = np.fromfile(path, dtype=[("user", "u4"), ("item", "u4"), ("weight", "f4")])
confidence = (1 + ALPHA * entry["weight"]).astype(np.float32)
matrix = sparse.csr_matrix((confidence, (entry["user"], entry["item"])))
model = als.AlternatingLeastSquares(factors=width, regularization=LAMBDA, alpha=1, iterations=sweeps, use_cg=method == "cg",
                                    num_threads=threads, random_state=42)
wall, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
model.fit(matrix, show_progress=False)
wall, cpu = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_SELF).ru_utime - cpu
x, y = (f.astype(np.float64) for f in (model.user_factors, model.item_factors))
p = np.einsum("ij,ij->i", x[entry["user"]], y[entry["item"]])
c = 1 + ALPHA * entry["weight"].astype(np.float64)
objective = ((x.T @ x) * (y.T @ y)).sum() + (c * (1 - p) ** 2 - p**2).sum() + LAMBDA * ((x**2).sum() + (y**2).sum())
print(json.dumps({"wall_s": wall, "cpu_s": cpu, "objective": objective}))
