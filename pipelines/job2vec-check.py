# SPDX-License-Identifier: MIT
# Compares lists of dq-rank --by cosine with NumPy's: job2vec-check.py VECTORS.npy.zst IDS RANKED.tsv [USERS]
import io
import subprocess
import sys

import numpy as np

K, TOLERANCE = 10, 1e-6

vectors = np.load(io.BytesIO(subprocess.run(["zstd", "-dcq", sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout))
ids = open(sys.argv[2], encoding="utf-8").read().splitlines()
ranked = [line.rstrip("\n").split("\t") for line in open(sys.argv[3], encoding="utf-8")][1:]
users = min(len(ids), int(sys.argv[4]) if len(sys.argv) > 4 else len(ids))

assert vectors.shape[0] == len(ids) and len(ranked) == K * len(ids), (vectors.shape, len(ids), len(ranked))
row = {name: i for i, name in enumerate(ids)}
unit = vectors.astype("f8")
unit /= np.linalg.norm(unit, axis=1, keepdims=True)

worst = 0.0
for u in range(users):
    cosine = unit @ unit[u]
    best = np.sort(cosine)[::-1][:K]
    places = ranked[K * u : K * u + K]
    assert [p[0] for p in places] == [ids[u]] * K and [int(p[1]) for p in places] == list(range(1, K + 1)), places
    items = [row[p[2]] for p in places]
    assert len(set(items)) == K, places
    # The item of each place has the cosine that belongs there (items within rounding of each other may change places).
    error = max(np.abs(cosine[items] - best).max(), np.abs(np.array([float(p[3]) for p in places]) - best).max())
    assert error < TOLERANCE, (ids[u], error)
    worst = max(worst, error)
print(f"NumPy agrees on {users} lists of {K}; largest difference of a cosine {worst:.1e}")
