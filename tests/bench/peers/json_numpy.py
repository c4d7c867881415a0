# SPDX-License-Identifier: MIT
"""JSON lines of items read as a Python program reads them: ids, and vectors as one array of float32."""
import json
import sys

import numpy as np

ids, vectors = [], []
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        document = json.loads(line)
        ids.append(document["id"])
        vectors.append(np.array(document["vector"], np.float32))
print(len(ids), np.stack(vectors).shape)
