#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A filter: how many interactions an item has becomes its attribute "popularity".

    dq-export … | popularity.py | dq-cat --kind items

In a section interactions stand before items, so each bundle is passed on as it comes.
"""
import collections
import sys

import dq

met = collections.Counter()
try:
    with dq.Reader() as reader, dq.Writer(program="popularity.py", version="1", inputs=[reader]) as writer:
        for bundle in reader:
            if bundle.kind == "users":  # a section begins
                met.clear()
            elif bundle.kind == "interactions":
                met.update(bundle["item"])
            elif bundle.kind == "items":
                bundle = bundle.with_columns({"attr.popularity": [met[i] for i in bundle["id"]]})
            writer.write(bundle)
except dq.Error as e:
    sys.exit(f"popularity.py: {e}")
